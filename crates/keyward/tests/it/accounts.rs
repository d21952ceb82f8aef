//! Service accounts in one instance and in several: what is known of them, and what becomes of their
//! keys.

mod asking;
mod caching;
mod leases;
mod permits;
mod primary;
mod purging;
mod reaching;
mod reaping;
mod secrets;

use keyward::{
    Asked, ClientCredentials, ClientId, FormatKind, Issued, IssuedAccount, Keyward, NewKey,
    NewServiceAccount, Secret, VerifyOptions,
};

use crate::support::{keyspace_of, me, owner, reader};

/// A service account, and a key of it that may read.
struct Held {
    account: IssuedAccount,
    key: Issued,
}

impl Held {
    async fn new(keyward: &Keyward) -> Self {
        Self::of(keyward, FormatKind::Prefixed).await
    }

    /// With a key of that format.
    async fn of(keyward: &Keyward, format: FormatKind) -> Self {
        let account = account_of(keyward, "customer-1").await;
        let keyspace = keyspace_of(keyward, format).await;
        let new = NewKey { keyspace, service_account: Some(account.account.id), ..reader() };
        let key = keyward.issue(new, &me()).await.unwrap();
        Self { account, key }
    }

    const fn id(&self) -> &ClientId {
        &self.account.account.id
    }

    /// What is decided when the key is presented as the account's.
    async fn code(&self, keyward: &Keyward) -> &'static str {
        self.code_with(keyward, &self.account.client_secret).await
    }

    async fn code_with(&self, keyward: &Keyward, client_secret: &Secret) -> &'static str {
        code_as(keyward, &self.id().to_string(), client_secret, &self.key.secret).await
    }
}

async fn account_of(keyward: &Keyward, name: &str) -> IssuedAccount {
    keyward.create_account(NewServiceAccount::new(owner(name)), &me()).await.unwrap()
}

/// Issues another key of an account that may read.
async fn another_key(keyward: &Keyward, id: &ClientId) -> Issued {
    keyward.issue(NewKey { service_account: Some(*id), ..reader() }, &me()).await.unwrap()
}

/// Issues that many keys of an account.
async fn keys_of(keyward: &Keyward, id: &ClientId, count: usize) -> Vec<Issued> {
    let mut keys = Vec::new();
    for _ in 0..count {
        keys.push(another_key(keyward, id).await);
    }
    keys
}

/// What is decided on a key that is presented with these credentials.
async fn code_as(
    keyward: &Keyward,
    id: &str,
    client_secret: &Secret,
    key: &Secret,
) -> &'static str {
    let client = Some(ClientCredentials { id, secret: client_secret.expose() });
    let options = VerifyOptions { client, ..VerifyOptions::default() };
    keyward.verify_with(key.expose(), &Asked::default(), &options).await.unwrap().code()
}
