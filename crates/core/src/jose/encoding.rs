//! Base64url without padding (RFC 7515 appendix C), one way to write the same bytes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes as text.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// How long that many bytes are as text.
pub(crate) const fn encoded_length(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// Writes bytes as text into a place that is exactly as long, and nowhere else.
pub(crate) fn encode_into(bytes: &[u8], text: &mut [u8]) -> Option<()> {
    let written = URL_SAFE_NO_PAD.encode_slice(bytes, text).ok()?;
    (written == text.len()).then_some(())
}

/// Text as bytes: no padding, no white space, no other alphabet, and no bits left over at the end.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The same as [`decode`] into a place that is large enough: what was written there.
pub(crate) fn decode_into<'p>(text: &str, place: &'p mut [u8]) -> Option<&'p [u8]> {
    let written = URL_SAFE_NO_PAD.decode_slice(text, place).ok()?;
    place.get(..written)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::padded("AQAB=")]
    #[case::padded_to_four("AQ==")]
    #[case::white_space("AQ AB")]
    #[case::newline_behind("AQAB\n")]
    #[case::plain_base64("+/+/")]
    #[case::bits_left_over("AR")]
    #[case::one_character("A")]
    #[case::not_ascii("AQÄB")]
    fn other_ways_to_write_are_refused(#[case] text: &str) {
        assert_eq!(decode(text), None);
    }

    #[test]
    fn what_is_written_reads_back() {
        for length in 0..70_u8 {
            let bytes: Vec<_> = (0..length).map(|n| n.wrapping_mul(37)).collect();
            assert_eq!(encode(&bytes).len(), encoded_length(bytes.len()));
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }
}
