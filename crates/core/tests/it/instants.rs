//! Which texts are instants: those of RFC 3339, and no others.

use keyward_core::Timestamp;
use rstest::rstest;

#[rstest]
#[case::lower_case("2027-01-31t12:00:00z", "2027-01-31T12:00:00Z")]
#[case::an_offset("2027-01-31T12:00:00+05:30", "2027-01-31T06:30:00Z")]
#[case::an_unknown_offset("2027-01-31T12:00:00-00:00", "2027-01-31T12:00:00Z")]
#[case::one_digit_of_a_fraction("2027-01-31T12:00:00.5Z", "2027-01-31T12:00:00.5Z")]
#[case::nanoseconds("2027-01-31T12:00:00.123456789Z", "2027-01-31T12:00:00.123456Z")]
#[case::the_first_year("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z")]
#[case::the_last_second("9999-12-30T21:59:59Z", "9999-12-30T21:59:59Z")]
fn an_rfc_3339_instant_is_read(#[case] text: &str, #[case] written: &str) {
    assert_eq!(Timestamp::parse(text).unwrap().to_string(), written);
}

#[rstest]
#[case::ten_digits_of_a_fraction("2027-01-31T12:00:00.1234567891Z")]
#[case::an_expanded_year("+002027-01-31T12:00:00Z")]
#[case::a_negative_year("-000001-01-01T00:00:00Z")]
#[case::a_week_date("2027-W05-7T12:00:00Z")]
#[case::an_ordinal_date("2027-031T12:00:00Z")]
#[case::an_offset_without_colon("2027-01-31T12:00:00+0100")]
#[case::an_offset_with_seconds("2027-01-31T12:00:00+01:00:00")]
#[case::an_offset_beyond_a_day("2027-01-31T12:00:00+26:00")]
#[case::a_minus_of_another_kind("2027-01-31T12:00:00\u{2212}01:00")]
#[case::midnight_of_the_day_before("2027-01-31T24:00:00Z")]
#[case::a_leap_second("2016-12-31T23:59:60Z")]
#[case::a_leap_second_with_a_fraction("2016-12-31T23:59:60.5Z")]
#[case::other_digits("2027-01-31T12:00:0\u{663}Z")]
#[case::white_space_before(" 2027-01-31T12:00:00Z")]
fn what_is_not_rfc_3339_is_refused(#[case] text: &str) {
    assert!(Timestamp::parse(text).is_err());
    assert!(serde_json::from_value::<Timestamp>(text.into()).is_err());
}
