//! The parse stage: from a presented text to a token, over all keyspaces at once.

use std::collections::{HashMap, HashSet};

use arrayvec::ArrayVec;
use compact_str::CompactString;

use super::Keyspace;
use crate::format::{PrefixedParts, Token};
use crate::{DigestScheme, Format, KeyspaceId, MAX_SECRET_LENGTH, Malformed, Opaque, RateLimit};

/// All keyspaces, arranged for finding those that a presented text may belong to.
#[derive(Clone, Debug, Default)]
pub struct KeyspaceTable {
    keyspaces: HashMap<KeyspaceId, Keyspace>,
    has_rate_limits: bool,
    /// The prefixes of prefixed keyspaces.
    prefixes: HashSet<CompactString, foldhash::fast::RandomState>,
    /// Opaque keyspaces by the length of their secrets.
    opaque: HashMap<usize, Vec<(Opaque, Vec<DigestScheme>)>>,
}

impl KeyspaceTable {
    /// A table of these keyspaces.
    pub fn new(keyspaces: impl IntoIterator<Item = Keyspace>) -> Self {
        let mut table = Self::default();
        for keyspace in keyspaces {
            match &keyspace.format {
                Format::Opaque(opaque) => {
                    let of_length = table.opaque.entry(opaque.text_length()).or_default();
                    of_length.push((opaque.clone(), keyspace.schemes.clone()));
                }
                Format::Prefixed(prefixed) => {
                    table.prefixes.insert(prefixed.prefix().as_str().into());
                }
            }
            table.has_rate_limits |= keyspace.rate_limit.is_some();
            table.keyspaces.insert(keyspace.id.clone(), keyspace);
        }
        table
    }

    /// The keyspace of that name.
    pub fn find(&self, id: &KeyspaceId) -> Option<&Keyspace> {
        self.keyspaces.get(id)
    }

    /// All keyspaces, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Keyspace> {
        self.keyspaces.values()
    }

    /// The rate limit of a keyspace's keys.
    pub fn rate_limit(&self, id: &KeyspaceId) -> Option<RateLimit> {
        // Most installations have none, and then the name need not be looked up.
        if !self.has_rate_limits {
            return None;
        }
        self.find(id).and_then(|keyspace| keyspace.rate_limit)
    }

    /// Reads a presented text. Total on any input; looks at length, form, alphabet and checksum.
    pub fn parse<'t>(&self, text: &'t str) -> Result<Token<'t>, Malformed> {
        if text.len() > MAX_SECRET_LENGTH {
            return Err(Malformed::TooLong);
        }
        if let Some(parts) = PrefixedParts::split(text)
            && self.prefixes.contains(parts.prefix)
        {
            // An opaque secret may look like this, too; the complaint is about the likelier one.
            return match parts.check(text) {
                Ok(parts) => Ok(Token::found_by_id(text, parts.id)),
                Err(malformed) => self.parse_opaque(text).map_err(|_| malformed),
            };
        }
        self.parse_opaque(text)
    }

    /// Several keyspaces may share a form: then the schemes of all of them are tried.
    fn parse_opaque<'t>(&self, text: &'t str) -> Result<Token<'t>, Malformed> {
        let mut schemes = ArrayVec::new();
        let mut complaint = Malformed::Form;
        for (opaque, of_keyspace) in self.opaque.get(&text.len()).into_iter().flatten() {
            if let Err(malformed) = opaque.check(text) {
                complaint = malformed;
                continue;
            }
            for &scheme in of_keyspace {
                if !schemes.contains(&scheme) && !schemes.is_full() {
                    schemes.push(scheme);
                }
            }
        }
        if schemes.is_empty() { Err(complaint) } else { Ok(Token::found_by_digest(text, schemes)) }
    }
}
