//! The dialects against tokens that the libraries themselves have made (`vectors/dialects.json`), and
//! against texts that these libraries let pass, or stumble over.

#![expect(clippy::string_slice, reason = "tokens and hashes are ASCII")]

use std::sync::Mutex;

use proptest::prelude::*;
use rstest::rstest;
use serde::Deserialize;

use super::*;
use crate::Entropy;

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    #[serde(rename = "impl")]
    made_by: String,
    version: String,
    token: String,
    key_id: String,
    secret: String,
    secret_hash: String,
    random_bytes: RandomBytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RandomBytes {
    key_id: String,
    secret: String,
}

impl Vector {
    fn profile(&self) -> Profile {
        Profile::new(match (self.made_by.as_str(), self.version.as_str()) {
            ("bencmbrook", "3.0.1") => Dialect::Fork3,
            ("bencmbrook", "4.0.0") => Dialect::Fork4,
            ("brahmlower-rust", "0.3.0") => Dialect::Rust,
            ("seamapi", "1.1.1") => Dialect::Seam,
            other => panic!("a vector of {other:?}"),
        })
    }

    fn prefix(&self) -> &str {
        self.token.split('_').next().unwrap()
    }

    fn check(&self, text: &str) -> Result<(), TokenFault> {
        let expected = Expected { prefix: Some(self.prefix()), id: Some(&self.key_id) };
        self.profile().check(text, &self.secret_hash, &expected).map(drop)
    }
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../../vectors/dialects.json");
    let vectors: Vectors = serde_json::from_str(text).unwrap();
    assert_eq!(vectors.vectors.len(), 30);
    vectors.vectors
}

/// One vector of each dialect.
fn samples() -> Vec<Vector> {
    let mut samples: Vec<Vector> = Vec::new();
    for vector in vectors() {
        if samples.iter().all(|sample| sample.profile() != vector.profile()) {
            samples.push(vector);
        }
    }
    assert_eq!(samples.len(), 4);
    samples
}

/// Chance that was drawn before.
#[derive(Debug)]
struct Recorded(Mutex<Vec<u8>>);

impl Recorded {
    fn of(hex: &[&str]) -> Self {
        let digits: Vec<u8> = hex.concat().bytes().collect();
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        Self(Mutex::new(digits.chunks(2).map(byte).collect()))
    }
}

impl Entropy for Recorded {
    fn fill(&self, out: &mut [u8]) {
        let drawn: Vec<u8> = self.0.lock().unwrap().drain(..out.len()).collect();
        out.copy_from_slice(&drawn);
    }
}

#[test]
fn tokens_of_the_libraries_are_read_hashed_and_accepted() {
    for vector in vectors() {
        let parts = vector.profile().components(&vector.token).unwrap();
        assert_eq!((parts.id, parts.secret), (vector.key_id.as_str(), vector.secret.as_str()));
        assert_eq!(vector.profile().hash(&vector.token).as_ref(), Ok(&vector.secret_hash));
        assert_eq!(vector.check(&vector.token), Ok(()), "{}", vector.token);
    }
}

#[test]
fn of_the_same_bytes_the_same_token_is_made() {
    for vector in vectors() {
        let RandomBytes { key_id, secret } = &vector.random_bytes;
        let entropy = Recorded::of(&[key_id, secret]);
        let made = vector.profile().generate(vector.prefix(), &entropy).unwrap();
        assert_eq!(made.token.expose(), vector.token);
        assert_eq!((made.id, made.hash), (vector.key_id, vector.secret_hash));
        assert!(entropy.0.lock().unwrap().is_empty(), "all that was drawn is used");
    }
}

#[test]
fn leading_zero_bytes_are_written_and_short_numbers_are_as_long_as_they_are() {
    let zeros = "00".repeat(24);
    let made = |profile: &Profile, id: &str, secret: &str| {
        let made = profile.generate("a", &Recorded::of(&[id, secret])).unwrap();
        assert!(profile.check(made.token.expose(), &made.hash, &Expected::default()).is_ok());
        made.token.expose().to_owned()
    };
    let [seam, rust, fork4] = [Dialect::Seam, Dialect::Rust, Dialect::Fork4].map(Profile::new);
    let ones = |count| "1".repeat(count);
    assert_eq!(made(&seam, &zeros[..16], &zeros), format!("a_{}_{}", ones(8), ones(24)));
    assert_eq!(made(&rust, &zeros[..16], &zeros), format!("a_{}_{}", ones(8), ones(24)));
    assert_eq!(made(&fork4, "0000000000000001", &zeros[..32]), format!("a_11111112_{}", ones(16)));
}

