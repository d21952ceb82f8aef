//! Creating keys.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use keyward::{ClientId, Description, Expiry, KeyspaceId, Keyward, Name, NewKey, Timestamp};

use super::NestjsError;
use super::bodies::{CreateBody, read_expiry};
use super::envelope::Outcome;
use super::error::{Done, Failures};
use super::view::CreatedKey;
use crate::access::Right;
use crate::caller::Actor;
use crate::fields::Fields;
use crate::input::Body;

/// Creates a key, and with a user's first one the user's service account. The secrets are in this answer
/// and never again.
#[utoipa::path(
    post, path = "/api/keys", tag = "keys", request_body = CreateBody,
    responses((status = 201, body = Outcome<CreatedKey<'_>>), Failures),
)]
pub(super) async fn create(
    State(keyward): State<Keyward>,
    Extension(keyspace): Extension<KeyspaceId>,
    caller: Actor,
    Body(body): Body<CreateBody>,
) -> Result<Response, NestjsError> {
    caller.may(Right::to_write_keys_of(&keyspace), Some(&keyspace))?;
    let new = read(body, keyspace, keyward.now())?;
    let issued = keyward.issue(new, caller.context()).await?;
    let now = keyward.now();
    Ok(Outcome::secret_answer(Done::Created, CreatedKey::of(&issued, now), now))
}

fn read(body: CreateBody, keyspace: KeyspaceId, now: Timestamp) -> Result<NewKey, NestjsError> {
    let mut fields = Fields::default();
    let name = fields.required("name", &body.name, |text| Name::parse(text));
    let description = fields
        .optional("description", body.description.as_deref(), |text| Description::parse(text));
    let service_account = fields.optional("client_id", body.client_id.as_deref(), ClientId::parse);
    fields.finish()?;
    let expiry = match body.expires_at {
        Some(text) => read_expiry(&text, now)?,
        None => Expiry::Default,
    };
    let enabled = body.is_active.unwrap_or(true);
    let new = NewKey::new(body.user_id.0);
    Ok(NewKey { keyspace, service_account, name, description, enabled, expiry, ..new })
}
