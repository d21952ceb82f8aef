//! Signed keys: checking them, issuing them, and both at once, beside japikey's packages and jose.

mod checking;
mod issuing;
mod node;
mod serving;

use std::path::Path;
use std::sync::Arc;

use keyward::jose::{BaseIssuer, PairKind};
use keyward::store::Store;
use keyward::{
    ActContext, Audience, Expiry, Format, Keyward, Lifetime, NewKey, NewKeyspace, OwnerId,
    RateLimit, ScopeSet, Signed, SigningSettings,
};

/// All of it, in one run.
pub(crate) fn run(binary: &Path, rounds: usize, quick: bool) -> anyhow::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build()?.block_on(async {
        checking::run(rounds, quick).await?;
        issuing::run(rounds, quick).await?;
        serving::run(binary, rounds, quick).await
    })
}

/// The pairs that are measured.
const KINDS: [(&str, PairKind); 3] = [
    ("RS256, 2048 bits", PairKind::Rsa2048),
    ("ES256", PairKind::P256),
    ("EdDSA", PairKind::Ed25519),
];

/// An instance that holds that many pairs ready, and lets owners have as many keys as they like.
async fn instance(store: Arc<dyn Store>, ready_pairs: usize) -> anyhow::Result<Keyward> {
    let owner_limit = RateLimit::new(1_000_000, Lifetime::parse("1s")?)?;
    let signing = SigningSettings { owner_limit, ready_pairs, ..SigningSettings::default() };
    Ok(Keyward::builder(store).signing(signing).build().await?)
}

/// A keyspace of such keys, and a key of it to issue.
async fn keyspace(
    keyward: &Keyward,
    pair: PairKind,
    issuer: &BaseIssuer,
) -> anyhow::Result<NewKey> {
    let id: keyward::KeyspaceId = format!("{pair:?}").to_lowercase().parse()?;
    if keyward.keyspace(&id).await?.is_none() {
        let signed = Signed::new(pair, issuer.clone(), Audience::parse("api-key").ok());
        let new = NewKeyspace::new(id.clone(), Format::Signed(signed));
        keyward.create_keyspace(new, &me()?).await?;
    }
    let scopes = ScopeSet::new(["read".parse()?, "write".parse()?])?;
    let expiry = Expiry::In(Lifetime::parse("1d")?);
    Ok(NewKey { keyspace: id, scopes, expiry, ..NewKey::new(OwnerId::parse("user-1")?) })
}

fn issuer() -> anyhow::Result<BaseIssuer> {
    Ok(BaseIssuer::parse("https://keys.example.com/jwks")?)
}

fn me() -> anyhow::Result<ActContext> {
    Ok(ActContext::by("bench".parse()?))
}
