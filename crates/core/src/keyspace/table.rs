//! The parse stage: from a presented text to a token, over all keyspaces at once.

use std::collections::{HashMap, HashSet};

use arrayvec::ArrayVec;
use compact_str::CompactString;

use super::Keyspace;
use crate::digest::is_number;
use crate::format::{PrefixedParts, Token};
use crate::jose::{Issuers, SignedToken};
use crate::{
    DigestScheme, Foreign, Format, KeyRecord, KeyspaceId, MAX_SECRET_LENGTH, Malformed, Opaque,
    RateLimit,
};

type Schemes = ArrayVec<DigestScheme, { Token::MOST_SCHEMES }>;

/// How Laravel Sanctum hashes its tokens, which are written `number|secret`.
const NUMBERED: DigestScheme = DigestScheme::NUMBERED;

/// All keyspaces, arranged for finding those that a presented text may belong to.
#[derive(Clone, Debug, Default)]
pub struct KeyspaceTable {
    keyspaces: HashMap<KeyspaceId, Keyspace>,
    has_rate_limits: bool,
    /// The prefixes of prefixed keyspaces.
    prefixes: HashSet<CompactString, foldhash::fast::RandomState>,
    /// Keyspaces with secrets of other libraries by their prefix.
    foreign: HashMap<CompactString, Vec<Foreign>, foldhash::fast::RandomState>,
    /// Opaque keyspaces by the length of their secrets.
    opaque: HashMap<usize, Vec<(Opaque, Vec<DigestScheme>)>>,
    /// The schemes of opaque keyspaces that have taken over numbered secrets.
    numbered: Schemes,
    /// The base issuers of signed keyspaces.
    issuers: Issuers,
}

impl KeyspaceTable {
    /// A table of these keyspaces.
    pub fn new(keyspaces: impl IntoIterator<Item = Keyspace>) -> Self {
        let mut table = Self::default();
        for keyspace in keyspaces {
            match &keyspace.format {
                Format::Foreign(foreign) => {
                    let prefix = foreign.prefix().as_str().into();
                    table.foreign.entry(prefix).or_default().push(foreign.clone());
                }
                Format::Opaque(opaque) => {
                    if keyspace.schemes.contains(&NUMBERED) {
                        add(&keyspace.schemes, &mut table.numbered);
                    }
                    let of_length = table.opaque.entry(opaque.text_length()).or_default();
                    of_length.push((opaque.clone(), keyspace.schemes.clone()));
                }
                Format::Prefixed(prefixed) => {
                    table.prefixes.insert(prefixed.prefix().as_str().into());
                }
                Format::Signed(signed) => table.issuers.add(signed.issuer()),
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

    /// The base issuers of signed keys.
    pub const fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// Whether the keyspace of a key means the token: a signed one must be of its issuer and for its
    /// audience.
    pub fn means(&self, token: &Token<'_>, key: &KeyRecord) -> bool {
        let Some(token) = token.as_signed() else { return true };
        let keyspace = self.find(&key.keyspace);
        let signed = keyspace.and_then(|keyspace| keyspace.format.as_signed());
        signed.is_some_and(|signed| signed.is_meant_by(token))
    }

    /// The rate limit of a keyspace's keys.
    pub fn rate_limit(&self, id: &KeyspaceId) -> Option<RateLimit> {
        // Most installations have none, and then the name need not be looked up.
        if !self.has_rate_limits {
            return None;
        }
        self.find(id).and_then(|keyspace| keyspace.rate_limit)
    }

    /// Reads a presented text. Total on any input; looks at length, form, alphabet and checksum, and at
    /// all that a signed key says before it is proved.
    pub fn parse<'t>(&self, text: &'t str) -> Result<Token<'t>, Malformed> {
        if !SignedToken::is_likely(text) || self.issuers.is_empty() {
            return self.parse_unsigned(text);
        }
        match SignedToken::read(text, &self.issuers) {
            Ok(token) => Ok(Token::signed(token)),
            // Other secrets may begin like this, too.
            Err(fault) => self.parse_unsigned(text).map_err(|_| Malformed::Signed(fault)),
        }
    }

    fn parse_unsigned<'t>(&self, text: &'t str) -> Result<Token<'t>, Malformed> {
        if text.len() > MAX_SECRET_LENGTH {
            return Err(Malformed::TooLong);
        }
        let mut complaint = None;
        if let Some(parts) = PrefixedParts::split(text)
            && self.prefixes.contains(parts.prefix)
        {
            match parts.check(text) {
                Ok(parts) => return Ok(Token::found_by_id(text, parts.id)),
                Err(malformed) => complaint = Some(malformed),
            }
        }
        // Other secrets may look like this, too; the complaint is about the likelier one.
        let read = self.parse_foreign(text).unwrap_or_else(|| self.parse_opaque(text));
        read.map_err(|malformed| complaint.unwrap_or(malformed))
    }

    /// Reads a secret as other libraries write it, if a keyspace has its prefix.
    fn parse_foreign<'t>(&self, text: &'t str) -> Option<Result<Token<'t>, Malformed>> {
        if self.foreign.is_empty() {
            return None;
        }
        let (before, _) = text.rsplit_once('_')?;
        let (prefix, _) = before.rsplit_once('_')?;
        let read = self.foreign.get(prefix)?.iter().map(|foreign| foreign.id_of(text));
        let read = read.reduce(Result::or)?;
        // An opaque secret may look like this, too.
        let token = read.map(|id| Token::found_by_id(text, id));
        Some(token.or_else(|malformed| self.parse_opaque(text).map_err(|_| malformed)))
    }

    /// Several keyspaces may share a form: then the schemes of all of them are tried.
    fn parse_opaque<'t>(&self, text: &'t str) -> Result<Token<'t>, Malformed> {
        let mut schemes = Schemes::new();
        let mut complaint = Malformed::Form;
        if !self.numbered.is_empty() && is_numbered(text) {
            schemes.clone_from(&self.numbered);
        }
        for (opaque, of_keyspace) in self.opaque.get(&text.len()).into_iter().flatten() {
            match opaque.check(text) {
                Ok(()) => add(of_keyspace, &mut schemes),
                Err(malformed) => complaint = malformed,
            }
        }
        if schemes.is_empty() { Err(complaint) } else { Ok(Token::found_by_digest(text, schemes)) }
    }
}

fn add(more: &[DigestScheme], schemes: &mut Schemes) {
    for &scheme in more {
        if !schemes.contains(&scheme) && !schemes.is_full() {
            schemes.push(scheme);
        }
    }
}

/// Whether a text has the form of Laravel Sanctum's tokens: a number, `|` and a secret.
fn is_numbered(text: &str) -> bool {
    text.split_once('|').is_some_and(|(number, secret)| {
        is_number(number)
            && secret.len() >= 32
            && secret.bytes().all(|byte| byte.is_ascii_graphic())
    })
}
