//! What happens to a store over time: every act that there is, drawn by lot.

use std::sync::Arc;

use keyward::jose::{BaseIssuer, PairKind};
use keyward::store::{Store, StoreError};
use keyward::{
    AccountChanges, AccountRule, ActContext, Alphabet, Asked, AuditFilter, ClientCredentials,
    ClientId, EndedBy, Entropy, Error, Format, IssuedAccount, IssuedToken, KeyChanges, KeyId,
    KeyspaceChanges, KeyspaceId, Keyward, Lifetime, NewKey, NewKeyspace, NewServiceAccount,
    OAuthSettings, Opaque, OwnerId, Rotation, RotationMode, ScopeSet, Secret, Signed,
};
use keyward_testkit::SeededEntropy;

/// An instance over a store, and what it has made.
pub(crate) struct Life {
    pub(crate) keyward: Keyward,
    pub(crate) keys: Vec<(KeyId, Secret)>,
    accounts: Vec<IssuedAccount>,
    tokens: Vec<IssuedToken>,
    chance: SeededEntropy,
}

impl Life {
    /// Begins with a root key and a keyspace of each format.
    pub(crate) async fn begin(store: &Arc<dyn Store>, seed: u64) -> Self {
        let issuer = BaseIssuer::parse("https://auth.example").ok();
        let oauth = OAuthSettings { issuer, pair: PairKind::Ed25519, ..OAuthSettings::default() };
        let keyward = Keyward::builder(Arc::clone(store)).oauth(oauth).manual();
        let keyward = keyward.build().await.unwrap();
        if let Some(first) = keyward.first_start().await.unwrap() {
            keyward.finish_first_start(&first).await.unwrap();
            for (id, format) in formats() {
                let new = NewKeyspace::new(id.parse().unwrap(), format);
                keyward.create_keyspace(new, &me()).await.unwrap();
            }
        }
        let (keys, accounts, tokens) = (Vec::new(), Vec::new(), Vec::new());
        Self { keyward, keys, accounts, tokens, chance: SeededEntropy::new(seed) }
    }

    /// Does so many things. Whatever is refused, such as deleting what is deleted, is passed over.
    pub(crate) async fn live(&mut self, acts: usize) {
        for _ in 0..acts {
            self.try_act().await.unwrap();
        }
        self.keyward.flush_usage().await.unwrap();
    }

