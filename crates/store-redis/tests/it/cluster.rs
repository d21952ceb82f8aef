//! A cluster whose slots move.

use keyward_store::Store;
use keyward_store::conformance::sample::{insert, insertion, opaque_key, stored};
use keyward_store_redis::{RedisOptions, RedisStore};
use keyward_testkit::redis::Cluster;

use crate::is_unavailable;

#[tokio::test]
async fn while_the_slot_moves_nothing_is_half_written_and_then_all_is_found_where_it_is() {
    let mut cluster = Cluster::start();
    let store = RedisStore::connect(&cluster.url(), &RedisOptions::default()).await.unwrap();
    let record = opaque_key("first");
    insert(&store, &record).await;
    let nodes = cluster.nodes();
    let slot = nodes[0].cli(&["CLUSTER", "KEYSLOT", "{keyward}:"]);
    let of_slot = |node: usize| nodes[node].cli(&["CLUSTER", "COUNTKEYSINSLOT", &slot]);
    let from = (0..nodes.len()).find(|node| of_slot(*node) != "0").unwrap();
    let to = (from + 1) % nodes.len();
    let (old, new) = (&nodes[from], &nodes[to]);
    let (old_id, new_id) = (old.cli(&["CLUSTER", "MYID"]), new.cli(&["CLUSTER", "MYID"]));
    new.cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &old_id]);
    old.cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &new_id]);

    let before = old.cli(&["DBSIZE"]);
    let issue = insertion(&opaque_key("second"));
    assert!(is_unavailable(&store.apply(&issue).await));
    assert_eq!((old.cli(&["DBSIZE"]), new.cli(&["DBSIZE"])), (before, "0".to_owned()));

    let names = old.cli(&["CLUSTER", "GETKEYSINSLOT", &slot, "1000"]);
    let port = new.port().to_string();
    let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
    migrate.extend(names.lines());
    assert_eq!(old.cli(&migrate), "OK");
    assert!(is_unavailable(&store.apply(&issue).await));
    for node in nodes.iter() {
        node.cli(&["CLUSTER", "SETSLOT", &slot, "NODE", &new_id]);
    }
    assert!(!store.apply(&issue).await.unwrap().is_replay);
    assert_eq!(stored(&store, &record.id).await, Some(record));
}
