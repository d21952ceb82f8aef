//! Instants, lifetimes, and the clock they are read from.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::{Deserialize, Serialize, Serializer};

use crate::Invalid;

/// An instant in UTC, in microseconds since 1970. Written and read as RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant that many microseconds after 1970; refused outside of the years -9999 to 9999.
    pub fn from_micros(micros: i64) -> Result<Self, Invalid> {
        if jiff::Timestamp::from_microsecond(micros).is_ok() {
            Ok(Self(micros))
        } else {
            Err(out_of_range())
        }
    }

    /// Microseconds since 1970.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 instant, which names its offset: `2027-01-31T12:00:00Z`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let instant = Some(text).filter(|text| is_rfc_3339(text)).and_then(|t| t.parse().ok());
        let instant: jiff::Timestamp = instant.ok_or_else(|| {
            Invalid::new("must be an RFC 3339 instant such as 2027-01-31T12:00:00Z")
        })?;
        Ok(Self(instant.as_microsecond()))
    }

    /// This instant and a lifetime later; refused where the result cannot be written.
    pub fn after(self, lifetime: Lifetime) -> Result<Self, Invalid> {
        let micros = i64::try_from(lifetime.0.as_micros()).map_err(|_| out_of_range())?;
        Self::from_micros(self.0.checked_add(micros).ok_or_else(out_of_range)?)
    }

    /// This instant and a lifetime earlier; refused where the result cannot be written.
    pub fn before(self, lifetime: Lifetime) -> Result<Self, Invalid> {
        let micros = i64::try_from(lifetime.0.as_micros()).map_err(|_| out_of_range())?;
        Self::from_micros(self.0.checked_sub(micros).ok_or_else(out_of_range)?)
    }

    /// The last whole second at or before this instant.
    #[must_use]
    pub const fn floor_to_seconds(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1_000_000))
    }

    /// Whether this instant has come: it has at and after the instant itself.
    pub const fn has_come(self, now: Self) -> bool {
        now.0 >= self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => instant.fmt(f),
            Err(_) => f.write_str("out of range"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A length of time that somebody asked for: `30d`, `12h`, `1h 30m`, or ISO 8601 `P30D`.
///
/// At least a millisecond and at most 100 years. A day is 24 hours; months and years, whose length
/// varies, are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lifetime(Duration);

impl Lifetime {
    /// A minute.
    pub const MINUTE: Self = Self(Duration::from_mins(1));

    const LEAST: Duration = Duration::from_millis(1);
    const MOST: Duration = Duration::from_hours(100 * 366 * 24);

    /// A lifetime of this duration.
    pub fn new(duration: Duration) -> Result<Self, Invalid> {
        if (Self::LEAST..=Self::MOST).contains(&duration) {
            Ok(Self(duration))
        } else {
            Err(Invalid::new("must be between a millisecond and 100 years"))
        }
    }

    /// Reads a lifetime such as `30d` or `P30D`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let unreadable = || Invalid::new("must be a duration such as 30d, 12h or P30D");
        if text.len() > 64 {
            return Err(unreadable());
        }
        let span: Span = text.parse().map_err(|_| unreadable())?;
        let duration =
            span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| unreadable())?;
        Self::new(Duration::try_from(duration).map_err(|_| unreadable())?)
    }

    /// The duration.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Lifetime {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SignedDuration::try_from(self.0) {
            Ok(duration) => write!(f, "{duration:#}"),
            Err(_) => f.write_str("out of range"),
        }
    }
}

impl TryFrom<String> for Lifetime {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<Lifetime> for String {
    fn from(lifetime: Lifetime) -> Self {
        lifetime.to_string()
    }
}

/// A reading of a clock that only ever goes forward, for measuring how long ago something was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// The moment that many nanoseconds after the clock's own beginning.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's own beginning.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long before this moment `earlier` was; nothing if it was not.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Where the time comes from.
///
/// Behaviour:
/// - `now` is the civil time and may be set, also backwards;
/// - `moment` never goes backwards and is not affected when the civil time is set.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// The present moment.
    fn moment(&self) -> Moment;

    /// By how much a reading of `moment` may lag behind; by default it never does.
    fn moment_lag(&self) -> Duration {
        Duration::ZERO
    }
}

/// Whether a text has the form of RFC 3339 §5.6; what we parse with takes other forms, too.
fn is_rfc_3339(text: &str) -> bool {
    let has_form = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                _ => byte.eq_ignore_ascii_case(&form),
            })
    };
    let Some((seconds, rest)) = text.split_at_checked("0000-00-00T00:00:00".len()) else {
        return false;
    };
    let fraction = rest.strip_prefix('.').map(|rest| {
        let offset = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() - offset.len(), offset)
    });
    let (is_decent, offset) = match fraction {
        Some((digits, offset)) => ((1..=9).contains(&digits), offset),
        None => (true, rest),
    };
    // What is parsed with takes a leap second and reads it as the second before.
    let is_leap = seconds.ends_with(":60");
    let is_offset = ["Z", "+00:00", "-00:00"].iter().any(|form| has_form(offset, form));
    is_decent && is_offset && !is_leap && has_form(seconds, "0000-00-00T00:00:00")
}

fn out_of_range() -> Invalid {
    Invalid::new("must lie between the years -9999 and 9999")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("30d", 30 * 86_400)]
    #[case("12h", 12 * 3_600)]
    #[case("1h 30m", 5_400)]
    #[case("2w", 14 * 86_400)]
    #[case("P30D", 30 * 86_400)]
    #[case("PT1H", 3_600)]
    fn lifetimes_are_read_and_written(#[case] text: &str, #[case] seconds: u64) {
        let lifetime = Lifetime::parse(text).unwrap();
        assert_eq!(lifetime.duration().as_secs(), seconds);
        assert_eq!(Lifetime::parse(&lifetime.to_string()).unwrap(), lifetime);
    }

    #[rstest]
    #[case("")]
    #[case("0s")]
    #[case("-1h")]
    #[case("1mo")]
    #[case("1y")]
    #[case("12")]
    #[case("900000d")]
    #[case("1d ago")]
    fn lifetimes_without_a_fixed_positive_length_are_refused(#[case] text: &str) {
        assert!(Lifetime::parse(text).is_err(), "{text}");
    }

    #[rstest]
    #[case("2027-01-31T12:00:00Z")]
    #[case("2027-01-31T12:00:00.123456Z")]
    #[case("1969-07-20T20:17:40Z")]
    fn instants_are_read_and_written(#[case] text: &str) {
        assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
    }

    #[rstest]
    #[case("2027-01-31")]
    #[case("2027-01-31T12:00:00")]
    #[case("2027-02-30T12:00:00Z")]
    #[case("soon")]
    #[case("1800000000")]
    #[case("2027-01-31 12:00:00Z")]
    #[case("20270131T120000Z")]
    #[case("2027-01-31T12:00Z")]
    #[case("2027-01-31T23:59:60Z")]
    #[case("2027-01-31T12:00:00+01")]
    #[case("2027-01-31T12:00:00.Z")]
    #[case("2027-01-31T12:00:00,5Z")]
    #[case("2027-01-31T12:00:00Z[UTC]")]
    #[case("2027-01-31T12:00:00Z ")]
    fn instants_without_an_offset_or_sense_are_refused(#[case] text: &str) {
        assert!(Timestamp::parse(text).is_err(), "{text}");
    }

    #[test]
    fn an_instant_has_come_at_the_instant_itself() {
        let at = Timestamp::from_micros(5).unwrap();
        assert!(at.has_come(at));
        assert!(!at.has_come(Timestamp::from_micros(4).unwrap()));
    }
}
