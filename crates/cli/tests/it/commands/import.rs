//! Files of keys from elsewhere: read line by line, taken over, and handed out again.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::Site;
use crate::harness::{Cli, Dice, Folder, bare, wait_for};

/// The secret of one key, and its SHA-256 by another program.
const SECRET: &str = "sk_abcdefghijklmnopqrstuvwxyz012345";
const HEX: &str = "0baab64084148b95b7279ba1ab61a7f1f61a26620975e405a5c21ac9c154414a";

/// A keyspace for secrets of the form `sk_` and 32 letters and digits.
fn make_keyspace(cli: &Cli<'_>) {
    cli.done(&["keyspaces", "create", "old", "--format", "opaque", "--prefix", "sk"]);
}

fn hashed(id: &str, number: u64) -> String {
    let hash = json!({"scheme": "sha256-hex", "value": format!("{number:064x}")});
    json!({"owner": "a", "id": id, "hash": hash}).to_string()
}

fn ids(cli: &Cli<'_>) -> Vec<String> {
    let exported = cli.done(&["keys", "export"]);
    let id = |line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    exported.lines().map(id).collect()
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn keys_from_elsewhere_are_taken_over_and_doing_it_again_is_no_harm(#[case] site: Site) {
    let cli = site.cli();
    make_keyspace(&cli);
    let mut lines: Vec<_> = (0..250).map(|n| hashed(&format!("k{n}"), n)).collect();
    lines.insert(120, json!({"owner": "a", "secret": SECRET}).to_string());
    let cli = cli.stdin(&lines.join("\n"));
    let import = ["keys", "import", "--keyspace", "old"];
    let ended = cli.run(&import);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "251 keys were taken over\n"), "{ended:?}");
    assert_eq!(cli.run(&["verify", SECRET]).code, 0);
    let again = cli.run(&import);
    let told = "0 keys were taken over, 251 are there already\n";
    assert_eq!((again.code, again.stdout.as_str(), again.stderr.as_str()), (0, told, ""));
    let rest = cli.json(&["keys", "import", "--keyspace", "old", "--from-line", "250"]);
    assert_eq!(rest, json!({"imported": 0, "already_imported": 2, "failed": 0, "last_line": 251}));
}

