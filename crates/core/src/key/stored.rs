//! A record as bytes, for stores and caches that keep it in one piece.
//!
//! [`KeyRecord`] itself cannot be serialized, so that no face sends its digests away by mistake.

use serde::{Deserialize, Serialize};

use super::{Deletion, KeyRecord, PreviousSecret, Revocation, StoredSecret};
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
#[serde(deny_unknown_fields)]
struct Secrets {
    digest: Bytes,
    previous: Option<(Bytes, Timestamp)>,
}

/// A digest: its scheme and its bytes.
type Bytes = (DigestScheme, Vec<u8>);

impl Secrets {
    fn serialize<S: serde::Serializer>(
        secret: &StoredSecret,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let bytes = |digest: &Digest| (digest.scheme(), digest.as_bytes().to_vec());
        let previous = secret.previous.as_ref();
        let previous = previous.map(|previous| (bytes(&previous.digest), previous.until));
        let secrets = Self { digest: bytes(&secret.digest), previous };
        Serialize::serialize(&secrets, serializer)
    }

    fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<StoredSecret, D::Error> {
        let Self { digest, previous } = Deserialize::deserialize(deserializer)?;
        let read =
            |(scheme, bytes): Bytes| Digest::new(scheme, &bytes).map_err(serde::de::Error::custom);
        let previous = previous
            .map(|(digest, until)| read(digest).map(|digest| PreviousSecret { digest, until }));
        Ok(StoredSecret { digest: read(digest)?, previous: previous.transpose()? })
    }
}
