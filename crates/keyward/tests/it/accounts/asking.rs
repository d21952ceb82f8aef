//! What verifying keys of service accounts asks of the store.

use keyward::{
    AccountRule, Asked, ClientCredentials, Format, Issued, KeyId, Keyward, NewKey, NewKeyspace,
    Prefixed, VerifyOptions,
};
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, me, owner};

/// Issues the first key of that owner, with its account.
async fn first_key(keyward: &Keyward, of: &str) -> Issued {
    let id = "accounts".parse().unwrap();
    if keyward.keyspace(&id).await.unwrap().is_none() {
        let format = Format::Prefixed(Prefixed::new("acc".parse().unwrap()));
        let new = NewKeyspace::new(id.clone(), format);
        let new = NewKeyspace { service_account: AccountRule::Primary, ..new };
        keyward.create_keyspace(new, &me()).await.unwrap();
    }
    let new = NewKey { keyspace: id, ..NewKey::new(owner(of)) };
    keyward.issue(new, &me()).await.unwrap()
}

/// Which reads a verification costs, and what it comes to.
async fn asked_of_store(
    world: &World,
    secret: &str,
    client: Option<ClientCredentials<'_>>,
) -> (usize, usize, &'static str) {
    // An instance that has cached nothing.
    let keyward = world.start().await;
    let before = (world.store.count(Call::Find), world.store.count(Call::Account));
    let options = VerifyOptions { client, ..VerifyOptions::default() };
    let decision = keyward.verify_with(secret, &Asked::default(), &options).await.unwrap();
    let after = (world.store.count(Call::Find), world.store.count(Call::Account));
    (after.0 - before.0, after.1 - before.1, decision.code())
}

#[rstest]
#[tokio::test]
async fn a_wrong_secret_and_another_account_cost_the_reads_of_an_unknown_key(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let (first, other) = (first_key(&keyward, "a").await, first_key(&keyward, "b").await);
    let account = first.account.as_ref().unwrap();
    let client_id = account.account.id.to_string();
    let client = ClientCredentials { id: &client_id, secret: account.client_secret.expose() };
    // As well made as any: of the id of a key that there is, and of one that there is not.
    let keyspace = keyward.keyspace(&first.key.keyspace).await.unwrap().unwrap();
    let entropy = keyward_testkit::SeededEntropy::new(99);
    let forged = |id: &KeyId| keyspace.format.mint(&entropy, id).unwrap().secret;
    let (wrong, unknown) = (forged(&first.key.id), forged(&"AAAABBBBCCCC".parse().unwrap()));

    assert_eq!(asked_of_store(&world, unknown.expose(), None).await, (1, 0, "unknown"));
    assert_eq!(asked_of_store(&world, wrong.expose(), None).await, (1, 0, "unknown"));
    assert_eq!(asked_of_store(&world, first.secret.expose(), None).await, (1, 1, "allowed"));
    for secret in [&unknown, &wrong, &forged(&other.key.id), &other.secret] {
        let asked = asked_of_store(&world, secret.expose(), Some(client)).await;
        assert_eq!(asked, (1, 1, "unknown"));
    }
    let asked = asked_of_store(&world, first.secret.expose(), Some(client)).await;
    assert_eq!(asked, (1, 1, "allowed"));
}
