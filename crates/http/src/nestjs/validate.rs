//! Validating keys together with the credentials of their service account.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use keyward::{Asked, ClientCredentials, Decision, KeyspaceId, Keyward, VerifyOptions};

use super::NestjsError;
use super::bodies::ValidateBody;
use super::envelope::Outcome;
use super::error::{Done, Failures};
use super::view::ValidKey;
use crate::access::Right;
use crate::caller::Caller;
use crate::input::Body;

/// Whether a key and the credentials of its service account are valid.
///
/// They are one question with one answer: whichever of the three is wrong, it is
/// `INVALID_CLIENT_CREDENTIALS`. Only if all are right, it is told that the key has expired or is not
/// active, in this order.
#[utoipa::path(
    post, path = "/api/keys/validate", tag = "keys", request_body = ValidateBody,
    responses((status = 200, body = Outcome<ValidKey<'_>>), Failures),
)]
pub(super) async fn validate(
    State(keyward): State<Keyward>,
    Extension(keyspace): Extension<KeyspaceId>,
    caller: Caller,
    Body(body): Body<ValidateBody>,
) -> Result<Response, NestjsError> {
    caller.may(Right::KeysVerify, Some(&keyspace))?;
    body.check()?;
    let client = ClientCredentials { id: &body.client_id, secret: body.client_secret.expose() };
    let options = VerifyOptions { client: Some(client), ..VerifyOptions::default() };
    let asked = Asked { keyspace: Some(&keyspace), ..Asked::default() };
    match keyward.verify_with(body.api_key.expose(), &asked, &options).await? {
        Decision::Allow(permit) => {
            Ok(Outcome::answer(Done::Valid, ValidKey::of(permit.key()), keyward.now()))
        }
        Decision::Deny(reason) => Err(reason.into()),
    }
}
