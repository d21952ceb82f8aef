//! What keys and service accounts to take over have in common.

use keyward::{Digest, FieldError, Invalid, PreviousSecret, Timestamp, Version};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::fields::Fields;
use crate::problem::Problem;

/// A hash that somebody else has stored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HashBody {
    /// How it was made: `sha256-hex`, `sha512-hex`, `sha256-base64`, `fork4`, `sanctum`,
    /// `hmac-sha256`, `keypal-salted-sha256`, `keypal-salted-sha512`; or the scheme of a digest that
    /// was exported.
    #[schema(example = "sha256-hex")]
    pub(super) scheme: String,
    /// The hash as it is stored there.
    pub(super) value: String,
}

/// The secret before the last rotation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviousBody {
    /// How its hash was made.
    scheme: String,
    /// Its hash.
    value: String,
    /// It is refused at and after this instant (RFC 3339).
    until: String,
}

impl PreviousBody {
    pub(super) fn read(
        &self,
        digest: impl FnOnce((&str, &str)) -> Result<Digest, keyward::Error>,
        fields: &mut Fields,
    ) -> Option<PreviousSecret> {
        let until = fields.required("previous.until", &self.until, Timestamp::parse);
        let digest = digest((&self.scheme, &self.value));
        let within = |error: keyward::Error| match error.field() {
            Some(FieldError { message, .. }) => Invalid::new(message.clone()).at("previous"),
            None => Invalid::new("must be readable").at("previous"),
        };
        let digest = fields.take(digest.map_err(within));
        digest.zip(until).map(|(digest, until)| PreviousSecret { digest, until })
    }
}

/// How often a record had changed.
pub(super) fn read_version(version: Option<u64>) -> Result<Option<Version>, FieldError> {
    let Some(version) = version else { return Ok(None) };
    let rule = "must be from 1 to 9007199254740991";
    let is_one = (1..1 << 53).contains(&version);
    let version = is_one.then(|| Version::new(version));
    version.map(Some).ok_or_else(|| Invalid::new(rule).at("version"))
}

/// A complaint about a field as such, to be told with the others; anything else at once.
pub(super) fn of_fields<T>(
    result: Result<T, keyward::Error>,
) -> Result<Result<T, FieldError>, Problem> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => match error.field() {
            Some(field) => Ok(Err(field.clone())),
            None => Err(error.into()),
        },
    }
}
