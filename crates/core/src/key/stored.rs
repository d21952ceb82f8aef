//! A record as bytes, for stores and caches that keep it in one piece.
//!
//! [`KeyRecord`] itself cannot be serialized, so that no face sends its digests away by mistake.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Deletion, KeyRecord, PreviousSecret, Revocation, StoredDigests, StoredSecret, StoredSignature,
};
use crate::jose::{Claims, PublicKey};
use crate::{
    Description, Digest, DigestScheme, FormatKind, Invalid, KeyId, KeyspaceId, Metadata, Name,
    OwnerId, ResourceScopes, ScopeSet, TagSet, Timestamp, Version,
};

impl KeyRecord {
    /// The record as JSON, digests included: for where it is kept, and for nobody's eyes.
    pub fn to_stored(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1_024);
        let mut serializer = serde_json::Serializer::new(&mut bytes);
        // Nothing in a record cannot be written; were it so, what is kept could not be read back.
        if Stored::serialize(self, &mut serializer).is_err() {
            bytes.clear();
        }
        bytes
    }

    /// Reads what [`KeyRecord::to_stored`] wrote. The complaint holds nothing of what stands there.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let record = Stored::deserialize(&mut deserializer);
        let record = record.ok().filter(|_| deserializer.end().is_ok());
        record.ok_or_else(|| Invalid::new("must be a stored record"))
    }
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "KeyRecord", deny_unknown_fields)]
struct Stored {
    id: KeyId,
    updated_at: Timestamp,
    expires_at: Option<Timestamp>,
    not_before: Option<Timestamp>,
    scopes: ScopeSet,
    #[serde(with = "Secrets")]
    secret: StoredSecret,
    revocation: Option<Revocation>,
    deletion: Option<Deletion>,
    enabled: bool,
    format: FormatKind,
    keyspace: KeyspaceId,
    resources: ResourceScopes,
    version: Version,
    owner: OwnerId,
    name: Option<Name>,
    description: Option<Description>,
    hint: String,
    tags: TagSet,
    metadata: Metadata,
    created_at: Timestamp,
    rotated_at: Option<Timestamp>,
    rotated_from: Option<KeyId>,
    rotated_to: Option<KeyId>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, untagged)]
enum Secrets {
    Digests { digest: Bytes, previous: Option<(Bytes, Timestamp)> },
    Signature { signature: String },
}

/// A digest: its scheme and its bytes.
type Bytes = (DigestScheme, Vec<u8>);

impl Secrets {
    fn serialize<S: serde::Serializer>(
        secret: &StoredSecret,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let bytes = |digest: &Digest| (digest.scheme(), digest.as_bytes().to_vec());
        let secrets = match secret {
            StoredSecret::Digests(StoredDigests { current, previous }) => Self::Digests {
                digest: bytes(current),
                previous: previous.as_ref().map(|p| (bytes(&p.digest), p.until)),
            },
            StoredSecret::Signature(signature) => {
                Self::Signature { signature: signature.to_stored() }
            }
        };
        Serialize::serialize(&secrets, serializer)
    }

    fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<StoredSecret, D::Error> {
        let read =
            |(scheme, bytes): Bytes| Digest::new(scheme, &bytes).map_err(serde::de::Error::custom);
        match Deserialize::deserialize(deserializer)? {
            Self::Digests { digest, previous } => {
                let previous = previous.map(|(digest, until)| {
                    read(digest).map(|digest| PreviousSecret { digest, until })
                });
                let (current, previous) = (read(digest)?, previous.transpose()?);
                Ok(StoredSecret::Digests(StoredDigests { current, previous }))
            }
            Self::Signature { signature } => {
                let signature = StoredSignature::from_stored(&signature);
                let signature = signature.map_err(serde::de::Error::custom)?;
                Ok(StoredSecret::Signature(signature.into()))
            }
        }
    }
}

/// What is stored of a signed key as JSON.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    key: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Claims::is_empty")]
    claims: Claims,
}

impl StoredSignature {
    /// The public key and the claims as JSON, for stores.
    pub fn to_stored(&self) -> String {
        let key = RawValue::from_string(self.public_key.to_jwk("")).unwrap_or_default();
        let claims = self.claims.clone();
        serde_json::to_string(&Signature { key, claims }).unwrap_or_default()
    }

    /// Reads what [`StoredSignature::to_stored`] wrote.
    pub fn from_stored(text: &str) -> Result<Self, Invalid> {
        let unreadable = || Invalid::new("must be a stored public key");
        let Signature { key, claims } = serde_json::from_str(text).map_err(|_| unreadable())?;
        let (public_key, _) = PublicKey::read(key.get()).map_err(|_| unreadable())?;
        Ok(Self { public_key, claims })
    }
}
