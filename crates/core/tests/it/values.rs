//! What the text types accept, at their limits, from code and from JSON alike.

use std::collections::BTreeMap;
use std::fmt::Debug;

use keyward_core::{
    Action, ActorId, AuditEventId, Description, KeyId, KeyspaceId, Name, OwnerId, Prefix, Reason,
    ResourceId, ResourceScopes, Scope, ScopeSet, Tag, TagSet,
};
use keyward_testkit::SeededEntropy;
use rstest::rstest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::support::at;

/// Whether a text is accepted: from code, from JSON, and unchanged by writing and reading it.
fn accepts<T>(text: &str) -> bool
where
    T: DeserializeOwned + Serialize + PartialEq + Debug + AsRef<str> + std::str::FromStr,
{
    let read = serde_json::from_value::<T>(text.into()).ok();
    assert_eq!(text.parse::<T>().ok(), read, "{text:?}");
    let Some(value) = read else { return false };
    assert_eq!(value.as_ref(), text);
    assert_eq!(serde_json::to_value(&value).unwrap(), text);
    true
}

/// What every text on one line refuses.
fn refuses_what_is_not_on_one_line<T>()
where
    T: DeserializeOwned + Serialize + PartialEq + Debug + AsRef<str> + std::str::FromStr,
{
    let texts = [
        "",
        " ",
        " a",
        "a ",
        "\u{a0}a",
        "a\u{2003}",
        "a\nb",
        "a\rb",
        "a\tb",
        "a\0b",
        "a\u{7f}b",
        "a\u{85}b",
        "a\u{9b}b",
        "\u{1b}[31ma",
        "a\u{2028}b",
        "a\u{2029}b",
        "a\u{202a}b",
        "a\u{202e}b",
        "a\u{2066}b",
        "a\u{2069}b",
    ];
    for text in texts {
        assert!(!accepts::<T>(text), "{text:?}");
    }
    for text in ["a", "a b", "é", "日本語", "🔑", "a'\"\\<b>&%00;--", "مفتاح"] {
        assert!(accepts::<T>(text), "{text:?}");
    }
}

/// The most characters are counted as characters, whichever number of bytes they take.
fn has_at_most<T>(most: usize)
where
    T: DeserializeOwned + Serialize + PartialEq + Debug + AsRef<str> + std::str::FromStr,
{
    for unit in ["a", "é", "語", "🔑"] {
        assert!(accepts::<T>(&unit.repeat(most)), "{unit}");
        assert!(!accepts::<T>(&unit.repeat(most + 1)), "{unit}");
    }
}

#[test]
fn a_name_is_up_to_200_characters_on_one_line() {
    refuses_what_is_not_on_one_line::<Name>();
    has_at_most::<Name>(200);
}

#[test]
fn a_reason_is_up_to_500_characters_on_one_line() {
    refuses_what_is_not_on_one_line::<Reason>();
    has_at_most::<Reason>(500);
}

#[test]
fn owners_and_actors_are_up_to_256_characters_on_one_line() {
    refuses_what_is_not_on_one_line::<OwnerId>();
    has_at_most::<OwnerId>(256);
    refuses_what_is_not_on_one_line::<ActorId>();
    has_at_most::<ActorId>(256);
}

#[test]
fn a_description_is_up_to_2000_characters_on_any_number_of_lines() {
    has_at_most::<Description>(2_000);
    for text in ["a\nb", "a\r\nb", "\ta", " a ", "\n"] {
        assert!(accepts::<Description>(text), "{text:?}");
    }
    for text in ["", "a\0b", "\u{1b}[31m", "a\u{7f}", "a\u{85}b"] {
        assert!(!accepts::<Description>(text), "{text:?}");
    }
}

/// The printable ASCII characters that a type accepts alone between two others.
fn accepted_inside<T>() -> String
where
    T: DeserializeOwned + Serialize + PartialEq + Debug + AsRef<str> + std::str::FromStr,
{
    let all = ('\0'..='\u{ff}').filter(|c| accepts::<T>(&format!("a{c}a")));
    all.collect()
}

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

#[test]
fn a_key_id_is_up_to_64_plain_characters() {
    assert_eq!(accepted_inside::<KeyId>(), format!("-.0123456789{LETTERS}"));
    assert!(accepts::<KeyId>(&"a".repeat(64)));
    assert!(!accepts::<KeyId>(&"a".repeat(65)));
    assert!(!accepts::<KeyId>(""));
}

#[test]
fn a_keyspace_id_is_up_to_64_lower_case_characters() {
    assert_eq!(accepted_inside::<KeyspaceId>(), "-0123456789abcdefghijklmnopqrstuvwxyz");
    assert!(accepts::<KeyspaceId>(&"a".repeat(64)));
    for text in ["", "-a", "-", "é", "a".repeat(65).as_str()] {
        assert!(!accepts::<KeyspaceId>(text), "{text:?}");
    }
    assert!(accepts::<KeyspaceId>(KeyspaceId::default_keyspace().as_str()));
    assert!(accepts::<KeyspaceId>(KeyspaceId::management().as_str()));
}

