//! The same routes on a Keyward server, under `/compat/japikey`: the application is whoever holds a
//! management key.

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use keyward::jose::PairKind;
use keyward::{
    ActContext, ActorId, Error, Format, Invalid, KeyspaceId, Keyward, NewKeyspace, OwnerId, Signed,
};

use super::{Act, Application, JapikeyError, NewApiKey, User, api_key_router};
use crate::access::Right;
use crate::caller::Actor;

/// Names the user that a request is about. Without it, it is the owner of the management key.
const USER: &str = "keyward-user";

/// The keyspace of these routes.
fn keyspace() -> Result<KeyspaceId, Error> {
    KeyspaceId::parse("japikey").map_err(|invalid| invalid.at("keyspace").into())
}

/// Makes the keyspace of the server's routes, `japikey`, if there is none: RS256, with the issuer and
/// the audience of the instance's settings.
pub async fn prepare(keyward: &Keyward) -> Result<(), Error> {
    let id = keyspace()?;
    if let Some(keyspace) = keyward.keyspace(&id).await? {
        let other = || Invalid::new("japikey exists, and is not of signed keys").at("keyspace");
        return keyspace.format.as_signed().map(drop).ok_or_else(|| other().into());
    }
    let settings = keyward.signing_settings();
    let missing = || Invalid::new("must be configured").at("issuer");
    let issuer = settings.issuer.clone().ok_or_else(missing)?;
    let signed = Signed::new(PairKind::Rsa2048, issuer, settings.audience.clone());
    let actor = ActorId::parse("keyward").map_err(|invalid| invalid.at("actor"))?;
    let new = NewKeyspace::new(id, Format::Signed(signed));
    match keyward.create_keyspace(new, &ActContext::by(actor)).await {
        // Another node was faster.
        Ok(_) | Err(Error::KeyspaceExists) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The routes of a server.
pub(crate) fn router(keyward: &Keyward) -> Router {
    match keyspace() {
        Ok(keyspace) => {
            let server = Server { keyspace: keyspace.clone(), keyward: keyward.clone() };
            api_key_router(keyward.clone(), keyspace, server)
        }
        Err(_) => Router::new(),
    }
}

#[derive(Clone)]
struct Server {
    keyspace: KeyspaceId,
    keyward: Keyward,
}

impl Application for Server {
    async fn user(&self, parts: &Parts, act: Act) -> Result<User, JapikeyError> {
        let mut parts = parts.clone();
        let caller = Actor::from_request_parts(&mut parts, &self.keyward).await?;
        let right = match act {
            Act::Create | Act::Revoke => Right::KeysWrite,
            Act::Read => Right::KeysRead,
        };
        caller.may(right, Some(&self.keyspace))?;
        let mut named = parts.headers.get_all(USER).iter();
        let id = match (named.next(), named.next()) {
            (Some(user), None) => {
                let user = user.to_str().ok().and_then(|user| OwnerId::parse(user).ok());
                let rule = "the header keyward-user must be 1 to 256 printable ASCII characters";
                user.ok_or_else(|| JapikeyError::invalid_input(rule))?
            }
            (None, _) => caller.owner().cloned().ok_or_else(|| {
                JapikeyError::invalid_input("the header keyward-user must name the user")
            })?,
            (Some(_), Some(_)) => {
                let rule = "the header keyward-user must be given once";
                return Err(JapikeyError::invalid_input(rule));
            }
        };
        Ok(User { id, context: caller.context().clone() })
    }

    async fn new_key(&self, request: Request) -> Result<NewApiKey, JapikeyError> {
        NewApiKey::from_json(request).await
    }
}
