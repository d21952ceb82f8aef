//! How keys were used: what is to be added at the destination.

use keyward_core::KeyId;
use keyward_store::{Usage, UsageDelta};

/// By how much one count is ahead of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ahead {
    By(UsageDelta),
    /// It is not: the other one has counted what it has not.
    No,
    Same,
}

pub(crate) fn ahead(key: &KeyId, source: &Usage, carried: &Usage) -> Ahead {
    if source == carried {
        return Ahead::Same;
    }
    let uses = source.uses.checked_sub(carried.uses);
    let previous_uses = source.previous_uses.checked_sub(carried.previous_uses);
    let last_used_at = source.last_used_at.filter(|at| Some(*at) >= carried.last_used_at);
    match (uses, previous_uses, last_used_at) {
        (Some(uses), Some(previous_uses), Some(last_used_at)) => {
            Ahead::By(UsageDelta { key: key.clone(), last_used_at, uses, previous_uses })
        }
        _ => Ahead::No,
    }
}

/// Usage as bytes; that of a key that was never used is none.
pub(crate) fn written(key: &KeyId, usage: &Usage) -> Option<Vec<u8>> {
    let last_used_at = usage.last_used_at?;
    let Usage { uses, previous_uses, .. } = usage;
    Some(format!("{key} {last_used_at} {uses} {previous_uses}").into())
}

#[cfg(test)]
mod tests {
    use keyward_core::Timestamp;

    use super::*;

    fn usage(second: i64, uses: u64, previous_uses: u64) -> Usage {
        let last_used_at = Timestamp::from_micros(second * 1_000_000).ok();
        Usage { last_used_at, uses, previous_uses }
    }

    #[test]
    fn what_is_added_makes_both_the_same() {
        let key = KeyId::parse("k").unwrap();
        let source = usage(9, 7, 2);
        for carried in [Usage::default(), usage(1, 3, 0), usage(9, 7, 1), usage(8, 7, 2)] {
            let Ahead::By(delta) = ahead(&key, &source, &carried) else { panic!("{carried:?}") };
            let mut sum = carried;
            sum.add(&delta);
            assert_eq!(sum, source);
        }
        assert_eq!(ahead(&key, &source, &source), Ahead::Same);
    }

    #[test]
    fn what_has_more_than_the_source_cannot_be_added_to() {
        let key = KeyId::parse("k").unwrap();
        for carried in [usage(10, 7, 2), usage(9, 8, 2), usage(9, 7, 3)] {
            assert_eq!(ahead(&key, &usage(9, 7, 2), &carried), Ahead::No, "{carried:?}");
        }
        assert_eq!(ahead(&key, &Usage::default(), &usage(1, 1, 0)), Ahead::No);
    }
}