#[test]
fn a_prefix_is_up_to_32_characters() {
    assert_eq!(accepted_inside::<Prefix>(), "0123456789_abcdefghijklmnopqrstuvwxyz");
    assert!(accepts::<Prefix>(&"a".repeat(32)));
    assert!(!accepts::<Prefix>(&"a".repeat(33)));
}

#[test]
fn a_scope_is_up_to_128_visible_characters() {
    let visible: String = ('!'..='~').filter(|c| !matches!(c, '"' | '\\')).collect();
    assert_eq!(accepted_inside::<Scope>(), visible);
    assert!(accepts::<Scope>(&"a".repeat(128)));
    assert!(!accepts::<Scope>(&"a".repeat(129)));
    assert!(!accepts::<Scope>(""));
}

#[test]
fn a_resource_is_a_type_and_an_id_within_their_limits() {
    let resource = |kind: usize, id: usize| format!("{}:{}", "a".repeat(kind), "🔑".repeat(id));
    assert!(accepts::<ResourceId>(&resource(64, 256)));
    for text in [resource(65, 1), resource(1, 257), resource(0, 1), resource(1, 0)] {
        assert!(!accepts::<ResourceId>(&text), "{text:?}");
    }
    for text in ["a:b:c", "a:b c", "a::", "a.b_c-d:é"] {
        assert!(accepts::<ResourceId>(text), "{text:?}");
    }
    for text in ["é:1", "a b:1", "a: b", "a:b ", "a:b\tc", "a"] {
        assert!(!accepts::<ResourceId>(text), "{text:?}");
    }
}

#[rstest]
#[case::lower_case("prod", Some("prod"))]
#[case::folded("PROD", Some("prod"))]
#[case::folded_beyond_ascii("ÄÖÜ Straße", Some("äöü straße"))]
#[case::folded_to_more_characters("İ", Some("i\u{307}"))]
#[case::empty("", None)]
#[case::white_space_around(" prod", None)]
#[case::two_lines("a\nb", None)]
fn a_tag_is_folded_to_lower_case(#[case] text: &str, #[case] expected: Option<&str>) {
    let tag = Tag::parse(text).ok();
    assert_eq!(tag.as_ref().map(Tag::as_str), expected);
}

#[rstest]
#[case("a", 64)]
#[case("É", 64)]
#[case::two_characters_in_lower_case("İ", 32)]
fn a_tag_is_up_to_64_characters_and_can_be_read_again(#[case] unit: &str, #[case] most: usize) {
    let tag = Tag::parse(&unit.repeat(most)).unwrap();
    let written = serde_json::to_value(&tag).unwrap();
    assert_eq!(serde_json::from_value::<Tag>(written).unwrap(), tag);
    assert!(Tag::parse(&unit.repeat(most + 1)).is_err());
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("s{n}")).collect()
}

#[test]
fn sets_have_a_limit_on_different_members() {
    assert!(ScopeSet::parse(&numbered(256), "scopes").is_ok());
    assert_eq!(ScopeSet::parse(&numbered(257), "scopes").unwrap_err().field, "scopes");
    assert!(TagSet::parse(&numbered(64), "tags").is_ok());
    assert_eq!(TagSet::parse(&numbered(65), "tags").unwrap_err().field, "tags");
    let repeated = [numbered(64), numbered(64)].concat();
    assert_eq!(TagSet::parse(&repeated, "tags").unwrap().iter().count(), 64);
    assert!(serde_json::from_value::<TagSet>(numbered(65).into()).is_err());
    assert!(serde_json::from_value::<ScopeSet>(numbered(257).into()).is_err());
}

#[test]
fn resource_scopes_have_a_limit_and_complaints_name_the_place() {
    let of = |count| {
        let names = numbered(count);
        let resources = names.iter().map(|name| (format!("a:{name}"), vec!["read".to_owned()]));
        ResourceScopes::parse(&resources.collect(), "resources")
    };
    assert!(of(256).is_ok());
    assert_eq!(of(257).unwrap_err().field, "resources");
    let place = |resource: &str, scope: &str| {
        let good = ("a:1".to_owned(), vec!["read".to_owned()]);
        let odd = (resource.to_owned(), vec!["read".to_owned(), scope.to_owned()]);
        let resources = BTreeMap::from([good, odd]);
        ResourceScopes::parse(&resources, "resources").unwrap_err().field
    };
    assert_eq!(place("b", "write"), "resources[1]");
    assert_eq!(place("b:2", "two words"), "resources[1][1]");
}

#[test]
fn audit_event_ids_sort_by_time_and_are_read_as_written() {
    let entropy = SeededEntropy::new(1);
    let ids = [0, 1, 2, 500].map(|second| AuditEventId::generate(&entropy, at(second)));
    assert!(ids.is_sorted());
    for id in ids {
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(AuditEventId::from_bytes(*id.as_bytes()), id);
    }
}

#[test]
fn actions_are_read_as_written() {
    for &action in Action::ALL {
        assert_eq!(action.as_str().parse(), Ok(action));
    }
    assert!("key.eaten".parse::<Action>().is_err());
}
