//! Service accounts: the acts.

mod import;
mod imported;
mod of_key;
mod purging;

pub use imported::{AccountPast, ImportedAccount};
use keyward_core::{
    AccountChanges, AccountWrite, ActContext, Action, ActorId, AuditEvent, Change, ClientId,
    Digest, Lifetime, NewServiceAccount, Refusal, Secret, ServiceAccount, Timestamp,
    draw_client_secret,
};
use keyward_store::{AccountPage, AccountQuery, StoreError};
pub(super) use of_key::AccountForKey;
use serde_json::{Map, Value, json};

use super::{ATTEMPTS, data};
use crate::{Error, Keyward};

/// A service account with its client secret: this is the only time that it can be seen.
#[derive(Debug)]
pub struct IssuedAccount {
    /// The text to hand out, together with the account's id.
    pub client_secret: Secret,
    /// The record that is stored.
    pub account: ServiceAccount,
}

impl Keyward {
    /// Creates a service account, besides those that its owner has.
    pub async fn create_account(
        &self,
        new: NewServiceAccount,
        context: &ActContext,
    ) -> Result<IssuedAccount, Error> {
        let issued = self.draw_account(new, &context.actor)?;
        let mut change = self.change(issued.account.created_at);
        self.write_new_account(&issued.account, context, &mut change);
        self.commit(change).await?;
        Ok(issued)
    }

    /// The service account of that id, deleted ones included.
    pub async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError> {
        self.inner.store.account(id).await
    }

    /// A page of the service accounts that a query names.
    pub async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError> {
        self.inner.store.accounts(query).await
    }

    /// Changes what may be changed of a service account.
    pub async fn update_account(
        &self,
        id: &ClientId,
        changes: AccountChanges,
        context: &ActContext,
    ) -> Result<ServiceAccount, Error> {
        let told = data([("fields", Some(json!(changes.fields())))]);
        let act = |account: ServiceAccount, by, now| account.update(changes.clone(), by, now);
        self.alter_account(id, context, act, (Action::ServiceAccountUpdated, told)).await
    }

    /// Switches a service account on, and with it its keys that are switched on themselves.
    pub async fn enable_account(
        &self,
        id: &ClientId,
        context: &ActContext,
    ) -> Result<ServiceAccount, Error> {
        let told = (Action::ServiceAccountEnabled, data([]));
        self.alter_account(id, context, ServiceAccount::enable, told).await
    }

    /// Switches a service account off, and with it all of its keys.
    pub async fn disable_account(
        &self,
        id: &ClientId,
        context: &ActContext,
    ) -> Result<ServiceAccount, Error> {
        let told = (Action::ServiceAccountDisabled, data([]));
        self.alter_account(id, context, ServiceAccount::disable, told).await
    }

    /// Deletes a service account softly, and with it all of its keys.
    pub async fn delete_account(
        &self,
        id: &ClientId,
        context: &ActContext,
    ) -> Result<ServiceAccount, Error> {
        let told = (Action::ServiceAccountDeleted, data([]));
        self.alter_account(id, context, ServiceAccount::delete, told).await
    }

    /// Brings a deleted service account back, and with it its keys as they were. Where its owner has got
    /// another primary account meanwhile, it is the primary one no more.
    pub async fn restore_account(
        &self,
        id: &ClientId,
        context: &ActContext,
    ) -> Result<ServiceAccount, Error> {
        let told = || (Action::ServiceAccountRestored, data([]));
        match self.alter_account(id, context, ServiceAccount::restore, told()).await {
            Err(error) if error.is_taken() => {
                let act =
                    |account: ServiceAccount, by, now| account.with_rank(false).restore(by, now);
                self.alter_account(id, context, act, told()).await
            }
            result => result,
        }
    }

