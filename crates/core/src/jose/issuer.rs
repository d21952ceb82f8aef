//! The URL that tokens begin their issuer with.

use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::Invalid;

/// A base issuer: an `https` or `http` URL, written as the WHATWG URL standard does, without a slash
/// at its end. A token's issuer is this, a slash, and the key's id.
///
/// Query, fragment, user name and password are refused: they would stand in every token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseIssuer(CompactString);

impl BaseIssuer {
    /// Bytes in the longest one: the token that holds it has a bound, too.
    pub const MOST_LENGTH: usize = 512;
    /// The path at which authorization servers describe themselves.
    pub const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";

    /// Reads a URL and writes it in the standard's way.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let url = Url::parse(text).map_err(|_| Invalid::new("must be an absolute URL"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(Invalid::new("must be an https or http URL"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Invalid::new("must not hold a user name or password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Invalid::new("must not hold a query or fragment"));
        }
        let written = url.as_str();
        let base = written.strip_suffix('/').unwrap_or(written);
        if base.len() > Self::MOST_LENGTH {
            return Err(Invalid::new("must be at most 512 characters long"));
        }
        Ok(Self(base.into()))
    }

    /// The URL without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The issuer of the key of that id.
    pub fn of_key(&self, id: &str) -> String {
        format!("{}/{id}", self.0)
    }

    /// Where the document with the public key of that id is.
    pub fn document_url(&self, id: &str) -> String {
        format!("{}/{id}/.well-known/jwks.json", self.0)
    }

    /// Where an authorization server with this issuer describes itself (RFC 8414 §3.1): the well-known
    /// path stands before the issuer's own.
    pub fn metadata_url(&self) -> String {
        let path = self.path();
        let origin = self.0.strip_suffix(path.as_str()).unwrap_or(&self.0);
        format!("{origin}{}{path}", Self::METADATA_PATH)
    }

    /// The path of the URL as it is written, to which `/{kid}` is added: empty for the root.
    pub fn path(&self) -> String {
        // A URL would say `/` whether there is a slash or not.
        let place = self.0.split_once("://").and_then(|(_, place)| place.split_once('/'));
        place.map(|(_, path)| format!("/{path}")).unwrap_or_default()
    }

    /// Whether what is asked for there cannot be changed on the way: it is `https`, or stays on this
    /// machine.
    pub fn is_protected(&self) -> bool {
        let Ok(url) = Url::parse(&self.0) else { return false };
        url.scheme() == "https"
            || match url.host() {
                Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            }
    }
}

impl fmt::Display for BaseIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for BaseIssuer {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl TryFrom<String> for BaseIssuer {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<BaseIssuer> for String {
    fn from(issuer: BaseIssuer) -> Self {
        issuer.0.into()
    }
}

/// The base issuers that are believed. An issuer is looked at before anything is proved, so whatever is
/// not in this list is refused.
#[derive(Clone, Debug, Default)]
pub struct Issuers(Vec<BaseIssuer>);

impl Issuers {
    /// A list of these.
    pub fn new(issuers: impl IntoIterator<Item = BaseIssuer>) -> Self {
        let mut list = Self::default();
        for issuer in issuers {
            list.add(&issuer);
        }
        list
    }

    /// Adds one, if it is not there.
    pub fn add(&mut self, issuer: &BaseIssuer) {
        if !self.0.contains(issuer) {
            self.0.push(issuer.clone());
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &BaseIssuer> {
        self.0.iter()
    }

    /// The base of a key's issuer, if it is one of these, and the rest, which should be the key's id.
    pub fn split<'t>(&self, issuer: &'t str) -> Option<(&BaseIssuer, &'t str)> {
        let (base, id) = issuer.rsplit_once('/')?;
        Some((self.0.iter().find(|known| known.as_str() == base)?, id))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://example.com", "https://example.com")]
    #[case("https://example.com/", "https://example.com")]
    #[case("HTTPS://EXAMPLE.com:443/Keys/", "https://example.com/Keys")]
    #[case("https://example.com/a//", "https://example.com/a/")]
    #[case("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4")]
    #[case("http://127.0.0.1:8080/jwks", "http://127.0.0.1:8080/jwks")]
    #[case("https://example.com/a/../b", "https://example.com/b")]
    fn urls_are_written_in_one_way(#[case] text: &str, #[case] written: &str) {
        assert_eq!(BaseIssuer::parse(text).unwrap().as_str(), written);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::relative("/jwks")]
    #[case::no_scheme("example.com")]
    #[case::other_scheme("ftp://example.com")]
    #[case::data("data:text/plain,x")]
    #[case::user("https://user@example.com")]
    #[case::password("https://user:password@example.com")]
    #[case::query("https://example.com?a=b")]
    #[case::empty_query("https://example.com?")]
    #[case::fragment("https://example.com#a")]
    fn other_texts_are_refused(#[case] text: &str) {
        assert!(BaseIssuer::parse(text).is_err());
    }

    #[rstest]
    #[case("https://example.com", true)]
    #[case("http://example.com", false)]
    #[case("http://localhost:1", true)]
    #[case("http://a.localhost", true)]
    #[case("http://localhost.example.com", false)]
    #[case("http://127.1.2.3", true)]
    #[case("http://[::1]:80", true)]
    #[case("http://10.0.0.1", false)]
    fn only_https_and_this_machine_are_protected(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(BaseIssuer::parse(text).unwrap().is_protected(), expected);
    }

    #[rstest]
    #[case("https://a.example", "https://a.example/.well-known/oauth-authorization-server")]
    #[case("http://[::1]:80/x/y", "http://[::1]/.well-known/oauth-authorization-server/x/y")]
    fn the_well_known_path_stands_before_that_of_the_issuer(#[case] text: &str, #[case] url: &str) {
        assert_eq!(BaseIssuer::parse(text).unwrap().metadata_url(), url);
    }

    #[test]
    fn an_issuer_is_split_at_its_last_slash() {
        let issuers = Issuers::new([BaseIssuer::parse("https://example.com/a").unwrap()]);
        let split = issuers.split("https://example.com/a/id").unwrap();
        assert_eq!((split.0.as_str(), split.1), ("https://example.com/a", "id"));
        for other in ["https://example.com/aid", "https://example.com/a/b/id", "id", "", "/id"] {
            assert!(issuers.split(other).is_none(), "{other}");
        }
    }
}
