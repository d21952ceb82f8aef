//! For how long a server says that its answer may be used (RFC 9111).

use std::time::Duration;

use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};

use super::KeyLifetimes;

/// What an answer's headers say about keeping it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Freshness {
    /// `max-age`, less the time that the answer has spent in caches on its way.
    max_age: Option<Duration>,
    must_not_be_stale: bool,
    must_not_be_stored: bool,
}

impl Freshness {
    /// Reads the headers. Where they contradict each other, the strictest counts; a lifetime that cannot
    /// be read is none (RFC 9111 §4.2.1).
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let mut freshness = Self::default();
        for value in headers.get_all(CACHE_CONTROL) {
            let value = value.to_str().unwrap_or("max-age=unreadable");
            for directive in value.split(',') {
                freshness.add(directive.trim());
            }
        }
        let age =
            headers.get(AGE).and_then(|value| value.to_str().ok()).map_or(Duration::ZERO, seconds);
        freshness.max_age = freshness.max_age.map(|max_age| max_age.saturating_sub(age));
        freshness
    }

    fn add(&mut self, directive: &str) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let mut most = |lifetime: Duration| {
            self.max_age = Some(self.max_age.map_or(lifetime, |known| known.min(lifetime)));
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "max-age" => most(seconds(value)),
            "no-cache" => most(Duration::ZERO),
            "no-store" => self.must_not_be_stored = true,
            "must-revalidate" => self.must_not_be_stale = true,
            _ => {}
        }
    }

    /// For how long the answer counts. None: it must not be kept at all.
    pub(super) fn lifetime(&self, lifetimes: &KeyLifetimes) -> Option<Duration> {
        if self.must_not_be_stored {
            return Some(lifetimes.least).filter(|least| !least.is_zero());
        }
        let stated = self.max_age.unwrap_or(lifetimes.unstated);
        Some(stated.max(lifetimes.least).min(lifetimes.most))
    }

    /// For how long it counts on while the server cannot be asked.
    pub(super) fn stale_for(&self, lifetimes: &KeyLifetimes, has_feed: bool) -> Duration {
        let unstated = if has_feed { Duration::ZERO } else { KeyLifetimes::STALE_IF_ERROR };
        let stale_for = lifetimes.stale_if_error.unwrap_or(unstated);
        if self.must_not_be_stale || self.must_not_be_stored { Duration::ZERO } else { stale_for }
    }
}

/// A number of seconds (RFC 9111 §1.2.2), which may be too large to count; nothing if it is none.
fn seconds(text: &str) -> Duration {
    let text = text.trim().trim_matches('"');
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = if is_number { text.parse().unwrap_or(u64::from(u32::MAX)) } else { 0 };
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const LIFETIMES: KeyLifetimes = KeyLifetimes {
        least: Duration::from_secs(10),
        most: Duration::from_mins(5),
        unstated: Duration::from_mins(1),
        absent: Duration::from_secs(5),
        failed: Duration::from_secs(1),
        stale_if_error: None,
    };

    fn read(cache_control: &[&str], age: Option<&str>) -> Freshness {
        let mut headers = HeaderMap::new();
        for value in cache_control {
            headers.append(CACHE_CONTROL, value.parse().unwrap());
        }
        if let Some(age) = age {
            headers.insert(AGE, age.parse().unwrap());
        }
        Freshness::read(&headers)
    }

    #[rstest]
    #[case::nothing(&[], None, 60)]
    #[case::stated(&["max-age=100"], None, 100)]
    #[case::among_others(&["public, Max-Age = 100 ,immutable"], None, 100)]
    #[case::quoted(&["max-age=\"100\""], None, 100)]
    #[case::spent_on_the_way(&["max-age=100"], Some("30"), 70)]
    #[case::older_than_it_may_be(&["max-age=100"], Some("1000"), 10)]
    #[case::an_age_that_is_none(&["max-age=100"], Some("x"), 100)]
    #[case::too_short(&["max-age=0"], None, 10)]
    #[case::too_long(&["max-age=86400"], None, 300)]
    #[case::larger_than_any_number(&["max-age=99999999999999999999999"], None, 300)]
    #[case::negative(&["max-age=-1"], None, 10)]
    #[case::no_number(&["max-age=soon"], None, 10)]
    #[case::without_a_value(&["max-age"], None, 10)]
    #[case::the_shorter_of_two(&["max-age=100, max-age=20"], None, 20)]
    #[case::the_shorter_of_two_headers(&["max-age=20", "max-age=100"], None, 20)]
    #[case::of_shared_caches(&["s-maxage=100"], None, 60)]
    #[case::to_be_asked_again(&["no-cache, max-age=100"], None, 10)]
    #[case::not_to_be_stored(&["no-store, max-age=100"], None, 10)]
    fn lifetimes_are_within_the_bounds(
        #[case] cache_control: &[&str],
        #[case] age: Option<&str>,
        #[case] expected: u64,
    ) {
        let lifetime = read(cache_control, age).lifetime(&LIFETIMES);
        assert_eq!(lifetime, Some(Duration::from_secs(expected)));
    }

    #[test]
    fn what_must_not_be_stored_is_not_kept_unless_there_is_a_least_lifetime() {
        let lifetimes = KeyLifetimes { least: Duration::ZERO, ..LIFETIMES };
        assert_eq!(read(&["no-store"], None).lifetime(&lifetimes), None);
        assert_eq!(read(&["max-age=0"], None).lifetime(&lifetimes), Some(Duration::ZERO));
    }

    #[rstest]
    #[case(&["max-age=1"], false, 300)]
    #[case(&["max-age=1"], true, 0)]
    #[case(&["max-age=1, must-revalidate"], false, 0)]
    #[case(&["no-store"], false, 0)]
    fn staleness_is_as_stated(
        #[case] headers: &[&str],
        #[case] has_feed: bool,
        #[case] expected: u64,
    ) {
        let stale_for = read(headers, None).stale_for(&LIFETIMES, has_feed);
        assert_eq!(stale_for, Duration::from_secs(expected));
    }
}
