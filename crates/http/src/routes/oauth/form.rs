//! Requests as OAuth 2.0 has them: a form in the body (RFC 6749 appendix B), read strictly.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use keyward::{Keyward, Secret};

use super::error::OAuthProblem;
use crate::input::{is_of_type, read};

/// A request, and the form in its body.
#[derive(Debug)]
pub(crate) struct OAuthRequest {
    pub(crate) parts: Parts,
    pub(crate) form: Form,
}

/// The parameters of a form. Each may be a secret.
#[derive(Debug)]
pub(crate) struct Form(BTreeMap<String, Secret>);

impl Form {
    /// Reads a form. A parameter without a value is as good as none, one that is given twice is refused,
    /// and what is not known is passed over (RFC 6749 §3.2).
    fn parse(body: &[u8]) -> Result<Self, OAuthProblem> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            let value = Secret::new(value.into_owned());
            if parameters.insert(name.into_owned(), value).is_some() {
                return Err(OAuthProblem::invalid_request("a parameter is given twice"));
            }
        }
        Ok(Self(parameters))
    }

    /// A parameter that has a value.
    pub(crate) fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name).filter(|value| !value.expose().is_empty())
    }

    /// The same of one that is no secret.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(Secret::expose)
    }

    /// The text that introspection and revocation are about. What its sort is said to be (`token_type_hint`)
    /// is not looked at: the text itself tells.
    pub(crate) fn token(&self) -> Result<&str, OAuthProblem> {
        self.text("token").ok_or(OAuthProblem::invalid_request("the parameter token must be given"))
    }
}

impl FromRequest<Keyward> for OAuthRequest {
    type Rejection = OAuthProblem;

    async fn from_request(request: Request, _: &Keyward) -> Result<Self, OAuthProblem> {
        if !is_of_type(&request, "application/x-www-form-urlencoded") {
            let rule = "the body must be of the type application/x-www-form-urlencoded";
            return Err(OAuthProblem::invalid_request(rule));
        }
        let (parts, body) = request.into_parts();
        let extensions = parts.extensions.clone();
        let mut request = Request::new(body);
        // How much may be read stands there.
        *request.extensions_mut() = extensions;
        Ok(Self { parts, form: Form::parse(&read(request).await?)? })
    }
}