const MALFORMED: &[(&str, &str)] = &[
    ("nonsense", "line must be a JSON object"),
    ("[]", "line must be a JSON object"),
    ("{\"owner\": \"a\"", "line must be a JSON object"),
    ("{\"owner\": \"a\"}", "secret must be given, or else hash or jwk, and one of them alone"),
    ("{\"owner\": \"\", \"secret\": \"SECRET\"}", "owner must be 1 to 256 characters long"),
    (
        "{\"owner\": \"a\", \"secret\": \"SECRET-\"}",
        "secret must have the form of its keyspace's secrets",
    ),
    ("{\"owner\": \"a\", \"secret\": \"SECRET\", \"x\": 1}", "x is not a known field"),
    (
        "{\"owner\": \"a\", \"secret\": \"SECRET\", \"expires_at\": \"tomorrow\"}",
        "expires_at must be an instant",
    ),
    ("{\"owner\": \"a\", \"hash\": \"00\"}", "hash.scheme must be given, or else --scheme"),
];

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn a_malformed_line_is_named_and_stops_nothing_unless_all_are_wanted(#[case] site: Site) {
    let cli = site.cli();
    make_keyspace(&cli);
    let good = json!({"owner": "a", "secret": SECRET}).to_string();
    let bad = MALFORMED.iter().map(|(line, _)| line.replace("SECRET", SECRET));
    let mut lines: Vec<_> = bad.collect();
    lines.extend([String::new(), "é".repeat(40_000), good.clone(), good.clone()]);
    site.folder.write("keys.jsonl", lines.join("\n"));
    site.folder.write("good.jsonl", good);
    let import = ["keys", "import", "keys.jsonl", "--keyspace", "old"];

    let dry = cli.run(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, 1);
    let told: Vec<_> = dry.stdout.lines().collect();
    for ((_, rule), (line, told)) in MALFORMED.iter().zip((1..).zip(&told)) {
        assert!(told.starts_with(&format!("line {line}: invalid_request: {rule}")), "{told}");
    }
    assert_eq!(
        told.get(MALFORMED.len()..).unwrap(),
        [
            "line 11: invalid_request: line must be at most 60 KiB long",
            "line 12: ok",
            "line 13: key_exists: a key of that id or digest exists",
            "1 keys could be taken over, 11 are not acceptable",
        ]
    );
    assert_eq!(cli.run(&["verify", SECRET]).code, 1, "nothing was written");

    let strict = cli.run(&[&import[..], &["--strict"]].concat());
    assert_eq!(strict.code, 1);
    assert!(strict.stdout.contains("and none was, 11 are not"), "{}", strict.stdout);
    assert_eq!(cli.run(&["verify", SECRET]).code, 1, "nothing was written");

    let ended = cli.run(&import);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (1, "1 keys were taken over, 11 are not acceptable\n")
    );
    let told = ended.stderr.lines().filter(|line| line.starts_with("keyward: line "));
    assert_eq!(told.count(), 11);
    assert_eq!(cli.run(&["verify", SECRET]).code, 0);
    let as_json = cli.run(&[&import[..], &["--json"]].concat());
    let first: Value = serde_json::from_str(as_json.stdout.lines().next().unwrap()).unwrap();
    assert_eq!([&first["line"], &first["code"]], [&json!(1), &json!("invalid_request")]);
    for ended in [dry, strict, ended, as_json] {
        assert!(!(ended.stdout + &ended.stderr).contains("sk_abc"), "a secret is told");
    }
    let strict = ["keys", "import", "good.jsonl", "--keyspace", "old", "--strict"];
    assert_eq!(cli.done(&strict), "0 keys were taken over, 1 are there already\n");
}

#[test]
fn what_comes_twice_in_a_file_is_told_before_anything_is_written() {
    let folder = Folder::new();
    let cli = folder.cli();
    make_keyspace(&cli);
    let mut lines: Vec<_> = (0..150).map(|n| hashed(&format!("k{n}"), n)).collect();
    lines.extend([hashed("k3", 1_000), hashed("other", 4), hashed("last", 5_000)]);
    let file = folder.write("keys.jsonl", lines.join("\n"));
    let import = ["keys", "import", file.to_str().unwrap(), "--keyspace", "old"];
    let dry = cli.run(&[&import[..], &["--dry-run"]].concat());
    let told = "line 151: key_exists: a line before has the same id, secret or hash\n\
        line 152: key_exists: a line before has the same id, secret or hash\nline 153: ok\n\
        151 keys could be taken over, 2 are not acceptable\n";
    assert!(dry.stdout.ends_with(told), "{}", dry.stdout);
    let strict = cli.run(&[&import[..], &["--strict"]].concat());
    assert_eq!((strict.code, ids(&cli).len()), (1, 0));
    let ended = cli.run(&import);
    assert_eq!(ended.stdout, "151 keys were taken over, 2 are not acceptable\n");
    let told = "keyward: line 151: key_exists: a key of that id or digest exists\n";
    assert!(ended.stderr.starts_with(told), "{}", ended.stderr);
}

