//! Keyspaces.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::jose::{BaseIssuer, PairKind, SignatureAlgorithm};
use keyward::{
    AccountRule, Alphabet, Audience, Description, Dialect, FieldError, Foreign, ForeignPrefix,
    Format, FormatKind, HashAlgorithm, Invalid, KeyspaceChanges, KeyspaceId, Keyward, Lifetime,
    NewKeyspace, Opaque, Prefix, Prefixed, Profile, RateLimit, Signed, SigningSettings, Version,
    WeakSecrets,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::Right;
use crate::caller::{Actor, Caller};
use crate::fields::{Fields, nullable};
use crate::input::{Body, Object, Path, given};
use crate::problem::{Problem, Problems};
use crate::view::{
    AccountRuleName, AlgorithmName, Answer, FormatName, Json, KeyspaceView, Page, RateLimitBody,
    WeakSecretsName,
};

/// A keyspace to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateKeyspaceBody {
    /// Its id: 1 to 64 of `a-z 0-9 -`.
    id: String,
    /// A note for people.
    description: Option<String>,
    /// How its secrets are written.
    #[schema(value_type = FormatName)]
    format: FormatKind,
    /// What its secrets begin with: groups of `a-z 0-9` joined by single underscores, at most 32
    /// characters. Required for `prefixed`. With a `profile` of another library, capital letters and
    /// hyphens are allowed, too, and 64 characters.
    prefix: Option<String>,
    /// For `prefixed`: whose secrets they are: `keyward` (default), `seam`, `fork3`, `fork4` or `rust`.
    profile: Option<String>,
    /// For profiles of other libraries: how long ids are, in characters; in `fork4` and `rust`, in
    /// bytes.
    id_length: Option<usize>,
    /// For profiles of other libraries: how long secrets are, in the same unit.
    secret_length: Option<usize>,
    /// For the profiles `seam` and `rust`: what ids begin with.
    short_prefix: Option<String>,
    /// For profiles of other libraries: what becomes of new secrets of fewer than 128 bits of chance;
    /// by default `refuse`. Those that are taken over are verified all the same.
    #[schema(value_type = Option<WeakSecretsName>)]
    weak_secrets: Option<WeakSecrets>,
    /// For `opaque`: how many characters are random; by default 32. The secret must hold at least
    /// 128 bits of chance.
    length: Option<usize>,
    /// For `opaque`: what the random characters are drawn from; by default `A-Z a-z 0-9`.
    alphabet: Option<String>,
    /// The hash for digests where no pepper is configured: `sha256` (default) or `sha512`. For
    /// `signed`: the algorithm of signatures, `RS256` (default), `ES256` or `EdDSA`.
    #[schema(value_type = Option<AlgorithmName>)]
    algorithm: Option<String>,
    /// For `signed` with `RS256`: how long the RSA keys are, 2048 (default), 3072 or 4096 bits.
    key_size: Option<usize>,
    /// For `signed`: the URL under which the documents with public keys are found, which every token
    /// names; by default that of the server's configuration.
    issuer: Option<String>,
    /// For `signed`: for whom tokens are; by default as in the server's configuration.
    audience: Option<String>,
    /// The lifetime of a key that is issued without one, such as `90d`.
    default_lifetime: Option<String>,
    /// No key may live longer, such as `365d`.
    maximum_lifetime: Option<String>,
    /// How often each key may be used, on each node.
    #[schema(value_type = Option<RateLimitBody>)]
    rate_limit: Option<Object<RateLimitBody>>,
    /// Which service account a key belongs to that is issued without one: to none (`optional`, the
    /// default), or to its owner's `primary` one, which is created with the owner's first key.
    #[schema(value_type = Option<AccountRuleName>)]
    service_account: Option<String>,
}

/// Changes to a keyspace: a field that is left out stays as it is, null removes it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateKeyspaceBody {
    /// The version that the caller saw; any other is a conflict.
    #[serde(default, deserialize_with = "given")]
    version: Option<u64>,
    /// A new note.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// A new hash.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<AlgorithmName>)]
    algorithm: Option<String>,
    /// A new default lifetime.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    default_lifetime: Option<Option<String>>,
    /// A new maximum lifetime.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    maximum_lifetime: Option<Option<String>>,
    /// A new rate limit.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<RateLimitBody>)]
    rate_limit: Option<Option<Object<RateLimitBody>>>,
    /// A new rule about service accounts.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<AccountRuleName>)]
    service_account: Option<String>,
}

/// Creates a keyspace.
#[utoipa::path(
    post, path = "/v1/keyspaces", tag = "keyspaces", request_body = CreateKeyspaceBody,
    responses((status = 201, body = KeyspaceView<'_>), Problems),
)]
pub(crate) async fn create(
    State(keyward): State<Keyward>,
    caller: Actor,
    Body(body): Body<CreateKeyspaceBody>,
) -> Answer {
    caller.may(Right::KeyspacesWrite, None)?;
    let new = read_new(&body, keyward.signing_settings())?;
    let keyspace = keyward.create_keyspace(new, caller.context()).await?;
    Ok(Json(StatusCode::CREATED, KeyspaceView::from(&keyspace)).into_response())
}

