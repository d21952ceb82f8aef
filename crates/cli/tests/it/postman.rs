//! The Postman collection, run by newman against a running server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Folder, Server, interop};

/// A server, and a folder for what newman reads and writes.
struct World {
    folder: Folder,
    server: Server,
}

/// What newman tells of a run.
struct Run {
    code: Option<i32>,
    report: Value,
}

impl World {
    fn new() -> Self {
        let folder = Folder::new();
        let config = "[compat]\nnestjs = true\n[oauth]\nissuer = \"https://auth.example\"\n";
        folder.write("keyward.toml", config);
        let server = folder.serve_with(&["--config", "keyward.toml"]);
        Self { folder, server }
    }

    fn run(&self, collection: &Path, arguments: &[&str]) -> Run {
        let values = json!([
            {"key": "base_url", "value": self.server.url()},
            {"key": "management_key", "value": self.folder.root_key()},
        ]);
        let environment = json!({"name": "a server for this test", "values": values});
        // In a file: what stands on a command line is seen by every process.
        let environment = self.folder.write("environment.json", environment.to_string());
        let report = self.folder.file("report.json");
        let output = Command::new("node")
            .arg(interop().join("node_modules/newman/bin/newman.js"))
            .arg("run")
            .arg(collection)
            .arg("--environment")
            .arg(environment)
            .args(["--reporters", "cli,json", "--color", "off", "--timeout", "120000"])
            .arg("--reporter-json-export")
            .arg(&report)
            .args(arguments)
            .output()
            .unwrap_or_else(|error| panic!("Node 20 or newer is needed: {error}"));
        let text = fs::read_to_string(&report).unwrap_or_else(|error| {
            panic!("there is no report ({error}):\n{}", String::from_utf8_lossy(&output.stdout))
        });
        Run { code: output.status.code(), report: serde_json::from_str(&text).unwrap() }
    }
}

impl Run {
    fn count(&self, what: &str, which: &str) -> u64 {
        self.report["run"]["stats"][what][which].as_u64().unwrap()
    }

    /// Fails unless all that was tested is so.
    fn assert_passed(&self) {
        let failures = self.report["run"]["failures"].as_array().unwrap();
        let failures: Vec<_> = failures
            .iter()
            .map(|failure| {
                format!("{}: {}", failure["source"]["name"], failure["error"]["message"])
            })
            .collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        assert_eq!(self.code, Some(0));
    }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/keyward.postman_collection.json")
}

fn collection() -> Value {
    serde_json::from_slice(&fs::read(path()).unwrap()).unwrap()
}

fn requests(item: &Value) -> u64 {
    match item["item"].as_array() {
        Some(items) => items.iter().map(requests).sum(),
        None => 1,
    }
}

fn drop_requests(item: &mut Value, path: &str) {
    let Some(items) = item["item"].as_array_mut() else { return };
    let is_there =
        |item: &Value| item["request"]["url"]["raw"].as_str().is_some_and(|url| url.contains(path));
    items.retain(|item| !is_there(item));
    for item in items {
        drop_requests(item, path);
    }
}

/// The requests of a folder.
fn requests_of(collection: &Value, name: &str) -> u64 {
    let folders = collection["item"].as_array().unwrap();
    requests(folders.iter().find(|folder| folder["name"] == name).unwrap())
}

#[test]
fn the_whole_collection_runs_the_flows_and_all_that_they_test_is_so() {
    let world = World::new();
    let collection = collection();
    let (flow, nestjs) =
        (requests_of(&collection, "Flow"), requests_of(&collection, "Flow of the NestJS routes"));
    // Twice on the same server: what one run leaves behind is in no other's way.
    for (nestjs, expected, tests) in [("off", flow, 500), ("on", flow + nestjs, 650)] {
        let run = world.run(&path(), &["--env-var", &format!("nestjs={nestjs}")]);
        run.assert_passed();
        assert_eq!(run.count("requests", "total"), expected, "the reference is passed over");
        let tested = run.count("assertions", "total");
        assert!(tested >= tests, "{tested}");
        assert_eq!(run.count("assertions", "pending"), 0);
    }
}

#[test]
fn every_operation_of_the_reference_is_answered_as_documented() {
    let world = World::new();
    let mut collection = collection();
    // A stream has no end to wait for.
    drop_requests(&mut collection, "/v1/changes");
    let expected = requests_of(&collection, "Reference");
    let path = world.folder.write("collection.json", collection.to_string());
    let run = world.run(&path, &["--env-var", "reference=send", "--folder", "Reference"]);
    run.assert_passed();
    assert_eq!(run.count("requests", "total"), expected);
    assert_eq!(run.count("assertions", "total"), 2 * expected);
    let executions = run.report["run"]["executions"].as_array().unwrap();
    let codes = executions.iter().map(|execution| execution["response"]["code"].as_u64().unwrap());
    let (good, bad): (Vec<_>, Vec<_>) = codes.partition(|code| *code < 400);
    assert!(good.len() >= 20, "too many examples are refused: {good:?} and {bad:?}");
    assert!(bad.iter().all(|code| *code < 500), "{bad:?}");
}

#[test]
fn an_expectation_that_is_not_met_fails_the_run() {
    let world = World::new();
    let text = collection().to_string();
    let (met, unmet) = (r#"to.eql(\"expired\")"#, r#"to.eql(\"fresh\")"#);
    assert!(text.contains(met));
    let broken = world.folder.write("broken.json", text.replacen(met, unmet, 1));
    let run = world.run(&broken, &["--folder", "Flow"]);
    assert_eq!((run.code, run.count("assertions", "failed")), (Some(1), 1));
}
