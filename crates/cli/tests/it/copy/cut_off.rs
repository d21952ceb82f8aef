//! Copies that are killed.

use std::time::Duration;

use serde_json::json;

use super::{copy, issue};
use crate::harness::{Dice, Folder};

const ROUNDS: usize = 25;

#[test]
fn a_copy_that_is_killed_at_any_instant_goes_on_where_it_was() {
    let folder = Folder::new();
    let cli = folder.cli();
    let server = folder.serve();
    let mut client = server.client();
    issue(&cli, 3_000);
    let keys: Vec<_> = (0..40).map(|_| client.issue(&json!({"owner": "x"}))).collect();
    let dice = Dice::new(7);
    for round in 0..ROUNDS {
        let mode = ["--quiet", "--follow", "--switch"][round % 3];
        let running = cli.start(&copy(&[mode]));
        std::thread::sleep(Duration::from_millis(dice.roll(250).try_into().unwrap()));
        // It is killed, with whatever it was about to do.
        drop(running);
        if mode == "--switch" {
            cli.done(&["copy", "--unseal", "--from", "sqlite:keyward.db"]);
            if cli.run(&copy(&[])).code == 1 {
                // It was done: the next one begins anew.
                for name in ["new.db", "new.db-wal", "new.db-shm"] {
                    drop(std::fs::remove_file(folder.file(name)));
                }
            }
        }
        let act = ["disable", "enable", "rotate"][dice.roll(3)];
        client.call("POST", &format!("/v1/keys/{}/{act}", keys[dice.roll(40)].id), &json!({}));
    }
    let report = cli.json(&copy(&[]));
    assert_eq!(report["equal"], true, "{report}");
}
