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
    ClientId, Description, Digest, DigestScheme, FormatKind, Invalid, KeyId, KeyspaceId, Metadata,
    Name, OwnerId, ResourceScopes, ScopeSet, TagSet, Timestamp, Version, stored,
};

impl KeyRecord {
    /// The record as JSON, digests included: for where it is kept, and for nobody's eyes.
    pub fn to_stored(&self) -> Vec<u8> {
        stored::write(1_024, |serializer| Stored::serialize(self, serializer))
    }

    /// Reads what [`KeyRecord::to_stored`] wrote. The complaint holds nothing of what stands there.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, Invalid> {
        stored::read(bytes, |deserializer| Stored::deserialize(deserializer))
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
    #[serde(default)]
    service_account: Option<ClientId>,
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
#[serde(untagged)]
enum Secrets {
    Digests(Digests),
    Signature { signature: String },
}

/// Digests as JSON.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Digests {
    digest: Bytes,
    previous: Option<(Bytes, Timestamp)>,
}

/// A digest: its scheme and its bytes.
type Bytes = (DigestScheme, Vec<u8>);

impl Digests {
    fn of(digests: &StoredDigests) -> Self {
        let bytes = |digest: &Digest| (digest.scheme(), digest.as_bytes().to_vec());
        let previous = digests.previous.as_ref();
        Self {
            digest: bytes(&digests.current),
            previous: previous.map(|previous| (bytes(&previous.digest), previous.until)),
        }
    }

    fn read(self) -> Result<StoredDigests, Invalid> {
        let read = |(scheme, bytes): Bytes| Digest::new(scheme, &bytes);
        let previous = self
            .previous
            .map(|(digest, until)| Ok(PreviousSecret { digest: read(digest)?, until }));
        Ok(StoredDigests { current: read(self.digest)?, previous: previous.transpose()? })
    }

    pub(crate) fn serialize<S: serde::Serializer>(
        digests: &StoredDigests,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Serialize::serialize(&Self::of(digests), serializer)
    }

    pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<StoredDigests, D::Error> {
        let read: Self = Deserialize::deserialize(deserializer)?;
        read.read().map_err(serde::de::Error::custom)
    }
}

impl Secrets {
    fn serialize<S: serde::Serializer>(
        secret: &StoredSecret,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let secrets = match secret {
            StoredSecret::Digests(digests) => Self::Digests(Digests::of(digests)),
            StoredSecret::Signature(signature) => {
                Self::Signature { signature: signature.to_stored() }
            }
        };
        Serialize::serialize(&secrets, serializer)
    }

    fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<StoredSecret, D::Error> {
        let secret = match Deserialize::deserialize(deserializer)? {
            Self::Digests(digests) => digests.read().map(StoredSecret::Digests),
            Self::Signature { signature } => StoredSignature::from_stored(&signature)
                .map(|signature| StoredSecret::Signature(signature.into())),
        };
        secret.map_err(serde::de::Error::custom)
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
