//! Acts on many keys at once, with a result for each.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use keyward::{Decision, Error, Invalid, Issued, KeyId, Keyward, NewKey, Reason, VerifyOptions};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::IssuedAccountView;
use super::keys::{IssueBody, read_new, writable_key};
use super::verify::{Match, Question, Verdict, verdict};
use crate::access::Right;
use crate::caller::{Actor, Caller};
use crate::input::Body;
use crate::problem::{FieldProblem, Problem, Problems};
use crate::view::{Answer, Json, KeyView, SecretJson};

/// The most items in one request.
const MOST: usize = 100;

/// Keys to issue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueManyBody {
    /// 1 to 100 keys.
    keys: Vec<IssueBody>,
}

/// Keys to revoke.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeManyBody {
    /// The ids of 1 to 100 keys.
    ids: Vec<String>,
    /// For people and the audit trail: 1 to 500 characters.
    reason: Option<String>,
}

/// Secrets to verify, and what their holders want to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyManyBody {
    /// 1 to 100 texts that were presented.
    #[schema(value_type = Vec<String>)]
    secrets: Vec<keyward::Secret>,
    /// The scopes that are needed; none: being valid is enough.
    #[serde(default)]
    scopes: Vec<String>,
    /// Whether all of the scopes are needed or any one.
    #[serde(default)]
    r#match: Match,
    /// The resource on which they are needed, as `type:id`.
    resource: Option<String>,
}

/// A result for each item, in their order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Results<T> {
    results: Vec<T>,
}

/// What became of one item: a secret where a key was issued, a key, or a problem.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Outcome<'a> {
    /// Whether it was done.
    done: bool,
    /// The text to hand out; only of a key that was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    /// The key, as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeyView<'a>>,
    /// The owner's primary service account and its client secret, if they were made with the key.
    #[serde(flatten)]
    account: Option<IssuedAccountView<'a>>,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<OneProblem<'a>>,
}

/// Why one item was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneProblem<'a> {
    /// The kind of problem as a stable word: those of whole requests.
    #[schema(example = "already_revoked")]
    code: &'a str,
    /// The problem in a sentence.
    detail: &'a str,
    /// The fields that are not acceptable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem<'a>>,
}

impl<'a> Outcome<'a> {
    const fn done(secret: Option<&'a str>, key: KeyView<'a>) -> Self {
        Self { done: true, secret, key: Some(key), account: None, problem: None }
    }

    fn refused(problem: &'a Problem) -> Self {
        let (code, detail, errors) = (problem.code, problem.detail(), problem.field_problems());
        let problem = Some(OneProblem { code, detail, errors });
        Self { done: false, secret: None, key: None, account: None, problem }
    }
}

/// Issues many keys. What is not acceptable of one is told for it, and the others are issued.
#[utoipa::path(
    post, path = "/v1/keys/issue-many", tag = "keys", request_body = IssueManyBody,
    responses((status = 200, body = Results<Outcome<'_>>), Problems),
)]
pub(crate) async fn issue(
    State(keyward): State<Keyward>,
    caller: Actor,
    Body(body): Body<IssueManyBody>,
) -> Answer {
    check_count(body.keys.len(), "keys")?;
    let read: Vec<_> = body.keys.into_iter().map(|body| readable(body, &caller)).collect();
    let acceptable = read.iter().filter_map(|read| read.as_ref().ok()).cloned();
    let issued = keyward.issue_many(acceptable, caller.context()).await;
    let results = together(read, issued);
    let now = keyward.now();
    Ok(answer(results.iter().map(|result| match result {
        Ok((_, Issued { secret, key, account })) => Outcome {
            account: account.as_ref().map(IssuedAccountView::from),
            ..Outcome::done(Some(secret.expose()), KeyView::of(key, now))
        },
        Err(problem) => Outcome::refused(problem),
    }))
    .with_denied(&results))
}

fn readable(body: IssueBody, caller: &Caller) -> Result<NewKey, Problem> {
    let new = read_new(body)?;
    caller.may(Right::to_write_keys_of(&new.keyspace), Some(&new.keyspace))?;
    Ok(new)
}