#[test]
fn a_call_that_cannot_be_done_is_told() {
    let site = Site::local();
    let cli = site.cli();
    let import = |arguments: &[&str]| cli.run(&[&["keys", "import"], arguments].concat());
    for (arguments, told) in [
        (&["none.jsonl"][..], "cannot read none.jsonl"),
        (&["--strict"], "--strict reads the keys twice"),
        (&["--map", "owner"], "--map must be given as FIELD=…"),
        (&["--set", "rights=root"], "--set must be given as FIELD=…"),
        (&["--time-zone", "Nowhere/Else"], "--time-zone must be a name"),
    ] {
        let ended = import(arguments);
        assert_eq!(ended.code, 2, "{arguments:?} {ended:?}");
        assert!(ended.stderr.contains(told), "{}", ended.stderr);
    }
    let nowhere = cli.clone().stdin(&hashed("a", 1)).run(&["keys", "import"]);
    assert!(
        nowhere.stderr.contains("line 1: invalid_request: keyspace must be given"),
        "{nowhere:?}"
    );
    let refused = cli.clone().stdin(&hashed("a", 1)).run(&["keys", "import", "--keyspace", "none"]);
    assert!(refused.stderr.contains("keyspace must name a keyspace"), "{refused:?}");
}

/// What a source's own program wrote, and the secrets of its keys.
struct Export {
    keyspace: &'static [&'static str],
    from: &'static [&'static str],
    file: (&'static str, String),
    secrets: &'static [(&'static str, i32)],
    expected: Value,
}

fn keypal() -> Export {
    let hash = "c084fd5aaf659bd504a731df2fc2a7b9fcea28bda1f4d6fd2f7e8709b0a1a8ed";
    let record = json!({"id": "V1StGXR8_Z5jdHi6B-myT", "keyHash": hash, "metadata": {
        "ownerId": "user_1", "name": "CI", "description": null, "scopes": ["read"],
        "resources": {"project:1": ["write"]}, "tags": ["ci"], "createdAt": "2024-05-01T10:00:00.000Z",
        "expiresAt": "2099-12-31", "enabled": true, "revokedAt": null, "lastUsedAt": null}});
    Export {
        keyspace: &["--format", "opaque", "--prefix", "sk"],
        from: &["--from", "keypal", "--scheme", "keypal-salted-sha256"],
        file: ("keys.jsonl", record.to_string()),
        secrets: &[(SECRET, 0), ("sk_abcdefghijklmnopqrstuvwxyz012346", 1)],
        expected: json!({"id": "V1StGXR8_Z5jdHi6B-myT", "owner": "user_1", "name": "CI", "scopes": ["read"],
            "resources": {"project:1": ["write"]}, "tags": ["ci"], "created_at": "2024-05-01T10:00:00Z",
            "expires_at": "2099-12-31T00:00:00Z"}),
    }
}

fn seam() -> Export {
    // Quoted, with line breaks of the other kind.
    let rows = "short_token,long_token_hash,user_id,name,scopes,created_at,revoked_at\r\n\
        SPs5scUr,6bad2b7c5e31825a27e64dac43b40f95234e111c108003bca5e491d21cc339c6,7,\"CI, \"\"1\"\"\",\"{read,write}\",\
        2024-05-01 10:00:00.5+02,\r\n\
        MF84evoH,3794ce5e95a3ebaec5d16477c85e43c8867de00c89f36695c401d50f116df149,8,,,,2024-06-01 00:00:00\r\n";
    Export {
        keyspace: &["--profile", "seam", "--prefix", "mycompany"],
        from: &["--from", "seam"],
        file: ("keys.csv", rows.to_owned()),
        secrets: &[
            ("mycompany_SPs5scUr_KuyX1vjVVRufcyyywy4tDbpt", 0),
            ("mycompany_SPs5scUr_KuyX1vjVVRufcyyywy4tDbpu", 1),
            ("mycompany_MF84evoH_M5GfNSGFs765i2cHMK3CvbNc", 1),
        ],
        expected: json!({"id": "SPs5scUr", "owner": "7", "name": "CI, \"1\"", "scopes": ["read", "write"],
            "created_at": "2024-05-01T08:00:00.5Z"}),
    }
}

