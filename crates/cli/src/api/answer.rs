//! What the REST interface answers.

use anyhow::Context;
use axum::http::StatusCode;
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::Value;

use crate::outcome::Outcome;
use crate::printer;

/// An answer of the REST interface.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Value,
}

impl Answer {
    pub(super) async fn of_router(response: Response) -> anyhow::Result<Self> {
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        Self::read(status, &bytes)
    }

    pub(super) async fn of_server(response: reqwest::Response) -> anyhow::Result<Self> {
        let status = response.status();
        let bytes = response.bytes().await.map_err(reqwest::Error::without_url)?;
        Self::read(status, &bytes)
    }

    fn read(status: StatusCode, bytes: &[u8]) -> anyhow::Result<Self> {
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(bytes)
                .context("the answer is not JSON: is it a Keyward server?")?
        };
        Ok(Self { status, body })
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The problem's stable code, or nothing.
    pub(crate) fn code(&self) -> &str {
        self.text("code")
    }

    /// What the problem is, for people.
    pub(crate) fn problem(&self) -> String {
        format!("{} ({})", self.text("detail"), self.code())
    }

    fn text(&self, member: &str) -> &str {
        self.body.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// The body of an answer that grants what was asked, or the answer itself.
    pub(crate) fn found(self) -> Result<Value, Self> {
        if self.status.is_success() { Ok(self.body) } else { Err(self) }
    }

    /// The body of an answer that grants what was asked; prints the problem of one that does not.
    pub(crate) fn granted(self, as_json: bool) -> anyhow::Result<Result<Value, Outcome>> {
        if self.status.is_success() {
            return Ok(Ok(self.body));
        }
        let problem = self.problem();
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
