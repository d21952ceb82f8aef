//! Who is calling: a verified management key, or the operator in the same process.

use std::net::SocketAddr;
use std::ops::Deref;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue};
use keyward::{
    ActContext, ActorId, Asked, Decision, DenyReason, KeyspaceId, Keyward, Metadata, OwnerId,
    Permit,
};

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

/// That a caller was refused for want of a right.
#[derive(Clone, Debug)]
pub(crate) struct DeniedCall {
    pub(crate) actor: ActorId,
    pub(crate) keyspace: Option<KeyspaceId>,
    pub(crate) right: Right,
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
        if is_allowed { Ok(()) } else { Err(Problem::forbidden(self.denied(right, keyspace))) }
    }

    /// Whoever the management key acts for; none for the operator.
    pub(crate) fn owner(&self) -> Option<&OwnerId> {
        match &self.identity {
            Identity::Key(permit) => Some(&permit.key().owner),
            Identity::Operator => None,
        }
    }

    /// Whether the caller still has a right everywhere that was given to it before.
    pub(crate) async fn may_still(&self, right: Right, keyward: &Keyward) -> bool {
        match &self.identity {
            Identity::Key(permit) => right.is_still_given_by(permit, keyward).await,
            Identity::Operator => true,
        }
    }

    fn denied(&self, right: Right, keyspace: Option<&KeyspaceId>) -> Option<DeniedCall> {
        let Identity::Key(permit) = &self.identity else { return None };
        Some(DeniedCall { actor: actor(permit)?, keyspace: keyspace.cloned(), right })
    }

    /// The same about something whose existence is a secret to those who have no right to it.
    pub(crate) fn may_know(&self, right: Right, keyspace: &KeyspaceId) -> Result<(), Problem> {
        self.may(right, Some(keyspace)).map_err(Problem::hidden)
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

/// A management key as it is named in the audit trail.
fn actor(permit: &Permit) -> Option<ActorId> {
    ActorId::parse(format!("key:{}", permit.key().id)).ok()
}

fn context(parts: &Parts, identity: &Identity) -> Result<ActContext, Problem> {
    let actor = match (identity, parts.extensions.get::<Operator>()) {
        (Identity::Key(permit), _) => actor(permit),
        (Identity::Operator, operator) => operator.map(|operator| operator.actor.clone()),
    };
    let origin = Origin::of(&parts.headers, &parts.extensions);
    let request_id = parts.extensions.get::<RequestContext>().map(RequestContext::id);
    let actor = actor.ok_or_else(Problem::internal)?;
    Ok(ActContext { metadata: metadata(&parts.headers)?, ..origin.context(actor, request_id) })
}

/// Where a request came from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    address: Option<SocketAddr>,
    user_agent: Option<HeaderValue>,
}

impl Origin {
    pub(crate) fn of(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let address = extensions.get::<ConnectInfo<SocketAddr>>();
        Self {
            address: address.map(|ConnectInfo(address)| *address),
            user_agent: headers.get(USER_AGENT).cloned(),
        }
    }

    /// The context of an act by that actor.
    pub(crate) fn context(&self, actor: ActorId, request_id: Option<&str>) -> ActContext {
        let user_agent = self.user_agent.as_ref().and_then(|agent| agent.to_str().ok());
        ActContext {
            // Dual-stack sockets write IPv4 addresses as IPv6.
            ip: self.address.map(|address| address.ip().to_canonical()),
            user_agent: user_agent.map(|agent| agent.chars().take(256).collect()),
            request_id: request_id.map(str::to_owned),
            ..ActContext::by(actor)
        }
    }
}

/// What the caller wants to be kept about its act.
fn metadata(headers: &HeaderMap) -> Result<Metadata, Problem> {
    const MOST_BYTES: usize = 4_096;
    let mut values = headers.get_all("keyward-audit-metadata").iter();
    let Some(value) = values.next() else { return Ok(Metadata::default()) };
    if values.next().is_some() || value.len() > MOST_BYTES {
        return Err(Problem::invalid_header());
    }
    serde_json::from_slice(value.as_bytes()).map_err(|_| Problem::invalid_header())
}
