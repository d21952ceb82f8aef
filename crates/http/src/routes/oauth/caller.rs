//! Who is calling: a client by its credentials, in a header or in the form (RFC 6749 §2.3.1), or a holder of
//! a management key.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyward::{ActContext, ActorId, ClientCredentials, Keyward, OAuthClient, Secret};
use zeroize::Zeroizing;

use super::error::OAuthProblem;
use super::form::{Form, OAuthRequest};
use crate::caller::{Actor, Operator, Origin};
use crate::envelope::RequestContext;
use crate::problem::Problem;

/// Whoever asks about a text, or takes it back.
pub(crate) enum OAuthCaller {
    /// A service account, which sees its own alone.
    Client(Box<OAuthClient>, ActContext),
    /// A holder of a management key, or the operator.
    Management(Box<Actor>),
}

impl OAuthCaller {
    /// Authenticates whoever makes a request.
    pub(crate) async fn of(
        request: &mut OAuthRequest,
        keyward: &Keyward,
    ) -> Result<Self, OAuthProblem> {
        let parts = &mut request.parts;
        if parts.extensions.get::<Operator>().is_some() || is_bearer(parts) {
            let actor = Actor::from_request_parts(parts, keyward).await?;
            return Ok(Self::Management(Box::new(actor)));
        }
        let client = authenticate(request, keyward).await?;
        let context = context(&request.parts, &client)?;
        Ok(Self::Client(Box::new(client), context))
    }

    /// The client, if it is one.
    pub(crate) fn client(&self) -> Option<&OAuthClient> {
        match self {
            Self::Client(client, _) => Some(client),
            Self::Management(_) => None,
        }
    }

    /// Who acts, and from where.
    pub(crate) fn context(&self) -> &ActContext {
        match self {
            Self::Client(_, context) => context,
            Self::Management(actor) => actor.context(),
        }
    }
}

/// Authenticates a client, by one method alone.
pub(crate) async fn authenticate(
    request: &OAuthRequest,
    keyward: &Keyward,
) -> Result<OAuthClient, OAuthProblem> {
    let OAuthRequest { parts, form } = request;
    let (id, secret) = match basic(parts)? {
        Some((id, secret)) => {
            check_alone(form, &id)?;
            (id, secret)
        }
        None => in_form(form)?,
    };
    let credentials = ClientCredentials { id: &id, secret: secret.expose() };
    Ok(keyward.authenticate_client(&credentials).await?)
}

/// The form must not say anything else than the header does.
fn check_alone(form: &Form, id: &str) -> Result<(), OAuthProblem> {
    let is_other = form.text("client_id").is_some_and(|other| other != id);
    if is_other || form.get("client_secret").is_some() {
        let rule = "the client must authenticate in one way: by the header or in the body";
        return Err(OAuthProblem::invalid_request(rule));
    }
    Ok(())
}

fn in_form(form: &Form) -> Result<(String, Secret), OAuthProblem> {
    let (id, secret) = (form.text("client_id"), form.text("client_secret"));
    match (id, secret) {
        (Some(id), Some(secret)) => Ok((id.to_owned(), Secret::new(secret.to_owned()))),
        _ => Err(OAuthProblem::invalid_client("the client must authenticate")),
    }
}

/// The credentials in the header (RFC 7617), if there is one: both are written as in a form.
fn basic(parts: &Parts) -> Result<Option<(String, Secret)>, OAuthProblem> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::repeated_header().into());
    }
    let unreadable =
        || OAuthProblem::invalid_client("the header must hold a client id and a client secret");
    let (scheme, encoded) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(unreadable)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(unreadable());
    }
    let decoded = STANDARD.decode(encoded.trim()).map(Zeroizing::new).map_err(|_| unreadable())?;
    let text = std::str::from_utf8(&decoded).map_err(|_| unreadable())?;
    let (id, secret) = text.split_once(':').ok_or_else(unreadable)?;
    let id = form_value(id).ok_or_else(unreadable)?;
    let secret = form_value(secret).map(Secret::new).ok_or_else(unreadable)?;
    Ok(Some((id, secret)))
}

/// A value as forms write it (RFC 6749 appendix B), which is not empty.
fn form_value(written: &str) -> Option<String> {
    if written.contains(['&', '=']) {
        return None;
    }
    let (value, _) = form_urlencoded::parse(written.as_bytes()).next()?;
    Some(value.into_owned())
}

fn is_bearer(parts: &Parts) -> bool {
    let value = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let scheme = value.and_then(|value| value.split(' ').next());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
}

/// A client as it is named in the audit trail.
fn context(parts: &Parts, client: &OAuthClient) -> Result<ActContext, OAuthProblem> {
    let actor = ActorId::parse(format!("client:{}", client.account().id));
    let actor = actor.map_err(|_| Problem::internal())?;
    let request_id = parts.extensions.get::<RequestContext>().map(RequestContext::id);
    Ok(Origin::of(&parts.headers, &parts.extensions).context(actor, request_id))
}
