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
    let (collection, document) = (collection(), keyward_http::openapi());
    let document = serde_json::to_value(document).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let expected = paths.iter().flat_map(|(path, methods)| {
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
fn every_request_tests_its_answer_and_has_a_name_of_its_own() {
    let collection = collection();
    for item in requests(&collection) {
        let tests = item["event"].to_string().matches("pm.test(").count();
        assert!(tests >= 1, "{item:#}");
        assert!(item["name"].as_str().is_some_and(|name| !name.is_empty()));
    }
    let flow = folder(&collection, "Flow").to_string();
    assert!(flow.matches("pm.test(").count() > 400);
}

#[test]
fn no_secret_is_written_down() {
    let text = collection().to_string();
    for mark in ["kw_", "kwm_", "Bearer "] {
        assert!(!text.contains(mark), "{mark}");
    }
    // The one place where client secrets are named tells how they begin.
    assert_eq!(text.matches("kwcs_").count(), text.matches("^kwcs_").count());
}
