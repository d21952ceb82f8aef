//! Proving whoever presents the credentials of a service account.

use super::{AccountState, ServiceAccount};
use crate::{ClientId, Hasher, KeyRecord, MAX_SECRET_LENGTH, Timestamp};

/// A service account as whose a key is presented: it was proved to be who it says by its client secret,
/// or it was not, and then there is no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client(ClientId);

impl Client {
    /// Whoever presents a client secret. The same work is done, and the same is said, whether there is
    /// no such account, it is deleted, or the secret is not its own.
    pub fn prove(
        account: Option<&ServiceAccount>,
        secret: &str,
        hasher: &Hasher,
        now: Timestamp,
    ) -> Self {
        // Before it is known whether there is the account: the time that it takes to hash a long text
        // would tell that there is none.
        if secret.len() > MAX_SECRET_LENGTH {
            return Self(ClientId::NOBODY);
        }
        let Some(account) = account else {
            hasher.pretend(secret);
            return Self(ClientId::NOBODY);
        };
        let is_proved = account.is_proved_by(secret, hasher, now);
        let is_there = account.state() != AccountState::Deleted;
        Self(if is_proved && is_there { account.id } else { ClientId::NOBODY })
    }
    /// Whether a key is this account's.
    pub(crate) fn holds(self, key: &KeyRecord) -> bool {
        self.id().is_some() && self.id() == key.service_account
    }

    /// The account, if it was proved.
    pub fn id(self) -> Option<ClientId> {
        (self.0 != ClientId::NOBODY).then_some(self.0)
    }
}