/// Revokes many keys for good. One that cannot be revoked is told, and the others are.
#[utoipa::path(
    post, path = "/v1/keys/revoke-many", tag = "keys", request_body = RevokeManyBody,
    responses((status = 200, body = Results<Outcome<'_>>), Problems),
)]
pub(crate) async fn revoke(
    State(keyward): State<Keyward>,
    caller: Actor,
    Body(body): Body<RevokeManyBody>,
) -> Answer {
    check_count(body.ids.len(), "ids")?;
    let reason = super::keys::acts::read_reason(body.reason.as_deref());
    let reason: Option<Reason> = reason.map_err(|error| Problem::invalid_body(vec![error]))?;
    let mut known = Vec::with_capacity(body.ids.len());
    for id in &body.ids {
        known.push(writable_key(&keyward, &caller, id).await);
    }
    let ids: Vec<KeyId> = known.iter().flatten().map(|key| key.record.id.clone()).collect();
    let revoked = keyward.revoke_many(&ids, reason.as_ref(), caller.context()).await;
    let results = together(known, revoked);
    let now = keyward.now();
    Ok(answer(results.iter().map(|result| match result {
        Ok((before, record)) => Outcome::done(None, KeyView::changed(record, before, now)),
        Err(problem) => Outcome::refused(problem),
    }))
    .with_denied(&results))
}

/// Whether the keys with these secrets may do what is asked, one by one.
#[utoipa::path(
    post, path = "/v1/verify-many", tag = "verify", request_body = VerifyManyBody,
    responses((status = 200, body = Results<Verdict<'_>>), Problems),
)]
pub(crate) async fn verify(
    State(keyward): State<Keyward>,
    caller: Caller,
    Body(body): Body<VerifyManyBody>,
) -> Answer {
    caller.may(Right::KeysVerify, None)?;
    check_count(body.secrets.len(), "secrets")?;
    let question = Question::read(&body.scopes, body.r#match, body.resource.as_deref())?;
    let texts = body.secrets.iter().map(keyward::Secret::expose);
    let options = VerifyOptions::default();
    let decisions = keyward.verify_many(texts, &question.asked(), &options).await;
    let decisions: Vec<Decision> = decisions.into_iter().collect::<Result<_, _>>()?;
    let now = keyward.now();
    let results = decisions.iter().map(|decision| verdict(decision, now)).collect();
    Ok(Json(StatusCode::OK, Results { results }).into_response())
}

/// The items with what became of those that could be read, each at its place.
pub(crate) fn together<T, R>(
    read: Vec<Result<T, Problem>>,
    done: Vec<Result<R, Error>>,
) -> Vec<Result<(T, R), Problem>> {
    let mut done = done.into_iter();
    let with_result = |item: Result<T, Problem>| {
        let item = item?;
        Ok((item, done.next().ok_or_else(Problem::internal)??))
    };
    read.into_iter().map(with_result).collect()
}

/// Hands the first item that the caller lacked a right to on to the audit trail.
pub(super) trait WithDenied {
    fn with_denied<T>(self, results: &[Result<T, Problem>]) -> Self;
}

impl WithDenied for Response {
    fn with_denied<T>(mut self, results: &[Result<T, Problem>]) -> Self {
        let mut problems = results.iter().filter_map(|result| result.as_ref().err());
        if let Some(denied) = problems.find_map(|problem| problem.denied.as_deref()) {
            self.extensions_mut().insert(denied.clone());
        }
        self
    }
}

/// The results, in which there may be secrets.
fn answer<'a>(results: impl Iterator<Item = Outcome<'a>>) -> Response {
    SecretJson(StatusCode::OK, Results { results: results.collect() }).into_response()
}

pub(crate) fn check_count(count: usize, field: &'static str) -> Result<(), Problem> {
    if (1..=MOST).contains(&count) {
        return Ok(());
    }
    let rule = Invalid::new("must hold 1 to 100 items").at(field);
    Err(Problem::invalid_body(vec![rule]))
}
