//! JSON in which every object holds each member once, at any depth.
//!
//! RFC 8259 §4 leaves open which of two members with the same name counts; whoever signs and whoever
//! reads must not differ about that.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Any JSON value without repeated members. Holds nothing: it is read to be checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unambiguous;

/// The members of an object in the order in which they stand, each once, each without repeated
/// members inside.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrderedMembers(pub(crate) Vec<(String, Box<RawValue>)>);

/// A member's name.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct MemberName<'a>(#[serde(borrow)] Cow<'a, str>);

const REPEATED: &str = "a member is repeated";

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Checker)
    }
}

struct Checker;

impl<'de> Visitor<'de> for Checker {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_unit<E: Error>(self) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unambiguous, A::Error> {
        while items.next_element::<Unambiguous>()?.is_some() {}
        Ok(Unambiguous)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Unambiguous, A::Error> {
        let mut names: Vec<Cow<'de, str>> = Vec::new();
        while let Some((MemberName(name), Unambiguous)) = object.next_entry()? {
            names.push(name);
        }
        if has_repeated(&mut names) { Err(A::Error::custom(REPEATED)) } else { Ok(Unambiguous) }
    }
}

/// Whether two names are the same; sorts them, so that many names take no longer than they must.
fn has_repeated(names: &mut [Cow<'_, str>]) -> bool {
    names.sort_unstable();
    names.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
}

impl<'de> Deserialize<'de> for OrderedMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = OrderedMembers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut object: A,
            ) -> Result<OrderedMembers, A::Error> {
                let mut members: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some((name, value)) = object.next_entry::<String, Box<RawValue>>()? {
                    serde_json::from_str::<Unambiguous>(value.get()).map_err(A::Error::custom)?;
                    members.push((name, value));
                }
                let mut names: Vec<_> =
                    members.iter().map(|(name, _)| Cow::Borrowed(name.as_str())).collect();
                if has_repeated(&mut names) {
                    return Err(A::Error::custom(REPEATED));
                }
                Ok(OrderedMembers(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// Reads an object into a structure, after it was checked as a whole. A list in place of the object
/// is refused, which serde alone would take.
pub(crate) fn read_object<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    if !text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
        return None;
    }
    serde_json::from_str::<Unambiguous>(text).ok()?;
    serde_json::from_str(text).ok()
}

/// A member that may be missing, and not be null.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads and forgets a value of any kind that may stand there: present, and not looked into.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Present(pub(crate) bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::on_top(r#"{"a":1,"a":2}"#)]
    #[case::the_same_value(r#"{"a":1,"a":1}"#)]
    #[case::apart(r#"{"a":1,"b":2,"c":3,"a":4}"#)]
    #[case::inside(r#"{"a":{"b":1,"b":2}}"#)]
    #[case::in_a_list(r#"{"a":[1,{"b":1,"b":2}]}"#)]
    #[case::written_otherwise(r#"{"a":1,"\u0061":2}"#)]
    #[case::empty_names(r#"{"":1,"":2}"#)]
    fn repeated_members_are_refused(#[case] text: &str) {
        assert!(serde_json::from_str::<Unambiguous>(text).is_err());
        assert!(serde_json::from_str::<OrderedMembers>(text).is_err());
    }

    #[rstest]
    #[case("{}")]
    #[case(r#"{"a":{"a":{"a":[null,true,-1,2,3.5,"x",{}]}},"b":{"a":1}}"#)]
    fn unambiguous_objects_are_read(#[case] text: &str) {
        assert!(serde_json::from_str::<Unambiguous>(text).is_ok());
        assert!(serde_json::from_str::<OrderedMembers>(text).is_ok());
    }

    #[test]
    fn members_keep_their_order_and_their_text() {
        let text = r#"{"z":1.0,"a":[1, 2],"m":"\u00e4"}"#;
        let OrderedMembers(members) = serde_json::from_str(text).unwrap();
        let written: Vec<_> =
            members.iter().map(|(name, value)| (name.as_str(), value.get())).collect();
        assert_eq!(written, [("z", "1.0"), ("a", "[1, 2]"), ("m", r#""\u00e4""#)]);
    }

    #[test]
    fn a_list_is_no_object() {
        #[derive(serde::Deserialize)]
        struct One {
            #[expect(dead_code, reason = "only read")]
            a: u8,
        }
        assert!(read_object::<One>(r#"{"a":1}"#).is_some());
        assert!(read_object::<One>("[1]").is_none());
    }
}
