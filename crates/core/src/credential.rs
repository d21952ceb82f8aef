//! The extract stage: from a request's headers to the text that was presented as a key.

use std::collections::BTreeMap;

use compact_str::CompactString;

use crate::Invalid;
use crate::text::ascii;

/// Where a presented key is looked for in the headers of a request.
///
/// ```
/// use keyward_core::{HeaderRules, extract_key};
///
/// let headers = [("X-Request-Id", "7"), ("Authorization", "Bearer kw_7Kx2")];
/// assert_eq!(extract_key(&headers[..], &HeaderRules::default()), Ok(Some("kw_7Kx2")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderRules {
    bearer: Bearer,
    /// In lower case; the first that holds a key counts.
    names: Vec<CompactString>,
}

/// What becomes of `Bearer ` (RFC 6750 §2.1) before a key, in whichever case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bearer {
    /// It is part of the text, which is then no key of ours.
    Keep,
    /// It is taken off, from any header.
    #[default]
    Strip,
}

impl HeaderRules {
    /// The most names.
    const MOST: usize = 16;

    /// Looks into the headers of these names in this order. Case does not matter.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Self, Invalid> {
        let names = names.into_iter().map(|name| {
            ascii(name.as_ref(), 64, "the characters of a header's name", is_name)?;
            Ok(CompactString::new(name.as_ref()).to_ascii_lowercase())
        });
        let names: Vec<_> = names.collect::<Result<_, Invalid>>()?;
        if names.is_empty() || names.len() > Self::MOST {
            return Err(Invalid::new("must be 1 to 16 names of headers"));
        }
        Ok(Self { bearer: Bearer::Strip, names })
    }

    /// The same with this treatment of `Bearer `.
    #[must_use]
    pub fn bearer(self, bearer: Bearer) -> Self {
        Self { bearer, ..self }
    }
}

impl Default for HeaderRules {
    /// `Authorization`, then `X-API-Key`; `Bearer ` is taken off.
    fn default() -> Self {
        let names = ["authorization", "x-api-key"].map(CompactString::const_new);
        Self { bearer: Bearer::Strip, names: names.into() }
    }
}

/// A header's name (RFC 9110 §5.1): a token (§5.6.2).
const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// A header that was to hold the key cannot be read. It is refused, for what is read in two ways can
/// be used to deceive one of the readers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableHeader {
    /// It was not text (RFC 9110 §5.5: visible ASCII, space and tab).
    #[error("the header {0} must be ASCII text")]
    NotText(String),
    /// It was given more than once.
    #[error("the header {0} must be given once")]
    Repeated(String),
}

/// The headers of a request, whatever type they have.
pub trait Headers {
    /// The values of all headers of a name, which is in lower case.
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]>;
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        let of_name = move |(given, _): &&(N, V)| given.as_ref().eq_ignore_ascii_case(name);
        self.iter().filter(of_name).map(|(_, value)| value.as_ref())
    }
}

impl<V: AsRef<[u8]>> Headers for BTreeMap<String, V> {
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        let of_name = move |(given, _): &(&String, &V)| given.eq_ignore_ascii_case(name);
        self.iter().filter(of_name).map(|(_, value)| value.as_ref())
    }
}

#[cfg(feature = "http")]
impl Headers for http::HeaderMap {
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.get_all(name).iter().map(http::HeaderValue::as_bytes)
    }
}

