//! `./dev cluster`, as somebody runs it who wants to try it out.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;

use crate::harness::{Client, Folder, program, wait_for};

#[rstest]
#[case::over_postgres(&[])]
#[case::over_sqlite(&["--sqlite"])]
fn a_cluster_can_be_tried_and_leaves_nothing_behind(#[case] arguments: &[&str]) {
    let folder = Folder::new();
    let printed = fs::File::create(folder.file("printed")).unwrap();
    let mut dev = Command::new(root().join("dev"));
    dev.arg("cluster").args(arguments).env("KEYWARD_BUILT", built());
    dev.stdin(Stdio::null()).stderr(printed.try_clone().unwrap()).stdout(printed);
    // As in a terminal, where Ctrl-C reaches all of them at once.
    let mut dev = dev.process_group(0).spawn().unwrap();
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
    let balancer = address_in(&told("balancer").unwrap());
    let servers = ["PostgreSQL", "Redis"].into_iter().filter_map(told);
    let servers: Vec<_> = servers.map(|url| address_in(&url)).collect();
    assert_eq!(servers.len(), if arguments.is_empty() { 2 } else { 0 });
    assert_ne!(processes_in(&place), 0);

    // One after the other at each of the nodes.
    let mut client = Client::new(balancer, fs::read_to_string(root_key).unwrap().trim());
    let key = client.issue(&json!({"owner": "me"}));
    for _ in 0..6 {
        assert_eq!(client.verify(&key.secret), "valid");
    }

    kill_process_group(Pid::from_child(&dev), Signal::INT).unwrap();
    let status = wait_for("the cluster to stop", || ended(&mut dev));
    assert!(status.success(), "{}", folder.read("printed"));
    assert!(!place.exists());
    assert_eq!(processes_in(&place), 0);
    for server in servers.iter().chain([&balancer]) {
        assert!(TcpStream::connect(server).is_err(), "{server} still listens");
    }
}

/// The folder with the programs that were built for tests; `./dev cluster` would build them for itself.
fn built() -> &'static Path {
    let built = program().parent().unwrap();
    if !built.join("examples/cluster").exists() {
        let arguments = ["build", "--locked", "--package", "keyward-cli", "--example", "cluster"];
        let status = Command::new(env!("CARGO")).args(arguments).current_dir(root()).status();
        assert!(status.unwrap().success());
    }
    built
}

/// The address in a URL with a path behind it, or without.
fn address_in(url: &str) -> SocketAddr {
    let (_, rest) = url.split_once("://").unwrap();
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    place.split('/').next().unwrap().parse().unwrap()
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
