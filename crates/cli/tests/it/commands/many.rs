//! Commands on many keys, and on the audit trail as a whole.

use rstest::rstest;
use serde_json::{Value, json};

use super::Site;

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn many_keys_are_issued_verified_and_revoked(#[case] site: Site) {
    let cli = site.cli();
    let lines =
        "{\"owner\": \"a\", \"scopes\": [\"read\"]}\n\n{\"owner\": \"\"}\n{\"owner\": \"b\"}\n";
    let issued = cli.clone().stdin(lines).run(&["keys", "issue-many", "--json"]);
    assert_eq!(issued.code, 1, "one of them is refused");
    let results: Vec<Value> =
        issued.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let done: Vec<_> = results.iter().map(|result| result["done"] == true).collect();
    assert_eq!(done, [true, false, true]);
    let secret = |place: usize| results[place]["secret"].as_str().unwrap().to_owned();
    let id = |place: usize| results[place]["key"]["id"].as_str().unwrap().to_owned();

    let secrets = format!("{}\n{}\n", secret(0), secret(2));
    let verified = cli.clone().stdin(&secrets).run(&["verify", "--many", "--scope", "read"]);
    assert_eq!(verified.code, 1);
    let expected =
        format!("{}\ninsufficient_scope the API key lacks a scope that is needed\n", id(0));
    assert_eq!(verified.stdout, expected);

    let revoked = cli.run(&["keys", "revoke-many", &id(0), &id(2), "--reason", "gone"]);
    assert_eq!((revoked.code, revoked.stdout), (0, format!("{}\n{}\n", id(0), id(2))));
    let again = cli.run(&["keys", "revoke-many", &id(0)]);
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (1, "already_revoked the key is already revoked\n")
    );
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn the_trail_is_counted_told_more_and_erased(#[case] site: Site) {
    let cli = site.cli();
    let issue = ["keys", "issue", "--owner", "ann", "--audit-metadata", r#"{"ticket": 7}"#];
    let issued = cli.json(&issue);
    let id = issued["key"]["id"].as_str().unwrap();
    let events = cli.json(&["audit", "list", "--owner", "ann"]);
    assert_eq!(events["data"][0]["metadata"], json!({"ticket": 7}));
    cli.done(&["keys", "disable", id]);
    let summary = cli.json(&["audit", "summary", "--owner", "ann"]);
    assert_eq!(summary["by_action"], json!({"key.issued": 1, "key.disabled": 1}));
    assert_eq!(cli.run(&["audit", "erase"]).code, 1, "everything is never erased");
    assert_eq!(cli.json(&["audit", "erase", "--of-key", id]), json!({"erased": 2}));
    assert_eq!(cli.json(&["audit", "summary", "--owner", "ann"])["total"], 0);
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn keys_are_touched_invalidated_and_found_by_tags(#[case] site: Site) {
    let cli = site.cli();
    let issue = |tags: &[&str]| {
        let issued = cli.json(&[&["keys", "issue", "--owner", "o"][..], tags].concat());
        issued["key"]["id"].as_str().unwrap().to_owned()
    };
    let (both, one) = (issue(&["--tag", "x", "--tag", "y"]), issue(&["--tag", "y"]));
    assert!(cli.json(&["keys", "touch", &both])["last_used_at"].is_string());
    cli.done(&["keys", "invalidate", &both]);
    let found = |arguments: &[&str]| {
        let page = cli.json(&[&["keys", "list"][..], arguments].concat());
        let ids = page["data"].as_array().unwrap().iter();
        let mut ids: Vec<_> = ids.map(|k| k["id"].as_str().unwrap().to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    let mut all = vec![both.clone(), one];
    all.sort_unstable();
    assert_eq!(found(&["--tag", "x", "--tag", "y"]), all);
    assert_eq!(found(&["--tag", "x", "--tag", "y", "--all-tags"]), [both]);
}

#[test]
fn files_of_keys_that_are_no_json_are_named_by_their_line() {
    let site = Site::local();
    let ended = site.cli().stdin("{\"owner\": \"a\"}\nnonsense\n").run(&["keys", "issue-many"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (2, "keyward: line 2 is not JSON\n"));
    assert_eq!(site.cli().json(&["keys", "list"])["data"], json!([]), "nothing was issued");
}
