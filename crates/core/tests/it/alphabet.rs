//! Characters are drawn without bias and in the number that was asked for.

use std::collections::BTreeMap;

use keyward_core::Alphabet;
use keyward_testkit::SeededEntropy;
use rstest::rstest;

const PER_SYMBOL: u32 = 10_000;

fn base58() -> Alphabet {
    Alphabet::base58().clone()
}

fn of(symbols: &str) -> Alphabet {
    Alphabet::parse(symbols).unwrap()
}

fn printable() -> Alphabet {
    of(&('!'..='~').collect::<String>())
}

#[rstest]
#[case::base58(base58())]
#[case::alphanumeric(Alphabet::alphanumeric().clone())]
#[case::binary(of("01"))]
#[case::hexadecimal(of("0123456789abcdef"))]
#[case::three(of("abc"))]
#[case::printable(printable())]
fn every_character_is_drawn_equally_often(#[case] alphabet: Alphabet) {
    let symbols = String::from(alphabet.clone());
    let draws = usize::try_from(PER_SYMBOL).unwrap() * symbols.len();
    let drawn = alphabet.draw(&SeededEntropy::new(58), draws);
    let mut counts: BTreeMap<char, u32> = symbols.chars().map(|symbol| (symbol, 0)).collect();
    for symbol in drawn.chars() {
        *counts.get_mut(&symbol).expect("only the alphabet's characters are drawn") += 1;
    }

    // A count is binomial with variance n·p·(1 − p), which is just below n·p. Drawing a byte modulo
    // 58 without throwing any away would put 24 counts 13 of these sigmas too high.
    let sigma = f64::from(PER_SYMBOL).sqrt();
    for (symbol, count) in counts {
        let off = (f64::from(count) - f64::from(PER_SYMBOL)).abs();
        assert!(off < 6.0 * sigma, "{symbol} was drawn {count} times");
    }
}

#[rstest]
fn the_length_is_exact(
    #[values(base58(), of("01"), printable())] alphabet: Alphabet,
    #[values(0, 1, 12, 32, 63, 64, 65, 1_000)] length: usize,
) {
    let drawn = alphabet.draw(&SeededEntropy::new(1), length);
    assert_eq!(drawn.chars().count(), length);
    assert!(alphabet.covers(&drawn));
}

#[test]
fn two_draws_differ() {
    let entropy = SeededEntropy::new(1);
    assert_ne!(*base58().draw(&entropy, 32), *base58().draw(&entropy, 32));
}

#[test]
fn no_other_character_belongs_to_an_alphabet() {
    for text in ["0", "O", "I", "l", " ", "\0", "é", "1é", "zz0"] {
        assert!(!base58().covers(text), "{text:?}");
    }
    assert!(base58().covers("19AZaz"));
}

#[test]
fn the_bits_of_chance_are_counted() {
    assert!((of("01").bits(128) - 128.0).abs() < f64::EPSILON);
    assert!((of("0123456789abcdef").bits(32) - 128.0).abs() < f64::EPSILON);
    assert!((base58().bits(32) - 187.455).abs() < 0.001);
}
