//! What tells a secret from other texts.

use std::slice::from_ref;

use keyward_core::Format;
use rstest::rstest;

use crate::{formats, found_in, key, mint, scanner};

#[test]
fn secrets_of_every_format_are_found_with_their_keyspace_and_hint() {
    for (name, format) in formats() {
        for seed in 0..50 {
            let (secret, id) = mint(&format, seed);
            let text = format!("token is {secret}\n");
            let report = scanner().read("-".as_ref(), text.as_bytes());
            let [find] = &report.finds[..] else { panic!("{name}: {report:?}") };
            assert_eq!(find.secret.expose(), secret);
            assert_eq!(find.keyspace.as_ref().unwrap().as_str(), name);
            assert_eq!((find.place.line, find.place.column), (1, 10));
            assert_eq!(find.hint, format.hint(&id));
            let has_id = !matches!(format, Format::Opaque(_));
            assert_eq!(find.key.clone(), has_id.then_some(id));
        }
    }
}

#[test]
fn a_checksum_that_is_wrong_in_one_character_is_no_find() {
    let secret = key(1);
    assert_eq!(found_in(&secret), from_ref(&secret));
    for place in 0..secret.len() {
        for other in ["2", "z", "_", "0", " ", "\n", "ä"] {
            let mut near = secret.clone();
            near.replace_range(place..=place, other);
            if near != secret {
                assert!(found_in(&near).is_empty(), "{place} {other:?}");
            }
        }
    }
    assert!(found_in(&secret[1..]).is_empty() && found_in(&secret[..secret.len() - 1]).is_empty());
}

#[test]
fn a_key_is_found_whatever_it_is_glued_to() {
    let (one, other) = (key(1), key(2));
    for text in [
        format!("x{one}"),
        format!("{one}x"),
        format!("kw_{one}"),
        format!("_{one}_"),
        format!("\u{e4}{one}\u{e4}"),
        format!("{one}{}", &other[..20]),
    ] {
        assert_eq!(found_in(&text), from_ref(&one), "{text}");
    }
    assert_eq!(found_in(format!("{one}{other}")), [one.clone(), other.clone()]);
    // What only looks like a key until its last character does not hide the one in it.
    for length in 1..one.len() {
        assert_eq!(found_in(format!("{}{other}", &one[..length])), from_ref(&other), "{length}");
    }
}

#[test]
fn keys_of_one_line_are_found_each_for_itself() {
    let secrets: Vec<_> = formats().iter().map(|(_, format)| mint(format, 3).0).collect();
    assert_eq!(found_in(secrets.join(" ")), secrets);
    assert_eq!(found_in(secrets.join("\n")), secrets);
    assert_eq!(found_in(secrets.join("\r\n")), secrets);
}

#[test]
fn a_key_over_two_lines_is_none() {
    for (name, format) in formats() {
        let secret = mint(&format, 1).0;
        // Bytes are not always as many characters, so that a little less may be a secret, too.
        let end = if ["fork4", "rust"].contains(&name) { 10 } else { 0 };
        for place in 1..secret.len() - end {
            let (left, right) = secret.split_at(place);
            assert!(found_in(format!("{left}\n{right}")).is_empty(), "{name} {place}");
            assert!(found_in(format!("{left}\r\n{right}")).is_empty(), "{name} {place}");
        }
    }
}

#[rstest]
#[case("opaque", "op_", "k")]
#[case("hex", "hex_", "f")]
#[case("short", "s_", "k")]
#[case("seam", "my-Company_", "k")]
#[case("dash", "-my_", "k")]
#[case("dev", "de_I0", "k")]
fn secrets_without_a_checksum_stand_alone(
    #[case] name: &str,
    #[case] beginning: &str,
    #[case] symbol: &str,
) {
    let (_, format) = formats().into_iter().find(|(other, _)| *other == name).unwrap();
    let secret = mint(&format, 1).0;
    assert!(secret.starts_with(beginning));
    for around in ["\"", "'", " ", "=", ":", "/", "\0", "\u{e4}", "-", "."] {
        assert_eq!(found_in(format!("{around}{secret}{around}")), from_ref(&secret), "{around}");
    }
    for before in ["x", "7", "_", "X"] {
        assert!(found_in(format!("{before}{secret}")).is_empty(), "{before}");
    }
    for behind in [symbol, &symbol.repeat(20)] {
        assert!(found_in(format!("{secret}{behind}")).is_empty(), "{behind}");
    }
    assert!(found_in(&secret[..secret.len() - 1]).is_empty());
    // As JSON, programs, URLs and mails write what stands before.
    for before in [r"\n", r"\t", "%3D", "%3d", r"\u003d", r"\u003D", r"\x3d", "=3D"] {
        assert_eq!(found_in(format!("{before}{secret}")), from_ref(&secret), "{before}");
    }
    for before in [r"\u03d", r"u003d", r"\xd", "x3d", "=3d", "%d", "=D"] {
        assert!(found_in(format!("{before}{secret}")).is_empty(), "{before}");
    }
    // As terminals are coloured.
    for escape in ["\u{1b}", r"\u001b", r"\u001B", r"\x1b", r"\e", r"\033"] {
        for colour in ["[33m", "[m", "[1;31m", "[48;2;255;255;255m"] {
            let text = format!("token={escape}{colour}{secret}{escape}[0m");
            assert_eq!(found_in(&text), from_ref(&secret), "{text}");
        }
    }
    for before in ["[33m", "m", "\u{1b}33m", "\u{1b}[33", "\u{1b}[xm"] {
        assert!(found_in(format!("{before}{secret}")).is_empty(), "{before}");
    }
}

#[test]
fn secrets_of_other_libraries_have_the_lengths_of_their_profile() {
    let of = |name: &str| {
        let format = formats().into_iter().find(|(other, _)| *other == name).unwrap().1;
        mint(&format, 5).0
    };
    let seam = of("seam");
    // Base58 has none of these.
    for behind in ["0", "O", "l", "_"] {
        assert!(found_in(format!("{seam}{behind}")).is_empty(), "{behind}");
    }
    assert!(found_in(seam.replacen('_', "_1", 1)).is_empty());
    assert!(found_in(seam.replacen("my-", "my_", 1)).is_empty());
    // Its bytes are one more than they may be.
    let fork4 = of("fork4");
    let (head, secret) = fork4.rsplit_once('_').unwrap();
    assert!(found_in(format!("{head}_{}", "z".repeat(secret.len()))).is_empty());
    let dev = of("dev");
    assert!(dev.starts_with("de_I0"), "{dev}");
    assert!(found_in(dev.replacen("I0", "I1", 1)).is_empty());
}
