//! What people read.

use insta::assert_snapshot;
use rstest::rstest;

use crate::harness::Folder;

#[test]
fn the_help_tells_what_there_is() {
    let folder = Folder::new();
    let help = folder.cli().done(&["--help"]);
    let beginning = help.split("Options:").next().unwrap();
    assert_snapshot!(beginning, @"
    API keys done right: issue, verify, rotate and revoke them.

    Without --server, commands work on the database of this machine; with it, on that server.

    Exit codes: 0 done, 1 refused, 2 unusable call or configuration, 3 failure.

    Usage: keyward [OPTIONS] <COMMAND>

    Commands:
      serve        Run the server
      keys         Issue, list, change, rotate and revoke keys
      accounts     Create, list, change, switch and delete service accounts
      keyspaces    Create, list and change keyspaces
      jwks         Write the public keys of signed keys to where files are served from
      reap         Purge keys that ended long ago, and deleted service accounts, and say how many there
                   were
      audit        Look at what was done
      verify       Say whether a key may do something; exit code 1 if not
      scan         Find keys in files and git history, and write rules for other scanners
      token        Check, draw, hash and take apart tokens, of Keyward and of other libraries
      migrate      Bring the database to the newest schema
      copy         Copy everything to another database, and move there without a pause
      config       Look at the configuration
      completions  Print the completions for a shell
      help         Print this message or the help of the given subcommand(s)
    ");
}

#[test]
fn the_help_of_verify_tells_how_to_keep_the_key_to_oneself() {
    let folder = Folder::new();
    assert_snapshot!(folder.cli().done(&["verify", "-h"]), @"
    Say whether a key may do something; exit code 1 if not

    Usage: keyward verify [OPTIONS] [SECRET]

    Arguments:
      [SECRET]  The key's text; left out, it is read from the standard input, where other users cannot
                see it

    Options:
          --client-id <ID>             The client id of the service account as whose the key was
                                       presented
          --server <URL>               Work on this server instead of the local database, by its URL
                                       [env: KEYWARD_SERVER=]
          --client-secret-file <PATH>  The file that holds the account's client secret; -: the standard
                                       input, after the key if that is read from there, too
          --key <KEY>                  The management key for --server [env: KEYWARD_KEY]
          --key-file <PATH>            The file that holds the management key for --server [env:
                                       KEYWARD_KEY_FILE=]
          --scope <SCOPE>              A scope that is needed; may be given more than once
          --any                        Any one of the scopes is enough
          --json                       Print the answers as JSON
          --audit-metadata <JSON>      What the audit trail shall keep about what is done, as a JSON
                                       object [env: KEYWARD_AUDIT_METADATA=]
          --resource <RESOURCE>        The resource on which the scopes are needed, as type:id
          --config <PATH>              The configuration file (TOML) [env: KEYWARD_CONFIG=]
          --skip-cache                 Ask the database, whatever the server has cached
          --skip-tracking              Do not count the use
          --many                       Verify each line of the standard input, up to 100; exit code 1 if
                                       any may not
      -h, --help                       Print help (see more with '--help')

    Configuration:
          --database <URL>              The database: sqlite:PATH, postgres://HOST/…, redis://HOST/… or
                                        memory: [env: KEYWARD_DATABASE]
          --database-file <PATH>        The file that holds the URL of the database [env:
                                        KEYWARD_DATABASE_FILE=]
          --listen <ADDRESS>            Where to listen, such as 127.0.0.1:8080 [env: KEYWARD_LISTEN=]
          --max-staleness <DURATION>    How long a key may still be allowed after its revocation was
                                        acknowledged elsewhere [env: KEYWARD_MAX_STALENESS=]
          --cache-capacity <KEYS>       How many keys the cache holds [env: KEYWARD_CACHE_CAPACITY=]
          --usage-interval <DURATION>   How often usage is written down [env: KEYWARD_USAGE_INTERVAL=]
          --issuer <URL>                The URL under which the public keys of signed keys are found
                                        [env: KEYWARD_ISSUER=]
          --pepper-file <VERSION=PATH>  A pepper for digests; may be given more than once, the largest
                                        version makes new digests [env: KEYWARD_PEPPER_FILE=]
          --log <FILTER>                What to log, such as info or keyward=debug [env: KEYWARD_LOG=]
          --log-format <FORMAT>         How to log: text or json [env: KEYWARD_LOG_FORMAT=] [possible
                                        values: json, text]
    ");
}

#[rstest]
fn every_command_has_a_help(
    #[values(
        "serve",
        "keys issue",
        "keys list",
        "keys show",
        "keys update",
        "keys enable",
        "keys disable",
        "keys revoke",
        "keys revoke-all",
        "keys rotate",
        "keys delete",
        "keys restore",
        "keys purge",
        "accounts create",
        "accounts import",
        "accounts export",
        "accounts list",
        "accounts show",
        "accounts update",
        "accounts rotate",
        "accounts enable",
        "accounts disable",
        "accounts delete",
        "accounts restore",
        "accounts purge",
        "keyspaces create",
        "keyspaces list",
        "keyspaces show",
        "keyspaces update",
        "jwks export",
        "reap",
        "audit list",
        "verify",
        "scan",
        "copy",
        "migrate",
        "config print",
        "config check",
        "completions"
    )]
    command: &str,
) {
    let folder = Folder::new();
    let cli = folder.cli().env("KEYWARD_KEY", "geheim");
    let arguments: Vec<_> = command.split(' ').chain(["--help"]).collect();
    let help = cli.done(&arguments);
    assert!(help.contains(&format!("Usage: keyward {command}")), "{help}");
    assert!(!help.contains("geheim"), "{help}");
}

#[test]
fn empty_lists_and_refusals_are_told_in_words() {
    let folder = Folder::new();
    let cli = folder.cli();
    assert_snapshot!(cli.done(&["keys", "list"]), @" ID  STATE  OWNER  NAME  SCOPES  EXPIRES AT  LAST USED AT");
    let refused = cli.run(&["verify", "garbage"]);
    assert_snapshot!(refused.stdout, @r#"
    code     malformed                  
    message  the text is not an API key 
    valid    false
    "#);
    let unknown = cli.run(&["keys", "show", "nobody"]);
    assert_snapshot!(unknown.stderr, @"keyward: there is nothing here, or not for this key (not_found)");
    let invalid = cli.run(&["keys", "issue", "--owner", "", "--expires-in", "soon"]);
    assert_snapshot!(invalid.stderr, @r#"
    keyward: the body has fields that are not acceptable (invalid_request)
    keyward: owner must be 1 to 256 characters long
    keyward: expires_in must be a duration such as 30d, 12h or P30D
    "#);
    assert_snapshot!(cli.done(&["config", "check"]), @"the configuration is usable");
}

#[test]
fn completions_are_a_script_for_the_shell() {
    let folder = Folder::new();
    let script = folder.cli().done(&["completions", "bash"]);
    assert!(script.starts_with("_keyward() {") && script.contains("revoke-all"), "{script}");
}
