//! The Postman collection: as it was written down, complete, and without secrets.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/keyward.postman_collection.json")
}

fn collection() -> Value {
    keyward_http::postman::collection().unwrap()
}

/// Every request below an item.
fn requests(item: &Value) -> Vec<&Value> {
    match item["item"].as_array() {
        Some(items) => items.iter().flat_map(requests).collect(),
        None => vec![item],
    }
}

fn folder<'a>(collection: &'a Value, name: &str) -> &'a Value {
    let folders = collection["item"].as_array().unwrap();
    folders.iter().find(|folder| folder["name"] == name).unwrap()
}

#[test]
fn the_collection_is_the_one_that_was_written_down() {
    let written: Value = serde_json::from_slice(&fs::read(path()).unwrap()).unwrap();
    let help = "run the test `writes_the_collection`, which is ignored";
    assert!(collection() == written, "the collection is not that of the code: {help}");
}

#[test]
#[ignore = "writes docs/keyward.postman_collection.json anew"]
fn writes_the_collection() {
    fs::write(path(), format!("{:#}\n", collection())).unwrap();
}

#[test]
fn every_operation_is_in_the_reference() {
    let collection = collection();
    let documents = [keyward_http::openapi(), keyward_http::nestjs::openapi()]
        .map(|document| serde_json::to_value(document).unwrap());
    let paths = documents.iter().flat_map(|document| document["paths"].as_object().unwrap());
    let expected = paths.flat_map(|(path, methods)| {
        let path = path.replace('{', ":").replace('}', "");
        methods
            .as_object()
            .unwrap()
            .keys()
            .map(move |name| format!("{} {path}", name.to_uppercase()))
    });
    let mut expected: Vec<_> = expected.collect();
    let found = requests(folder(&collection, "Reference")).into_iter().map(|item| {
        let path = item["request"]["url"]["path"].as_array().unwrap();
        let path: Vec<_> = path.iter().map(|part| part.as_str().unwrap()).collect();
        format!("{} /{}", item["request"]["method"].as_str().unwrap(), path.join("/"))
    });
    let mut found: Vec<_> = found.collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn every_request_has_a_name_and_tests_its_answer() {
    let collection = collection();
    for item in requests(&collection) {
        let tests = item["event"].to_string().matches("pm.test(").count();
        assert!(tests >= 1, "{item:#}");
        assert!(item["name"].as_str().is_some_and(|name| !name.is_empty()));
    }
    for (name, tests) in [("Flow", 500), ("Flow of the NestJS routes", 120)] {
        let flow = folder(&collection, name).to_string();
        assert!(flow.matches("pm.test(").count() > tests, "{name}");
    }
}

#[test]
fn no_secret_is_written_down() {
    // How a key and a client secret begin may be told.
    let text = collection().to_string().replace("^kwcs_", "").replace("^kw_nest_", "");
    for mark in ["kw_", "kwcs_", "kwm_", "Bearer "] {
        assert!(!text.contains(mark), "{mark}");
    }
}
