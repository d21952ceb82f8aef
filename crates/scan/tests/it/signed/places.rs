//! Signed keys wherever they stand.

use std::path::Path;
use std::slice::from_ref;

use keyward_core::jose::PairKind;
use rstest::rstest;

use super::{BASE, found_by, found_in, mint, mint_long, scanner, scanner_of, signed, token};

#[rstest]
#[case::line("TOKEN\n")]
#[case::prose("It is TOKEN. Do not tell.")]
#[case::quotes("'TOKEN'")]
#[case::json(r#"{"token":"TOKEN"}"#)]
#[case::json_in_json(r#"{"body":"{\"token\":\"TOKEN\"}"}"#)]
#[case::escaped_line(r#""a\nTOKEN\nb""#)]
#[case::escaped_character(r#""a\u003dTOKEN\u0026b""#)]
#[case::header("Authorization: Bearer TOKEN\r\n")]
#[case::url("https://example.com/?token=TOKEN&a=b")]
#[case::fragment("https://example.com/#token%3DTOKEN%26a")]
#[case::yaml("token: TOKEN # secret")]
#[case::colour("\u{1b}[33mTOKEN\u{1b}[0m")]
#[case::markdown("**TOKEN** _TOKEN_ `TOKEN`")]
#[case::glued_before("xTOKEN")]
#[case::glued_behind("TOKENx TOKEN-- TOKEN_2 TOKEN.x TOKEN.eyJ TOKEN...")]
#[case::behind_dots("a.b.TOKEN ..TOKEN")]
#[case::next_to_each_other("TOKENTOKEN TOKEN.TOKEN TOKEN,TOKEN TOKEN\0TOKEN")]
fn tokens_are_found_whatever_they_are_wrapped_in(#[case] text: &str) {
    for kind in [PairKind::Ed25519, PairKind::Rsa2048] {
        let signed = signed(kind, BASE, None);
        let tokens: Vec<_> =
            (1..=text.matches("TOKEN").count()).map(|n| mint(&signed, n as u64).0).collect();
        let mut filled = text.to_owned();
        for token in &tokens {
            filled = filled.replacen("TOKEN", token, 1);
        }
        assert_eq!(found_by(&scanner_of(signed), &filled), tokens, "{filled}");
    }
}

#[test]
fn tokens_are_found_wherever_pieces_end() {
    let signed = signed(PairKind::Ed25519, BASE, None);
    let (short, long) = (token(1), mint_long(&signed, 1, 2_600).0);
    assert!(long.len() > 3_800);
    let (mut text, mut expected) = (String::new(), Vec::new());
    for n in 0..2_000_usize {
        text.push_str(&"-".repeat(1 + n * n % 61));
        expected.push(u64::try_from(text.len()).unwrap() + 1);
        text.push_str(if n % 2 == 0 { &short } else { &long });
    }
    assert!(text.len() > 4_000_000);
    let report = scanner().read(Path::new("-"), text.as_bytes());
    let columns: Vec<_> = report.finds.iter().map(|find| find.place.column).collect();
    assert_eq!(columns, expected);
    // Each place in a token, at the end of the first piece.
    for gap in 261_700..262_300 {
        let text = format!("{}{short} {}", " ".repeat(gap), " ".repeat(20_000));
        assert_eq!(found_in(&text), from_ref(&short), "{gap}");
    }
}

#[test]
fn tokens_in_utf_16_are_found() {
    let token = token(1);
    let text = format!("\u{feff}first line \u{1f511}\r\nkey={token}\r\n");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for data in [little, big] {
        assert_eq!(found_in(&data), from_ref(&token));
    }
}

#[test]
fn tokens_in_names_are_blotted_out() {
    let (token, id) = mint(&signed(PairKind::Ed25519, BASE, None), 1);
    let redacted = scanner().redact(&format!("a/{token}.txt"));
    assert_eq!(redacted, format!("a/{id}\u{2026}.txt"));
}

/// Texts that begin like a token at every turn: a search that read on from each would not end.
#[test]
fn garbage_that_looks_like_tokens_takes_no_quadratic_time() {
    let token = token(1);
    let (header, rest) = token.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let garbage = [
        (10_000_000, header[..28].to_owned()),
        (1_000_000, "eyJhbGci".to_owned()),
        (1_000_000, header.to_owned()),
        (1_000_000, format!("{header}.")),
        (1_000_000, format!("{header}.{payload}.")),
        (1_000_000, format!("{header}.{payload}{signature}")),
        (1_000_000, format!("{header}.{}.", "eyJhbGci".repeat(400))),
        (1_000_000, format!("{}.{}.", "eyJhbGci".repeat(12), "A".repeat(3_900))),
        (1_000_000, format!("{header}.{payload}.{}", "A".repeat(85))),
    ];
    for (length, garbage) in garbage {
        let text = format!("{} {token}", garbage.repeat(length / garbage.len()));
        assert_eq!(found_in(&text).last(), Some(&token), "{garbage:.200}");
    }
}
