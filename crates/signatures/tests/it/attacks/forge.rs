//! Keys whose pairs are still at hand, and what can be signed with them.

use std::sync::{Arc, LazyLock};

use keyward_core::jose::PairKind;
use keyward_core::{
    ActorId, Deletion, Format, KeyRecord, Keyspace, KeyspaceTable, Revocation, Signed,
};

use crate::support::{Lent, Pair, at, decode, encode, keyspace, new_key, record, signed};

/// The base issuer of the keyspaces `ed25519` and `p256`.
pub(crate) const BASE: &str = "https://example.com/keys";
/// The base issuer of the keyspace `rsa`.
pub(super) const RSA_BASE: &str = "https://rsa.example.com";
/// An id that no key has.
pub(super) const NOBODY: &str = "01a200f5-34df-703a-b461-85a5d3a0ffff";

/// A key, its pair, and the token that was minted for it.
pub(crate) struct Holder {
    pub(crate) pair: Arc<Pair>,
    pub(crate) record: KeyRecord,
    pub(crate) token: String,
}

static KEYSPACES: LazyLock<[(Keyspace, Signed); 3]> = LazyLock::new(|| {
    [
        ("ed25519", signed(PairKind::Ed25519, BASE, Some("api"))),
        ("p256", signed(PairKind::P256, BASE, Some("billing"))),
        ("rsa", signed(PairKind::Rsa2048, RSA_BASE, None)),
    ]
    .map(|(id, signed)| (keyspace(id, Format::Signed(signed.clone())), signed))
});

static TABLE: LazyLock<KeyspaceTable> =
    LazyLock::new(|| KeyspaceTable::new(KEYSPACES.iter().map(|(keyspace, _)| keyspace.clone())));

static ED25519: LazyLock<Holder> = LazyLock::new(|| Holder::new(Pair::ed25519(1), 0, 1));
static P256: LazyLock<Holder> = LazyLock::new(|| Holder::new(Pair::p256(), 1, 2));
static RSA: LazyLock<Holder> = LazyLock::new(|| Holder::new(Pair::rsa(), 2, 3));
static NEIGHBOUR: LazyLock<Holder> = LazyLock::new(|| Holder::new(Pair::ed25519(2), 0, 4));
static REVOKED: LazyLock<Holder> = LazyLock::new(|| {
    let mut holder = Holder::new(Pair::p256(), 1, 5);
    holder.record.revocation = Some(Revocation { at: at(0), reason: None, by: operator() });
    holder
});
static DISABLED: LazyLock<Holder> = LazyLock::new(|| {
    let mut holder = Holder::new(Pair::ed25519(3), 0, 6);
    holder.record.enabled = false;
    holder
});
static DELETED: LazyLock<Holder> = LazyLock::new(|| {
    let mut holder = Holder::new(Pair::ed25519(4), 0, 7);
    holder.record.deletion = Some(Deletion { at: at(0), by: operator() });
    holder
});

fn operator() -> ActorId {
    ActorId::parse("local").unwrap()
}

pub(crate) fn ed25519() -> &'static Holder {
    &ED25519
}

pub(crate) fn p256() -> &'static Holder {
    &P256
}

pub(crate) fn rsa() -> &'static Holder {
    &RSA
}

/// Another key of the keyspace `ed25519`.
pub(super) fn neighbour() -> &'static Holder {
    &NEIGHBOUR
}

/// A revoked key of the keyspace `p256`.
pub(super) fn revoked() -> &'static Holder {
    &REVOKED
}

pub(super) fn disabled() -> &'static Holder {
    &DISABLED
}

pub(super) fn deleted() -> &'static Holder {
    &DELETED
}

/// All keyspaces.
pub(crate) fn table() -> &'static KeyspaceTable {
    &TABLE
}

/// The records of all keys, those that cost time to make last.
pub(crate) fn holders() -> impl Iterator<Item = &'static KeyRecord> {
    [ed25519, neighbour, disabled, deleted, p256, revoked, rsa].into_iter().map(|key| &key().record)
}

