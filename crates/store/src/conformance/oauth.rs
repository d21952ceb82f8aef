//! Rules about what an authorization server keeps.

use keyward_core::{Change, RevokedToken, SigningKey, Timestamp, TokenId};

use super::sample::{at, change, insertion, key, refusal, signing_key, token_id};
use crate::Store;

fn publishing(keys: &[&SigningKey], at: Timestamp) -> Change {
    let signing_keys = keys.iter().map(|key| (*key).clone()).collect();
    Change { at, signing_keys, ..change(Vec::new()) }
}

fn revoking(tokens: &[(TokenId, Timestamp)], at: Timestamp) -> Change {
    let tokens = tokens.iter().map(|&(id, until)| RevokedToken { id, until });
    Change { at, revoked_tokens: tokens.collect(), ..change(Vec::new()) }
}

/// Signing keys read back as they were written, by id.
pub async fn signing_keys_read_back_as_they_were_written(store: &dyn Store) {
    assert_eq!(store.signing_keys().await.unwrap(), []);
    let (one, other) = (signing_key(at(0), at(100)), signing_key(at(1), at(50)));
    store.apply(&publishing(&[&other], at(0))).await.unwrap();
    store.apply(&publishing(&[&one], at(1))).await.unwrap();
    let mut expected = [one, other];
    expected.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(store.signing_keys().await.unwrap(), expected);
}

/// A signing key that is written anew takes the place of the one with its id.
pub async fn a_signing_key_that_is_written_anew_is_replaced(store: &dyn Store) {
    let key = signing_key(at(0), at(100));
    store.apply(&publishing(&[&key], at(0))).await.unwrap();
    let ending = SigningKey { expires_at: at(20), ..key };
    store.apply(&publishing(&[&ending], at(10))).await.unwrap();
    assert_eq!(store.signing_keys().await.unwrap(), [ending]);
}

/// Signing keys stay until their end, and go when others are written at or after it.
pub async fn signing_keys_go_when_others_are_written_after_their_end(store: &dyn Store) {
    let (first, second) = (signing_key(at(0), at(100)), signing_key(at(0), at(200)));
    store.apply(&publishing(&[&first, &second], at(0))).await.unwrap();
    store.apply(&Change { at: at(500), ..insertion(&key("a")) }).await.unwrap();
    store.apply(&revoking(&[(token_id(), at(600))], at(500))).await.unwrap();
    assert_eq!(store.signing_keys().await.unwrap().len(), 2, "nothing was written of them");
    let third = signing_key(at(99), at(300));
    store.apply(&publishing(&[&third], at(99))).await.unwrap();
    assert_eq!(store.signing_keys().await.unwrap().len(), 3);
    let fourth = signing_key(at(100), at(300));
    store.apply(&publishing(&[&fourth], at(100))).await.unwrap();
    let left = store.signing_keys().await.unwrap();
    assert!(left.len() == 3 && !left.contains(&first), "{left:?}");
}

/// Access tokens that were revoked are known to be, and others are not.
pub async fn a_revoked_token_is_known_to_be(store: &dyn Store) {
    let (revoked, other) = (token_id(), token_id());
    assert!(!store.is_token_revoked(&revoked).await.unwrap());
    store.apply(&revoking(&[(revoked, at(10))], at(0))).await.unwrap();
    assert!(store.is_token_revoked(&revoked).await.unwrap());
    assert!(!store.is_token_revoked(&other).await.unwrap());
}

/// A revoked token is remembered until it has expired, also if it was revoked twice.
pub async fn revoked_tokens_go_when_others_are_revoked_after_their_end(store: &dyn Store) {
    let [short, long, twice] = [token_id(), token_id(), token_id()];
    let tokens = [(short, at(10)), (long, at(11)), (twice, at(11))];
    store.apply(&revoking(&tokens, at(0))).await.unwrap();
    store.apply(&revoking(&[(twice, at(5))], at(1))).await.unwrap();
    store.apply(&revoking(&[(token_id(), at(20))], at(10))).await.unwrap();
    assert!(!store.is_token_revoked(&short).await.unwrap(), "it would never go");
    assert!(store.is_token_revoked(&long).await.unwrap());
    assert!(store.is_token_revoked(&twice).await.unwrap(), "the later end counts");
}

/// All revoked tokens are told, with their ends.
pub async fn revoked_tokens_are_listed_by_id(store: &dyn Store) {
    assert_eq!(store.revoked_tokens().await.unwrap(), []);
    let tokens = [(token_id(), at(10)), (token_id(), at(11)), (token_id(), at(12))];
    store.apply(&revoking(&tokens, at(0))).await.unwrap();
    let mut expected = tokens.map(|(id, until)| RevokedToken { id, until });
    expected.sort_by_key(|token| token.id);
    assert_eq!(store.revoked_tokens().await.unwrap(), expected);
}

/// Neither is written by a change that is refused.
pub async fn a_refused_change_publishes_and_revokes_nothing(store: &dyn Store) {
    store.apply(&insertion(&key("taken"))).await.unwrap();
    let token = token_id();
    let refused = Change {
        signing_keys: vec![signing_key(at(0), at(100))],
        revoked_tokens: vec![RevokedToken { id: token, until: at(100) }],
        ..insertion(&key("taken"))
    };
    refusal(store, &refused).await;
    assert_eq!(store.signing_keys().await.unwrap(), []);
    assert!(!store.is_token_revoked(&token).await.unwrap());
}
