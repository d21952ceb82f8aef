//! Handing keys and service accounts out with their digests, for taking them over elsewhere.

use keyward_core::{ActContext, Action, AuditEvent};
use keyward_store::{AccountPage, AccountQuery, KeyPage, KeyQuery};
use serde_json::json;

use super::data;
use crate::{Error, Keyward};

impl Keyward {
    /// A page of the keys that a query names, for an export. The same as [`Keyward::list`], and the
    /// audit trail tells of it: the digests are about to leave.
    pub async fn export(&self, query: &KeyQuery, context: &ActContext) -> Result<KeyPage, Error> {
        let page = self.list(query).await?;
        let now = self.now();
        let told = data([
            ("keys", Some(json!(page.keys.len()))),
            ("owner", query.owner.as_ref().map(|owner| json!(owner))),
        ]);
        let event = self.event(Action::KeysExported, context, now, told);
        let mut change = self.change(now);
        change.events.push(AuditEvent { keyspace: query.keyspace.clone(), ..event });
        self.commit(change).await?;
        Ok(page)
    }

    /// A page of the service accounts that a query names, for an export. The same as
    /// [`Keyward::accounts`], and the audit trail tells of it: the digests are about to leave.
    pub async fn export_accounts(
        &self,
        query: &AccountQuery,
        context: &ActContext,
    ) -> Result<AccountPage, Error> {
        let page = self.accounts(query).await?;
        let now = self.now();
        let told = data([
            ("accounts", Some(json!(page.accounts.len()))),
            ("owner", query.owner.as_ref().map(|owner| json!(owner))),
        ]);
        let mut change = self.change(now);
        change.events.push(self.event(Action::ServiceAccountsExported, context, now, told));
        self.commit(change).await?;
        Ok(page)
    }
}
