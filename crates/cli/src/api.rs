//! The one way to the REST interface: in the process over the local database, or over the network.

mod answer;
mod events;

use std::fs;
use std::time::Duration;

pub(crate) use answer::Answer;
use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request};
use axum::response::Response;
pub(crate) use events::Events;
use events::Source;
use keyward::{ActorId, Keyward, Secret};
use keyward_http::{Operator, RouterSettings};
use serde_json::Value;
use tower::ServiceExt;

use crate::args::TargetArgs;
use crate::config::Config;
use crate::instance::{self, Workload};
use crate::outcome::Unusable;

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

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// What the audit trail shall keep about a request.
const AUDIT_METADATA: &str = "keyward-audit-metadata";

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

    /// Opens the stream of changes, from now on.
    pub(crate) async fn changes(&self) -> anyhow::Result<Result<Events, Answer>> {
        self.target.changes().await
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
                let request = (method, path);
                let response = locally(router, operator, request, body, audit_metadata).await?;
                Answer::of_router(response).await
            }
            Self::Remote { client, server, key } => {
                let request = client.request(method, format!("{server}{path}"));
                let mut request = request.bearer_auth(key.expose()).timeout(PATIENCE);
                if let Some(body) = body {
                    request = request.json(body);
                }
                if let Some(metadata) = audit_metadata {
                    request = request.header(AUDIT_METADATA, metadata);
                }
                let response = request.send().await;
                Answer::of_server(response.map_err(reqwest::Error::without_url)?).await
            }
        }
    }

    async fn changes(&self) -> anyhow::Result<Result<Events, Answer>> {
        let (method, path) = (Method::GET, "/v1/changes");
        match self {
            Self::Local { router, operator, .. } => {
                let response = locally(router, operator, (method, path), None, None).await?;
                if !response.status().is_success() {
                    return Answer::of_router(response).await.map(Err);
                }
                Ok(Ok(Events::of(Source::Router(response.into_body()))))
            }
            Self::Remote { client, server, key } => {
                let request = client.request(method, format!("{server}{path}"));
                // The limit of other requests would hold for the whole stream.
                let response = request.bearer_auth(key.expose()).send();
                let response = tokio::time::timeout(PATIENCE, response).await;
                let response = response.context("the stream of changes does not begin")?;
                let response = response.map_err(reqwest::Error::without_url)?;
                if !response.status().is_success() {
                    return Answer::of_server(response).await.map(Err);
                }
                Ok(Ok(Events::of(Source::Server(response))))
            }
        }
    }
}

/// The router's answer to a request of the operator.
async fn locally(
    router: &Router,
    operator: &Operator,
    (method, path): (Method, &str),
    body: Option<&Value>,
    audit_metadata: Option<&str>,
) -> anyhow::Result<Response> {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let mut request = Request::builder().method(method).uri(path);
    if let Some(metadata) = audit_metadata {
        request = request.header(AUDIT_METADATA, metadata);
    }
    let mut request = request.header(CONTENT_TYPE, "application/json").body(body)?;
    request.extensions_mut().insert(operator.clone());
    Ok(router.clone().oneshot(request).await?)
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
