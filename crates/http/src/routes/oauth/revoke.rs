//! Taking a presented text back (RFC 7009).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::{Keyward, Revocable};

use super::OAuthAnswer;
use super::caller::OAuthCaller;
use super::error::{OAuthErrors, OAuthProblem};
use super::form::OAuthRequest;
use super::introspect::TokenQuestionForm;
use crate::access::Right;

/// Revokes an access token, or a key of any format by its secret.
///
/// Needs the credentials of a service account, or a management key with `keys:write` (in the keyspace of the
/// key; for access tokens, everywhere) as a bearer token. A service account revokes its own access tokens and
/// keys. What is unknown, has expired or belongs to others is left as it is, and answered alike.
#[utoipa::path(
    post, path = "/oauth/revoke", tag = "oauth", security(()),
    request_body(
        content = TokenQuestionForm, content_type = "application/x-www-form-urlencoded"
    ),
    responses((status = 200), OAuthErrors),
)]
pub(crate) async fn revoke(
    State(keyward): State<Keyward>,
    request: Result<OAuthRequest, OAuthProblem>,
) -> OAuthAnswer {
    let mut request = request?;
    let caller = OAuthCaller::of(&mut request, &keyward).await?;
    let found = keyward.find_revocable(request.form.token()?, caller.client()).await?;
    if let Some(found) = found {
        check_right(&caller, &found)?;
        keyward.revoke_found(&found, caller.context()).await?;
    }
    Ok(StatusCode::OK.into_response())
}

fn check_right(caller: &OAuthCaller, found: &Revocable) -> Result<(), OAuthProblem> {
    let OAuthCaller::Management(actor) = caller else { return Ok(()) };
    match found {
        Revocable::AccessToken(_) => actor.may(Right::KeysWrite, None)?,
        Revocable::Key(key) => {
            actor.may(Right::to_write_keys_of(&key.keyspace), Some(&key.keyspace))?;
        }
    }
    Ok(())
}