    /// Does one thing, or tells why the store did not.
    pub(crate) async fn try_act(&mut self) -> Result<(), StoreError> {
        match self.act().await {
            Err(Error::Store(error)) if !matches!(error, StoreError::Conflict(_)) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    async fn act(&mut self) -> Result<(), Error> {
        match self.roll(24) {
            0..7 => self.issue().await,
            7..15 => self.change_key().await,
            15..19 => self.verify().await,
            19..22 => self.change_account().await,
            22 => self.issue_token().await,
            _ => self.change_whole().await,
        }
    }

    pub(crate) fn roll(&self, sides: u64) -> u64 {
        let mut bytes = [0; 8];
        self.chance.fill(&mut bytes);
        u64::from_le_bytes(bytes) % sides
    }

    async fn issue(&mut self) -> Result<(), Error> {
        let keyspaces = [KeyspaceId::DEFAULT, "opaque", "opaque", "signed"];
        let owner = self.owner();
        let mut new =
            NewKey { keyspace: self.pick(&keyspaces).parse().unwrap(), ..NewKey::new(owner) };
        if let Some(account) = self.account().filter(|_| self.roll(3) == 0) {
            new.owner = account.owner;
            new.service_account = Some(account.id);
        }
        let issued = self.keyward.issue(new, &me()).await?;
        self.keys.push((issued.key.id, issued.secret));
        Ok(())
    }

    async fn change_key(&mut self) -> Result<(), Error> {
        let Some(id) = self.key() else { return Ok(()) };
        let (keyward, me) = (&self.keyward, me());
        match self.roll(10) {
            0 | 1 => {
                let grace = (self.roll(2) == 0).then_some(Lifetime::MINUTE);
                let signed = keyward
                    .key(&id)
                    .await?
                    .is_some_and(|key| key.record.keyspace.as_str() == "signed");
                let mode = signed.then_some(RotationMode::Successor);
                let rotation = Rotation { grace, mode, ..Rotation::default() };
                let rotated = keyward.rotate(&id, rotation, &me).await?;
                self.keys.push((rotated.key.id, rotated.secret));
            }
            2 => drop(keyward.revoke(&id, None, &me).await?),
            3 => drop(keyward.disable(&id, &me).await?),
            4 => drop(keyward.enable(&id, &me).await?),
            5 => {
                let name = Some(Some(format!("name {}", self.roll(1_000)).parse().unwrap()));
                let changes = KeyChanges { name, ..KeyChanges::default() };
                drop(keyward.update(&id, changes, &me).await?);
            }
            6 | 7 => drop(keyward.delete(&id, &me).await?),
            8 => drop(keyward.restore(&id, &me).await?),
            _ => keyward.purge(&id, &me).await?,
        }
        Ok(())
    }

    async fn verify(&self) -> Result<(), Error> {
        if let Some((_, secret)) = self.keys.get(self.index(self.keys.len())) {
            self.keyward.verify(secret.expose(), &Asked::default()).await?;
        }
        if self.roll(4) == 0 {
            self.keyward.flush_usage().await?;
        }
        Ok(())
    }

    async fn change_account(&mut self) -> Result<(), Error> {
        let known = self.accounts.get(self.index(self.accounts.len()));
        let known: Option<ClientId> = known.map(|issued| issued.account.id);
        let (keyward, me) = (&self.keyward, me());
        match (self.roll(9), known) {
            (0..3, _) | (_, None) => {
                let scopes = ScopeSet::new(["read".parse().unwrap()]).unwrap();
                let new = NewServiceAccount { scopes, ..NewServiceAccount::new(self.owner()) };
                let issued = keyward.create_account(new, &me).await?;
                self.accounts.push(issued);
            }
            (3, Some(id)) => {
                let description = Some(Some(format!("note {}", self.roll(1_000)).parse().unwrap()));
                let changes = AccountChanges { description, ..AccountChanges::default() };
                drop(keyward.update_account(&id, changes, &me).await?);
            }
            (4, Some(id)) => drop(keyward.disable_account(&id, &me).await?),
            (5, Some(id)) => drop(keyward.enable_account(&id, &me).await?),
            (6, Some(id)) => drop(keyward.delete_account(&id, &me).await?),
            (7, Some(id)) => drop(keyward.restore_account(&id, &me).await?),
            (_, Some(id)) => drop(keyward.purge_account(&id, &me).await?),
        }
        Ok(())
    }

    async fn issue_token(&mut self) -> Result<(), Error> {
        let Some(issued) = self.accounts.get(self.index(self.accounts.len())) else {
            return Ok(());
        };
        let id = issued.account.id.to_string();
        let credentials = ClientCredentials { id: &id, secret: issued.client_secret.expose() };
        if let Ok(client) = self.keyward.authenticate_client(&credentials).await {
            self.tokens.extend(self.keyward.issue_token(&client, None).await.ok());
        }
        Ok(())
    }

    /// Acts that concern more than one record.
    async fn change_whole(&mut self) -> Result<(), Error> {
        let (keyward, me) = (&self.keyward, me());
        match self.roll(5) {
            0 => {
                let id = KeyspaceId::parse("opaque").unwrap();
                let rule =
                    if self.roll(2) == 0 { AccountRule::Primary } else { AccountRule::Optional };
                let changes =
                    KeyspaceChanges { service_account: Some(rule), ..KeyspaceChanges::default() };
                drop(keyward.update_keyspace(&id, changes, &me).await?);
            }
            1 => {
                let now = Some(keyward.now());
                let by = EndedBy { deleted: now, ended: now };
                keyward.reap(by, 3, &[], &me).await?;
            }
            2 => {
                let filter = AuditFilter { owner: Some(self.owner()), ..AuditFilter::default() };
                keyward.erase_audit(&filter, &me).await?;
            }
            3 => {
                if let Some(token) = self.tokens.pop()
                    && let Some(found) = keyward.find_revocable(token.token.expose(), None).await?
                {
                    keyward.revoke_found(&found, &me).await?;
                }
            }
            _ => drop(keyward.revoke_all(&self.owner(), None, &me).await?),
        }
        Ok(())
    }

    fn owner(&self) -> OwnerId {
        format!("owner-{}", self.roll(6)).parse().unwrap()
    }

    fn account(&self) -> Option<keyward::ServiceAccount> {
        Some(self.accounts.get(self.index(self.accounts.len()))?.account.clone())
    }

    fn key(&self) -> Option<KeyId> {
        Some(self.keys.get(self.index(self.keys.len()))?.0.clone())
    }

    fn pick<'a>(&self, names: &[&'a str]) -> &'a str {
        names[self.index(names.len())]
    }

    fn index(&self, length: usize) -> usize {
        usize::try_from(self.roll(u64::try_from(length.max(1)).unwrap())).unwrap()
    }
}

fn formats() -> [(&'static str, Format); 2] {
    let issuer = BaseIssuer::parse("https://keys.example/jwks").unwrap();
    let opaque = Opaque::new(None, 32, Alphabet::alphanumeric().clone()).unwrap();
    [
        ("opaque", Format::Opaque(opaque)),
        ("signed", Format::Signed(Signed::new(PairKind::Ed25519, issuer, None))),
    ]
}

pub(crate) fn me() -> ActContext {
    ActContext::by("me".parse().unwrap())
}
