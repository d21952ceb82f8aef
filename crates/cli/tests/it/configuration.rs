//! Where settings come from, and what is said of those that cannot be used.

mod database;
mod peppers;

use insta::assert_snapshot;
use rstest::rstest;

use crate::harness::{Cli, Folder};

/// A setting: its place in the file, its variable, its flag; then its default, and a value from each
/// source, the weakest first.
type Setting = ([&'static str; 2], &'static str, &'static str, [&'static str; 4]);

const SETTINGS: [Setting; 7] = [
    (
        ["database", "url"],
        "KEYWARD_DATABASE",
        "--database",
        ["sqlite:keyward.db", "sqlite:file.db", "sqlite:env.db", "memory:"],
    ),
    (
        ["server", "listen"],
        "KEYWARD_LISTEN",
        "--listen",
        ["127.0.0.1:8080", "127.0.0.1:1", "127.0.0.1:2", "[::1]:3"],
    ),
    (
        ["cache", "max_staleness"],
        "KEYWARD_MAX_STALENESS",
        "--max-staleness",
        ["1s", "2s", "250ms", "0s"],
    ),
    (
        ["cache", "capacity"],
        "KEYWARD_CACHE_CAPACITY",
        "--cache-capacity",
        ["100000", "1", "2", "3"],
    ),
    (
        ["usage", "interval"],
        "KEYWARD_USAGE_INTERVAL",
        "--usage-interval",
        ["10s", "2s", "3s", "4s"],
    ),
    (["log", "filter"], "KEYWARD_LOG", "--log", ["info", "debug", "warn", "keyward=trace"]),
    (["log", "format"], "KEYWARD_LOG_FORMAT", "--log-format", ["text", "json", "text", "json"]),
];

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    for ([section, field], variable, flag, [default, of_file, of_environment, of_flag]) in SETTINGS
    {
        let folder = Folder::new();
        let quoted = if of_file.parse::<u32>().is_ok() {
            of_file.to_owned()
        } else {
            format!("{of_file:?}")
        };
        folder.write("keyward.toml", format!("[{section}]\n{field} = {quoted}\n"));
        let print = |cli: &Cli<'_>| {
            let printed: toml::Table = cli.done(&["config", "print"]).parse().unwrap();
            let value = printed[section][field].clone();
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        };
        let cli = folder.cli();
        assert_eq!(print(&cli), default);
        let cli = cli.env("KEYWARD_CONFIG", "keyward.toml");
        assert_eq!(print(&cli), of_file);
        let cli = cli.env(variable, of_environment);
        assert_eq!(print(&cli), of_environment);
        assert_eq!(print(&cli.with(&[flag, of_flag])), of_flag);
    }
}

#[test]
fn settings_from_the_file_are_those_that_the_server_runs_with() {
    let folder = Folder::new();
    folder
        .write("keyward.toml", "[database]\nurl = \"sqlite:other.db\"\n[log]\nformat = \"json\"\n");
    let server = folder.serve_with(&["--config", "keyward.toml"]);
    assert!(folder.file("other.db").exists() && !folder.file("keyward.db").exists());
    let log = server.stop().stderr;
    assert!(log.lines().all(|line| line.starts_with('{')), "{log}");
}

