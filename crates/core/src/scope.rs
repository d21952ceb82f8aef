//! Scopes: what a key may do.

use compact_str::CompactString;
use serde::{Deserialize, Serialize, Serializer};

use crate::text::{ascii, text};
use crate::{FieldError, Invalid};

text! {
    /// One right, such as `read`: 1 to 128 characters of a scope token (RFC 6749 §3.3, printable
    /// ASCII without space, `"` and `\`). Compared exactly; there are no wildcards.
    Scope, |text| ascii(text, 128, "printable ASCII without space, '\"' and '\\'", |byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')
    })
}

impl Scope {
    /// The most scopes in one list.
    const MOST: usize = 256;

    /// Reads scopes from a field of a request: the different ones in their order, up to 256.
    pub fn parse_list(texts: &[String], field: &str) -> Result<Box<[Self]>, FieldError> {
        let scopes = parse_each(texts, field, |text| Self::parse(text))?;
        distinct(scopes, Self::MOST, "scopes").map_err(|invalid| invalid.at(field.to_owned()))
    }
}

/// Up to 256 different scopes, in the order in which they were given.
///
/// Kept as the scope string of OAuth 2.0 (RFC 6749 §3.3), a space between scopes: a few short ones
/// need no memory of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Scope>")]
pub struct ScopeSet(CompactString);

impl ScopeSet {
    /// The set of these scopes; a scope that is given twice counts once.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, Invalid> {
        Ok(Self::of_distinct(&distinct(scopes, Scope::MOST, "scopes")?))
    }

    /// Reads scopes from a field of a request.
    pub fn parse(scopes: &[String], field: &str) -> Result<Self, FieldError> {
        Scope::parse_list(scopes, field).map(|scopes| Self::of_distinct(&scopes))
    }

    /// Reads scopes as OAuth 2.0 writes them (RFC 6749 §3.3): a space between two of them, in any order.
    pub fn parse_words(words: &str) -> Result<Self, Invalid> {
        let scopes: Result<Vec<_>, _> = words.split(' ').map(Scope::parse).collect();
        Self::new(scopes?)
    }

    /// The scopes as OAuth 2.0 writes them.
    pub fn as_words(&self) -> &str {
        &self.0
    }

    /// Whether each of the scopes is in another set, too.
    pub fn is_within(&self, other: &Self) -> bool {
        self.iter().all(|scope| other.iter().any(|held| held == scope))
    }

    fn of_distinct(scopes: &[Scope]) -> Self {
        let mut text = CompactString::default();
        for scope in scopes {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(scope.as_str());
        }
        Self(text)
    }

    /// Whether the scope is in the set.
    pub fn contains(&self, scope: &Scope) -> bool {
        let scope = scope.as_str().as_bytes();
        self.0.as_bytes().split(|byte| *byte == b' ').any(|held| held == scope)
    }

    /// Whether there is no scope in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|scope| !scope.is_empty())
    }
}

impl TryFrom<Vec<Scope>> for ScopeSet {
    type Error = Invalid;

    fn try_from(scopes: Vec<Scope>) -> Result<Self, Invalid> {
        Self::new(scopes)
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Whether a scope is in a list. Scopes are compared exactly; there are no wildcards.
pub fn has_scope<S: AsRef<str>>(held: &[S], scope: &str) -> bool {
    held.iter().any(|held| held.as_ref() == scope)
}

/// Whether any of the wanted scopes is in a list. Of no scopes, none is.
pub fn has_any_scope<S: AsRef<str>, W: AsRef<str>>(held: &[S], wanted: &[W]) -> bool {
    wanted.iter().any(|scope| has_scope(held, scope.as_ref()))
}

/// Whether each of the wanted scopes is in a list. Of no scopes, none is missing.
pub fn has_all_scopes<S: AsRef<str>, W: AsRef<str>>(held: &[S], wanted: &[W]) -> bool {
    wanted.iter().all(|scope| has_scope(held, scope.as_ref()))
}

/// The different ones of `items` in their order, at most `most`.
pub(crate) fn distinct<T: PartialEq>(
    items: impl IntoIterator<Item = T>,
    most: usize,
    what: &str,
) -> Result<Box<[T]>, Invalid> {
    let mut distinct = Vec::new();
    for item in items {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
        if distinct.len() > most {
            return Err(Invalid::new(format!("must hold at most {most} {what}")));
        }
    }
    Ok(distinct.into())
}

/// Parses each text of a list; the complaint names its place.
pub(crate) fn parse_each<T>(
    texts: &[String],
    field: &str,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) -> Result<Vec<T>, FieldError> {
    let parsed = texts.iter().enumerate().map(|(index, text)| {
        parse(text).map_err(|invalid| invalid.at(format!("{field}[{index}]")))
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_given_twice_counts_once_and_order_is_kept() {
        let texts = ["write", "read", "write"].map(str::to_owned);
        let scopes = ScopeSet::parse(&texts, "scopes").unwrap();
        let names: Vec<_> = scopes.iter().collect();
        assert_eq!(names, ["write", "read"]);
    }

    #[test]
    fn a_complaint_names_the_place() {
        let texts = ["read", "two words"].map(str::to_owned);
        let error = ScopeSet::parse(&texts, "scopes").unwrap_err();
        assert_eq!(error.field, "scopes[1]");
    }

    #[test]
    fn of_no_scopes_all_are_held_and_none_is() {
        let (held, none) = (["read", "write"], [""; 0]);
        assert!(has_scope(&held, "read") && !has_scope(&held, "Read") && !has_scope(&held, "rea"));
        assert!(has_any_scope(&held, &["admin", "write"]) && !has_any_scope(&held, &["admin"]));
        assert!(has_all_scopes(&held, &["write", "read"]));
        assert!(!has_all_scopes(&held, &["read", "admin"]));
        assert!(!has_any_scope(&held, &none) && has_all_scopes(&held, &none));
        assert!(!has_any_scope(&none, &none) && has_all_scopes(&none, &none));
    }

    #[test]
    fn more_than_256_scopes_are_refused() {
        let scopes = (0..257).map(|n| Scope::parse(format!("s{n}")).unwrap());
        assert!(ScopeSet::new(scopes).is_err());
    }
}
