//! The first start: a keyspace for management keys, and the one key that opens everything.

use keyward_core::{
    ActContext, Change, Keyspace, KeyspaceId, NewKey, OwnerId, Scope, ScopeSet, Secret,
};

use crate::manage::{own_actor, prefixed};
use crate::{Error, Issued, Keyward};

/// A root key that is made but not stored yet, so that its text can be put away safely first.
#[derive(Debug)]
pub struct FirstStart {
    change: Change,
    root: Issued,
}

impl FirstStart {
    /// The text of the root key.
    pub const fn secret(&self) -> &Secret {
        &self.root.secret
    }
}

impl Keyward {
    /// The scope that includes every right of the management interface.
    pub const ROOT_SCOPE: &str = "root";

    /// Makes a root key if the store has never had one.
    pub async fn first_start(&self) -> Result<Option<FirstStart>, Error> {
        let id = KeyspaceId::management();
        if self.keyspace(&id).await?.is_some() {
            return Ok(None);
        }
        let context = ActContext::by(own_actor()?);
        let new = prefixed(id.clone(), "kwm")?;
        let keyspace = Keyspace::create(new, &self.inner.hasher, self.now())?;
        let (root, mut change) = self.prepare(root_key(id)?, &keyspace, &context).await?;
        self.write_new_keyspace(&keyspace, &context, &mut change);
        Ok(Some(FirstStart { change, root }))
    }

    /// Stores the root key. Returns whether it counts: another node may have been faster, and then
    /// it is that node's root key which does.
    pub async fn finish_first_start(&self, first_start: &FirstStart) -> Result<bool, Error> {
        match self.commit(first_start.change.clone()).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_taken() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn root_key(keyspace: KeyspaceId) -> Result<NewKey, Error> {
    let scope = Scope::parse(Keyward::ROOT_SCOPE).map_err(|invalid| invalid.at("scopes"))?;
    let owner = OwnerId::parse("root").map_err(|invalid| invalid.at("owner"))?;
    let scopes = ScopeSet::new([scope]).map_err(|invalid| invalid.at("scopes"))?;
    let name = keyward_core::Name::parse("root key").ok();
    Ok(NewKey { keyspace, scopes, name, ..NewKey::new(owner) })
}