/// The text that was presented as a key: of the first header, in the order of the rules, that holds
/// one.
///
/// A header that is empty, holds `Bearer` and nothing else, or holds the credentials of another
/// scheme, such as `Basic`, holds no key, and the next one is looked at.
pub fn extract_key<'h, H: Headers + ?Sized>(
    headers: &'h H,
    rules: &'h HeaderRules,
) -> Result<Option<&'h str>, UnreadableHeader> {
    for name in &rules.names {
        let mut values = headers.values(name);
        let Some(value) = values.next() else { continue };
        if values.next().is_some() {
            return Err(UnreadableHeader::Repeated(name.to_string()));
        }
        let is_text = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t');
        let text = std::str::from_utf8(value).ok().filter(|_| value.iter().all(is_text));
        let text = text.ok_or_else(|| UnreadableHeader::NotText(name.to_string()))?;
        if let Some(key) = presented(text, name == "authorization", rules.bearer) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Whether the headers hold something that was presented as a key.
pub fn has_key<H: Headers + ?Sized>(headers: &H, rules: &HeaderRules) -> bool {
    matches!(extract_key(headers, rules), Ok(Some(_)))
}

/// The key in a text that may begin with `Bearer `. Any other text is taken as it is.
pub fn key_of_text(text: &str, bearer: Bearer) -> &str {
    match text.split_once(SPACE) {
        Some((scheme, key)) if bearer == Bearer::Strip && is_bearer(scheme) => {
            key.trim_matches(SPACE)
        }
        _ => text,
    }
}

/// White space in the value of a header (RFC 9110 §5.6.3).
const SPACE: [char; 2] = [' ', '\t'];

const fn is_bearer(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("bearer")
}

/// The key in the value of a header, if there is one. In `Authorization`, two words are a scheme and
/// its credentials (RFC 9110 §11.4).
fn presented(value: &str, has_scheme: bool, bearer: Bearer) -> Option<&str> {
    let value = value.trim_matches(SPACE);
    let (scheme, rest) = value.split_once(SPACE).unwrap_or((value, ""));
    if is_bearer(scheme) {
        let rest = rest.trim_start_matches(SPACE);
        let key = if bearer == Bearer::Strip { rest } else { value };
        return (!rest.is_empty()).then_some(key);
    }
    let is_of_another_scheme = has_scheme && !rest.is_empty();
    (!value.is_empty() && !is_of_another_scheme).then_some(value)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn extract<'h>(headers: &'h [(&'h str, &'h str)]) -> Option<&'h str> {
        static RULES: std::sync::LazyLock<HeaderRules> =
            std::sync::LazyLock::new(HeaderRules::default);
        extract_key(headers, &RULES).unwrap()
    }

    #[rstest]
    #[case(&[("authorization", "Bearer key")], Some("key"))]
    #[case(&[("Authorization", "bEARER \t key  ")], Some("key"))]
    #[case(&[("authorization", "Bearer\tkey")], Some("key"))]
    #[case(&[("authorization", "key")], Some("key"))]
    #[case(&[("X-Api-Key", " key ")], Some("key"))]
    #[case(&[("x-api-key", "Bearer key")], Some("key"))]
    #[case(&[("x-api-key", "key"), ("authorization", "first")], Some("first"))]
    #[case(&[("authorization", ""), ("x-api-key", "key")], Some("key"))]
    #[case(&[("authorization", "Bearer"), ("x-api-key", "key")], Some("key"))]
    #[case(&[("authorization", "Bearer  "), ("x-api-key", "key")], Some("key"))]
    #[case(&[("authorization", "Basic dXNlcjpwYXNz"), ("x-api-key", "key")], Some("key"))]
    #[case(&[("authorization", "Digest a=b, c=d")], None)]
    #[case(&[("cookie", "key"), ("x-key", "key")], None)]
    #[case(&[], None)]
    fn keys_are_found_where_they_belong(
        #[case] headers: &[(&str, &str)],
        #[case] key: Option<&str>,
    ) {
        assert_eq!(extract(headers), key);
        assert_eq!(has_key(headers, &HeaderRules::default()), key.is_some());
    }

    #[test]
    fn names_are_asked_in_the_order_of_the_rules() {
        let rules = HeaderRules::new(["X-Custom", "x-api-key"]).unwrap();
        let headers = [("x-api-key", "second"), ("authorization", "none"), ("x-custom", "first")];
        assert_eq!(extract_key(&headers[..], &rules), Ok(Some("first")));
        assert_eq!(extract_key(&headers[..2], &rules), Ok(Some("second")));
        assert_eq!(extract_key(&headers[1..2], &rules), Ok(None));
    }

    #[test]
    fn bearer_can_be_left_where_it_is() {
        let rules = HeaderRules::default().bearer(Bearer::Keep);
        let headers = [("authorization", "Bearer key")];
        assert_eq!(extract_key(&headers[..], &rules), Ok(Some("Bearer key")));
        assert_eq!(key_of_text("Bearer key", Bearer::Keep), "Bearer key");
        assert_eq!(key_of_text("Bearer key", Bearer::Strip), "key");
        assert_eq!(key_of_text("bearer  key ", Bearer::Strip), "key");
        assert_eq!(key_of_text(" key ", Bearer::Strip), " key ");
        assert_eq!(key_of_text("Bearer ", Bearer::Strip), "");
    }

    #[test]
    fn repeated_and_unreadable_headers_are_refused_by_name() {
        let rules = HeaderRules::default();
        let twice = [("X-API-Key", "a"), ("x-api-key", "a")];
        let error = extract_key(&twice[..], &rules).unwrap_err();
        assert_eq!(error.to_string(), "the header x-api-key must be given once");
        for value in [&b"\xff"[..], "ключ".as_bytes(), b"a\0b", b"a\nb", b"a\x7fb"] {
            let error = extract_key(&[("authorization", value)][..], &rules).unwrap_err();
            assert_eq!(error.to_string(), "the header authorization must be ASCII text");
        }
    }

    #[test]
    fn names_that_no_header_can_have_are_refused() {
        for names in [&[""][..], &["x y"], &["x:y"], &["ключ"], &[], &["x"; 17]] {
            assert!(HeaderRules::new(names).is_err(), "{names:?}");
        }
    }

    #[test]
    fn headers_may_be_a_map() {
        let headers = BTreeMap::from([("X-Api-Key".to_owned(), "key".to_owned())]);
        assert_eq!(extract_key(&headers, &HeaderRules::default()), Ok(Some("key")));
    }

    #[cfg(feature = "http")]
    #[test]
    fn headers_may_be_those_of_the_http_crate() {
        let mut headers = http::HeaderMap::new();
        headers.append("x-api-key", http::HeaderValue::from_static("key"));
        assert_eq!(extract_key(&headers, &HeaderRules::default()), Ok(Some("key")));
        headers.append("x-api-key", http::HeaderValue::from_static("key"));
        assert!(extract_key(&headers, &HeaderRules::default()).is_err());
    }
}
