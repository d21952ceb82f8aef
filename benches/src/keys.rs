//! Keys to verify, and the order in which they come.

use std::sync::Arc;

use keyward::store::Store;
use keyward::{ActContext, Keyward, NewKey, OwnerId, Rotation};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, Uniform, Zipf};
use tokio::task::JoinSet;

/// An instance over a store, with a cache of that many keys.
pub(crate) async fn instance(store: Arc<dyn Store>, capacity: usize) -> anyhow::Result<Keyward> {
    Ok(Keyward::builder(store).cache_capacity(capacity).build().await?)
}

/// Issues keys, many at a time, and returns their secrets.
pub(crate) async fn issue(keyward: &Keyward, count: usize) -> anyhow::Result<Vec<String>> {
    let new = NewKey {
        scopes: keyward::ScopeSet::new(["read".parse()?, "write".parse()?])?,
        ..NewKey::new(OwnerId::parse("customer-1")?)
    };
    issue_like(keyward, &new, count).await
}

/// Issues keys that are all alike, many at a time, and returns their secrets.
pub(crate) async fn issue_like(
    keyward: &Keyward,
    new: &NewKey,
    count: usize,
) -> anyhow::Result<Vec<String>> {
    const AT_A_TIME: usize = 64;
    let mut tasks = JoinSet::new();
    for part in 0..AT_A_TIME {
        let (keyward, new) = (keyward.clone(), new.clone());
        let count = count / AT_A_TIME + usize::from(part < count % AT_A_TIME);
        tasks.spawn(async move {
            let context = ActContext::by("bench".parse()?);
            let mut secrets = Vec::with_capacity(count);
            for _ in 0..count {
                let issued = keyward.issue(new.clone(), &context).await?;
                secrets.push(issued.secret.expose().to_owned());
            }
            anyhow::Ok(secrets)
        });
    }
    let mut secrets = Vec::with_capacity(count);
    while let Some(part) = tasks.join_next().await {
        secrets.extend(part??);
    }
    Ok(secrets)
}

/// Gives each key a new secret, so that these are wrong from now on.
pub(crate) async fn rotate(keyward: &Keyward, secrets: &[String]) -> anyhow::Result<()> {
    let mut tasks = JoinSet::new();
    for secret in secrets {
        let keyward = keyward.clone();
        let id = secret.split('_').nth(1).unwrap_or_default().parse()?;
        let context = ActContext::by("bench".parse()?);
        tasks.spawn(
            async move { keyward.rotate(&id, Rotation::default(), &context).await.map(drop) },
        );
    }
    while let Some(rotated) = tasks.join_next().await {
        rotated??;
    }
    Ok(())
}

/// In which order keys are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    /// Each as often as any other, in random order.
    Uniform,
    /// The n-th with a frequency of 1/n.
    Zipf,
}

/// The places of keys to ask for, from a fixed seed.
pub(crate) fn order(access: Access, keys: usize, length: usize) -> anyhow::Result<Vec<usize>> {
    let mut random = SmallRng::seed_from_u64(7);
    match access {
        Access::Uniform => {
            let places = Uniform::new(0, keys)?;
            Ok((0..length).map(|_| places.sample(&mut random)).collect())
        }
        Access::Zipf => {
            #[expect(clippy::cast_precision_loss, reason = "the counts are far below 2^52")]
            let places = Zipf::new(keys as f64, 1.0)?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "1 to keys"
            )]
            Ok((0..length).map(|_| places.sample(&mut random) as usize - 1).collect())
        }
    }
}