fn fork4() -> Export {
    let row = json!({"keyId": "AWJUVYy32sr", "secretHash": "DM6c7XxyMdgMHxLHxabFM8CcPGr8zMzXFimrpD7BGqXP", "userId": 3});
    Export {
        keyspace: &["--profile", "fork4", "--prefix", "mycompany"],
        from: &["--from", "fork4"],
        file: ("keys.jsonl", row.to_string()),
        secrets: &[("mycompany_AWJUVYy32sr_6DpKuTnWik75MBLuwL4HLa", 0)],
        expected: json!({"id": "AWJUVYy32sr", "owner": "3"}),
    }
}

fn nestjs() -> Export {
    let rows = "id,name,client_id,api_key,expiry_date,is_active,created_at,description,deleted_at,user_id,client_secret\n\
        1,CI,0b6f1b0e-8a61-4b0e-9a53-0d2f7b9f3c11,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,2099-07-01 12:00:00,t,2024-05-01 10:00:00,,,42,hush\n\
        2,Off,0b6f1b0e-8a61-4b0e-9a53-0d2f7b9f3c11,AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,2099-07-01 12:00:00,f,2024-05-01 10:00:00,,,42,hush\n\
        3,Gone,0b6f1b0e-8a61-4b0e-9a53-0d2f7b9f3c11,AgECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,2099-07-01 12:00:00,t,2024-05-01 10:00:00,,2024-06-01 00:00:00,42,hush\n";
    Export {
        keyspace: &[
            "--format",
            "opaque",
            "--length",
            "44",
            "--alphabet",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=",
        ],
        from: &["--from", "nestjs", "--time-zone", "Europe/Berlin", "--no-accounts"],
        file: ("keys.csv", rows.to_owned()),
        secrets: &[
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 0),
            ("AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 1),
            ("AgECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 1),
        ],
        expected: json!({"id": "1", "owner": "42", "name": "CI", "expires_at": "2099-07-01T10:00:00Z",
            "created_at": "2024-05-01T08:00:00Z", "enabled": true,
            "metadata": {"client_id": "0b6f1b0e-8a61-4b0e-9a53-0d2f7b9f3c11"}}),
    }
}

fn sanctum() -> Export {
    let hash = "8633d518efa524558231aa0d7c82219d57d03f16b36f87b64b0119059f5337f3";
    let row = json!({"id": 17, "tokenable_type": "App\\Models\\User", "tokenable_id": 5, "name": "phone", "token": hash,
        "abilities": "[\"posts:read\",\"posts:write\"]", "last_used_at": null, "expires_at": null,
        "created_at": "2024-05-01 10:00:00", "updated_at": "2024-05-01 10:00:00"});
    Export {
        keyspace: &["--format", "opaque", "--length", "40"],
        from: &["--from", "sanctum", "--id-prefix", "laravel-"],
        file: ("keys.jsonl", row.to_string()),
        secrets: &[
            ("17|abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN12345678", 0),
            ("18|abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN12345678", 1),
            ("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN12345678", 1),
        ],
        expected: json!({"id": "laravel-17", "owner": "User:5", "name": "phone", "scopes": ["posts:read", "posts:write"]}),
    }
}

#[rstest]
#[case(keypal())]
#[case(seam())]
#[case(fork4())]
#[case(nestjs())]
#[case(sanctum())]
fn the_export_of_another_system_is_read_as_it_is(#[case] export: Export) {
    let folder = Folder::new();
    folder.write("keyward.toml", "[[keypal_salts]]\nversion = 1\nvalue = \"pepper & salt\"\n");
    let cli = folder.cli().with(&["--config", "keyward.toml"]);
    cli.done(&[&["keyspaces", "create", "theirs"], export.keyspace].concat());
    folder.write(export.file.0, &export.file.1);
    let import = [&["keys", "import", export.file.0, "--keyspace", "theirs"], export.from].concat();
    let ended = cli.run(&import);
    assert_eq!(ended.code, 0, "{ended:?}");
    let shown = cli.json(&["keys", "show", "--", export.expected["id"].as_str().unwrap()]);
    for (field, expected) in export.expected.as_object().unwrap() {
        assert_eq!(&shown[field], expected, "{field}");
    }
    for (secret, code) in export.secrets {
        assert_eq!(cli.run(&["verify", secret]).code, *code, "{secret}");
        assert!(!(ended.stdout.clone() + &ended.stderr).contains(secret));
    }
}

#[rstest]
#[case::no_header(&["keys.csv"], "sk_1,ann\nsk_2,bob\n", "column 1 is no known field")]
#[case::no_header_of_others(&["keys.csv", "--from", "nestjs"], "sk_1,ann\nsk_2,bob\n", "the first line must name the columns")]
#[case::no_such_column(&["keys.csv", "--map", "owner=who"], "secret,whom\nsk_1,ann\n", "--map: there is no column who")]
#[case::an_open_quote(&["keys.csv"], &format!("secret,owner\nsk_1,\"ann\n{}", "sk_2,bob\n".repeat(200_000)), "is a quotation mark not closed?")]
fn a_table_that_is_none_is_refused_and_nothing_of_it_is_told(
    #[case] arguments: &[&str],
    #[case] table: &str,
    #[case] told: &str,
) {
    let folder = Folder::new();
    let cli = folder.cli();
    make_keyspace(&cli);
    folder.write("keys.csv", table);
    let ended = cli.run(&[&["keys", "import", "--keyspace", "old"], arguments].concat());
    assert!(ended.code >= 2 && ended.stderr.contains(told), "{ended:?}");
    assert!(!(ended.stdout + &ended.stderr).contains("sk_"), "a secret is told");
}

#[rstest]
fn a_row_that_is_cut_off_is_no_key_and_columns_without_a_meaning_are_told(
    #[values("\n", "\r\n")] end: &str,
) {
    let folder = Folder::new();
    let cli = folder.cli();
    cli.done(&["keyspaces", "create", "old", "--profile", "seam", "--prefix", "mycompany"]);
    let hash = "6bad2b7c5e31825a27e64dac43b40f95234e111c108003bca5e491d21cc339c6";
    let rows = [
        "short_token,long_token_hash,user_id,is_revoked,revoked_at",
        &format!("SPs5scUr,{hash},7,yes"),
    ];
    folder.write("keys.csv", rows.join(end));
    let ended = cli.run(&["keys", "import", "keys.csv", "--keyspace", "old", "--from", "seam"]);
    assert_eq!((ended.code, ids(&cli).len()), (1, 0), "what was revoked would live again");
    assert!(ended.stderr.contains("columns that are not used: is_revoked"), "{}", ended.stderr);
    assert!(ended.stderr.contains("line 2: invalid_request: line must have as many columns"));
}

#[test]
fn a_line_for_a_keyspace_that_cannot_be_stops_nothing() {
    let folder = Folder::new();
    let cli = folder.cli();
    make_keyspace(&cli);
    let bad = json!({"owner": "a", "keyspace": "No!", "secret": SECRET}).to_string();
    let lines = [bad, hashed("a", 1), hashed("b", 2)].join("\n");
    let ended =
        cli.stdin(&format!("\u{feff}{lines}")).run(&["keys", "import", "--keyspace", "old"]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (1, "2 keys were taken over, 1 are not acceptable\n")
    );
    assert!(
        ended.stderr.contains("line 1: invalid_request: keyspace must consist of"),
        "{ended:?}"
    );
}

#[test]
fn the_columns_of_any_file_can_be_named() {
    let folder = Folder::new();
    let cli = folder.cli();
    make_keyspace(&cli);
    folder.write("keys.csv", format!("key,who,labels,active\n{HEX},ann,\"x;y\",no\n"));
    let import = "keys import keys.csv --keyspace old --scheme sha256-hex --map hash=key --map owner=who \
        --map tags=labels --map enabled=active --set name=moved --set scopes=read";
    cli.done(&import.split_whitespace().collect::<Vec<_>>());
    let listed = cli.json(&["keys", "list", "--owner", "ann"]);
    let key = &listed["data"][0];
    assert_eq!([&key["name"], &key["enabled"]], [&json!("moved"), &json!(false)]);
    assert_eq!([&key["tags"], &key["scopes"]], [&json!(["x", "y"]), &json!(["read"])]);
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_was() {
    const KEYS: u64 = 3_000;
    let folder = Folder::new();
    let cli = folder.cli();
    make_keyspace(&cli);
    let lines: Vec<_> = (0..KEYS).map(|n| hashed(&format!("k{n}"), n)).collect();
    folder.write("keys.jsonl", lines.join("\n"));
    let import = ["keys", "import", "keys.jsonl", "--keyspace", "old"];
    let dice = Dice::new(4);
    let mut killed = 0;
    for _ in 0..8 {
        let mut child = bare(folder.path()).args(import).spawn().unwrap();
        let delay = u64::try_from(dice.roll(150)).unwrap();
        std::thread::sleep(Duration::from_millis(20 + delay));
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
    }
    assert!(killed > 0, "none was killed in time");
    let ended = cli.run(&import);
    assert_eq!(ended.code, 0, "{ended:?}");
    let mut found = ids(&cli);
    found.sort_unstable();
    let mut expected: Vec<_> = (0..KEYS).map(|n| format!("k{n}")).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let events = cli.json(&["audit", "summary", "--action", "key.imported"]);
    assert_eq!(events["by_action"]["key.imported"], KEYS, "each is told once: {events}");
}

#[test]
fn an_import_that_is_interrupted_says_where_to_go_on() {
    let folder = Folder::new();
    let cli = folder.cli();
    make_keyspace(&cli);
    let mut child = bare(folder.path())
        .args(["keys", "import", "--keyspace", "old"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<_> = (0..250).map(|n| hashed(&format!("k{n}"), n)).collect();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    // The end is still to come: two batches are sent, and it waits.
    wait_for("two batches", || (ids(&cli).len() == 200).then_some(()));
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.ends_with("after line 200, by a signal; go on with --from-line 201\n"), "{told}");
    drop(stdin);
    let rest = cli.stdin(&lines.join("\n"));
    let ended = rest.done(&["keys", "import", "--keyspace", "old", "--from-line", "201"]);
    assert_eq!(ended, "50 keys were taken over\n");
}

#[rstest]
#[case::locally(Site::local(), Site::local())]
#[case::on_a_server(Site::remote(), Site::remote())]
fn what_is_exported_can_be_taken_over_elsewhere(#[case] here: Site, #[case] there: Site) {
    for site in [&here, &there] {
        make_keyspace(&site.cli());
    }
    let cli = here.cli();
    let issue = |keyspace: &str| {
        let issued =
            cli.json(&["keys", "issue", "--owner", "a", "--keyspace", keyspace, "--scope", "read"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&issued["key"]["id"]), text(&issued["secret"]))
    };
    let [kept, gone] = ["default", "old"].map(issue);
    cli.done(&["keys", "delete", &gone.0]);
    let exported = cli.done(&["keys", "export"]);
    assert_eq!(exported.lines().count(), 2, "management keys stay");
    assert!(!exported.contains(&kept.1) && !exported.contains(&gone.1));
    let other = there.cli().stdin(&exported);
    assert_eq!(other.done(&["keys", "import"]), "2 keys were taken over\n");
    assert_eq!(other.done(&["keys", "export"]), exported);
    assert_eq!(other.run(&["verify", &kept.1]).code, 0);
    assert_eq!(other.run(&["verify", &gone.1]).code, 1);
    other.done(&["keys", "restore", &gone.0]);
    assert_eq!(other.run(&["verify", &gone.1]).code, 0);
    assert_eq!(cli.done(&["keys", "export", "--keyspace", "old", "--owner", "b"]), "");
}
