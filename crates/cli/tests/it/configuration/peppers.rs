//! Peppers: read from where the configuration says, and shown nowhere.

use rstest::rstest;
use serde_json::json;

use crate::harness::Folder;

const PEPPER: &str = "GEHEIM-1-0123456789-0123456789-0123456789";
const OTHER: &str = "GEHEIM-2-0123456789-0123456789-0123456789";

#[test]
fn keys_need_the_pepper_that_they_were_issued_under() {
    let folder = Folder::new();
    folder.write("one.pepper", format!("{PEPPER}\n"));
    folder.write("two.pepper", OTHER);
    let with_one = ["--pepper-file", "1=one.pepper"];
    let with_both = [&with_one[..], &["--pepper-file", "2=two.pepper"]].concat();
    let server = folder.serve_with(&with_one);
    let old = server.client().issue(&json!({"owner": "x"}));
    assert_eq!(server.client().verify(&old.secret), "valid");
    server.stop();

    let server = folder.serve_with(&with_both);
    let new = server.client().issue(&json!({"owner": "x"}));
    assert_eq!(server.client().verify(&old.secret), "valid");
    assert_eq!(server.client().verify(&new.secret), "valid");
    server.stop();

    for (flags, scheme) in [(&with_one[..], "hmac-sha256:v2"), (&[], "hmac-sha256:v")] {
        let ended = folder.cli().with(&["--listen", "127.0.0.1:0"]).with(flags).run(&["serve"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        assert!(ended.stderr.contains(scheme), "{ended:?}");
        assert!(ended.stderr.contains("that pepper or salt is not configured"), "{ended:?}");
        assert!(!ended.stderr.contains("GEHEIM"), "{ended:?}");
    }
    let server = folder.serve_with(&with_both);
    assert_eq!(server.client().verify(&old.secret), "valid");
}

#[test]
fn a_wrong_pepper_verifies_nothing() {
    let folder = Folder::new();
    folder.write("pepper", PEPPER);
    let server = folder.serve_with(&["--pepper-file", "1=pepper"]);
    let key = server.client().issue(&json!({"owner": "x"}));
    server.stop();
    folder.write("pepper", OTHER);
    let ended = folder.cli().with(&["--pepper-file", "1=pepper"]).run(&["verify", &key.secret]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stdout.contains("unknown"), "{ended:?}");
}

#[test]
fn a_pepper_by_value_is_the_same_as_by_file() {
    let folder = Folder::new();
    folder.write("pepper", format!("{PEPPER}\r\n"));
    let by_value = format!("[[peppers]]\nversion = 3\nvalue = \"{PEPPER}\"\n");
    folder.write("value.toml", by_value);
    folder.write("file.toml", "[[peppers]]\nversion = 3\nvalue_file = \"pepper\"\n");
    let value = folder.cli().with(&["--config", "value.toml"]);
    let issued = value.json(&["keys", "issue", "--owner", "x"]);
    let secret = issued["secret"].as_str().unwrap();
    assert_eq!(folder.cli().with(&["--config", "file.toml"]).run(&["verify", secret]).code, 0);
    let variable = folder.cli().env("KEYWARD_PEPPER_FILE", "3=pepper");
    assert_eq!(variable.run(&["verify", secret]).code, 0);

    let printed = value.done(&["config", "print"]);
    assert!(printed.contains("value = \"(hidden)\"") && !printed.contains("GEHEIM"), "{printed}");
    let printed = folder.cli().with(&["--config", "file.toml"]).done(&["config", "print"]);
    assert!(printed.contains("value_file = \"pepper\""), "{printed}");
}

#[rstest]
#[case::too_short("version = 1\nvalue = 'GEHEIM'", "pepper 1 is not usable: a pepper must be 32")]
#[case::no_value("version = 1", "pepper 1 is not usable: exactly one of value and value_file")]
#[case::two_values(
    "version = 1\nvalue_file = 'x'\nvalue = 'GEHEIM-0123456789-0123456789-0123456789'",
    "pepper 1 is not usable: exactly one of value and value_file"
)]
#[case::missing_file(
    "version = 1\nvalue_file = 'missing'",
    "pepper 1 is not usable: cannot read missing"
)]
#[case::given_twice(
    "version = 1\nvalue = 'GEHEIM-0123456789-0123456789-0123456789'\n\
     [[peppers]]\nversion = 1\nvalue = 'GEHEIM-0123456789-0123456789-012345678X'",
    "pepper 1 is not usable: it is given twice"
)]
#[case::as_version("version = 'GEHEIM'", "c.toml, line 2: version must be u16")]
#[case::as_number("version = 1\nvalue = 71234567", "c.toml, line 3: value must be a string")]
#[case::as_list("version = 1\nvalue = ['GEHEIM']", "c.toml, line 3: value must be a string")]
#[case::cut_off("version = 1\nvalue = 'GEHEIM", "c.toml, line 3: ")]
#[case::bare("version = 1\nvalue = GEHEIM", "c.toml, line 3: ")]
fn a_pepper_that_cannot_be_used_is_refused_and_not_shown(
    #[case] fields: &str,
    #[case] complaint: &str,
) {
    let folder = Folder::new();
    folder.write("c.toml", format!("[[peppers]]\n{fields}\n"));
    for command in [&["config", "check"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let ended = folder.cli().with(&["--config", "c.toml"]).run(command);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        assert!(ended.stderr.starts_with(&format!("keyward: {complaint}")), "{ended:?}");
        assert!(!ended.stderr.contains("GEHEIM"), "{ended:?}");
        assert!(!ended.stderr.contains("71234567"), "{ended:?}");
    }
}

#[test]
fn peppers_in_place_of_their_list_are_not_shown() {
    let folder = Folder::new();
    folder.write("c.toml", format!("peppers = [\"{PEPPER}\"]\n"));
    let ended = folder.cli().run(&["config", "check", "--config", "c.toml"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("line 1") && !ended.stderr.contains("GEHEIM"), "{ended:?}");
}
