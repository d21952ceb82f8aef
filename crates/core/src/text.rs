//! Texts with a rule: the constructor is the only way in, so that a value that exists is valid.

use crate::Invalid;

/// Declares a text newtype. The rule is a function `fn(&str) -> Result<(), Invalid>`.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Deserialize)]
        #[serde(try_from = "compact_str::CompactString")]
        pub struct $name(compact_str::CompactString);

        impl $name {
            /// Reads the text, or says which rule it breaks.
            pub fn parse(text: impl Into<compact_str::CompactString>) -> Result<Self, $crate::Invalid> {
                let text = text.into();
                let rule: fn(&str) -> Result<(), $crate::Invalid> = $rule;
                rule(&text)?;
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<compact_str::CompactString> for $name {
            type Error = $crate::Invalid;

            fn try_from(text: compact_str::CompactString) -> Result<Self, $crate::Invalid> {
                Self::parse(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Invalid;

            fn from_str(text: &str) -> Result<Self, $crate::Invalid> {
                Self::parse(text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use text;

text! {
    /// A key's name, for people: 1 to 200 characters on one line.
    Name, |text| one_line(text, 200)
}

text! {
    /// A longer note for people: 1 to 2,000 characters; line breaks and tabs are allowed.
    Description, |text| {
        length(text, 2_000)?;
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            Err(Invalid::new("must not contain control characters"))
        } else {
            Ok(())
        }
    }
}

text! {
    /// Why a key was revoked: 1 to 500 characters on one line.
    Reason, |text| one_line(text, 500)
}

/// 1 to `most` characters, none of them a control character, no white space around.
pub(crate) fn one_line(text: &str, most: usize) -> Result<(), Invalid> {
    length(text, most)?;
    if text.chars().any(misleads) {
        return Err(Invalid::new("must not contain control characters"));
    }
    if text.trim() != text {
        return Err(Invalid::new("must not begin or end with white space"));
    }
    Ok(())
}

/// 1 to `most` bytes, each of which `allowed` accepts; `alphabet` says which in words.
pub(crate) fn ascii(
    text: &str,
    most: usize,
    alphabet: &'static str,
    allowed: fn(u8) -> bool,
) -> Result<(), Invalid> {
    length(text, most)?;
    if text.bytes().all(allowed) {
        Ok(())
    } else {
        Err(Invalid::new(format!("must consist of {alphabet}")))
    }
}

/// Whether a character is a control character, breaks the line, or turns the direction of the text
/// around it, which makes a name look like another.
fn misleads(c: char) -> bool {
    let breaks_or_turns =
        matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || breaks_or_turns
}

fn length(text: &str, most: usize) -> Result<(), Invalid> {
    // A character has at least one byte, so a long text is refused before it is counted.
    let fits = text.len() <= most * 4 && text.chars().count() <= most;
    if fits && !text.is_empty() {
        Ok(())
    } else {
        Err(Invalid::new(format!("must be 1 to {most} characters long")))
    }
}
