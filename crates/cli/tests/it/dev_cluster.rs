//! `./dev cluster`, as somebody runs it who wants to try it out.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::harness::{Client, Folder, program, wait_for};

#[rstest]
#[case::over_postgres(&[])]
#[case::over_sqlite(&["--sqlite"])]
#[cfg(target_os = "linux")]
fn a_cluster_can_be_tried_and_leaves_nothing_behind(#[case] arguments: &[&str]) {
    let folder = Folder::new();
    let printed = fs::File::create(folder.file("printed")).unwrap();
    let mut dev = Command::new(root().join("dev"));
    dev.arg("cluster").args(arguments).stdin(Stdio::null()).stderr(printed.try_clone().unwrap());
    let built = program().parent().unwrap();
    if built.join("examples/cluster").exists() {
        dev.env("KEYWARD_BUILT", built);
    }
    let mut dev = dev.stdout(printed).spawn().unwrap();
    let told = |name: &str| {
        let text = folder.read("printed");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        line.map(ToOwned::to_owned)
    };
    let ended = |dev: &mut std::process::Child| dev.try_wait().unwrap();
    wait_for("the cluster", || {
        assert_eq!(ended(&mut dev), None, "{}", folder.read("printed"));
        folder.read("printed").contains("Ctrl-C").then_some(())
    });
    let [place, root_key] = ["folder", "root key"].map(|name| PathBuf::from(told(name).unwrap()));
    let balancer: SocketAddr =
        told("balancer").unwrap().strip_prefix("http://").unwrap().parse().unwrap();
    assert_ne!(processes_in(&place), 0);

    // One after the other at each of the nodes.
    let mut client = Client::new(balancer, fs::read_to_string(root_key).unwrap().trim());
    let key = client.issue(&json!({"owner": "me"}));
    for _ in 0..6 {
        assert_eq!(client.verify(&key.secret), "valid");
    }

    kill_process(Pid::from_child(&dev), Signal::INT).unwrap();
    let status = wait_for("the cluster to stop", || ended(&mut dev));
    assert!(status.success(), "{}", folder.read("printed"));
    assert!(!place.exists());
    assert_eq!(processes_in(&place), 0);
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// How many processes have been told of a folder, or work in it.
fn processes_in(folder: &Path) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let folder = folder.to_str().unwrap();
    let is_there = |process: &Path| {
        let place = fs::read_link(process.join("cwd")).unwrap_or_default();
        let arguments = fs::read(process.join("cmdline")).unwrap_or_default();
        place.starts_with(folder) || String::from_utf8_lossy(&arguments).contains(folder)
    };
    processes.filter(|process| is_there(&process.path())).count()
}