#[test]
fn the_defaults_are_printed_as_a_file_that_can_be_used() {
    let folder = Folder::new();
    let printed = folder.cli().done(&["config", "print"]);
    assert_snapshot!(printed, @r#"
    peppers = []

    [server]
    listen = "127.0.0.1:8080"
    body_limit = 65536
    request_timeout = "30s"
    header_timeout = "30s"
    shutdown_timeout = "10s"
    most_connections = 10000
    most_streams = 1000

    [database]
    url = "sqlite:keyward.db"
    connect_timeout = "5s"
    statement_timeout = "5s"
    connections = 8

    [cache]
    capacity = 100000
    max_staleness = "1s"

    [usage]
    interval = "10s"
    tracking = true

    [audit]
    enabled = true

    [digests]
    upgrade = true

    [signed]
    max_age = "1m"
    ready_pairs = 64

    [signed.owner_limit]
    requests = 600
    per = "1m"

    [oauth]
    token_lifetime = "10m"
    algorithm = "RS256"
    rotate_every = "24h"

    [compat]
    japikey = false
    nestjs = false

    [log]
    filter = "info"
    format = "text"
    "#);
    folder.write("printed.toml", &printed);
    let again = folder.cli().done(&["config", "print", "--config", "printed.toml"]);
    assert_eq!(again, printed);
}

#[test]
fn keys_are_reaped_after_the_time_that_the_file_names() {
    let folder = Folder::new();
    folder.write("keyward.toml", "[reap]\nafter = '90d'\n");
    let printed = folder.cli().done(&["config", "print", "--config", "keyward.toml"]);
    assert!(printed.contains("\n[reap]\nafter = \"2160h\"\n"), "{printed}");
}

#[rstest]
#[case("[cash]\n", "c.toml, line 1: unknown field `cash`")]
#[case("[cache]\ncapactiy = 1\n", "c.toml, line 2: unknown field `capactiy`")]
#[case("[[peppers]]\nversion = 1\nvalu = 'x'\n", "c.toml, line 3: unknown field `valu`")]
#[case("[cache]\nmax_staleness = 'soon'\n", "c.toml, line 2: max_staleness must be a duration")]
#[case("[usage]\ninterval = '-1s'\n", "c.toml, line 2: interval must be a duration")]
#[case("[server]\nrequest_timeout = 5\n", "c.toml, line 2: request_timeout must be")]
#[case("[server]\nlisten = 'here'\n", "c.toml, line 2: listen must be an address and a port")]
#[case("[server]\nbody_limit = -1\n", "c.toml, line 2: body_limit must be")]
#[case("[server]\nmost_connections = 0\n", "c.toml, line 2: most_connections must be a nonzero")]
#[case("[database]\nurl = 'keyward.db'\n", "c.toml, line 2: url must be sqlite:PATH, postgres://")]
#[case("[database]\nurl_file = 'missing.url'\n", "cannot read missing.url")]
#[case("[database]\nreplica = 'db2'\n", "c.toml, line 2: replica must be a URL such as")]
#[case("[database]\nconnections = 0\n", "c.toml, line 2: connections must be a nonzero")]
#[case("[database.redis]\ndurability = 'no'\n", "c.toml, line 2: durability must be one of")]
#[case("[cache]\nshared = 'cache'\n", "c.toml, line 2: shared must be a URL such as")]
#[case("[cache]\nshared = 'redis://h'\n", "cache.shared needs a pepper")]
#[case("[reap]\nafter = 'soon'\n", "c.toml, line 2: after must be a duration")]
#[case("[reap]\nafter = '0s'\n", "c.toml, line 2: after must be between a millisecond")]
#[case("[reap]\nolder_than = '90d'\n", "c.toml, line 2: unknown field `older_than`")]
#[case(
    "[oauth]\ntoken_lifetime = '2h'\n",
    "c.toml, line 2: token_lifetime must be between a second"
)]
#[case("[oauth]\nrotate_every = '1m'\n", "c.toml, line 2: rotate_every must be between 10 minutes")]
#[case("[oauth]\nalgorithm = 'HS256'\n", "c.toml, line 2: algorithm must be one of `EdDSA`")]
#[case("[oauth]\nissuer = 'auth.example'\n", "c.toml, line 2: issuer must be an absolute URL")]
#[case("[oauth]\nkey = 'x'\n", "c.toml, line 2: unknown field `key`")]
#[case("[log]\nformat = 'xml'\n", "c.toml, line 2: format must be `json` or `text`")]
#[case("[log]\nfilter = '=='\n", "log.filter must be a level or a list of target=level")]
#[case("[log]\nlevel\n", "c.toml, line 2: ")]
fn a_file_that_cannot_be_used_is_refused_with_the_place(
    #[case] content: &str,
    #[case] complaint: &str,
) {
    let folder = Folder::new();
    folder.write("c.toml", content);
    for command in ["check", "serve"] {
        let arguments: &[&str] = match command {
            "check" => &["config", "check", "--config", "c.toml"],
            _ => &["serve", "--config", "c.toml", "--listen", "127.0.0.1:0"],
        };
        let ended = folder.cli().run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        assert!(ended.stderr.starts_with(&format!("keyward: {complaint}")), "{ended:?}");
    }
    assert!(!folder.file("keyward.db").exists());
}

#[rstest]
#[case(&["--database", "mysql://u:geheim@host/db"], "--database must be sqlite:PATH, postgres://")]
#[case(&["--database", "postgres:u:geheim@host/db"], "--database must be a URL such as postgres://")]
#[case(&["--database", "redis://:geh eim@host"], "--database must be a URL such as")]
#[case(&["--database", "redis+tls://:geheim@host"], "--database must be sqlite:PATH, postgres://")]
#[case(&["--database", "sqlite:"], "--database must be sqlite:PATH, postgres://")]
#[case(&["--database-file", "missing.url"], "cannot read missing.url")]
#[case(&["--listen", "localhost"], "--listen must be an address and a port")]
#[case(&["--listen", "127.0.0.1:65536"], "--listen must be an address and a port")]
#[case(&["--max-staleness", "1mo"], "--max-staleness must be a duration")]
#[case(&["--usage-interval", ""], "--usage-interval must be a duration")]
#[case(&["--pepper-file", "geheim"], "--pepper-file must be given as VERSION=PATH")]
#[case(&["--log", "=="], "log.filter must be a level")]
#[case(&["--config", "missing.toml"], "cannot read missing.toml")]
fn a_flag_that_cannot_be_used_is_refused_by_name(#[case] flags: &[&str], #[case] complaint: &str) {
    let folder = Folder::new();
    // A flag wins over the environment.
    let cli = folder.cli().env("KEYWARD_LISTEN", "127.0.0.1:0");
    let ended = cli.with(&["serve"]).run(flags);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    assert!(ended.stderr.starts_with(&format!("keyward: {complaint}")), "{ended:?}");
    assert!(!ended.stderr.contains("geheim"), "{ended:?}");
    assert!(!folder.file("keyward.db").exists());
}

#[test]
fn a_port_in_use_is_a_failure_and_leaves_the_database_alone() {
    let first = Folder::new();
    let server = first.serve();
    let folder = Folder::new();
    let listen = server.address().to_string();
    let ended = folder.cli().run(&["serve", "--listen", &listen]);
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{ended:?}");
    assert!(ended.stderr.contains(&format!("cannot listen on {listen}")), "{ended:?}");
    assert!(!folder.file("keyward.db").exists());
}
