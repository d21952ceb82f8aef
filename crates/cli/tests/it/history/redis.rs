//! Runs over Redis: as the cache that nodes share in front of PostgreSQL, and as the database.

use keyward_testkit::cluster::{Cluster, NodePlan};
use keyward_testkit::postgres::Postgres;
use keyward_testkit::redis::{DURABLE, Redis};

use super::keeps_the_promise;
use super::site::{rest, traffic};
use crate::harness::{DATABASE, NODES, PostgresSite, program};

/// Nodes over PostgreSQL that share a cache.
fn with_shared_cache(redis: &Redis) -> PostgresSite {
    let shared = format!(
        "[cache]\nshared = \"{}\"\n[[peppers]]\nversion = 1\n\
         value = \"a pepper that nobody else knows, long enough\"\n",
        redis.url()
    );
    PostgresSite::start_with(Postgres::start(&[]), "", &shared)
}

/// Nodes whose database it is.
fn over(redis: &Redis) -> Cluster {
    let plan = NodePlan::new(redis.url()).with(format!("[database]\n{DATABASE}"));
    Cluster::start(program(), vec![plan; NODES])
}

#[test]
fn nodes_whose_shared_cache_is_killed_and_paused_keep_the_promise() {
    let mut redis = Redis::start(&[]);
    let site = with_shared_cache(&redis);
    let run = traffic(&site.cluster).during(|dice| {
        rest(dice, 200, 800);
        match dice.roll(3) {
            0 => {
                redis.kill();
                rest(dice, 100, 800);
                redis.restart();
            }
            1 => redis.restart(),
            _ => {
                redis.pause();
                rest(dice, 200, 1_500);
                redis.resume();
            }
        }
    });
    keeps_the_promise("shared cache in Redis", &run);
}

#[test]
fn nodes_that_share_a_cache_and_miss_changes_keep_the_promise() {
    let redis = Redis::start(&[]);
    let site = with_shared_cache(&redis);
    let run = traffic(&site.cluster).during(|dice| {
        let node = dice.roll(NODES);
        site.refuse(node);
        rest(dice, 300, 2_500);
        site.heal(node);
        rest(dice, 300, 800);
    });
    keeps_the_promise("shared cache in Redis, store cut off", &run);
}

#[test]
fn nodes_over_redis_keep_the_promise() {
    let redis = Redis::start(DURABLE);
    let cluster = over(&redis);
    let run = traffic(&cluster).during(|dice| rest(dice, 100, 200));
    keeps_the_promise("redis", &run);
}

#[test]
fn nodes_over_redis_that_are_stopped_and_continued_keep_the_promise() {
    let redis = Redis::start(DURABLE);
    let cluster = over(&redis);
    let run = traffic(&cluster).during(|dice| {
        let node = &cluster.nodes()[dice.roll(NODES)];
        node.pause();
        rest(dice, 200, 3_000);
        node.resume();
        rest(dice, 300, 800);
    });
    keeps_the_promise("redis, nodes stopped", &run);
}

#[test]
fn nodes_whose_redis_is_killed_and_paused_keep_the_promise() {
    let mut redis = Redis::start(DURABLE);
    let cluster = over(&redis);
    let run = traffic(&cluster).during(|dice| {
        rest(dice, 500, 1_500);
        if dice.roll(2) == 0 {
            redis.kill();
            rest(dice, 1, 1_000);
            redis.restart();
        } else {
            redis.pause();
            rest(dice, 200, 2_500);
            redis.resume();
        }
        cluster.wait_until_ready();
    });
    keeps_the_promise("redis killed and paused", &run);
}
