//! Which keys are active, as the REST interface says.

use anyhow::Context;
use axum::http::Method;
use serde_json::Value;

use super::document::{Kid, document};
use super::refusal::Refusal;
use crate::api::{Answer, Api};
use crate::commands::query;

/// The keys of some keyspaces, or of all signed ones.
pub(super) struct Source<'a> {
    api: &'a Api,
    keyspaces: &'a [String],
}

/// What is to be said of a key's document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// There is to be this one.
    Active(String),
    /// There may be one, which is no concern of this export.
    Elsewhere,
    /// There must be none.
    Gone,
}

/// Some active keys with their documents, and where there are more.
pub(super) struct ActiveKeys {
    pub(super) documents: Vec<(Kid, String)>,
    pub(super) next: Option<String>,
}

impl<'a> Source<'a> {
    /// No keyspace at all stands for all that are signed.
    pub(super) const fn new(api: &'a Api, keyspaces: &'a [String]) -> Self {
        Self { api, keyspaces }
    }

    /// The signed keyspaces whose keys are exported.
    pub(super) async fn keyspaces(&self) -> anyhow::Result<Vec<String>> {
        let answer = self.read("/v1/keyspaces").await?;
        let known: Vec<_> = items(&answer).collect();
        // One that there always is, is among them.
        if known.is_empty() {
            let rule =
                "this management key does not get to see any keyspace: it needs keyspaces:read";
            return Err(Refusal::Rule(rule.to_owned()).into());
        }
        let is_signed = |keyspace: &&Value| text(keyspace, "format") == "signed";
        let signed = known.into_iter().filter(is_signed);
        let signed: Vec<_> = signed.map(|keyspace| text(keyspace, "id").to_owned()).collect();
        for chosen in self.keyspaces {
            if !signed.contains(chosen) {
                let rule = format!("there is no signed keyspace {chosen:?}, or not for this key");
                return Err(Refusal::Rule(rule).into());
            }
        }
        Ok(if self.keyspaces.is_empty() { signed } else { self.keyspaces.to_vec() })
    }

    /// Active keys of a keyspace, from the beginning or from where there were more.
    pub(super) async fn active(
        &self,
        keyspace: &str,
        cursor: Option<String>,
    ) -> anyhow::Result<ActiveKeys> {
        let parameters = [
            ("keyspace", Some(keyspace.to_owned())),
            ("state", Some("active".to_owned())),
            ("limit", Some("200".to_owned())),
            ("cursor", cursor),
        ];
        let page = self.read(&query::path("/v1/keys", &parameters)).await?;
        let keys = items(&page).filter_map(|view| Some((Kid::of(view)?, view)));
        let documents = keys.map(|(kid, view)| {
            let document = document(&kid, view)?;
            Ok((kid, document))
        });
        let documents = documents.collect::<anyhow::Result<_>>()?;
        let next = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
        Ok(ActiveKeys { documents, next })
    }

    /// What is to be said of one key's document now.
    pub(super) async fn standing(&self, kid: &Kid) -> anyhow::Result<Standing> {
        let answer = self.call(&query::path_of("keys", kid.as_str(), "")).await?;
        if is_not_found(&answer) {
            return self.public_standing(kid).await;
        }
        let view = granted(answer)?;
        // Whatever else answers must not be taken for a word about the key.
        anyhow::ensure!(text(&view, "id") == kid.as_str(), "the answer is not about the key {kid}");
        if text(&view, "state") != "active" || view.get("jwk").is_none() {
            return Ok(Standing::Gone);
        }
        let keyspace = text(&view, "keyspace");
        if !self.keyspaces.is_empty() && !self.keyspaces.iter().any(|chosen| chosen == keyspace) {
            return Ok(Standing::Elsewhere);
        }
        document(kid, &view).map(Standing::Active)
    }

    /// The same of a key that is purged, or hidden from this management key. Only a purged one has no
    /// document, which everybody may ask for.
    async fn public_standing(&self, kid: &Kid) -> anyhow::Result<Standing> {
        let answer = self.call(&format!("/jwks/{kid}/.well-known/jwks.json")).await?;
        if is_not_found(&answer) {
            return Ok(Standing::Gone);
        }
        granted(answer)?;
        Ok(Standing::Elsewhere)
    }

    async fn read(&self, path: &str) -> anyhow::Result<Value> {
        granted(self.call(path).await?)
    }

    async fn call(&self, path: &str) -> anyhow::Result<Answer> {
        self.api.call(Method::GET, path, None).await.context("the keys cannot be read")
    }
}

/// Whether a Keyward server, and nothing in front of it, says that there is nothing.
fn is_not_found(answer: &Answer) -> bool {
    answer.status().as_u16() == 404 && answer.code() == "not_found"
}

fn granted(answer: Answer) -> anyhow::Result<Value> {
    answer.found().map_err(|answer| Refusal::of(answer).into())
}

fn items(page: &Value) -> impl Iterator<Item = &Value> {
    page.get("data").and_then(Value::as_array).into_iter().flatten()
}

fn text<'v>(view: &'v Value, member: &str) -> &'v str {
    view.get(member).and_then(Value::as_str).unwrap_or_default()
}
