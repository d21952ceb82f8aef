//! A record as bytes, for stores that keep it in one piece. As [`crate::KeyRecord`], the record itself
//! cannot be serialized, so that no face sends its digests away by mistake.

use serde::{Deserialize, Serialize};

use super::ServiceAccount;
use crate::{
    ActorId, ClientId, Deletion, Description, DigestsForm, Invalid, OwnerId, ScopeSet,
    StoredDigests, Timestamp, Version, stored,
};

impl ServiceAccount {
    /// The record as JSON, digests included: for where it is kept, and for nobody's eyes.
    pub fn to_stored(&self) -> Vec<u8> {
        stored::write(512, |serializer| Stored::serialize(self, serializer))
    }

    /// Reads what [`ServiceAccount::to_stored`] wrote. The complaint holds nothing of what stands there.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, Invalid> {
        stored::read(bytes, |deserializer| Stored::deserialize(deserializer))
    }
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "ServiceAccount", deny_unknown_fields)]
struct Stored {
    id: ClientId,
    version: Version,
    owner: OwnerId,
    is_primary: bool,
    description: Option<Description>,
    scopes: ScopeSet,
    #[serde(with = "DigestsForm")]
    secret: StoredDigests,
    enabled: bool,
    deletion: Option<Deletion>,
    created_at: Timestamp,
    created_by: ActorId,
    updated_at: Timestamp,
    updated_by: ActorId,
    rotated_at: Option<Timestamp>,
}
