//! Rules for other scanners, read as those would.

use std::slice::from_ref;

use keyward_scan::{Pattern, RuleFormat, rules};
use regex::bytes::{Regex, RegexBuilder};
use serde_json::Value;

use crate::{formats, mint, pattern};

/// A rule as a scanner reads it.
pub(crate) struct Rule {
    pub(crate) name: String,
    keyword: Option<String>,
    regex: Regex,
    group: usize,
}

fn patterns() -> Vec<Pattern> {
    formats().into_iter().map(|(name, format)| pattern(name, format)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Words are made of ASCII, as in the engines that the rules are for.
fn expression(text: &str) -> Regex {
    RegexBuilder::new(text).unicode(false).build().unwrap()
}

pub(crate) fn gitleaks(patterns: &[Pattern]) -> Vec<Rule> {
    let toml = rules(patterns, RuleFormat::Gitleaks).unwrap();
    let read: Value = toml::from_str(&toml).unwrap();
    let rule = |rule: &Value| Rule {
        name: text(&rule["id"]),
        keyword: Some(text(&rule["keywords"][0])),
        regex: expression(&text(&rule["regex"])),
        group: usize::try_from(rule["secretGroup"].as_u64().unwrap()).unwrap(),
    };
    read["rules"].as_array().unwrap().iter().map(rule).collect()
}

pub(crate) fn trufflehog(patterns: &[Pattern]) -> Vec<Rule> {
    let yaml = rules(patterns, RuleFormat::TruffleHog).unwrap();
    let read: Value = serde_saphyr::from_str(&yaml).unwrap();
    let rule = |rule: &Value| Rule {
        name: text(&rule["name"]),
        keyword: Some(text(&rule["keywords"][0])),
        regex: expression(&text(&rule["regex"]["key"])),
        group: 1,
    };
    read["detectors"].as_array().unwrap().iter().map(rule).collect()
}

/// GitHub looks for the three parts in a row.
pub(crate) fn github(patterns: &[Pattern]) -> Vec<Rule> {
    let json = rules(patterns, RuleFormat::GitHub).unwrap();
    let read: Value = serde_json::from_str(&json).unwrap();
    let rule = |rule: &Value| {
        let [before, secret, behind] =
            ["start_delimiter", "pattern", "end_delimiter"].map(|name| text(&rule[name]));
        Rule {
            name: text(&rule["name"]),
            keyword: None,
            regex: expression(&format!("(?:{before})({secret})(?:{behind})")),
            group: 1,
        }
    };
    read["patterns"].as_array().unwrap().iter().map(rule).collect()
}

fn all_three() -> [Vec<Rule>; 3] {
    let patterns = patterns();
    [gitleaks(&patterns), trufflehog(&patterns), github(&patterns)]
}

impl Rule {
    pub(crate) fn find(&self, text: &str) -> Vec<String> {
        let is_tried = |keyword: &String| text.to_lowercase().contains(keyword.as_str());
        if !self.keyword.as_ref().is_none_or(is_tried) {
            return Vec::new();
        }
        let all = self.regex.captures_iter(text.as_bytes());
        all.map(|found| String::from_utf8(found[self.group].to_vec()).unwrap()).collect()
    }
}

#[test]
fn rules_find_the_secrets_of_their_keyspace_and_no_others() {
    for read in all_three() {
        assert_eq!(read.len(), formats().len());
        for (rule, (name, format)) in read.iter().zip(formats()) {
            assert!(rule.name.ends_with(name), "{}", rule.name);
            for seed in 0..50 {
                let secret = mint(&format, seed).0;
                for text in
                    [secret.clone(), format!("key: {secret}\n"), format!("\n{secret}\u{e4}")]
                {
                    assert_eq!(rule.find(&text), from_ref(&secret), "{name}");
                }
                for (other, _) in read.iter().zip(formats()).filter(|(_, (o, _))| *o != name) {
                    assert!(other.find(&secret).is_empty(), "{name}, {}", other.name);
                }
            }
        }
    }
}

#[test]
fn rules_find_no_near_misses() {
    for read in all_three() {
        for (rule, (name, format)) in read.iter().zip(formats()) {
            let secret = mint(&format, 1).0;
            let symbol = secret.chars().last().unwrap();
            let misses = [
                secret[..secret.len() - 20].to_owned(),
                secret[1..].to_owned(),
                format!("x{secret}"),
                format!("_{secret}"),
                format!("{secret}{symbol}"),
                format!("{}\u{e4}{}", &secret[..secret.len() - 20], &secret[secret.len() - 20..]),
                format!("{}\n{}", &secret[..secret.len() - 20], &secret[secret.len() - 20..]),
                secret.replacen('_', "-", 1),
            ];
            for miss in misses {
                assert!(rule.find(&miss).is_empty(), "{name}: {miss}");
            }
        }
    }
}

#[test]
fn of_two_secrets_with_one_character_between_them_both_are_found() {
    for read in [gitleaks(&patterns()), trufflehog(&patterns())] {
        for (rule, (name, format)) in read.iter().zip(formats()) {
            let secrets = [mint(&format, 1).0, mint(&format, 2).0];
            assert_eq!(rule.find(&secrets.join("\n")), secrets, "{name}");
        }
    }
}

#[test]
fn expressions_are_written_in_what_all_engines_have_in_common() {
    for pattern in patterns() {
        let regex = pattern.regex();
        assert!(!regex.contains("(?"), "{regex}");
        // Hyperscan and RE2 know neither sets of classes nor their differences.
        assert!(!regex.contains("&&") && !regex.contains("--") && !regex.contains("[["), "{regex}");
    }
}
