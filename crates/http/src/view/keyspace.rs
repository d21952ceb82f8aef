//! What keyspaces look like in answers.

use keyward::{
    AccountRule, Audience, Foreign, Format, FormatKind, Keyspace, Lifetime, RateLimit, Signed,
    Timestamp, Version, WeakSecrets,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::FormatName;

/// A keyspace. Lifetimes are durations such as `30d`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Keyspace)]
pub(crate) struct KeyspaceView<'a> {
    /// The keyspace's id.
    #[schema(example = "default")]
    id: &'a str,
    /// A note for people.
    description: Option<&'a str>,
    /// How its secrets are written.
    #[schema(value_type = FormatName)]
    format: FormatKind,
    /// What its secrets begin with.
    #[schema(example = "kw")]
    prefix: Option<&'a str>,
    /// How many characters of an opaque secret are random.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<usize>,
    /// What the random characters of an opaque secret are drawn from.
    #[serde(skip_serializing_if = "Option::is_none")]
    alphabet: Option<String>,
    /// How the secrets of another library are written.
    #[serde(flatten)]
    profile: Option<ProfileView<'a>>,
    /// The hash for digests where no pepper is configured; of signed keys, the algorithm of their
    /// signatures.
    #[schema(value_type = AlgorithmName)]
    algorithm: &'static str,
    /// How signed keys are made.
    #[serde(flatten)]
    signed: Option<SignedView<'a>>,
    /// The digest schemes of its keys, the one for new keys first.
    #[schema(example = json!(["hmac-sha256:v2", "sha256"]))]
    schemes: Vec<String>,
    /// The lifetime of a key that is issued without one.
    #[schema(value_type = Option<String>)]
    default_lifetime: Option<Lifetime>,
    /// No key may live longer.
    #[schema(value_type = Option<String>)]
    maximum_lifetime: Option<Lifetime>,
    /// How often each key may be used, on each node.
    #[schema(value_type = Option<RateLimitBody>)]
    rate_limit: Option<RateLimit>,
    /// Which service account a key belongs to that is issued without one: to none, or to the
    /// owner's primary one.
    #[schema(value_type = AccountRuleName)]
    service_account: AccountRule,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// How often it has changed.
    #[schema(value_type = u64)]
    version: Version,
}

/// How the secrets of another library are written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
struct ProfileView<'a> {
    /// Whose secrets they are: `seam`, `fork3`, `fork4` or `rust`.
    #[schema(example = "seam")]
    profile: &'a str,
    /// How long ids are: in characters, or in bytes in `fork4` and `rust`.
    id_length: usize,
    /// How long secrets are: in characters, or in bytes in `fork4` and `rust`.
    secret_length: usize,
    /// What ids begin with.
    #[serde(skip_serializing_if = "str::is_empty")]
    short_prefix: &'a str,
    /// What becomes of new secrets of fewer than 128 bits of chance.
    #[schema(value_type = WeakSecretsName)]
    weak_secrets: WeakSecrets,
}

/// How signed keys are made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Signed)]
struct SignedView<'a> {
    /// How long RSA keys are, in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_size: Option<usize>,
    /// What the issuers of its tokens begin with.
    #[schema(example = "https://keys.example.com/jwks")]
    issuer: &'a str,
    /// For whom its tokens are; null: for nobody in particular.
    audience: Option<&'a str>,
}

impl<'a> From<&'a Signed> for SignedView<'a> {
    fn from(signed: &'a Signed) -> Self {
        Self {
            key_size: signed.pair().bits(),
            issuer: signed.issuer().as_str(),
            audience: signed.audience().map(Audience::as_str),
        }
    }
}

/// Which service account a key belongs to that is issued without one.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of keyward::AccountRule")]
pub(crate) enum AccountRuleName {
    Optional,
    Primary,
}

/// What becomes of new secrets of fewer than 128 bits of chance.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of keyward::WeakSecrets")]
pub(crate) enum WeakSecretsName {
    Refuse,
    Warn,
}

impl<'a> From<&'a Foreign> for ProfileView<'a> {
    fn from(foreign: &'a Foreign) -> Self {
        let profile = foreign.profile();
        Self {
            profile: profile.dialect().as_str(),
            id_length: profile.id_length(),
            secret_length: profile.secret_length(),
            short_prefix: profile.short_prefix(),
            weak_secrets: foreign.weak_secrets(),
        }
    }
}

/// A hash for digests, or an algorithm of signatures.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of keyward::HashAlgorithm and SignatureAlgorithm")]
pub(crate) enum AlgorithmName {
    #[schema(rename = "EdDSA")]
    EdDsa,
    #[schema(rename = "ES256")]
    Es256,
    #[schema(rename = "RS256")]
    Rs256,
    #[schema(rename = "sha256")]
    Sha256,
    #[schema(rename = "sha512")]
    Sha512,
}

/// At most this many verifications of a key in every period.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[schema(as = RateLimit)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateLimitBody {
    /// How many, up to a million.
    #[schema(example = 100)]
    pub(crate) requests: u32,
    /// In which time: a second to a day.
    #[schema(example = "1m")]
    pub(crate) per: String,
}

impl<'a> From<&'a Keyspace> for KeyspaceView<'a> {
    fn from(keyspace: &'a Keyspace) -> Self {
        let (opaque, foreign) = match &keyspace.format {
            Format::Foreign(foreign) => (None, Some(foreign)),
            Format::Opaque(opaque) => (Some(opaque), None),
            Format::Prefixed(_) | Format::Signed(_) => (None, None),
        };
        let signed = keyspace.format.as_signed();
        Self {
            id: keyspace.id.as_str(),
            description: keyspace.description.as_ref().map(keyward::Description::as_str),
            format: keyspace.format.kind(),
            prefix: keyspace.format.prefix(),
            length: opaque.map(keyward::Opaque::length),
            alphabet: opaque.map(|opaque| opaque.alphabet().clone().into()),
            profile: foreign.map(ProfileView::from),
            algorithm: signed
                .map_or(keyspace.algorithm.as_str(), |signed| signed.pair().algorithm().as_str()),
            signed: signed.map(SignedView::from),
            schemes: keyspace.schemes.iter().map(ToString::to_string).collect(),
            default_lifetime: keyspace.default_lifetime,
            maximum_lifetime: keyspace.maximum_lifetime,
            rate_limit: keyspace.rate_limit,
            service_account: keyspace.service_account,
            created_at: keyspace.created_at,
            updated_at: keyspace.updated_at,
            version: keyspace.version,
        }
    }
}
