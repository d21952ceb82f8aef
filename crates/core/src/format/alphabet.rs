//! Sets of characters that secrets are drawn from.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Entropy, Invalid};

/// 2 to 94 different printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Alphabet {
    symbols: Box<[u8]>,
    /// The place of each byte among the symbols, or [`NO_SYMBOL`].
    places: Box<[u8; 256]>,
}

const NO_SYMBOL: u8 = u8::MAX;

static BASE58: LazyLock<Alphabet> =
    LazyLock::new(|| Alphabet::of(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"));
static ALPHANUMERIC: LazyLock<Alphabet> = LazyLock::new(|| {
    Alphabet::of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
});

impl Alphabet {
    /// Digits and letters without the look-alikes `0 O I l`, in the order that Bitcoin uses.
    pub fn base58() -> &'static Self {
        &BASE58
    }

    /// `A-Z a-z 0-9`.
    pub fn alphanumeric() -> &'static Self {
        &ALPHANUMERIC
    }

    /// An alphabet of these characters.
    pub fn parse(symbols: &str) -> Result<Self, Invalid> {
        let rule = || Invalid::new("must be 2 to 94 different printable ASCII characters");
        let alphabet = Self::of(symbols.as_bytes());
        let different = alphabet.places.iter().filter(|&&place| place != NO_SYMBOL).count();
        let printable = symbols.bytes().all(|byte| byte.is_ascii_graphic());
        if printable && different == symbols.len() && (2..=94).contains(&symbols.len()) {
            Ok(alphabet)
        } else {
            Err(rule())
        }
    }

    fn of(symbols: &[u8]) -> Self {
        let mut places = Box::new([NO_SYMBOL; 256]);
        for (place, &symbol) in (0..NO_SYMBOL).zip(symbols) {
            if let Some(of_symbol) = places.get_mut(usize::from(symbol)) {
                *of_symbol = place;
            }
        }
        Self { symbols: symbols.into(), places }
    }

    /// The character of a digit; of what is no digit, NUL.
    pub(crate) fn symbol(&self, digit: u8) -> char {
        char::from(self.symbols.get(usize::from(digit)).copied().unwrap_or_default())
    }

    /// The digit that a character stands for.
    pub(crate) fn digit(&self, byte: u8) -> Option<u8> {
        Some(self.place(byte)).filter(|&place| place != NO_SYMBOL)
    }

    fn place(&self, byte: u8) -> u8 {
        self.places.get(usize::from(byte)).copied().unwrap_or(NO_SYMBOL)
    }

    /// Whether all characters of the text belong to the alphabet.
    pub fn covers(&self, text: &str) -> bool {
        // No early return: checking all is faster, as the loop has no branch.
        text.bytes().fold(true, |covered, byte| covered & (self.place(byte) != NO_SYMBOL))
    }

    /// How many bits of chance a text of that many drawn characters holds.
    pub fn bits(&self, length: usize) -> f64 {
        let size = f64::from(u8::try_from(self.symbols.len()).unwrap_or(u8::MAX));
        let length = f64::from(u32::try_from(length).unwrap_or(u32::MAX));
        size.log2() * length
    }

    /// Draws characters, each with the same probability: bytes past the last whole multiple of the
    /// alphabet's size are thrown away.
    pub fn draw(&self, entropy: &dyn Entropy, length: usize) -> Zeroizing<String> {
        let size = self.symbols.len();
        let usable = 256 - 256 % size;
        // Reserved once, so that no half-written copy is left behind by growing.
        let mut text = Zeroizing::new(String::with_capacity(length));
        while text.len() < length {
            let bytes = Zeroizing::new(entropy.bytes::<64>());
            let drawn = bytes.iter().map(|&byte| usize::from(byte)).filter(|&byte| byte < usable);
            let symbols = drawn.filter_map(|byte| self.symbols.get(byte % size));
            let missing = length - text.len();
            text.extend(symbols.take(missing).map(|&symbol| char::from(symbol)));
        }
        text
    }

    /// Writes a number in exactly `length` characters, most significant first.
    pub(crate) fn write(&self, number: u32, length: usize, text: &mut String) {
        let size = u64::try_from(self.symbols.len()).unwrap_or(u64::MAX);
        for place in (0..length).rev() {
            let power = size.saturating_pow(u32::try_from(place).unwrap_or(u32::MAX));
            let digit = usize::try_from(u64::from(number) / power % size).unwrap_or_default();
            text.extend(self.symbols.get(digit).map(|&symbol| char::from(symbol)));
        }
    }

    /// Reads a number as [`Alphabet::write`] writes it; of other texts, something or nothing.
    pub(crate) fn read(&self, text: &str) -> Option<u64> {
        let size = u64::try_from(self.symbols.len()).ok()?;
        text.bytes().try_fold(0_u64, |number, byte| {
            let place = self.place(byte);
            let number = number.checked_mul(size)?.checked_add(u64::from(place))?;
            (place != NO_SYMBOL).then_some(number)
        })
    }
}

impl TryFrom<String> for Alphabet {
    type Error = Invalid;

    fn try_from(symbols: String) -> Result<Self, Invalid> {
        Self::parse(&symbols)
    }
}

impl From<Alphabet> for String {
    fn from(alphabet: Alphabet) -> Self {
        alphabet.symbols.iter().map(|&symbol| char::from(symbol)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_fixed_width() {
        let written = |number| {
            let mut text = String::new();
            Alphabet::base58().write(number, 6, &mut text);
            text
        };
        assert_eq!(written(0), "111111");
        assert_eq!(written(57), "11111z");
        assert_eq!(written(58), "111121");
        assert_eq!(written(u32::MAX), "7YXq9G");
    }

    #[test]
    fn unusable_alphabets_are_refused() {
        for symbols in ["", "a", "aa", "a b", "äö", "ab\n"] {
            assert!(Alphabet::parse(symbols).is_err(), "{symbols:?}");
        }
    }
}
