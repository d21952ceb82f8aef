//! Numbers in base58, as bytes and as text, of up to 132 bytes.
//!
//! Every leading zero byte is written as one `1`. Several digits are taken at a time, so that it takes
//! a fraction of the plain way; the time still grows with the square of the length, which is why
//! lengths are bounded.

use std::cmp::Ordering;
use std::sync::LazyLock;

use arrayvec::ArrayVec;
use zeroize::Zeroizing;

use crate::Alphabet;

/// The most bytes.
pub(crate) const MOST: usize = 132;
/// The most characters: a byte takes up to 1.366 of them.
const MOST_CHARACTERS: usize = 181;

/// The bytes as text. Of more than 132 bytes, the first are written.
pub(crate) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    /// As many as leave room for a carry in 64 bits.
    const TOGETHER: usize = 5;
    const BASE: u64 = 58_u64.pow(5);
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    // Big-endian, the first limb filled up with zeros.
    let mut limbs = [0_u32; MOST / 4];
    let mut number: &mut [u32] = &mut limbs;
    let significant = bytes.get(zeros..).unwrap_or_default();
    let mut rest = significant.iter().take(MOST).rev().copied();
    for limb in number.iter_mut().rev() {
        let bytes = [(); 4].map(|()| rest.next().unwrap_or_default());
        *limb = u32::from_le_bytes(bytes);
    }
    let mut digits = ArrayVec::<u8, MOST_CHARACTERS>::new();
    loop {
        let leading = number.iter().take_while(|&&limb| limb == 0).count();
        number = number.get_mut(leading..).unwrap_or_default();
        if number.is_empty() {
            break;
        }
        let mut remainder = 0_u64;
        for limb in number.iter_mut() {
            let part = remainder << 32 | u64::from(*limb);
            *limb = u32::try_from(part / BASE).unwrap_or_default();
            remainder = part % BASE;
        }
        for _ in 0..TOGETHER {
            if digits.is_full() {
                break;
            }
            digits.push(u8::try_from(remainder % 58).unwrap_or_default());
            remainder /= 58;
        }
    }
    let leading = digits.iter().rev().take_while(|&&digit| digit == 0).count();
    let significant = digits.get(..digits.len() - leading).unwrap_or_default();
    let mut text = Zeroizing::new(String::with_capacity(zeros + significant.len()));
    text.extend(std::iter::repeat_n('1', zeros));
    text.extend(significant.iter().rev().map(|&digit| Alphabet::base58().symbol(digit)));
    text
}

/// The bytes that a text stands for, unless it holds another character or is too long.
pub(crate) fn decode(text: &str) -> Option<ArrayVec<u8, MOST>> {
    if text.len() > MOST_CHARACTERS {
        return None;
    }
    let zeros = text.bytes().take_while(|&byte| byte == b'1').count();
    // Little-endian.
    let mut limbs = ArrayVec::<u64, { MOST.div_ceil(8) + 1 }>::new();
    let significant = text.as_bytes().get(zeros..)?;
    let alphabet = Alphabet::base58();
    // As many digits as 64 bits hold.
    for digits in significant.chunks(10) {
        let (mut base, mut carry) = (1_u64, 0_u64);
        for &digit in digits {
            base *= 58;
            carry = carry * 58 + u64::from(alphabet.digit(digit)?);
        }
        for limb in &mut limbs {
            let part = u128::from(*limb) * u128::from(base) + u128::from(carry);
            *limb = low(part);
            carry = low(part >> 64);
        }
        if carry > 0 {
            limbs.try_push(carry).ok()?;
        }
    }
    let mut bytes = ArrayVec::<u8, MOST>::new();
    for _ in 0..zeros {
        bytes.try_push(0).ok()?;
    }
    let (first, others) = limbs.split_last().unwrap_or((&0, &[]));
    let leading = usize::try_from(first.leading_zeros() / 8).unwrap_or_default();
    bytes.try_extend_from_slice(first.to_be_bytes().get(leading..)?).ok()?;
    for limb in others.iter().rev() {
        bytes.try_extend_from_slice(&limb.to_be_bytes()).ok()?;
    }
    Some(bytes)
}

/// Whether a text of base58 characters stands for that many bytes, which is told without decoding it:
/// its characters are in the order of their digits.
pub(crate) fn has_length(text: &str, bytes: usize) -> bool {
    /// The powers of 256: the least number of each length of more than that many bytes.
    static POWERS: LazyLock<Vec<Zeroizing<String>>> = LazyLock::new(|| {
        let power = |zeros| encode(&[vec![1], vec![0; zeros]].concat());
        (0..MOST).map(power).collect()
    });
    let number = text.trim_start_matches('1');
    let Some(significant) = bytes.checked_sub(text.len() - number.len()) else { return false };
    let is_less = |bytes: usize| {
        let power = POWERS.get(bytes).map_or("", |power| power.as_str());
        number.len().cmp(&power.len()).then_with(|| number.cmp(power)) == Ordering::Less
    };
    match significant.checked_sub(1) {
        None => number.is_empty(),
        Some(fewer) => !number.is_empty() && !is_less(fewer) && is_less(significant),
    }
}

/// The lower half.
fn low(part: u128) -> u64 {
    u64::try_from(part & u128::from(u64::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Against another implementation.
    fn check(bytes: &[u8]) {
        let text = bs58::encode(bytes).into_string();
        assert_eq!(*encode(bytes), text);
        assert_eq!(decode(&text).unwrap().as_slice(), bytes);
        for length in bytes.len().saturating_sub(2)..(bytes.len() + 3).min(MOST) {
            assert_eq!(has_length(&text, length), length == bytes.len(), "{text} {length}");
        }
    }

    proptest! {
        #[test]
        fn bytes_are_written_and_read_as_others_do(
            zeros in 0..10_usize, bytes in proptest::collection::vec(any::<u8>(), 0..=118),
        ) {
            check(&[vec![0; zeros], bytes].concat());
        }

        #[test]
        fn texts_are_read_as_others_do(text in "[1-9A-HJ-NP-Za-km-z]{0,60}|\\PC{0,60}") {
            let other = bs58::decode(&text).into_vec().ok();
            prop_assert_eq!(decode(&text).map(|bytes| bytes.to_vec()), other);
        }
    }

    #[test]
    fn the_longest_and_the_extreme_are_written_and_read() {
        for length in 0..=MOST {
            for byte in [0, 1, 127, 255] {
                check(&vec![byte; length]);
            }
            // The powers of 256, and one less: the borders between lengths.
            let mut power = vec![0; length];
            power.insert(0, 1);
            check(power.get(..length).unwrap());
        }
        assert!(!has_length("2", MOST + 1) && !has_length("", 1) && has_length("", 0));
        assert_eq!(decode(&"z".repeat(MOST_CHARACTERS)), None);
        assert_eq!(decode(&"1".repeat(MOST + 1)), None);
        assert_eq!(decode(&"z".repeat(100_000)), None);
    }
}