#[test]
fn a_short_prefix_is_part_of_the_id_which_is_cut_with_it() {
    for dialect in [Dialect::Seam, Dialect::Rust] {
        let profile = Profile::new(dialect).with_short_prefix("dev").unwrap();
        let bytes = ["97d26e2b65856e87", "cf771293d38c832f97bb2a27af38e20455d2db65221d4cb6"];
        let made = profile.generate("my", &Recorded::of(&bytes)).unwrap();
        assert_eq!(made.id, "devSPs5s");
        let expected = Expected { prefix: Some("my"), id: Some("devSPs5s") };
        assert!(profile.check(made.token.expose(), &made.hash, &expected).is_ok());
        let other = made.token.expose().replace("devSP", "SPSPs");
        assert_eq!(profile.components(&other), Err(TokenFault::Id));
    }
    assert!(Profile::new(Dialect::Fork4).with_short_prefix("dev").is_err());
    assert!(Profile::new(Dialect::Seam).with_short_prefix("de_v").is_err());
    assert!(Profile::new(Dialect::Seam).with_short_prefix("toolongs").is_err());
}

/// What somebody makes of a token whose secret is right, and what is said of it.
type Twist = (fn(&Vector) -> String, TokenFault);

const TWISTS: [Twist; 25] = [
    (|v| format!("other_{}_{}", v.key_id, v.secret), TokenFault::OtherPrefix),
    (|v| format!("_{}_{}", v.key_id, v.secret), TokenFault::Prefix),
    (|v| format!("{}_{}", v.key_id, v.secret), TokenFault::Shape),
    (|v| v.secret.clone(), TokenFault::Shape),
    (|_| String::new(), TokenFault::Shape),
    (|_| "__".to_owned(), TokenFault::Prefix),
    (|v| format!(" {}", v.token), TokenFault::Prefix),
    (|v| format!("Bearer {}", v.token), TokenFault::Prefix),
    (|v| format!("\u{feff}{}", v.token), TokenFault::Prefix),
    (|v| format!("a__{}", v.token), TokenFault::Prefix),
    (|v| format!("extra_{}", v.token), TokenFault::OtherPrefix),
    (|v| format!("{}{}", v.token, v.token), TokenFault::OtherPrefix),
    (|v| format!("{} ", v.token), TokenFault::Alphabet),
    (|v| format!("{}\n", v.token), TokenFault::Alphabet),
    (|v| format!("{}_", v.token), TokenFault::Id),
    (|v| format!("{}1", v.token), TokenFault::Secret),
    (|v| v.token[..v.token.len() - 3].to_owned(), TokenFault::Secret),
    (|v| format!("{}_{}_{}", v.prefix(), v.key_id, v.secret.to_lowercase()), TokenFault::Alphabet),
    (|v| format!("{}__{}", v.prefix(), v.secret), TokenFault::Id),
    (|v| format!("{}_{}_", v.prefix(), v.key_id), TokenFault::Secret),
    (|v| format!("{}_{}11_{}", v.prefix(), v.key_id, v.secret), TokenFault::Id),
    (|v| format!("{}_O{}_{}", v.prefix(), &v.key_id[1..], v.secret), TokenFault::Alphabet),
    (|v| format!("{}_{}_{}", v.prefix(), swapped(&v.key_id), v.secret), TokenFault::OtherId),
    (|v| format!("{}_{}_{}", v.prefix(), v.key_id, swapped(&v.secret)), TokenFault::Hash),
    (|v| format!("{}_{}_{}", v.prefix(), v.key_id, "z".repeat(100_000)), TokenFault::TooLong),
];

/// The text with another character in its middle, which leaves its length in bytes as it is.
fn swapped(text: &str) -> String {
    let middle = text.len() / 2;
    let other = if text[middle..].starts_with('x') { 'y' } else { 'x' };
    format!("{}{other}{}", &text[..middle], &text[middle + 1..])
}

#[test]
fn what_is_not_the_token_is_refused_with_the_reason() {
    for vector in samples() {
        for (place, (twist, fault)) in TWISTS.iter().enumerate() {
            let text = twist(&vector);
            let told = vector.check(&text);
            // In lower case a secret may hold the letter that base58 leaves out, or not.
            let is_told = told == Err(*fault)
                || (*fault == TokenFault::Alphabet && told.is_err() && place == 17);
            assert!(is_told, "{}, twist {place}: {told:?}", vector.made_by);
        }
    }
}

#[test]
fn a_token_of_one_dialect_is_none_of_another() {
    for vector in samples() {
        for dialect in Dialect::ALL {
            let profile = Profile::new(dialect);
            if profile != vector.profile() {
                assert!(profile.components(&vector.token).is_err(), "{dialect:?} {}", vector.token);
            }
        }
    }
}

