//! What pieces of a verification cost: counting uses, reading headers, asking for scopes.

use std::hint::black_box;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use keyward::store::MemoryStore;
use keyward::{
    Asked, HeaderRules, KeyRecord, Keyward, ResourceId, ResourceScopes, Scope, ScopeSet,
    UsageTracking, extract_key, has_all_scopes,
};

use crate::keys;
use crate::measure::{Rates, Report, cpu_time};

/// Verifications with uses counted and without, taking turns in one run.
pub(crate) async fn tracking(rounds: usize, operations: usize) -> anyhow::Result<()> {
    let store = Arc::new(MemoryStore::new());
    let on = keys::instance(Arc::<MemoryStore>::clone(&store), 100_000).await?;
    let off = Keyward::builder(store).usage_tracking(UsageTracking::Off).build().await?;
    let secrets = keys::issue(&on, 1_000).await?;
    let scopes = [Scope::parse("read")?];
    let asked = Asked { scopes: &scopes, ..Asked::default() };
    let mut rates = [Rates::default(), Rates::default()];
    for round in 0..=rounds {
        for (keyward, rates) in [&off, &on].into_iter().zip(&mut rates) {
            let before = cpu_time();
            for secret in secrets.iter().cycle().take(operations) {
                black_box(keyward.verify(secret, &asked).await?);
            }
            keyward.flush_usage().await?;
            let cpu = cpu_time().saturating_sub(before);
            // The first round fills the caches.
            if round > 0 {
                rates.add(u64::try_from(operations)?, cpu);
            }
        }
    }
    let base = rates.first().map_or(f64::NAN, Rates::median);
    let mut report = Report::new("not counted");
    for (what, rates) in
        ["hit, uses not counted", "hit, uses counted and written down"].iter().zip(&rates)
    {
        report.add(what, rates, base);
    }
    report.print("Counting uses, 1,000 keys, one thread");
    Ok(())
}

/// The extraction of keys from headers, and scope checks.
pub(crate) async fn rules(rounds: usize, operations: usize) -> anyhow::Result<()> {
    let keyward = keys::instance(Arc::new(MemoryStore::new()), 1_000).await?;
    let secret = keys::issue(&keyward, 1).await?.pop().unwrap_or_default();
    let (headers, record) = (headers(&secret)?, record(&keyward, &secret).await?);
    let rules = HeaderRules::default();
    let [read, write, deploy] = ["read", "write", "deploy"].map(Scope::parse);
    let (two, deploy) = ([read?, write?], deploy?);
    let project = ResourceId::new("project", "123")?;
    let held = ["read", "write", "list"];
    let mut report = Report::new("the extraction");
    let mut base = f64::NAN;
    let mut add = |what: &str, work: &dyn Fn() -> bool| {
        let mut rates = Rates::default();
        for _ in 0..rounds {
            let before = cpu_time();
            for _ in 0..operations {
                black_box(work());
            }
            let cpu = cpu_time().saturating_sub(before);
            rates.add(u64::try_from(operations).unwrap_or(u64::MAX), cpu);
        }
        base = if base.is_nan() { rates.median() } else { base };
        report.add(what, &rates, base);
    };
    add("extract a key from 10 headers", &|| {
        extract_key(black_box(&headers), &rules).is_ok_and(|key| key.is_some())
    });
    add("has_all_scopes of a record, 2 of 3", &|| black_box(&record).has_all_scopes(&two, None));
    add("has_scope on a resource, of 20", &|| {
        black_box(&record).has_scope(&deploy, Some(&project))
    });
    add("has_all_scopes of plain lists, 2 of 3", &|| {
        has_all_scopes(black_box(&held), &["read", "write"])
    });
    report.print("Rules, one thread");
    Ok(())
}

fn headers(secret: &str) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for name in ["host", "accept", "accept-encoding", "user-agent", "content-type", "origin"] {
        headers.insert(name, HeaderValue::from_static("something"));
    }
    for name in ["x-request-id", "traceparent", "content-length"] {
        headers.insert(name, HeaderValue::from_static("12345678"));
    }
    headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {secret}"))?);
    Ok(headers)
}

async fn record(keyward: &Keyward, secret: &str) -> anyhow::Result<KeyRecord> {
    let id = secret.split('_').nth(1).unwrap_or_default().parse()?;
    let found = keyward.key(&id).await?.map(|key| key.record);
    let mut record = found.ok_or_else(|| anyhow::anyhow!("the key was issued"))?;
    let scopes = ["read", "write", "list"].map(Scope::parse);
    record.scopes = ScopeSet::new(scopes.into_iter().collect::<Result<Vec<_>, _>>()?)?;
    let ids: Vec<_> = (110..130).map(|id| id.to_string()).collect();
    record.resources = ResourceScopes::builder().add_many("project", &ids, ["deploy"]).build()?;
    Ok(record)
}
