//! The cache, which may fail and be slow, and whose content nobody trusts.

use std::time::Duration;

use keyward_store::SharedCache;
use keyward_store_redis::{RedisCache, RedisCacheOptions};
use keyward_testkit::redis::{Cluster, Redis, Sentinels};
use tokio::time::Instant;

/// How long a call may take that fails, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_millis(600);
const HOUR: Duration = Duration::from_hours(1);

fn cache_at(url: &str, options: &RedisCacheOptions) -> RedisCache {
    RedisCache::new(url, options).unwrap()
}

fn eager() -> RedisCacheOptions {
    let patience = Duration::from_secs(2);
    let (connect_timeout, response_timeout) = (patience, patience);
    let rest = Duration::ZERO;
    RedisCacheOptions { connect_timeout, response_timeout, rest, ..RedisCacheOptions::default() }
}

async fn keeps_and_forgets(cache: &RedisCache) {
    let kept = async |name| cache.get(name).await.unwrap();
    assert_eq!(kept("a").await, None);
    for value in [&b"one\0\xff"[..], b"", b"two"] {
        cache.set("a", value, HOUR).await.unwrap();
        assert_eq!(kept("a").await.unwrap(), value);
    }
    cache.set("b", b"three", Duration::MAX).await.unwrap();
    cache.set("b", b"four", HOUR).await.unwrap();
    for _ in 0..2 {
        cache.delete("a").await.unwrap();
        assert_eq!((kept("a").await, kept("b").await.unwrap()), (None, b"four".to_vec()));
    }
}

#[tokio::test]
async fn a_cache_keeps_and_forgets_under_its_prefix() {
    let server = Redis::start(&[]);
    let cache = cache_at(&server.url(), &eager());
    keeps_and_forgets(&cache).await;
    assert_eq!(server.cli(&["KEYS", "*"]), "{keyward-cache}:b");
    let expires_in: u64 = server.cli(&["PTTL", "{keyward-cache}:b"]).parse().unwrap();
    assert!((1..=3_600_000).contains(&expires_in), "{expires_in}");
    let other = RedisCacheOptions { prefix: "other".to_owned(), ..eager() };
    assert_eq!(cache_at(&server.url(), &other).get("b").await.unwrap(), None);
    cache.set("c", b"short", Duration::ZERO).await.unwrap();
    server.wait_until(|server| server.cli(&["EXISTS", "{keyward-cache}:c"]) == "0");
}

#[tokio::test]
async fn a_cache_is_reached_over_tls_by_sentinels_and_in_a_cluster() {
    let server = Redis::start_with_tls(&[]);
    let trusting = RedisCacheOptions { ca_file: server.ca_file(), ..eager() };
    keeps_and_forgets(&cache_at(&server.url(), &trusting)).await;
    // A server that cannot show who it is gets nothing.
    cache_at(&server.url(), &eager()).get("a").await.unwrap_err();
    keeps_and_forgets(&cache_at(&Sentinels::start().url(), &eager())).await;
    keeps_and_forgets(&cache_at(&Cluster::start().url(), &eager())).await;
}

#[tokio::test]
async fn a_dead_redis_hinders_neither_the_start_nor_more_than_one_call_in_a_while() {
    let mut server = Redis::start(&[]);
    server.kill();
    let rest = Duration::from_hours(1);
    let cache =
        cache_at(&server.url(), &RedisCacheOptions { rest, ..RedisCacheOptions::default() });
    cache.get("a").await.unwrap_err();
    let start = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(cache.get("a").await.unwrap(), None);
        cache.set("a", b"one", HOUR).await.unwrap();
        cache.delete("a").await.unwrap_err();
    }
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_redis_that_comes_back_is_used_again() {
    let mut server = Redis::start(&[]);
    let cache = cache_at(&server.url(), &eager());
    cache.set("a", b"one", HOUR).await.unwrap();
    server.kill();
    cache.get("a").await.unwrap_err();
    server.restart();
    keeps_and_forgets(&cache).await;
}

#[tokio::test]
async fn a_redis_that_does_not_answer_costs_its_timeout_once() {
    let server = Redis::start(&[]);
    let cache = cache_at(&server.url(), &RedisCacheOptions::default());
    // On a busy machine the first connection may take its time.
    while cache.set("a", b"one", HOUR).await.is_err() || cache.get("a").await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    server.pause();
    let start = Instant::now();
    cache.get("a").await.unwrap_err();
    for _ in 0..100 {
        assert_eq!(cache.get("a").await.unwrap(), None);
    }
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    server.resume();
}

#[tokio::test]
async fn what_somebody_else_has_written_is_no_more_than_an_error() {
    let server = Redis::start(&[]);
    let cache = cache_at(&server.url(), &eager());
    server.cli(&["RPUSH", "{keyward-cache}:list", "x"]);
    cache.get("list").await.unwrap_err();
    server.cli(&["SET", "{keyward-cache}:text", "poison"]);
    assert_eq!(cache.get("text").await.unwrap().unwrap(), b"poison");
    cache.set("list", b"ours", HOUR).await.unwrap();
    assert_eq!(cache.get("list").await.unwrap().unwrap(), b"ours");
}

#[test]
fn what_cannot_be_used_is_refused_without_telling_a_password() {
    let with = |prefix: &str| RedisCacheOptions { prefix: prefix.to_owned(), ..eager() };
    let url = "redis://ann:secret@localhost";
    for (url, options) in [
        ("http://ann:secret@localhost", eager()),
        (url, with("")),
        (url, with("a}b")),
        (url, RedisCacheOptions { ca_file: Some("/nowhere".into()), ..eager() }),
    ] {
        let refused = RedisCache::new(url, &options).unwrap_err();
        let told = format!("{refused} {refused:?}");
        assert!(!told.contains("secret"), "{told}");
    }
    let cache = RedisCache::new(url, &eager()).unwrap();
    assert!(!format!("{cache:?}").contains("secret"), "{cache:?}");
}
