//! Why a value was refused, in words that are safe to send back.

use std::borrow::Cow;

/// A value breaks a rule. Holds the rule, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct Invalid {
    rule: Cow<'static, str>,
}

impl Invalid {
    /// A broken rule, worded as what the value must be: `must be 1 to 64 characters`.
    pub fn new(rule: impl Into<Cow<'static, str>>) -> Self {
        Self { rule: rule.into() }
    }

    /// The same complaint about a named field of a request.
    pub fn at(self, field: impl Into<Cow<'static, str>>) -> FieldError {
        FieldError { field: field.into(), message: self.rule }
    }
}

/// A field of a request breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct FieldError {
    /// The path of the field in the request, such as `scopes[2]`.
    pub field: Cow<'static, str>,
    /// The rule, worded as what the value must be.
    pub message: Cow<'static, str>,
}
