//! The one way to the REST interface: in the process over the local database, or over the network.

use std::fs;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use keyward::{ActorId, Keyward, Secret};
use keyward_http::{Operator, RouterSettings};
use serde_json::Value;
use tower::ServiceExt;

use crate::args::TargetArgs;
use crate::config::Config;
use crate::instance::{self, Workload};
use crate::outcome::{Outcome, Unusable};
use crate::printer;

/// Makes requests.
pub(crate) struct Api {
    audit_metadata: Option<String>,
    target: Target,
}

/// Where requests go.
enum Target {
    /// To the same router as the server's, over the local database, as its operator.
    Local { keyward: Keyward, router: Router, operator: Operator },
    /// To a server.
    Remote { client: reqwest::Client, server: String, key: Secret },
}

/// What the audit trail shall keep about a request.
const AUDIT_METADATA: &str = "keyward-audit-metadata";

/// An answer of the REST interface.
pub(crate) struct Answer {
    status: StatusCode,
    body: Value,
}

impl Api {
    /// The interface that the arguments name.
    pub(crate) async fn open(target: &TargetArgs, workload: Workload) -> anyhow::Result<Self> {
        let audit_metadata = target.audit_metadata.clone();
        Ok(Self { audit_metadata, target: Target::open(target, workload).await? })
    }

    /// Makes a request.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let metadata = self.audit_metadata.as_deref();
        self.target.call((method, path), body, metadata).await
    }

    /// Writes down what is not written yet.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        if let Target::Local { keyward, .. } = self.target {
            keyward.close().await?;
        }
        Ok(())
    }
}

impl Target {
    async fn open(target: &TargetArgs, workload: Workload) -> anyhow::Result<Self> {
        let Some(server) = &target.server else {
            let config = Config::load(target.config.as_deref(), &target.overrides)?;
            let keyward = instance::open(&config, workload).await?;
            let router = keyward_http::router(keyward.clone(), RouterSettings::default());
            let operator = Operator { actor: ActorId::parse("local")? };
            return Ok(Self::Local { keyward, router, operator });
        };
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_mins(1))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let server = server.trim_end_matches('/').to_owned();
        Ok(Self::Remote { client, server, key: management_key(target)? })
    }

    async fn call(
        &self,
        (method, path): (Method, &str),
        body: Option<&Value>,
        audit_metadata: Option<&str>,
    ) -> anyhow::Result<Answer> {
        match self {
            Self::Local { router, operator, .. } => {
                let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
                let mut request = Request::builder().method(method).uri(path);
                if let Some(metadata) = audit_metadata {
                    request = request.header(AUDIT_METADATA, metadata);
                }
                let mut request = request.header(CONTENT_TYPE, "application/json").body(body)?;
                request.extensions_mut().insert(operator.clone());
                let response = router.clone().oneshot(request).await?;
                let status = response.status();
                let bytes = response.into_body().collect().await?.to_bytes();
                Answer::read(status, &bytes)
            }
            Self::Remote { client, server, key } => {
                let request = client.request(method, format!("{server}{path}"));
                let mut request = request.bearer_auth(key.expose());
                if let Some(body) = body {
                    request = request.json(body);
                }
                if let Some(metadata) = audit_metadata {
                    request = request.header(AUDIT_METADATA, metadata);
                }
                let response = request.send().await;
                let response = response.map_err(reqwest::Error::without_url)?;
                let status = response.status();
                let bytes = response.bytes().await.map_err(reqwest::Error::without_url)?;
                Answer::read(status, &bytes)
            }
        }
    }
}

impl Answer {
    fn read(status: StatusCode, bytes: &[u8]) -> anyhow::Result<Self> {
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(bytes)
                .context("the answer is not JSON: is it a Keyward server?")?
        };
        Ok(Self { status, body })
    }

    /// The body of an answer that grants what was asked; prints the problem of one that does not.
    pub(crate) fn granted(self, as_json: bool) -> anyhow::Result<Result<Value, Outcome>> {
        if self.status.is_success() {
            return Ok(Ok(self.body));
        }
        let text = |member: &str| self.body.get(member).and_then(Value::as_str).unwrap_or_default();
        let problem = format!("{} ({})", text("detail"), text("code"));
        if self.status.is_server_error() {
            anyhow::bail!("{problem}");
        }
        if as_json {
            printer::json(&self.body)?;
            return Ok(Err(Outcome::Refused));
        }
        printer::complain(&problem);
        for error in self.body.get("errors").and_then(Value::as_array).into_iter().flatten() {
            let part = |member: &str| error.get(member).and_then(Value::as_str).unwrap_or_default();
            printer::complain(&format!("{} {}", part("field"), part("message")));
        }
        Ok(Err(Outcome::Refused))
    }
}

fn management_key(target: &TargetArgs) -> anyhow::Result<Secret> {
    match (&target.key, &target.key_file) {
        (Some(key), None) => Ok(Secret::new(key.clone())),
        (None, Some(path)) => {
            let text = fs::read_to_string(path)
                .map_err(|e| Unusable(format!("cannot read {}: {e}", path.display())))?;
            Ok(Secret::new(text.trim().to_owned()))
        }
        (Some(_), Some(_)) => {
            Err(Unusable("only one of --key and --key-file may be given".to_owned()).into())
        }
        (None, None) => {
            Err(Unusable("--server needs a management key: --key-file PATH".to_owned()).into())
        }
    }
}
