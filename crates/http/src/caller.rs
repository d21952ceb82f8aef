//! Who is calling: a verified management key, or the operator in the same process.

use std::net::SocketAddr;
use std::ops::Deref;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use keyward::{ActContext, ActorId, Asked, Decision, DenyReason, KeyspaceId, Keyward, Permit};

use crate::access::Right;
use crate::envelope::RequestContext;
use crate::problem::Problem;

/// The operator at the machine, who could read the store's files anyway: put it into a request's
/// extensions to make the request without a key. No request from the network carries it.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Whom the audit trail names.
    pub actor: ActorId,
}

/// Whoever makes a management request.
#[derive(Debug)]
pub(crate) struct Caller {
    identity: Identity,
}

/// A caller whose act is going to be told by the audit trail.
#[derive(Debug)]
pub(crate) struct Actor {
    caller: Caller,
    context: ActContext,
}

#[derive(Debug)]
enum Identity {
    Key(Permit),
    Operator,
}

impl Caller {
    /// Goes on if the caller has the right: in that keyspace, or (`None`) everywhere.
    pub(crate) fn may(&self, right: Right, keyspace: Option<&KeyspaceId>) -> Result<(), Problem> {
        let is_allowed = match &self.identity {
            Identity::Key(permit) => right.is_given_by(permit, keyspace),
            Identity::Operator => true,
        };
        if is_allowed { Ok(()) } else { Err(Problem::forbidden()) }
    }

    /// The same about something whose existence is a secret to those who have no right to it.
    pub(crate) fn may_know(&self, right: Right, keyspace: &KeyspaceId) -> Result<(), Problem> {
        self.may(right, Some(keyspace)).map_err(|_| Problem::not_found())
    }
}

impl Actor {
    /// Who acts, and from where.
    pub(crate) const fn context(&self) -> &ActContext {
        &self.context
    }
}

impl Deref for Actor {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl FromRequestParts<Keyward> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, keyward: &Keyward) -> Result<Self, Problem> {
        let identity = if parts.extensions.get::<Operator>().is_some() {
            Identity::Operator
        } else {
            Identity::Key(authenticate(parts, keyward).await?)
        };
        Ok(Self { identity })
    }
}

impl FromRequestParts<Keyward> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, keyward: &Keyward) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, keyward).await?;
        let context = context(parts, &caller.identity)?;
        Ok(Self { caller, context })
    }
}

async fn authenticate(parts: &Parts, keyward: &Keyward) -> Result<Permit, Problem> {
    let management = KeyspaceId::management();
    let asked = Asked { keyspace: Some(&management), ..Asked::default() };
    match keyward.verify(bearer_token(parts)?, &asked).await? {
        Decision::Allow(permit) => Ok(permit),
        Decision::Deny(reason) => Err(reason.into()),
    }
}

/// The bearer token (RFC 6750 §2.1) of a request; the scheme's case does not matter.
fn bearer_token(parts: &Parts) -> Result<&str, Problem> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(DenyReason::Missing)?;
    if values.next().is_some() {
        return Err(Problem::repeated_header());
    }
    let text = value.to_str().map_err(|_| DenyReason::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(DenyReason::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(DenyReason::Missing.into())
    }
}

fn context(parts: &Parts, identity: &Identity) -> Result<ActContext, Problem> {
    let actor = match (identity, parts.extensions.get::<Operator>()) {
        (Identity::Key(permit), _) => ActorId::parse(format!("key:{}", permit.key().id)).ok(),
        (Identity::Operator, operator) => operator.map(|operator| operator.actor.clone()),
    };
    let user_agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    Ok(ActContext {
        actor: actor.ok_or_else(Problem::forbidden)?,
        // Dual-stack sockets write IPv4 addresses as IPv6.
        ip: address.map(|ConnectInfo(address)| address.ip().to_canonical()),
        user_agent: user_agent.map(|agent| agent.chars().take(256).collect()),
        request_id: parts.extensions.get::<RequestContext>().map(|context| context.id().to_owned()),
    })
}
