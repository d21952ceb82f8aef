//! Service accounts of other systems: taken over by their client secrets or hashes of these, and keys that
//! belong to them.

use keyward::store::{AuditQuery, Store};
use keyward::{
    AccountPast, AccountState, Action, AuditFilter, ClientCredentials, ClientId, Decision,
    Deletion, Digest, DigestScheme, Error, FormatKind, ImportMode, ImportedAccount, ImportedKey,
    KeyspaceId, Keyward, NewKey, NewServiceAccount, OwnerId, Pepper, PepperVersion, Secret,
    Timestamp, VerifyOptions,
};
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, keyspace_of, me, reader, seconds};

const TEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// SHA-256 of that text, computed by another program.
const HEX: &str = "905f28def18eaac05ae6f12b2c3452744afaf626da1343d57b395b544e0519b6";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn id(number: u8) -> ClientId {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn new_account() -> NewServiceAccount {
    NewServiceAccount::new(reader().owner)
}

/// The account of that number, of the usual owner, by its client secret.
fn account(keyward: &Keyward, number: u8) -> ImportedAccount {
    let text = secret(&format!("{TEXT}{number}"));
    let imported = keyward.of_client_secret(new_account(), &text).unwrap();
    ImportedAccount { id: Some(id(number)), ..imported }
}

async fn import(keyward: &Keyward, imported: ImportedAccount) -> Result<ClientId, Error> {
    let taken = keyward.import_accounts([imported], ImportMode::Each, &me()).await.unwrap();
    taken.into_iter().next().unwrap().map(|account| account.id)
}

/// The field that an error complains about.
fn field(error: &Error) -> &str {
    error.field().unwrap_or_else(|| panic!("{error:?}")).field.as_ref()
}

#[rstest]
#[tokio::test]
async fn an_account_is_taken_over_with_its_client_secret_and_its_keys_with_it(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let taken = import(&keyward, account(&keyward, 1)).await.unwrap();
    assert_eq!(taken, id(1));
    let new = NewKey { service_account: Some(taken), ..reader() };
    let issued = keyward.issue(new, &me()).await.unwrap();
    let decide = async |client_secret: &str| {
        let text = id(1).to_string();
        let client = Some(ClientCredentials { id: &text, secret: client_secret });
        let options = VerifyOptions { client, ..VerifyOptions::default() };
        let asked = keyward::Asked::default();
        match keyward.verify_with(issued.secret.expose(), &asked, &options).await.unwrap() {
            Decision::Allow(_) => "allowed",
            Decision::Deny(reason) => reason.code(),
        }
    };
    assert_eq!(decide(&format!("{TEXT}1")).await, "allowed");
    assert_eq!(decide(&format!("{TEXT}2")).await, "unknown");
    let action = Some(Action::ServiceAccountImported);
    let filter = AuditFilter { action, service_account: Some(id(1)), ..AuditFilter::default() };
    let query = AuditQuery { filter, limit: 10, ..AuditQuery::default() };
    assert_eq!(keyward.audit(&query).await.unwrap().events.len(), 1);
}

#[rstest]
#[tokio::test]
async fn nothing_that_exists_is_overwritten_and_the_same_is_told(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    import(&keyward, account(&keyward, 1)).await.unwrap();
    let again = import(&keyward, account(&keyward, 1)).await.unwrap_err();
    assert!(matches!(again, Error::AlreadyImported), "{again:?}");
    let with_other_secret = ImportedAccount { id: Some(id(1)), ..account(&keyward, 2) };
    let refused = import(&keyward, with_other_secret).await.unwrap_err();
    assert!(matches!(refused, Error::AccountExists), "{refused:?}");
    let mut of_another = account(&keyward, 1);
    of_another.account.owner = OwnerId::parse("somebody-else").unwrap();
    let refused = import(&keyward, of_another).await.unwrap_err();
    assert!(matches!(refused, Error::AccountExists), "{refused:?}");

    // After a rotation here it is the same account still, while the old secret works.
    keyward.rotate_account(&id(1), Some(seconds(60)), &me()).await.unwrap();
    let again = import(&keyward, account(&keyward, 1)).await.unwrap_err();
    assert!(matches!(again, Error::AlreadyImported), "{again:?}");
}

#[tokio::test]
async fn an_account_without_an_id_gets_the_same_one_each_time_whatever_peppers_there_are() {
    let world = World::new(Sqlite);
    let keyward = world.start().await;
    let unnamed = |keyward: &Keyward| ImportedAccount { id: None, ..account(keyward, 1) };
    let first = import(&keyward, unnamed(&keyward)).await.unwrap();
    let pepper = vec![(PepperVersion::new(1), Pepper::new(vec![1; 32]).unwrap())];
    let peppered = world.builder().peppers(pepper).build().await.unwrap();
    let again = import(&peppered, unnamed(&peppered)).await.unwrap_err();
    assert!(matches!(again, Error::AlreadyImported), "{again:?}");
    let other = import(&peppered, ImportedAccount { id: None, ..account(&peppered, 2) }).await;
    assert_ne!(other.unwrap(), first);
    let stored = peppered.account(&first).await.unwrap().unwrap();
    assert_eq!(stored.secret.current.scheme(), DigestScheme::Sha256);
}

#[rstest]
#[tokio::test]
async fn of_accounts_that_are_taken_over_twelve_times_at_once_each_is_taken_once(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let batch: Vec<_> = (0..20).map(|number| account(&keyward, number)).collect();
    let runs = (0..12).map(|_| {
        let (keyward, batch) = (keyward.clone(), batch.clone());
        tokio::spawn(async move { keyward.import_accounts(batch, ImportMode::Each, &me()).await })
    });
    let mut taken = 0;
    for run in runs.collect::<Vec<_>>() {
        for result in run.await.unwrap().unwrap() {
            match result {
                Ok(_) => taken += 1,
                Err(Error::AlreadyImported) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    assert_eq!(taken, 20);
}

#[rstest]
#[case("sha256-hex", true)]
#[case("sha256", true)]
#[case("sha256-base64", false)]
#[case("sha512-hex", false)]
#[case("fork4", false)]
#[case("sanctum", false)]
#[case("part-sha256", false)]
#[case("md5", false)]
#[tokio::test]
async fn hashes_of_a_whole_client_secret_are_taken_and_no_others(
    #[case] scheme: &str,
    #[case] is_taken: bool,
) {
    let world = World::new(Memory);
    let keyward = world.start().await;
    let whole = keyward.of_client_secret(new_account(), &secret(TEXT)).unwrap();
    assert_eq!(whole.secret.to_hex(), HEX);
    let digest = keyward.client_secret_digest((scheme, HEX));
    assert_eq!(digest.is_ok(), is_taken, "{digest:?}");
    if let Ok(digest) = digest {
        let taken = import(&keyward, ImportedAccount::new(new_account(), digest));
        let account = keyward.account(&taken.await.unwrap()).await.unwrap().unwrap();
        assert_eq!(account.secret.current, whole.secret);
    }
}

#[rstest]
#[case("short")]
#[case("twenty-one-characters")]
#[case("a client secret with spaces in it")]
#[case("a-client-secret-with-an-ü-in-it")]
#[tokio::test]
async fn a_client_secret_that_is_weak_or_cannot_be_presented_is_refused(#[case] text: &str) {
    let keyward = World::new(Memory).start().await;
    let refused = keyward.of_client_secret(new_account(), &secret(text));
    let refused = refused.unwrap_err();
    assert_eq!(field(&refused), "client_secret");
    assert!(!refused.to_string().contains(text), "{refused}");
    let long = "x".repeat(513);
    let refused = keyward.of_client_secret(new_account(), &secret(&long));
    assert_eq!(field(&refused.unwrap_err()), "client_secret");
}

#[rstest]
#[tokio::test]
async fn an_owner_gets_one_primary_account_and_the_others_are_told(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let primary = |number| ImportedAccount { is_primary: true, ..account(&keyward, number) };
    let deletion = Some(Deletion { at: keyward.now(), by: me().actor });
    let mut gone = primary(1);
    gone.past.deletion = deletion;
    let batch = [gone, primary(2), primary(3), account(&keyward, 4)];
    for mode in [ImportMode::Check, ImportMode::Each] {
        let taken = keyward.import_accounts(batch.clone(), mode, &me()).await.unwrap();
        let good: Vec<_> = taken.iter().map(Result::is_ok).collect();
        assert_eq!(good, [true, true, false, true], "{taken:?}");
        assert_eq!(field(taken[2].as_ref().unwrap_err()), "primary");
    }
    let refused = import(&keyward, primary(5)).await.unwrap_err();
    assert_eq!(field(&refused), "primary");
    assert!(keyward.account(&id(5)).await.unwrap().is_none());
}

#[rstest]
#[case::check(ImportMode::Check)]
#[case::whole(ImportMode::Whole)]
#[tokio::test]
async fn with_one_that_is_not_acceptable_none_is_written(#[case] mode: ImportMode) {
    let world = World::new(Sqlite);
    let keyward = world.start().await;
    import(&keyward, account(&keyward, 1)).await.unwrap();
    let batch = [account(&keyward, 2), account(&keyward, 1), account(&keyward, 2)];
    let taken = keyward.import_accounts(batch, mode, &me()).await.unwrap();
    assert!(taken[0].is_ok(), "{taken:?}");
    assert!(matches!(taken[1], Err(Error::AlreadyImported)), "{taken:?}");
    assert!(matches!(taken[2], Err(Error::AccountExists)), "{taken:?}");
    assert!(keyward.account(&id(2)).await.unwrap().is_none());
    let both = [account(&keyward, 2), account(&keyward, 3)];
    let taken = keyward.import_accounts(both, ImportMode::Whole, &me()).await.unwrap();
    assert!(taken.iter().all(Result::is_ok), "{taken:?}");
    assert!(keyward.account(&id(3)).await.unwrap().is_some());
}

#[rstest]
#[tokio::test]
async fn what_had_become_of_an_account_comes_along(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let by = |text: &str| Some(text.parse().unwrap());
    let past = AccountPast {
        created_at: Some(at("2020-01-01T00:00:00Z")),
        created_by: by("maker"),
        updated_at: Some(at("2021-01-01T00:00:00Z")),
        updated_by: by("changer"),
        deletion: Some(Deletion { at: at("2022-01-01T00:00:00Z"), by: by("remover").unwrap() }),
        previous: None,
        rotated_at: Some(at("2020-06-01T00:00:00Z")),
        version: Some(keyward::Version::new(7)),
    };
    let imported = ImportedAccount { past: past.clone(), ..account(&keyward, 1) };
    import(&keyward, imported).await.unwrap();
    let account = keyward.account(&id(1)).await.unwrap().unwrap();
    assert_eq!(account.state(), AccountState::Deleted);
    assert_eq!(Some(account.created_at), past.created_at);
    assert_eq!(Some(account.created_by), past.created_by);
    assert_eq!(Some(account.updated_at), past.updated_at);
    assert_eq!(Some(account.updated_by), past.updated_by);
    assert_eq!(account.deletion, past.deletion);
    assert_eq!(account.rotated_at, past.rotated_at);
    assert_eq!(Some(account.version), past.version);
    assert_eq!(keyward.restore_account(&id(1), &me()).await.unwrap().version.get(), 8);
}

#[rstest]
#[tokio::test]
async fn a_key_is_taken_over_under_an_account_of_its_owner_and_no_other(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    import(&keyward, account(&keyward, 1)).await.unwrap();
    let first = keyward.first_start().await.unwrap().unwrap();
    assert!(keyward.finish_first_start(&first).await.unwrap());
    let keyspace = keyspace_of(&keyward, FormatKind::Opaque).await;
    let digest = |number| Digest::new(DigestScheme::Sha256, &[number; 32]).unwrap();
    let key = |number: u8, account, new: NewKey| {
        let new = NewKey { service_account: Some(account), ..new };
        ImportedKey {
            // As the ids of the keyspace of management keys are, too.
            id: Some(format!("accountsKey{number}").parse().unwrap()),
            ..ImportedKey::new(new, digest(number))
        }
    };
    let own = || NewKey { keyspace: keyspace.clone(), ..reader() };
    let others = NewKey { owner: OwnerId::parse("somebody-else").unwrap(), ..own() };
    let management = NewKey { keyspace: KeyspaceId::management(), ..reader() };
    let batch = [
        key(1, id(1), own()),
        key(2, id(2), own()),
        key(3, id(1), others),
        key(4, id(1), management),
        key(5, id(1), own()),
    ];
    for mode in [ImportMode::Check, ImportMode::Each] {
        let taken = keyward.import_many(batch.clone(), mode, &me()).await.unwrap();
        let good: Vec<_> = taken.iter().map(Result::is_ok).collect();
        assert_eq!(good, [true, false, false, false, true], "{taken:?}");
        for error in taken.iter().filter_map(|result| result.as_ref().err()) {
            assert_eq!(field(error), "service_account_id");
        }
    }
    // In whatever state the account is: so is what was exported.
    keyward.delete_account(&id(1), &me()).await.unwrap();
    keyward.import(key(6, id(1), own()), &me()).await.unwrap();
    assert!(world.store.key(&"accountsKey6".parse().unwrap()).await.unwrap().is_some());
}
