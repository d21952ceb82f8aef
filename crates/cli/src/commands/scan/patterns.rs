//! What to look for: the secrets of the keyspaces, or of prefixes that are named.

use std::collections::HashSet;

use anyhow::Context;
use axum::http::Method;
use keyward::jose::{BaseIssuer, PairKind, SignatureAlgorithm};
use keyward::{
    Alphabet, Audience, Dialect, Foreign, ForeignPrefix, Format, FormatKind, Invalid, KeyspaceId,
    Opaque, Prefix, Prefixed, Profile, Signed, WeakSecrets,
};
use keyward_scan::Pattern;
use serde::Deserialize;

use crate::api::Api;
use crate::outcome::Unusable;
use crate::printer;

/// A keyspace, as far as it says how its secrets are written.
#[derive(Deserialize)]
struct Keyspace {
    id: KeyspaceId,
    format: FormatKind,
    prefix: Option<String>,
    length: Option<usize>,
    alphabet: Option<String>,
    profile: Option<String>,
    id_length: Option<usize>,
    secret_length: Option<usize>,
    short_prefix: Option<String>,
    /// Of signed keys that of their signatures, of others that of their digests.
    algorithm: String,
    key_size: Option<usize>,
    issuer: Option<String>,
    audience: Option<String>,
}

/// The patterns of all keyspaces that the caller may see; tells of those that have none.
pub(super) async fn of_keyspaces(api: &Api) -> anyhow::Result<Vec<Pattern>> {
    let Ok(mut page) = api.call(Method::GET, "/v1/keyspaces", None).await?.granted(false)? else {
        // Not exit code 1, which says that something was found.
        anyhow::bail!("the list of keyspaces was refused");
    };
    let keyspaces = page.get_mut("data").map(serde_json::Value::take).unwrap_or_default();
    let keyspaces: Vec<Keyspace> =
        serde_json::from_value(keyspaces).context("the list of keyspaces cannot be read")?;
    let (mut patterns, mut formless) = (Vec::new(), Vec::new());
    for keyspace in keyspaces {
        let format = keyspace.format();
        let format = format.with_context(|| format!("keyspace {} cannot be read", keyspace.id))?;
        match Pattern::new(Some(keyspace.id.clone()), format) {
            Some(pattern) => patterns.push(pattern),
            None => formless.push(keyspace.id.to_string()),
        }
    }
    if !formless.is_empty() {
        let ids = formless.join(", ");
        printer::complain(&format!("keys without a prefix cannot be recognised, those of: {ids}"));
    }
    Ok(patterns)
}

/// The patterns of some prefixes under one profile.
pub(super) fn of_prefixes(prefixes: &[String], profile: &str) -> anyhow::Result<Vec<Pattern>> {
    let unusable = |invalid: Invalid| Unusable(format!("--prefix {invalid}"));
    let dialect: Dialect = profile.parse().map_err(unusable)?;
    let pattern = |prefix: &String| {
        let format = prefixed(prefix, Profile::new(dialect)).map_err(unusable)?;
        Ok(Pattern::new(None, format))
    };
    // Each once, so that rules have names of their own.
    let mut known = HashSet::new();
    let each = prefixes.iter().filter(|prefix| known.insert(prefix.as_str()));
    let patterns = each.map(pattern).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(patterns.into_iter().flatten().collect())
}

impl Keyspace {
    fn format(&self) -> Result<Format, Invalid> {
        match self.format {
            FormatKind::Opaque => self.opaque().map(Format::Opaque),
            FormatKind::Prefixed => {
                prefixed(self.prefix.as_deref().unwrap_or_default(), self.profile()?)
            }
            FormatKind::Signed => self.signed().map(Format::Signed),
        }
    }

    fn opaque(&self) -> Result<Opaque, Invalid> {
        let alphabet = match &self.alphabet {
            Some(symbols) => Alphabet::parse(symbols)?,
            None => Alphabet::alphanumeric().clone(),
        };
        let prefix = self.prefix.as_deref().map(Prefix::parse).transpose()?;
        Opaque::new(prefix, self.length.unwrap_or(Opaque::DEFAULT_LENGTH), alphabet)
    }

    fn signed(&self) -> Result<Signed, Invalid> {
        let pair = PairKind::new(SignatureAlgorithm::parse(&self.algorithm)?, self.key_size)?;
        let issuer = BaseIssuer::parse(self.issuer.as_deref().unwrap_or_default())?;
        let audience = self.audience.as_deref().map(Audience::parse).transpose()?;
        Ok(Signed::new(pair, issuer, audience))
    }

    fn profile(&self) -> Result<Profile, Invalid> {
        let dialect = self.profile.as_deref().map_or(Ok(Dialect::Keyward), str::parse)?;
        let mut profile = Profile::new(dialect);
        if let Some(length) = self.id_length {
            profile = profile.with_id_length(length)?;
        }
        if let Some(length) = self.secret_length {
            profile = profile.with_secret_length(length)?;
        }
        match &self.short_prefix {
            Some(short_prefix) => profile.with_short_prefix(short_prefix),
            None => Ok(profile),
        }
    }
}

fn prefixed(prefix: &str, profile: Profile) -> Result<Format, Invalid> {
    if profile.dialect() == Dialect::Keyward {
        return Ok(Format::Prefixed(Prefixed::new(Prefix::parse(prefix)?)));
    }
    let prefix = ForeignPrefix::parse(prefix)?;
    // Whether new ones would be made is of no interest here.
    Ok(Format::Foreign(Foreign::new(prefix, profile, WeakSecrets::default())?))
}
