use serde_json::{Value, json};

use super::*;

/// What becomes of a flow of one step.
fn made(step: &Value) -> Result<Value, Unfit> {
    let flow = json!({"name": "Flow", "description": "", "sections": [
        {"name": "Section", "steps": [step]}]});
    let flow = Box::leak(flow.to_string().into_boxed_str());
    let collection = collection_of(&[Part { document: crate::openapi(), flow }])?;
    Ok(collection["item"][0]["item"][0]["item"][0].clone())
}

fn script(item: &Value) -> String {
    let events = item["event"].as_array().unwrap();
    let test = events.iter().find(|event| event["listen"] == "test").unwrap();
    let lines = test["script"]["exec"].as_array().unwrap();
    lines.iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_step_that_the_document_does_not_know_makes_no_collection() {
    let refused = |call: &str, status: u16, body: Value| {
        let body = Some(body).filter(|body| !body.is_null());
        let mut step = json!({"step": "It is tried", "call": call, "status": status});
        if let Some(body) = body {
            step["body"] = body;
        }
        made(&step).unwrap_err().to_string()
    };
    let cases = [
        ("GET /v1/nothing", 200, Value::Null, "is not known"),
        ("PUT /v1/keys/{{key}}", 200, Value::Null, "is not known"),
        ("GET", 200, Value::Null, "is not known"),
        ("GET /v1/keys", 201, Value::Null, "does not answer 201"),
        ("GET /v1/keys?colour=red", 200, Value::Null, "takes no colour"),
        ("GET /v1/keys", 200, json!({}), "takes no body"),
    ];
    for (call, status, body, complaint) in cases {
        assert_eq!(refused(call, status, body), format!("It is tried: {call} {complaint}"));
    }
}

#[test]
fn what_is_misspelt_in_a_flow_makes_no_collection() {
    let step = json!({"step": "It is tried", "call": "GET /healthz", "status": 200, "expects": {}});
    assert!(made(&step).unwrap_err().to_string().contains("unknown field `expects`"));
    let step = json!({"step": "It is tried", "call": "GET /healthz", "status": 200,
        "expect": {"status": {"$equals": "ok"}}});
    assert_eq!(
        made(&step).unwrap_err().to_string(),
        "status: $equals is no rule, or not with this value"
    );
}

#[test]
fn a_wrong_query_may_be_sent_to_be_refused() {
    made(&json!({"step": "s", "call": "GET /v1/keys?colour=red", "status": 400})).unwrap();
}

#[test]
fn a_literal_path_is_not_taken_for_an_id() {
    let item = made(&json!({"step": "s", "call": "POST /v1/keys/reap", "status": 200,
        "body": {"older_than": "1d"}}));
    assert!(item.is_ok());
}

#[test]
fn a_step_is_a_request_with_tests_of_its_answer() {
    let item = made(&json!({"step": "A page", "call": "GET /v1/keys?owner=a%25&cursor={{next}}",
        "key": "", "wait": 5, "status": 200, "headers": {"x": "y"},
        "expect": {"data[].id": ["{{key}}"], ".": {"$has": 1}, "data.0.name": {"$absent": true}},
        "keep": {"next": "next_cursor"}}))
    .unwrap();
    assert_eq!(item["request"]["method"], "GET");
    assert_eq!(item["request"]["auth"]["type"], "noauth");
    assert_eq!(item["request"]["url"]["raw"], "{{base_url}}/v1/keys?owner=a%25&cursor={{next}}");
    let script = script(&item);
    for line in [
        r#"pm.test("the status is 200", () => pm.response.to.have.status(200));"#,
        r#"pm.expect(answer.data.map((item) => item.id)).to.eql(JSON.parse(pm.variables.replaceIn("[\"{{key}}\"]")))"#,
        r#"pm.test("the answer has 1", () => pm.expect(answer).to.include(1));"#,
        r"pm.expect(answer.data[0].name).to.eql(undefined)",
        r#"pm.expect(pm.response.headers.get("x")).to.eql("y")"#,
        r#"pm.collectionVariables.set("next", answer.next_cursor);"#,
    ] {
        assert!(script.contains(line), "{line} is not in\n{script}");
    }
    assert_eq!(item["event"][0]["listen"], "prerequest");
}

#[test]
fn each_run_has_a_name_of_its_own() {
    let item = made(&json!({"step": "s", "call": "GET /healthz", "status": 200})).unwrap();
    let before = item["event"][0]["script"]["exec"][0].as_str().unwrap();
    assert!(before.contains(r#"set("run", "#), "{before}");
}
