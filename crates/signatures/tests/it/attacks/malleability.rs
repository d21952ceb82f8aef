//! Other texts for the same bytes, and other bytes for the same signature.

use keyward_core::jose::SignedFault::{Encoding, Form, Header};
use keyward_core::{Malformed, ProvedToken};

use super::forge::{Holder, ed25519, holders, p256, revoked, rsa, table};
use super::{Attack, decided, formless, refused};
use crate::support::{decide, decode};

/// The order of Ed25519's group (RFC 8032 §5.1), its least significant byte first.
const ED25519_ORDER: &str = "7dP1XBpjEljWnPei3vneFAAAAAAAAAAAAAAAAAAAABA";
/// The order of P-256's group (SEC 2 §2.4.2), its most significant byte first.
const P256_ORDER: &str = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";

pub(super) const ATTACKS: &[Attack] = &[
    refused("padding_of_the_signature", Encoding, || between(ed25519(), ["", "", "=="])),
    refused("padding_of_the_signature_of_rsa", Encoding, || between(rsa(), ["", "", "=="])),
    refused("padding_of_the_payload", Encoding, || between(ed25519(), ["", "=", ""])),
    refused("padding_of_the_header", Encoding, || between(ed25519(), ["=", "", ""])),
    refused("a_newline_behind", Encoding, || between(ed25519(), ["", "", "\n"])),
    refused("a_return_and_a_newline_behind", Encoding, || between(rsa(), ["", "", "\r\n"])),
    refused("a_space_behind", Encoding, || between(ed25519(), ["", "", " "])),
    refused("a_tab_behind", Encoding, || between(ed25519(), ["", "", "\t"])),
    refused("a_nul_behind", Encoding, || between(ed25519(), ["", "", "\0"])),
    refused("a_space_behind_the_header", Encoding, || between(ed25519(), [" ", "", ""])),
    refused("a_newline_behind_the_header", Encoding, || between(ed25519(), ["\n", "", ""])),
    refused("a_space_behind_the_payload", Encoding, || between(ed25519(), ["", " ", ""])),
    refused("a_newline_in_the_signature", Encoding, || {
        let mut text = ed25519().token.clone();
        text.insert(text.len() - 40, '\n');
        text
    }),
    refused("a_space_in_the_header", Encoding, || {
        let mut text = ed25519().token.clone();
        text.insert(12, ' ');
        text
    }),
    refused("a_zero_width_space", Encoding, || between(ed25519(), ["", "", "\u{200b}"])),
    refused("a_space_before", Encoding, || format!(" {}", ed25519().token)),
    refused("a_byte_order_mark_before", Encoding, || format!("\u{feff}{}", ed25519().token)),
    refused("the_scheme_before", Encoding, || format!("Bearer {}", ed25519().token)),
    refused("quotes_around", Encoding, || format!("\"{}\"", ed25519().token)),
    refused("plain_base64", Encoding, || {
        let [header, payload, signature] = rsa().parts();
        let plain = signature.replace('-', "+").replace('_', "/");
        assert_ne!(plain, signature);
        format!("{header}.{payload}.{plain}")
    }),
    refused("percent_for_the_last_character", Encoding, || {
        let mut text = ed25519().token.clone();
        let last = u32::from(text.pop().unwrap());
        format!("{text}%{last:02X}")
    }),
    refused("percent_for_the_dots", Form, || ed25519().token.replace('.', "%2E")),
    refused("dots_of_full_width", Form, || ed25519().token.replace('.', "．")),
    refused("in_upper_case", Header, || {
        let [header, payload, signature] = ed25519().parts();
        format!("{}.{payload}.{signature}", header.replacen("eyJhbGci", "eyJHbGci", 1))
    }),
    refused("bits_left_over_in_the_signature", Encoding, || left_over(ed25519(), 2)),
    refused("bits_left_over_in_the_signature_of_rsa", Encoding, || left_over(rsa(), 2)),
    refused("bits_left_over_in_the_signature_of_p256", Encoding, || left_over(p256(), 2)),
    refused("bits_left_over_in_the_payload", Encoding, || left_over(ed25519(), 1)),
    refused("bits_left_over_in_the_header", Encoding, || left_over(ed25519(), 0)),
    decided("ed25519_s_and_the_order", "unknown", || {
        let mut signature = ed25519().signature();
        let order = decode(ED25519_ORDER);
        let sum = plus(signature[32..].iter().copied(), order.into_iter());
        signature.splice(32.., sum).for_each(drop);
        ed25519().with_signature(signature)
    }),
    decided("rsa_and_the_modulus", "unknown", || {
        let keyward_core::jose::PublicKey::Rsa(modulus) = rsa().pair.public_key() else {
            unreachable!()
        };
        let signature = rsa().signature();
        let sum = plus(signature.into_iter().rev(), modulus.iter().copied().rev());
        rsa().with_signature(sum.into_iter().rev().collect::<Vec<_>>())
    }),
    decided("rsa_without_its_leading_zero", "unknown", || {
        let with_zero = (0..).map(|n| rsa().with_more(&format!(r#""n":{n}"#)));
        let of_text = |text: &str| decode(text.rsplit('.').next().unwrap());
        let text = with_zero.into_iter().find(|text| of_text(text)[0] == 0).unwrap();
        let (message, _) = text.rsplit_once('.').unwrap();
        format!("{message}.{}", crate::support::encode(&of_text(&text)[1..]))
    }),
    // It is right by the rules of ECDSA, and JOSE has none about it: see the test below.
    decided("p256_twin", "allowed", || twin(p256())),
    decided("p256_twin_of_a_revoked_key", "revoked", || twin(revoked())),
    // The signature is that of another text, in which there is a space: nothing of ours begins so.
    formless("a_space_within_the_header", Malformed::Form, || ed25519().with_header("{", "{ ")),
];

#[test]
fn a_twin_is_another_text_for_the_same_key_and_gets_no_other_answer() {
    let genuine = &p256().token;
    let twin = twin(p256());
    assert_ne!(twin, *genuine);
    for now in [0, 3_599, 3_600] {
        let decided = |text: &str| decide(text, table(), holders(), now);
        assert_eq!(decided(&twin), decided(genuine));
    }
    // What was proved of one is not known of the other.
    assert_ne!(ProvedToken::digest_of(&twin), ProvedToken::digest_of(genuine));
}

/// The own token with something behind each part.
fn between(holder: &Holder, behind: [&str; 3]) -> String {
    let [header, payload, signature] = holder.parts();
    format!("{header}{}.{payload}{}.{signature}{}", behind[0], behind[1], behind[2])
}

/// A genuine token with the next character at the end of a part, which stands for the same bytes.
fn left_over(holder: &Holder, part: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let spaces = (0..3).map(|n| " ".repeat(n));
    let texts = spaces.map(|spaces| {
        let header = holder.header().replace(',', &format!("{spaces},"));
        holder.signed(header, holder.payload() + &spaces)
    });
    let parts = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
    let mut texts = texts.map(|text| parts(&text));
    let mut parts = texts.find(|parts| !parts[part].len().is_multiple_of(4)).unwrap();
    let last = parts[part].pop().unwrap();
    let place = ALPHABET.iter().position(|&known| char::from(known) == last).unwrap();
    parts[part].push(ALPHABET[place + 1].into());
    parts.join(".")
}

/// A sum of numbers, the least significant byte first.
fn plus(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<_> = one
        .zip(other)
        .map(|(one, other)| {
            let sum = u16::from(one) + u16::from(other) + carry;
            carry = sum >> 8;
            sum.to_le_bytes()[0]
        })
        .collect();
    sum.extend((carry > 0).then_some(1));
    sum
}

/// The own token with the order less `s` in place of `s`.
fn twin(holder: &Holder) -> String {
    let signature = holder.signature();
    let (r, s) = signature.split_at(32);
    let mut borrow = 0;
    let mut other: Vec<_> = decode(P256_ORDER)
        .into_iter()
        .zip(s)
        .rev()
        .map(|(order, &s)| {
            let (difference, first) = order.overflowing_sub(s);
            let (difference, second) = difference.overflowing_sub(borrow);
            borrow = u8::from(first || second);
            difference
        })
        .collect();
    other.reverse();
    holder.with_signature([r, &other].concat())
}
