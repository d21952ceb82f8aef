//! Texts of any length and encoding.

use std::io::{self, Read};
use std::path::Path;

use keyward_core::{Dialect, Profile};
use keyward_scan::{Limits, Scanner};

use crate::{formats, found_in, key, mint, pattern, scanner, unlimited};

/// Gives a text in small and odd pieces, and interrupts.
struct Halting<R>(R, usize);

impl<R: Read> Read for Halting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = buffer.len().min(1 + self.1 * 7_919 % 100_000);
        self.0.read(&mut buffer[..most])
    }
}

#[test]
fn keys_are_found_wherever_the_pieces_of_a_long_line_end() {
    let secret = key(1);
    // Some keys cross the ends of pieces, wherever these are.
    let gaps = (0..40_000_usize).map(|n| 50 + n * n % 61);
    let (mut text, mut columns) = (String::new(), Vec::new());
    for gap in gaps {
        text.push_str(&"x".repeat(gap));
        columns.push(u64::try_from(text.len()).unwrap() + 1);
        text.push_str(&secret);
    }
    assert!(text.len() > 4_000_000);
    for reader in [&mut text.as_bytes() as &mut dyn Read, &mut Halting(text.as_bytes(), 0)] {
        let report = unlimited().read(Path::new("-"), reader);
        let places: Vec<_> = report.finds.iter().map(|f| (f.place.line, f.place.column)).collect();
        assert_eq!(places, columns.iter().map(|&column| (1, column)).collect::<Vec<_>>());
    }
}

#[test]
fn what_stands_around_a_secret_counts_across_the_ends_of_pieces() {
    let secret = "op_abcdefghijklmnopqrstuvwxyz012345";
    let opaque = formats().into_iter().find(|(name, _)| *name == "opaque").unwrap().1;
    let scanner = Scanner::new([pattern("opaque", opaque)]).unwrap();
    let scanner = scanner.with_limits(Limits { in_one_text: usize::MAX, in_all: usize::MAX });
    for gap in 31..66 {
        let (mut text, mut expected) = (String::new(), 0);
        for n in 0..10_000 {
            text.push_str(&"-".repeat(gap));
            // Every second has a letter too many, before or behind.
            match n % 4 {
                1 => text.extend(["x", secret]),
                3 => text.extend([secret, "x"]),
                _ => {
                    text.push_str(secret);
                    expected += 1;
                }
            }
        }
        let report = scanner.read(Path::new("-"), text.as_bytes());
        assert_eq!(report.finds.len(), expected, "{gap}");
    }
}

#[test]
fn lines_and_columns_are_counted_across_pieces() {
    let secret = key(1);
    let (mut text, mut expected) = (String::new(), Vec::new());
    for n in 0..30_000_u64 {
        let indent = usize::try_from(n % 53).unwrap();
        text.extend([" ".repeat(indent).as_str(), &secret, "\n\n"]);
        expected.push((2 * n + 1, n % 53 + 1));
    }
    let report = unlimited().read(Path::new("-"), text.as_bytes());
    let places: Vec<_> = report.finds.iter().map(|f| (f.place.line, f.place.column)).collect();
    assert_eq!(places, expected);
}

#[test]
fn keys_in_binary_data_are_found() {
    let secret = key(1);
    let mut data: Vec<u8> = (0..=255).collect();
    data.extend(secret.as_bytes());
    data.extend([0, 0xff, 0]);
    assert_eq!(found_in(&data), [secret]);
}

#[test]
fn utf_16_is_read_where_a_byte_order_mark_tells_of_it() {
    let secret = key(1);
    let text = format!("\u{feff}first line \u{1f511}\r\nkey={secret}\r\n");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for data in [little, big] {
        let report = scanner().read(Path::new("-"), &data[..]);
        let [find] = &report.finds[..] else { panic!("{report:?}") };
        assert_eq!(find.secret.expose(), secret);
        assert_eq!((find.place.line, find.place.column), (2, 5));
        // Long texts go through in pieces, too.
        let long = data.repeat(20_000);
        let report = unlimited().read(Path::new("-"), &long[..]);
        assert_eq!(report.finds.len(), 20_000);
    }
}

#[test]
fn a_byte_order_mark_does_not_hide_what_is_no_utf_16() {
    let secret = key(1);
    for mark in [b"\xff\xfe", b"\xfe\xff"] {
        // In the first piece, and in ones behind it that the decoder takes in its own portions.
        for gap in [0, 1, 300_000, 1_000_001] {
            let text = [&mark[..], &vec![b'\n'; gap], secret.as_bytes(), b"\n"].concat();
            let report = scanner().read(Path::new("-"), Halting(&text[..], 0));
            let [find] = &report.finds[..] else { panic!("{gap}: {report:?}") };
            assert_eq!(find.secret.expose(), secret);
            assert_eq!(find.place.line, u64::try_from(gap).unwrap() + 1);
        }
    }
}

#[test]
fn a_key_that_ends_like_one_of_a_shorter_prefix_is_found_once() {
    let of = |prefix: &str| crate::foreign(prefix, Profile::new(Dialect::Seam));
    let patterns = [pattern("short", of("App")), pattern("long", of("my-App"))];
    let scanner = Scanner::new(patterns).unwrap();
    let secret = mint(&of("my-App"), 1).0;
    let read = |text: &str| {
        let report = scanner.read(Path::new("-"), text.as_bytes());
        report.finds.iter().map(|find| find.keyspace.as_ref().unwrap().to_string()).collect()
    };
    // Wherever between the two a piece ends.
    for gap in (0..5).chain(262_100..262_200) {
        let text = format!("{}{secret}{}", " ".repeat(gap), " ".repeat(1_000));
        let found: Vec<String> = read(&text);
        assert_eq!(found, ["long"], "{gap}");
    }
    let both: Vec<String> = read(&format!("{secret} {}", mint(&of("App"), 1).0));
    assert_eq!(both, ["long", "short"]);
}

#[test]
fn a_reader_that_fails_is_told_of_behind_what_was_found_before() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    for gap in [0, 1_000_000] {
        let text = format!("{}{}", " ".repeat(gap), key(1));
        let report = scanner().read(Path::new("-"), text.as_bytes().chain(Failing));
        assert_eq!((report.finds.len(), report.searched), (1, 0));
        assert_eq!(report.unread, ["-: permission denied"]);
    }
}
