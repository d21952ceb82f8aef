//! What requests say, read strictly: every field has one type, and what is unknown is refused.

use std::fmt;

use keyward::{Expiry, OwnerId, Secret, Timestamp};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::NestjsError;
use crate::fields::nullable;
use crate::input::given;

/// A key to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateBody {
    /// Whoever the key acts for: a number, or a text of 1 to 256 characters, which is the same if it is
    /// written with the same digits.
    #[schema(value_type = UserIdForm, example = 123)]
    pub(super) user_id: UserId,
    /// A name for people: 1 to 200 characters.
    #[schema(example = "Production")]
    pub(super) name: String,
    /// A longer note for people: 1 to 2,000 characters.
    pub(super) description: Option<String>,
    /// Whether the key is switched on; by default it is.
    #[serde(default, deserialize_with = "given")]
    pub(super) is_active: Option<bool>,
    /// When it expires (ISO 8601). Left out or null: after a year.
    #[schema(format = DateTime)]
    pub(super) expires_at: Option<String>,
    /// A further service account of the user that the key shall belong to; by default it is the user's
    /// first one, which is made if there is none.
    #[serde(default, deserialize_with = "given")]
    pub(super) client_id: Option<String>,
}

/// Credentials to validate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ValidateBody {
    /// The client id of the service account.
    #[schema(example = "550e8400-e29b-41d4-a716-446655440000")]
    pub(super) client_id: String,
    /// Its client secret.
    #[schema(value_type = String)]
    pub(super) client_secret: Secret,
    /// The key that was presented.
    #[schema(value_type = String)]
    pub(super) api_key: Secret,
}

impl ValidateBody {
    /// Goes on if there is something in every field.
    pub(super) fn check(&self) -> Result<(), NestjsError> {
        let fields = [
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose()),
            ("api_key", self.api_key.expose()),
        ];
        match fields.into_iter().find(|(_, text)| text.trim().is_empty()) {
            Some((field, _)) => Err(NestjsError::invalid(format!("{field} must not be empty"))),
            None => Ok(()),
        }
    }
}

/// Changes to a key: a field that is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateBody {
    /// A new name.
    #[serde(default, deserialize_with = "given")]
    pub(super) name: Option<String>,
    /// A new note, or null for none.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub(super) description: Option<Option<String>>,
    /// A new expiry (ISO 8601), or null for never.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) expires_at: Option<Option<String>>,
    /// Whether the key is switched on.
    #[serde(default, deserialize_with = "given")]
    pub(super) is_active: Option<bool>,
}

impl UpdateBody {
    pub(super) const fn is_empty(&self) -> bool {
        let Self { name, description, expires_at, is_active } = self;
        name.is_none() && description.is_none() && expires_at.is_none() && is_active.is_none()
    }
}

/// A user's id: a number is the same as the text of its digits.
#[derive(Debug)]
pub(super) struct UserId(pub(super) OwnerId);

/// How a user's id is written.
#[derive(ToSchema)]
#[schema(as = UserId)]
#[expect(dead_code, reason = "the schema of UserId")]
#[serde(untagged)]
pub(super) enum UserIdForm {
    Number(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = UserId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number that is not negative, or a text of 1 to 256 characters")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<UserId, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<UserId, E> {
                let unfit = || E::invalid_value(serde::de::Unexpected::Other("a text"), &self);
                OwnerId::parse(text).map(UserId).map_err(|_| unfit())
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// Reads an expiry: an instant with its zone, or a date, which begins in UTC. It must be to come.
pub(super) fn read_expiry(text: &str, now: Timestamp) -> Result<Expiry, NestjsError> {
    let at = Timestamp::parse(text).or_else(|_| Timestamp::parse(&format!("{text}T00:00:00Z")));
    let at = at.map_err(|_| NestjsError::invalid_expiry_date())?;
    if at.has_come(now) { Err(NestjsError::expiry_date_past()) } else { Ok(Expiry::At(at)) }
}