/// All keyspaces that the caller may see, by id.
#[utoipa::path(
    get, path = "/v1/keyspaces", tag = "keyspaces",
    responses((status = 200, body = Page<KeyspaceView<'_>>), Problems),
)]
pub(crate) async fn list(State(keyward): State<Keyward>, caller: Caller) -> Answer {
    let keyspaces = keyward.keyspaces().await?;
    let visible =
        keyspaces.iter().filter(|k| caller.may(Right::KeyspacesRead, Some(&k.id)).is_ok());
    let data: Vec<_> = visible.map(KeyspaceView::from).collect();
    Ok(Json(StatusCode::OK, Page::new(data, None)).into_response())
}

/// One keyspace.
#[utoipa::path(
    get, path = "/v1/keyspaces/{id}", tag = "keyspaces", params(("id" = String, Path)),
    responses((status = 200, body = KeyspaceView<'_>), Problems),
)]
pub(crate) async fn show(
    State(keyward): State<Keyward>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    let id = known_id(&id)?;
    caller.may_know(Right::KeyspacesRead, &id)?;
    let keyspace = keyward.keyspace(&id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(StatusCode::OK, KeyspaceView::from(&keyspace)).into_response())
}

/// Changes a keyspace. What keys already have, such as their expiry, stays.
#[utoipa::path(
    patch, path = "/v1/keyspaces/{id}", tag = "keyspaces", params(("id" = String, Path)),
    request_body = UpdateKeyspaceBody,
    responses((status = 200, body = KeyspaceView<'_>), Problems),
)]
pub(crate) async fn update(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
    Body(body): Body<UpdateKeyspaceBody>,
) -> Answer {
    let id = writable_id(&caller, &id)?;
    let changes = read_changes(&body)?;
    let keyspace = keyward.update_keyspace(&id, changes, caller.context()).await?;
    Ok(Json(StatusCode::OK, KeyspaceView::from(&keyspace)).into_response())
}

fn known_id(id: &str) -> Result<KeyspaceId, Problem> {
    KeyspaceId::parse(id).map_err(|_| Problem::not_found())
}

/// That id, if the caller may change its keyspace; it is kept secret from whoever may not read it.
fn writable_id(caller: &Caller, id: &str) -> Result<KeyspaceId, Problem> {
    let id = known_id(id)?;
    let Err(refused) = caller.may(Right::to_write(&id), Some(&id)) else { return Ok(id) };
    caller.may_know(Right::KeyspacesRead, &id)?;
    Err(refused)
}

fn read_new(body: &CreateKeyspaceBody, settings: &SigningSettings) -> Result<NewKeyspace, Problem> {
    let mut fields = Fields::default();
    let id = fields.required("id", &body.id, |text| KeyspaceId::parse(text));
    let description = fields
        .optional("description", body.description.as_deref(), |text| Description::parse(text));
    let format = fields.take(read_format(body, settings));
    // Of signed keys, it is the algorithm of signatures, and part of the format.
    let hash = body.algorithm.as_deref().filter(|_| body.format != FormatKind::Signed);
    let algorithm = fields.optional("algorithm", hash, HashAlgorithm::parse);
    let default_lifetime =
        fields.optional("default_lifetime", body.default_lifetime.as_deref(), Lifetime::parse);
    let maximum_lifetime =
        fields.optional("maximum_lifetime", body.maximum_lifetime.as_deref(), Lifetime::parse);
    let rate_limit =
        body.rate_limit.as_ref().and_then(|limit| fields.take(read_rate_limit(&limit.0)));
    let service_account =
        fields.optional("service_account", body.service_account.as_deref(), AccountRule::parse);
    fields.finish()?;
    // Without a complaint both are there.
    let (Some(id), Some(format)) = (id, format) else { return Err(Problem::unreadable_body()) };
    Ok(NewKeyspace {
        description,
        algorithm: algorithm.unwrap_or_default(),
        default_lifetime,
        maximum_lifetime,
        rate_limit,
        service_account: service_account.unwrap_or_default(),
        ..NewKeyspace::new(id, format)
    })
}

fn read_format(
    body: &CreateKeyspaceBody,
    settings: &SigningSettings,
) -> Result<Format, FieldError> {
    let dialect: Dialect =
        body.profile.as_deref().unwrap_or("keyward").parse().map_err(at("profile"))?;
    let is_foreign = dialect != Dialect::Keyward;
    let is_opaque = body.format == FormatKind::Opaque;
    let is_signed = body.format == FormatKind::Signed;
    let misplaced = [
        ("length", body.length.is_some() && !is_opaque),
        ("alphabet", body.alphabet.is_some() && !is_opaque),
        ("profile", body.profile.is_some() && body.format != FormatKind::Prefixed),
        ("prefix", body.prefix.is_some() && is_signed),
        ("key_size", body.key_size.is_some() && !is_signed),
        ("issuer", body.issuer.is_some() && !is_signed),
        ("audience", body.audience.is_some() && !is_signed),
        ("id_length", body.id_length.is_some() && !is_foreign),
        ("secret_length", body.secret_length.is_some() && !is_foreign),
        ("short_prefix", body.short_prefix.is_some() && !is_foreign),
        ("weak_secrets", body.weak_secrets.is_some() && !is_foreign),
    ];
    if let Some((field, _)) = misplaced.into_iter().find(|(_, is_misplaced)| *is_misplaced) {
        return Err(Invalid::new("must not be given: this format has its own").at(field));
    }
    let missing = || Invalid::new("must be given for this format").at("prefix");
    let prefix = body.prefix.as_deref();
    if is_opaque {
        return read_opaque(body);
    }
    if is_signed {
        return read_signed(body, settings);
    }
    let prefix = prefix.ok_or_else(missing)?;
    if is_foreign {
        return read_foreign(body, dialect, prefix);
    }
    Ok(Format::Prefixed(Prefixed::new(Prefix::parse(prefix).map_err(at("prefix"))?)))
}