    /// Gives a service account a new client secret; the old one works until the grace period ends, if
    /// one is given. Of rotations at the same time one is done: the others are refused as
    /// [`Refusal::Outdated`].
    pub async fn rotate_account(
        &self,
        id: &ClientId,
        grace: Option<Lifetime>,
        context: &ActContext,
    ) -> Result<IssuedAccount, Error> {
        let asked_at = self.now();
        let before = self.existing_account(id).await?;
        let (client_secret, digest) = self.draw_client_secret()?;
        let (by, now) = (context.actor.clone(), self.now());
        let account = before.clone().rotate(digest, grace, by, asked_at, now)?;
        let told = data([("grace", grace.map(|grace| json!(grace)))]);
        let action = (Action::ServiceAccountRotated, told);
        match self.commit_account(before, &account, context, now, action).await {
            Err(error) if error.is_outdated() => Err(Refusal::Outdated.into()),
            result => result.map(|()| IssuedAccount { client_secret, account }),
        }
    }

    pub(super) fn write_new_account(
        &self,
        account: &ServiceAccount,
        context: &ActContext,
        change: &mut Change,
    ) {
        let told = data([
            ("primary", Some(json!(account.is_primary))),
            ("scopes", Some(json!(account.scopes))),
        ]);
        let (action, at) = (Action::ServiceAccountCreated, account.created_at);
        change.events.push(self.account_event(action, account, context, at, told));
        change.accounts.push(AccountWrite::Insert(Box::new(account.clone())));
    }

    fn draw_account(&self, new: NewServiceAccount, by: &ActorId) -> Result<IssuedAccount, Error> {
        let now = self.now();
        let (client_secret, digest) = self.draw_client_secret()?;
        let id = ClientId::generate(&*self.inner.entropy, now);
        let account = ServiceAccount::create(new, id, digest, by.clone(), now);
        Ok(IssuedAccount { client_secret, account })
    }

    fn draw_client_secret(&self) -> Result<(Secret, Digest), Error> {
        let secret = draw_client_secret(&*self.inner.entropy);
        let scheme = self.inner.hasher.newest_scheme();
        let digest = self.inner.hasher.digest(scheme, secret.expose()).ok_or(Error::Signing)?;
        Ok((secret, digest))
    }

    async fn existing_account(&self, id: &ClientId) -> Result<ServiceAccount, Error> {
        self.inner.store.account(id).await?.ok_or(Error::NotFound("service account"))
    }

    /// Makes an act of an account's record, again if somebody else's change comes in between.
    async fn alter_account(
        &self,
        id: &ClientId,
        context: &ActContext,
        act: impl Fn(ServiceAccount, ActorId, Timestamp) -> Result<ServiceAccount, Refusal>,
        told: (Action, Map<String, Value>),
    ) -> Result<ServiceAccount, Error> {
        for _ in 0..ATTEMPTS {
            let before = self.existing_account(id).await?;
            let now = self.now();
            let after = act(before.clone(), context.actor.clone(), now)?;
            match self.commit_account(before, &after, context, now, told.clone()).await {
                Err(error) if error.is_outdated() => {}
                result => return result.map(|()| after),
            }
        }
        Err(Refusal::Outdated.into())
    }

    async fn commit_account(
        &self,
        before: ServiceAccount,
        after: &ServiceAccount,
        context: &ActContext,
        now: Timestamp,
        (action, told): (Action, Map<String, Value>),
    ) -> Result<(), Error> {
        let mut change = self.change(now);
        change.events.push(self.account_event(action, after, context, now, told));
        let (before, after) = (Box::new(before), Box::new(after.clone()));
        change.accounts.push(AccountWrite::Update { before, after });
        self.commit(change).await.map(drop)
    }

    pub(super) fn account_event(
        &self,
        action: Action,
        account: &ServiceAccount,
        context: &ActContext,
        at: Timestamp,
        told: Map<String, Value>,
    ) -> AuditEvent {
        AuditEvent {
            owner: Some(account.owner.clone()),
            service_account: Some(account.id),
            ..self.event(action, context, at, told)
        }
    }
}