impl Holder {
    fn new(pair: Pair, keyspace: usize, number: u8) -> Self {
        let (keyspace, signed) = &KEYSPACES[keyspace];
        let id = format!("01a200f5-34df-703a-b461-85a5d3a08f{number:02x}");
        let public_key = pair.public_key();
        let pair = Arc::new(pair);
        let record = record(new_key(keyspace, "{}"), &id, public_key.clone(), keyspace);
        let lent = Box::new(Lent(Arc::clone(&pair), public_key));
        let token = signed.mint(&record, lent).unwrap().secret.expose().to_owned();
        Self { pair, record, token }
    }

    pub(super) fn kid(&self) -> &str {
        self.record.id.as_str()
    }

    pub(super) fn parts(&self) -> [&str; 3] {
        let parts: Vec<_> = self.token.split('.').collect();
        parts.try_into().unwrap()
    }

    pub(super) fn header(&self) -> String {
        String::from_utf8(decode(self.parts()[0])).unwrap()
    }

    pub(super) fn payload(&self) -> String {
        String::from_utf8(decode(self.parts()[1])).unwrap()
    }

    pub(super) fn signature(&self) -> Vec<u8> {
        decode(self.parts()[2])
    }

    /// Any header and payload, signed by the pair.
    pub(super) fn signed(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature = encode(self.pair.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// The own header and payload with something else in place of a text in the header, signed.
    pub(super) fn with_header(&self, from: &str, to: &str) -> String {
        self.signed(replaced(&self.header(), from, to), self.payload())
    }

    /// The same with something more at the end of the header.
    pub(super) fn with_more_header(&self, members: &str) -> String {
        self.with_header("}", &format!(",{members}}}"))
    }

    /// The same with something else in place of a text in the payload.
    pub(super) fn with_payload(&self, from: &str, to: &str) -> String {
        self.signed(self.header(), replaced(&self.payload(), from, to))
    }

    /// The same with something more at the end of the payload.
    pub(super) fn with_more(&self, members: &str) -> String {
        self.with_payload("}", &format!(",{members}}}"))
    }

    /// The same with another value, as JSON, for one of the claims.
    pub(super) fn with_claim(&self, name: &str, value: &str) -> String {
        self.with_payload(&self.member(name), &format!(r#""{name}":{value}"#))
    }

    /// The same without one of the claims.
    pub(super) fn without(&self, name: &str) -> String {
        let payload = replaced(&self.payload(), &self.member(name), "");
        let payload = payload.replace("{,", "{").replace(",,", ",").replace(",}", "}");
        self.signed(self.header(), payload)
    }

    /// The same with another issuer: `{}` stands for the id.
    pub(super) fn with_issuer(&self, issuer: &str) -> String {
        let issuer = issuer.replace("{}", self.kid());
        self.with_claim("iss", &serde_json::to_string(&issuer).unwrap())
    }

    /// The same with another id in both places: `{}` stands for the own one.
    pub(super) fn with_kid(&self, kid: &str) -> String {
        let kid = kid.replace("{}", self.kid());
        let kid = serde_json::to_string(&kid).unwrap();
        let kid = kid.trim_matches('"');
        let header = replaced(&self.header(), self.kid(), kid);
        self.signed(header, replaced(&self.payload(), self.kid(), kid))
    }

    /// The own token with other bytes as its signature.
    pub(crate) fn with_signature(&self, signature: impl AsRef<[u8]>) -> String {
        let [header, payload, _] = self.parts();
        format!("{header}.{payload}.{}", encode(signature))
    }

    /// A claim as it stands in the payload.
    fn member(&self, name: &str) -> String {
        let payload = self.payload();
        // No value of the own payload holds a comma.
        let mut members = payload.trim_matches(['{', '}']).split(',');
        let is_named = |member: &&str| member.starts_with(&format!(r#""{name}":"#));
        members.find(is_named).unwrap().to_owned()
    }
}

/// The text with something else in place of a part of it, which must be there.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "there is no {from} in {text}");
    text.replacen(from, to, 1)
}