fn read_opaque(body: &CreateKeyspaceBody) -> Result<Format, FieldError> {
    let prefix = body.prefix.as_deref().map(|text| Prefix::parse(text).map_err(at("prefix")));
    let alphabet = match &body.alphabet {
        Some(symbols) => Alphabet::parse(symbols).map_err(at("alphabet"))?,
        None => Alphabet::alphanumeric().clone(),
    };
    let length = body.length.unwrap_or(Opaque::DEFAULT_LENGTH);
    Ok(Format::Opaque(Opaque::new(prefix.transpose()?, length, alphabet).map_err(at("length"))?))
}

fn read_signed(
    body: &CreateKeyspaceBody,
    settings: &SigningSettings,
) -> Result<Format, FieldError> {
    let algorithm = body.algorithm.as_deref().unwrap_or("RS256");
    let algorithm = SignatureAlgorithm::parse(algorithm).map_err(at("algorithm"))?;
    let pair = PairKind::new(algorithm, body.key_size).map_err(at("key_size"))?;
    let issuer = body.issuer.as_deref().map(BaseIssuer::parse).transpose().map_err(at("issuer"))?;
    let missing = || Invalid::new("must be given: none is configured").at("issuer");
    let issuer = issuer.or_else(|| settings.issuer.clone()).ok_or_else(missing)?;
    let audience = body.audience.as_deref().map(Audience::parse).transpose();
    let audience = audience.map_err(at("audience"))?.or_else(|| settings.audience.clone());
    Ok(Format::Signed(Signed::new(pair, issuer, audience)))
}

fn read_foreign(
    body: &CreateKeyspaceBody,
    dialect: Dialect,
    prefix: &str,
) -> Result<Format, FieldError> {
    let prefix = ForeignPrefix::parse(prefix).map_err(at("prefix"))?;
    let mut profile = Profile::new(dialect);
    if let Some(length) = body.id_length {
        profile = profile.with_id_length(length).map_err(at("id_length"))?;
    }
    if let Some(length) = body.secret_length {
        profile = profile.with_secret_length(length).map_err(at("secret_length"))?;
    }
    if let Some(short_prefix) = &body.short_prefix {
        profile = profile.with_short_prefix(short_prefix).map_err(at("short_prefix"))?;
    }
    let weak_secrets = body.weak_secrets.unwrap_or_default();
    Ok(Format::Foreign(Foreign::new(prefix, profile, weak_secrets).map_err(at("id_length"))?))
}

fn at(field: &'static str) -> impl Fn(Invalid) -> FieldError {
    move |invalid| invalid.at(field)
}

fn read_rate_limit(body: &RateLimitBody) -> Result<RateLimit, FieldError> {
    let per = Lifetime::parse(&body.per).map_err(|e| e.at("rate_limit.per"))?;
    RateLimit::new(body.requests, per).map_err(|e| e.at("rate_limit"))
}

fn read_changes(body: &UpdateKeyspaceBody) -> Result<KeyspaceChanges, Problem> {
    let mut fields = Fields::default();
    let rate_limit = body
        .rate_limit
        .as_ref()
        .map(|limit| limit.as_ref().and_then(|limit| fields.take(read_rate_limit(&limit.0))));
    let changes = KeyspaceChanges {
        version: body.version.map(Version::new),
        description: fields
            .nullable("description", body.description.as_ref(), |text| Description::parse(text)),
        algorithm: fields.optional("algorithm", body.algorithm.as_deref(), HashAlgorithm::parse),
        default_lifetime: fields.nullable(
            "default_lifetime",
            body.default_lifetime.as_ref(),
            Lifetime::parse,
        ),
        maximum_lifetime: fields.nullable(
            "maximum_lifetime",
            body.maximum_lifetime.as_ref(),
            Lifetime::parse,
        ),
        rate_limit,
        service_account: fields.optional(
            "service_account",
            body.service_account.as_deref(),
            AccountRule::parse,
        ),
    };
    fields.finish()?;
    if changes.fields().is_empty() {
        let rule = Invalid::new("must change at least one field");
        return Err(Problem::invalid_body(vec![rule.at("body")]));
    }
    Ok(changes)
}
