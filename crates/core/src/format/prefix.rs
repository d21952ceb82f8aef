//! The word that every secret of a keyspace begins with.

use crate::Invalid;
use crate::text::text;

text! {
    /// 1 to 32 characters: groups of `a-z 0-9` joined by single underscores, such as `acme_live`.
    Prefix, |text| {
        let groups = text.split('_').all(|group| {
            !group.is_empty() && group.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
        if groups && text.len() <= 32 {
            Ok(())
        } else {
            Err(Invalid::new(
                "must be groups of a-z and 0-9 joined by single underscores, at most 32 characters",
            ))
        }
    }
}

impl Prefix {
    /// The prefix of client secrets.
    pub(crate) const fn client_secret() -> Self {
        Self(compact_str::CompactString::const_new("kwcs"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_kept() {
        for good in ["a", "kw", "acme_live_2", "0"] {
            assert!(Prefix::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(33);
        for bad in ["", "_", "a_", "_a", "a__b", "A", "a-b", "a b", "ä", "a\n", long.as_str()] {
            assert!(Prefix::parse(bad).is_err(), "{bad:?}");
        }
    }
}
