//! Rules for other scanners, which find what looks like a key and can check neither checksum nor issuer.

use serde::Serialize;

use crate::Pattern;

/// Who reads the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleFormat {
    /// GitHub's secret scanning: the body of a request to `…/secret-scanning/custom-patterns` of its
    /// REST interface, in version 2026-03-10.
    GitHub,
    /// Gitleaks 8: rules to put into its TOML configuration.
    Gitleaks,
    /// `TruffleHog` 3: custom detectors, as its YAML configuration.
    TruffleHog,
}

/// Rules could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// As JSON.
    #[error("cannot write the rules as JSON")]
    Json(#[from] serde_json::Error),
    /// As TOML.
    #[error("cannot write the rules as TOML")]
    Toml(#[from] toml::ser::Error),
}

/// Writes a rule for each pattern. Other than a search of our own, they ask for a boundary on both
/// sides: without the checksum, that is what tells a key from chance. Of signed keys they find what
/// Keyward makes, and tokens of others that are written alike: they cannot read the issuer.
pub fn rules(patterns: &[Pattern], format: RuleFormat) -> Result<String, RuleError> {
    match format {
        RuleFormat::GitHub => for_github(patterns),
        RuleFormat::Gitleaks => for_gitleaks(patterns),
        RuleFormat::TruffleHog => for_trufflehog(patterns),
    }
}

fn for_github(patterns: &[Pattern]) -> Result<String, RuleError> {
    #[derive(Serialize)]
    struct Body {
        patterns: Vec<Custom>,
    }
    #[derive(Serialize)]
    struct Custom {
        name: String,
        pattern: String,
        start_delimiter: &'static str,
        end_delimiter: String,
    }
    let custom = |pattern: &Pattern| Custom {
        name: format!("Keyward {}", name(pattern)),
        pattern: pattern.regex(),
        start_delimiter: r"\A|[^0-9A-Z_a-z]",
        end_delimiter: format!(r"\z|[^{}]", pattern.class_behind()),
    };
    let body = Body { patterns: patterns.iter().map(custom).collect() };
    Ok(serde_json::to_string_pretty(&body)?)
}

fn for_gitleaks(patterns: &[Pattern]) -> Result<String, RuleError> {
    #[derive(Serialize)]
    struct Configuration {
        rules: Vec<Rule>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Rule {
        id: String,
        description: String,
        regex: String,
        secret_group: u8,
        keywords: [String; 1],
    }
    let rule = |pattern: &Pattern| Rule {
        id: format!("keyward-{}", name(pattern)),
        description: format!("A key of Keyward: {}", name(pattern)),
        regex: bounded(pattern),
        secret_group: 1,
        keywords: [keyword(pattern)],
    };
    let rules = Configuration { rules: patterns.iter().map(rule).collect() };
    Ok(toml::to_string(&rules)?)
}

fn for_trufflehog(patterns: &[Pattern]) -> Result<String, RuleError> {
    // A string of JSON is a string of YAML.
    let quoted = |text: String| serde_json::to_string(&text);
    let detector = |pattern: &Pattern| {
        let name = quoted(format!("keyward-{}", name(pattern)))?;
        let (keyword, regex) = (quoted(keyword(pattern))?, quoted(bounded(pattern))?);
        let name = format!("  - name: {name}\n    keywords:\n      - {keyword}\n");
        Ok(format!("{name}    regex:\n      key: {regex}\n"))
    };
    let detectors = patterns.iter().map(detector).collect::<Result<String, RuleError>>()?;
    Ok(format!("detectors:\n{detectors}"))
}

/// What tells patterns apart: the keyspace, or else the prefix.
fn name(pattern: &Pattern) -> &str {
    pattern.keyspace().map_or_else(|| pattern.prefix(), |keyspace| keyspace.as_str())
}

/// What must be in a text for the regular expression to be tried; scanners compare it in lower case.
fn keyword(pattern: &Pattern) -> String {
    pattern.head().to_ascii_lowercase()
}

/// The secret as the first group, between boundaries. They have no width, so that of two keys with
/// one character between them both are found; only where a secret may begin or end with something that
/// is no part of a word, what is next to it is taken along.
fn bounded(pattern: &Pattern) -> String {
    let behind = pattern.class_behind();
    let end = if is_of_word(&behind) { r"\b".to_owned() } else { format!("(?:[^{behind}]|$)") };
    // A boundary before a hyphen would ask for a letter there.
    let starts_word = pattern.head().starts_with(|first: char| is_word(first));
    let start = if starts_word { r"\b" } else { "(?:^|[^0-9A-Z_a-z])" };
    format!("{start}({}){end}", pattern.regex())
}

fn is_word(symbol: char) -> bool {
    symbol.is_ascii_alphanumeric() || symbol == '_'
}

/// Whether a class holds nothing but what `\b` takes for parts of words.
fn is_of_word(class: &str) -> bool {
    class.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}