#[rstest]
#[case("")]
#[case("0")]
#[case("zz")]
#[case("é")]
fn stored_hashes_that_are_none_are_told_and_are_no_panic(#[case] text: &str) {
    for vector in samples() {
        let hash = &vector.secret_hash;
        let damaged = [
            text.to_owned(),
            format!("{hash}{text}0"),
            format!(" {hash}"),
            hash[3..].to_owned(),
            hash.repeat(1_000),
        ];
        for stored in damaged {
            let told = vector.profile().check(&vector.token, &stored, &Expected::default());
            assert_eq!(told, Err(TokenFault::StoredHash), "{} {stored:.80}", vector.made_by);
        }
    }
}

#[test]
fn capital_digits_of_a_hash_are_taken_where_its_library_takes_them() {
    for vector in samples() {
        let capital = vector.secret_hash.to_uppercase();
        let told = vector.profile().check(&vector.token, &capital, &Expected::default());
        let is_taken = matches!(vector.profile().dialect, Dialect::Fork3 | Dialect::Seam);
        assert_eq!(told.is_ok(), is_taken, "{}", vector.made_by);
    }
}

#[test]
fn our_own_tokens_are_bound_as_a_whole() {
    let profile = Profile::new(Dialect::Keyward);
    let made = profile.generate("kw_live", &counting()).unwrap();
    let text = made.token.expose();
    let check = |text: &str| profile.check(text, &made.hash, &Expected::default()).map(drop);
    assert_eq!(check(text), Ok(()));
    assert_eq!(check(&text.replace("kw_live", "kw_test")), Err(TokenFault::Checksum));
    assert_eq!(check(&text.replace(&made.id, "111111111111")), Err(TokenFault::Checksum));
    assert!(profile.generate("No", &counting()).is_err());
    assert!(profile.clone().with_id_length(9).is_err() && profile.is_strong());
}

fn counting() -> Recorded {
    Recorded(Mutex::new((0..=255).cycle().take(4_096).collect()))
}

#[test]
fn weak_lengths_are_known_and_impossible_ones_refused() {
    for (dialect, is_strong) in [
        (Dialect::Fork3, false),
        (Dialect::Fork4, true),
        (Dialect::Rust, true),
        (Dialect::Seam, true),
    ] {
        assert_eq!(Profile::new(dialect).is_strong(), is_strong, "{dialect:?}");
        assert!(!Profile::new(dialect).with_secret_length(15).unwrap().is_strong());
        for length in [0, 129, usize::MAX] {
            assert!(Profile::new(dialect).with_secret_length(length).is_err());
            assert!(Profile::new(dialect).with_id_length(length).is_err());
        }
    }
    assert!(Profile::new(Dialect::Seam).with_digest(HexDigest::Sha512).is_err());
}

#[test]
fn the_rust_crate_has_a_choice_of_digests() {
    let vector = samples().into_iter().find(|v| v.made_by == "brahmlower-rust").unwrap();
    for (name, digits) in [
        ("sha224", 56),
        ("sha256", 64),
        ("sha384", 96),
        ("sha512", 128),
        ("sha512-224", 56),
        ("sha512-256", 64),
    ] {
        let profile = Profile::new(Dialect::Rust).with_digest(name.parse().unwrap()).unwrap();
        let hash = profile.hash(&vector.token).unwrap();
        assert_eq!(hash.len(), digits);
        assert!(profile.check(&vector.token, &hash, &Expected::default()).is_ok());
    }
    assert!("md5".parse::<HexDigest>().is_err());
}

#[test]
fn the_secret_is_not_printed() {
    let vector = &samples()[0];
    let components = vector.profile().components(&vector.token).unwrap();
    assert!(!format!("{components:?}").contains(&vector.secret));
    let made = vector.profile().generate("a", &counting()).unwrap();
    let secret = made.token.expose().rsplit('_').next().unwrap();
    assert!(!format!("{made:?}").contains(secret));
}

proptest! {
    #[test]
    fn any_text_has_an_answer(text in ".{0,80}", hash in ".{0,80}") {
        for dialect in Dialect::ALL {
            let profile = Profile::new(dialect);
            prop_assert_eq!(profile.components(&text).is_ok(), profile.hash(&text).is_ok());
            prop_assert!(profile.check(&text, &hash, &Expected::default()).is_err());
        }
    }

    #[test]
    fn what_is_generated_is_read_back(bytes in proptest::collection::vec(any::<u8>(), 4_096), n in 0..5_usize) {
        let profile = Profile::new(Dialect::ALL[n]);
        let made = profile.generate("my_app", &Recorded(Mutex::new(bytes))).unwrap();
        let expected = Expected { prefix: Some("my_app"), id: Some(&made.id) };
        prop_assert!(profile.check(made.token.expose(), &made.hash, &expected).is_ok());
    }
}
