//! Instants and places in an order as texts of which the bytes sort.
//!
//! Scores of sorted sets, and numbers in Lua, are doubles: they tell instants after the year 2255 apart
//! no longer. So everything is sorted by its bytes.

use keyward_core::Timestamp;
use keyward_store::{KeySort, SortValue};

use crate::reply::Unreadable;

/// How many characters an instant has.
pub(crate) const INSTANT: usize = 16;

/// An instant in hexadecimal digits, from the earliest to the latest.
pub(crate) fn instant(at: Timestamp) -> String {
    number(at.as_micros())
}

/// Reads what [`instant`] wrote.
pub(crate) fn read_instant(text: &str) -> Result<Timestamp, Unreadable> {
    let unreadable = || Unreadable::from("must be an instant in hexadecimal digits");
    let is_written = text.len() == INSTANT && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = Some(text).filter(|_| is_written).ok_or_else(unreadable)?;
    let place = u64::from_str_radix(digits, 16).map_err(|_| unreadable())?;
    Ok(Timestamp::from_micros((place ^ SIGN).cast_signed())?)
}

/// The place of a key in an order, without its id.
pub(crate) fn of_key(sort: KeySort, value: &SortValue) -> String {
    match (sort, value) {
        (KeySort::Enabled, SortValue::Number(enabled)) => enabled.to_string(),
        (_, SortValue::Number(micros)) => number(*micros),
        // No name contains it, so a name comes before those that it begins.
        (_, SortValue::Text(name)) => format!("{name}\0"),
    }
}

/// The place of a service account in an order, without its id.
pub(crate) fn of_account(value: &SortValue) -> String {
    match value {
        SortValue::Number(micros) => number(*micros),
        SortValue::Text(text) => text.clone(),
    }
}

/// Turned around, negative numbers come before the others.
const SIGN: u64 = 1 << 63;

fn number(number: i64) -> String {
    format!("{:016x}", number.cast_unsigned() ^ SIGN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    #[test]
    fn instants_are_written_in_their_order_and_read_back_exactly() {
        let far = Timestamp::parse("9999-12-30T21:59:59.999999Z").unwrap();
        let long_ago = Timestamp::parse("-009999-01-02T02:00:00Z").unwrap_or(at(i64::MIN / 100));
        let after_2255 = (1 << 53) + 1;
        let instants = [long_ago, at(-1), at(0), at(1), at(after_2255), at(after_2255 + 1), far];
        let texts = instants.map(instant);
        assert!(texts.is_sorted() && texts.iter().all(|text| text.len() == INSTANT));
        for (text, instant) in texts.iter().zip(instants) {
            assert_eq!(read_instant(text).unwrap(), instant);
        }
        assert_eq!(number(i64::MAX), "ffffffffffffffff");
    }

    #[test]
    fn what_was_not_written_so_is_not_read() {
        for text in ["", "0", "+fffffffffffffff", "ffffffffffffffff", "800000000000000g"] {
            assert!(read_instant(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_comes_before_those_that_it_begins() {
        let place = |name: &str| of_key(KeySort::Name, &SortValue::Text(name.to_owned())) + "id";
        let names = ["", "a", "a b", "ab", "ä"].map(place);
        assert!(names.is_sorted());
    }
}
