//! How the secrets of one keyspace look.

use std::ops::RangeInclusive;

use keyward_core::{
    Alphabet, Dialect, Foreign, Format, KeyId, KeyspaceId, Opaque, Prefixed, Profile, Secret,
};

use crate::find::{Find, Place};
use crate::shape::{Edges, Shape, Symbols};
use crate::tokens::Tokens;

/// How the secrets of one keyspace look.
#[derive(Clone, Debug)]
pub struct Pattern {
    keyspace: Option<KeyspaceId>,
    format: Format,
    reading: Reading,
    shape: Shape,
}

/// What takes a text apart and, where it can, confirms it.
#[derive(Clone, Debug)]
enum Reading {
    /// Nothing: there are no parts.
    Nothing,
    /// A profile, with a checksum perhaps.
    Profile(Profile),
    /// Header and issuer of a signed key.
    Tokens(Tokens),
}

/// A text that is a secret as far as can be told from it.
pub(crate) struct Recognised<'t> {
    pub(crate) text: &'t str,
    pub(crate) hint: String,
    /// Whether a checksum or an issuer confirms it.
    pub(crate) is_certain: bool,
    key: Option<KeyId>,
    keyspace: Option<KeyspaceId>,
}

impl Recognised<'_> {
    /// The find that it is in a place.
    pub(crate) fn found(self, place: Place) -> Find {
        let Self { text, hint, key, keyspace, .. } = self;
        Find { place, keyspace, key, hint, secret: Secret::new(text.to_owned()) }
    }
}

impl Pattern {
    /// The pattern of a keyspace's secrets, the keyspace left out where it is not known. Absent for
    /// opaque secrets without a prefix: nothing tells them from any other text.
    pub fn new(keyspace: Option<KeyspaceId>, format: Format) -> Option<Self> {
        let (reading, shape) = match &format {
            Format::Foreign(foreign) => {
                (Reading::Profile(foreign.profile().clone()), shape_of_foreign(foreign))
            }
            Format::Opaque(opaque) => (Reading::Nothing, shape_of_opaque(opaque)?),
            Format::Prefixed(prefixed) => {
                (Reading::Profile(Profile::new(Dialect::Keyward)), shape_of_prefixed(prefixed))
            }
            Format::Signed(signed) => {
                let tokens = Tokens::new(signed);
                let shape = tokens.shape();
                (Reading::Tokens(tokens), shape)
            }
        };
        Some(Self { keyspace, format, reading, shape })
    }

    /// The keyspace, if it is known.
    pub const fn keyspace(&self) -> Option<&KeyspaceId> {
        self.keyspace.as_ref()
    }

    /// What the secrets begin with, without the underscore behind it. Signed keys have no prefix.
    pub fn prefix(&self) -> &str {
        self.format.prefix().unwrap_or_default()
    }

    /// A regular expression of the whole secret, without what must stand around it. It is written
    /// in what the engines of Rust, Go (RE2) and Hyperscan have in common.
    pub fn regex(&self) -> String {
        if let Reading::Tokens(tokens) = &self.reading {
            return tokens.regex();
        }
        let Shape { head, id, secret, symbols, .. } = &self.shape;
        // Letters, digits, underscores and hyphens: nothing that would have to be escaped.
        let base58 = Symbols::of(Alphabet::base58()).class();
        let id = id.as_ref().map(|id| format!("[{base58}]{}_", repetition(id)));
        format!("{head}{}[{}]{}", id.unwrap_or_default(), symbols.class(), repetition(secret))
    }

    /// A regular expression of where to look for a secret. It may stop short of the whole.
    pub(crate) fn candidate(&self) -> String {
        match &self.reading {
            Reading::Nothing | Reading::Profile(_) => self.regex(),
            Reading::Tokens(_) => Tokens::BEGINNING.to_owned(),
        }
    }

