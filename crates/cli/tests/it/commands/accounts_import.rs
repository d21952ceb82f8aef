//! Files of service accounts from elsewhere: taken over before their keys, and handed out again.

use rstest::rstest;
use serde_json::{Value, json};

use super::Site;
use crate::harness::{Cli, Folder};

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn line(number: u32) -> String {
    let owner = format!("o{number}");
    json!({"id": id(number), "owner": owner, "client_secret": format!("{SECRET}{number}")})
        .to_string()
}

fn shown(cli: &Cli<'_>, number: u32) -> Value {
    cli.json(&["accounts", "show", &id(number)])
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn accounts_are_taken_over_and_doing_it_again_is_no_harm(#[case] site: Site) {
    let cli = site.cli();
    let lines: Vec<_> = (0..250).map(line).collect();
    let cli = cli.stdin(&lines.join("\n"));
    let ended = cli.run(&["accounts", "import"]);
    let told = "250 service accounts were taken over\n";
    assert_eq!((ended.code, ended.stdout.as_str()), (0, told), "{ended:?}");
    let again = cli.run(&["accounts", "import"]);
    let told = "0 service accounts were taken over, 250 are there already\n";
    assert_eq!((again.code, again.stdout.as_str(), again.stderr.as_str()), (0, told, ""));
    let rest = cli.json(&["accounts", "import", "--from-line", "250"]);
    assert_eq!(rest, json!({"imported": 0, "already_imported": 1, "failed": 0, "last_line": 250}));
    let events = cli.json(&["audit", "summary", "--action", "service_account.imported"]);
    assert_eq!(events["by_action"]["service_account.imported"], 250, "each is told once: {events}");
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn a_line_that_is_wrong_is_named_and_stops_nothing_unless_all_are_wanted(#[case] site: Site) {
    let cli = site.cli();
    let primary = |number: u32| {
        let secret = format!("{SECRET}{number}");
        json!({"id": id(number), "owner": "p", "client_secret": secret, "primary": true})
            .to_string()
    };
    let lines = [
        line(1),
        "nonsense".to_owned(),
        json!({"owner": "o", "client_secret": "geheim"}).to_string(),
        json!({"owner": "o", "hash": {"scheme": "fork4", "value": "x"}}).to_string(),
        json!({"owner": "o", "client_secret": SECRET, "keyspace": "default"}).to_string(),
        line(1),
        primary(2),
        primary(3),
    ];
    site.folder.write("accounts.jsonl", lines.join("\n"));
    let import = ["accounts", "import", "accounts.jsonl"];
    let dry = cli.run(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, 1);
    let told: Vec<_> = dry.stdout.lines().collect();
    assert_eq!(
        told,
        [
            "line 1: ok",
            "line 2: invalid_request: line must be a JSON object",
            "line 3: invalid_request: client_secret must be 22 to 512 characters of ASCII without spaces",
            "line 4: invalid_request: hash must be the hash of the whole secret",
            "line 5: invalid_request: keyspace is not a known field",
            "line 6: service_account_exists: a service account of that id exists",
            "line 7: ok",
            "line 8: invalid_request: primary must not be true: the owner has a primary account",
            "2 service accounts could be taken over, 6 are not acceptable",
        ]
    );
    let strict = cli.run(&[&import[..], &["--strict"]].concat());
    assert_eq!(strict.code, 1);
    assert_eq!(cli.json(&["accounts", "list"])["data"], json!([]), "nothing was written");
    let ended = cli.run(&import);
    assert_eq!(ended.stdout, "2 service accounts were taken over, 6 are not acceptable\n");
    assert_eq!(shown(&cli, 2)["primary"], true);
    for ended in [dry, strict, ended] {
        let told = ended.stdout + &ended.stderr;
        assert!(!told.contains("AAEC") && !told.contains("geheim"), "a secret is told");
    }
}

#[test]
fn what_comes_twice_in_a_long_file_is_told_before_anything_is_written() {
    let site = Site::local();
    let mut lines: Vec<_> = (0..150).map(line).collect();
    let primary = json!({"owner": "p", "client_secret": SECRET, "primary": true}).to_string();
    lines.insert(0, primary);
    lines.extend([
        line(7),
        json!({"owner": "p", "client_secret": format!("{SECRET}p"), "primary": true}).to_string(),
    ]);
    site.folder.write("accounts.jsonl", lines.join("\n"));
    let dry = site.cli().run(&["accounts", "import", "accounts.jsonl", "--dry-run"]);
    let why = "service_account_exists: a line before has the same id, client secret or hash, or is \
        the owner's primary one";
    let end = format!(
        "line 152: {why}\nline 153: {why}\n151 service accounts could be taken over, 2 are not acceptable\n"
    );
    assert!(dry.stdout.ends_with(&end), "{}", dry.stdout);
}

/// The table `sa_info`: of user 1 three accounts, the oldest of them deleted; of user 2 one.
const SA_INFO: &str = "id,user_id,client_secret,description,created_at,updated_at,created_by,updated_by,deleted_at,deleted_by
00000000-0000-4000-8000-000000000001,1,S1,Newer,2024-05-03 10:00:00.25,2024-06-01 00:00:00,key-manager-service,ops,,
00000000-0000-4000-8000-000000000002,1,S2,Gone,2024-05-01 10:00:00,2024-05-01 10:00:00,key-manager-service,,2024-07-01 00:00:00,ops
00000000-0000-4000-8000-000000000003,1,S3,Oldest,2024-05-03 10:00:00,2024-05-03 10:00:00,key-manager-service,,,
00000000-0000-4000-8000-000000000004,2,S4,,2024-05-04 10:00:00,2024-05-04 10:00:00,,,,
";

fn sa_info(folder: &Folder) {
    let table = (1..=4).fold(SA_INFO.to_owned(), |table, number| {
        table.replace(&format!(",S{number},"), &format!(",{SECRET}{number},"))
    });
    folder.write("sa_info.csv", table);
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn of_the_accounts_of_a_nestjs_user_the_oldest_that_lives_becomes_the_primary_one(
    #[case] site: Site,
) {
    let cli = site.cli();
    sa_info(&site.folder);
    let import =
        ["accounts", "import", "sa_info.csv", "--from", "nestjs", "--time-zone", "Europe/Berlin"];
    let ended = cli.run(&import);
    assert_eq!(
        (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
        (0, "4 service accounts were taken over\n", "")
    );
    assert_eq!(cli.done(&import), "0 service accounts were taken over, 4 are there already\n");
    let primary = [1, 2, 3, 4].map(|number| shown(&cli, number)["primary"].clone());
    assert_eq!(primary, [false, false, true, true]);
    let first = shown(&cli, 1);
    assert_eq!([&first["owner"], &first["description"]], ["1", "Newer"]);
    assert_eq!(
        [&first["created_at"], &first["created_by"]],
        ["2024-05-03T08:00:00.25Z", "key-manager-service"]
    );
    assert_eq!([&first["updated_at"], &first["updated_by"]], ["2024-05-31T22:00:00Z", "ops"]);
    let gone = shown(&cli, 2);
    assert_eq!([&gone["state"], &gone["deleted_by"]], ["deleted", "ops"]);
    assert_eq!(gone["deleted_at"], "2024-06-30T22:00:00Z");

    let keys =
        format!("id,name,client_id,api_key\n1,CI,{},{SECRET}\n2,None,{},{SECRET}\n", id(1), id(9));
    site.folder.write(
        "api_keys.csv",
        keys.replace(&format!("{SECRET}\n2"), &format!("{}\n2", SECRET.replace("AAEC", "BBEC"))),
    );
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    let create =
        ["keyspaces", "create", "old", "--format", "opaque", "--length", "44", "--alphabet"];
    cli.done(&[&create[..], &[alphabet]].concat());
    let import = ["keys", "import", "api_keys.csv", "--keyspace", "old", "--from", "nestjs"];
    let ended = cli.run(&import);
    assert_eq!(ended.stdout, "1 keys were taken over, 1 are not acceptable\n", "{ended:?}");
    let told = "keyward: line 3: invalid_request: service_account_id must be a service account\n";
    assert_eq!(ended.stderr, told);
    let key = cli.json(&["keys", "show", "1"]);
    assert_eq!([&key["owner"], &key["service_account_id"]], [&json!("1"), &json!(id(1))]);
}

#[test]
fn primary_accounts_of_a_nestjs_table_can_be_left_out_where_owners_have_one() {
    let site = Site::local();
    let cli = site.cli();
    sa_info(&site.folder);
    let standard = cli.run(&["accounts", "import", "--from", "nestjs", "--format", "csv"]);
    assert_eq!(standard.code, 2);
    assert!(standard.stderr.contains("they must be in a file"), "{standard:?}");

    cli.done(&["keyspaces", "create", "own", "--prefix", "own", "--service-account", "primary"]);
    cli.done(&["keys", "issue", "--owner", "1", "--keyspace", "own"]);
    let import = ["accounts", "import", "sa_info.csv", "--from", "nestjs"];
    let ended = cli.run(&import);
    assert_eq!(ended.stdout, "3 service accounts were taken over, 1 are not acceptable\n");
    let told = "keyward: line 4: invalid_request: primary must not be true: the owner has a primary account\n";
    assert_eq!(ended.stderr, told);
    let ended = cli.run(&[&import[..], &["--set", "primary=false"]].concat());
    let told = "1 service accounts were taken over, 3 are there already\n";
    assert_eq!((ended.code, ended.stdout.as_str()), (0, told), "{ended:?}");
    assert_eq!(shown(&cli, 3)["primary"], false);
}

#[rstest]
#[case::locally(Site::local(), Site::local())]
#[case::on_a_server(Site::remote(), Site::remote())]
fn accounts_and_their_keys_move_from_one_installation_to_another(
    #[case] here: Site,
    #[case] there: Site,
) {
    let cli = here.cli();
    let account = cli.json(&["accounts", "create", "--owner", "a", "--scope", "read"]);
    let account_id = account["client_id"].as_str().unwrap();
    let key = cli.json(&["keys", "issue", "--owner", "a", "--service-account", account_id]);
    let gone = cli.json(&["accounts", "create", "--owner", "b"]);
    cli.done(&["accounts", "delete", gone["client_id"].as_str().unwrap()]);
    let accounts = cli.done(&["accounts", "export"]);
    assert_eq!(accounts.lines().count(), 2);
    assert!(!accounts.contains("kwcs_"), "{accounts}");
    assert_eq!(cli.done(&["accounts", "export", "--owner", "nobody"]), "");
    let keys = cli.done(&["keys", "export"]);

    let other = there.cli();
    let early = other.clone().stdin(&keys).run(&["keys", "import"]);
    assert!(early.stderr.contains("service_account_id must be a service account"), "{early:?}");
    let with_accounts = other.clone().stdin(&accounts);
    let told = "2 service accounts were taken over\n";
    assert_eq!(with_accounts.done(&["accounts", "import"]), told);
    assert_eq!(other.clone().stdin(&keys).done(&["keys", "import"]), "1 keys were taken over\n");
    assert_eq!(other.done(&["accounts", "export"]), accounts);
    assert_eq!(other.done(&["keys", "export"]), keys);
    there.folder.write("client.secret", account["client_secret"].as_str().unwrap());
    let options = ["verify", "--client-id", account_id, "--client-secret-file", "client.secret"];
    other.done(&[&options[..], &[key["secret"].as_str().unwrap()]].concat());

    let alone = Site::local();
    let import = alone.cli().stdin(&keys).done(&["keys", "import", "--no-accounts"]);
    assert_eq!(import, "1 keys were taken over\n");
}
