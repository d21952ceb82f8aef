//! Who changes keys, for handlers and for the audit trail.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use keyward::{ActContext, ActorId, Keyward, Metadata};
use keyward_http::{Rejection, VerifiedKey};

/// The verified key of a request, and what the audit trail is to tell of it.
pub(crate) struct Actor {
    pub(crate) key: VerifiedKey,
    pub(crate) context: ActContext,
}

/// The same, of an admin. Others are refused before the body of their request is looked at.
pub(crate) struct Admin(pub(crate) Actor);

impl Actor {
    /// Goes on if the key is an admin's.
    pub(crate) fn require_admin(&self) -> Result<(), Rejection> {
        self.key.require(&"admin".parse()?)
    }
}

impl FromRequestParts<Keyward> for Actor {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, keyward: &Keyward) -> Result<Self, Rejection> {
        let key = VerifiedKey::from_request_parts(parts, keyward).await?;
        let actor = ActorId::parse(format!("key:{}", key.record().id))?;
        // The peer's address, for anybody can write an `X-Forwarded-For`. Behind a proxy of your
        // own, take what that proxy writes.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let user_agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let metadata = [("via".to_owned(), "api".into())];
        let context = ActContext {
            ip: peer.map(|ConnectInfo(address)| address.ip().to_canonical()),
            user_agent: user_agent.map(|agent| agent.chars().take(256).collect()),
            metadata: Metadata::new(metadata.into_iter().collect())?,
            ..ActContext::by(actor)
        };
        Ok(Self { key, context })
    }
}

impl FromRequestParts<Keyward> for Admin {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, keyward: &Keyward) -> Result<Self, Rejection> {
        let actor = Actor::from_request_parts(parts, keyward).await?;
        actor.require_admin()?;
        Ok(Self(actor))
    }
}