    /// What every secret has at its beginning.
    pub(crate) fn head(&self) -> String {
        match &self.reading {
            Reading::Nothing | Reading::Profile(_) => format!("{}_", self.prefix()),
            Reading::Tokens(tokens) => tokens.head().to_owned(),
        }
    }

    /// Whether a checksum or an issuer confirms what the pattern finds, wherever it stands.
    pub fn is_certain(&self) -> bool {
        self.shape.edges == Edges::Free
    }

    /// What must not follow a secret, as a class of a regular expression.
    pub(crate) fn class_behind(&self) -> String {
        match (self.shape.edges, &self.reading) {
            // The last character may be a hyphen, and the next part begins with a dot.
            (Edges::OfAlphabet, _) | (_, Reading::Tokens(_)) => self.shape.symbols.class(),
            (Edges::Free | Edges::OfWord, _) => "0-9A-Z_a-z".to_owned(),
        }
    }

    pub(crate) const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The secret that begins at a place, if one does.
    pub(crate) fn recognise<'t>(
        &self,
        text: &'t [u8],
        start: usize,
        base58: &Symbols,
    ) -> Option<Recognised<'t>> {
        let (text, key) = match &self.reading {
            Reading::Nothing => (self.whole(text, start, base58)?, None),
            Reading::Profile(profile) => {
                let text = self.whole(text, start, base58)?;
                // The prefix is in the shape, and only it may hold further underscores.
                (text, Some(KeyId::parse(profile.components(text).ok()?.id).ok()?))
            }
            Reading::Tokens(tokens) => {
                let (text, key) = tokens.read(text.get(start..)?)?;
                (text, Some(key))
            }
        };
        let hint = key.as_ref().map_or_else(|| self.head(), |key| self.format.hint(key));
        let (is_certain, keyspace) = (self.is_certain(), self.keyspace.clone());
        Some(Recognised { text, hint, is_certain, key, keyspace })
    }

    /// The text of the shape that begins at a place.
    fn whole<'t>(&self, text: &'t [u8], start: usize, base58: &Symbols) -> Option<&'t str> {
        let from_start = text.get(start..)?;
        let length = self.shape.length(from_start, base58)?;
        if !self.shape.may_begin(text, start) {
            return None;
        }
        from_start.get(..length).and_then(|text| str::from_utf8(text).ok())
    }
}

fn shape_of_prefixed(prefixed: &Prefixed) -> Shape {
    // The checksum is written in the same characters as the secret, and follows it at once.
    let lengths = Profile::new(Dialect::Keyward);
    Shape {
        head: format!("{}_", prefixed.prefix()),
        id: Some(lengths.id_lengths()),
        secret: lengths.secret_lengths(),
        symbols: Symbols::of(Alphabet::base58()),
        edges: Edges::Free,
    }
}

fn shape_of_foreign(foreign: &Foreign) -> Shape {
    let profile = foreign.profile();
    let short_prefix = profile.short_prefix();
    let (least, most) = profile.id_lengths().into_inner();
    let behind = least.saturating_sub(short_prefix.len())..=most.saturating_sub(short_prefix.len());
    Shape {
        head: format!("{}_{short_prefix}", foreign.prefix()),
        id: Some(behind),
        secret: profile.secret_lengths(),
        symbols: Symbols::of(Alphabet::base58()),
        edges: Edges::OfWord,
    }
}

fn shape_of_opaque(opaque: &Opaque) -> Option<Shape> {
    Some(Shape {
        head: format!("{}_", opaque.prefix()?),
        id: None,
        secret: opaque.length()..=opaque.length(),
        symbols: Symbols::of(opaque.alphabet()),
        edges: Edges::OfAlphabet,
    })
}

fn repetition(lengths: &RangeInclusive<usize>) -> String {
    let (least, most) = (lengths.start(), lengths.end());
    if least == most { format!("{{{least}}}") } else { format!("{{{least},{most}}}") }
}
