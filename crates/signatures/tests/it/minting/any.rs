//! Any claims at all: what is minted with them reads back.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use keyward_core::KeyspaceTable;
use keyward_core::jose::{Issuers, PairKind, SignedToken};
use proptest::prelude::*;
use serde_json::Value;

use super::{KID, keyspace_of};
use crate::support::{Lent, Pair, at, decide, new_key, record};

static PAIR: LazyLock<Arc<Pair>> = LazyLock::new(|| Arc::new(Pair::ed25519(9)));

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Claims in some order, reserved ones among them.
fn any_claims() -> impl Strategy<Value = Vec<(String, Value)>> {
    let name = prop_oneof![
        prop_oneof!["sub", "iss", "aud", "exp", "nbf", "ver", "iat", "jti", "scopes"],
        "[a-c]?[a-c]",
        any::<String>(),
    ];
    proptest::collection::vec((name, any_json()), 0..8).prop_map(|mut members| {
        let mut seen = HashSet::new();
        members.retain(|(name, _)| seen.insert(name.clone()));
        members
    })
}

proptest! {
    #[test]
    fn any_claims_are_read_back_as_they_were_or_are_not_minted(claims in any_claims()) {
        let (keyspace, signed) = keyspace_of(PairKind::Ed25519, Some("api"));
        let members: Vec<_> = claims
            .iter()
            .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
            .collect();
        let new = new_key(&keyspace, &format!("{{{}}}", members.join(",")));
        let is_taken = new.check(&keyspace, at(0)).is_ok();
        if !is_taken {
            let has = |names: &[&str]| claims.iter().any(|(name, _)| names.contains(&&**name));
            prop_assert!(has(&["nbf", "jti"]) || members.join(",").len() > 2_500);
            return Ok(());
        }
        let record = record(new, KID, PAIR.public_key(), &keyspace);
        let lent = Box::new(Lent(Arc::clone(&PAIR), PAIR.public_key()));
        let minted = signed.mint(&record, lent).unwrap();
        let text = minted.secret.expose();
        let token = SignedToken::read(text, &Issuers::new([signed.issuer().clone()])).unwrap();
        prop_assert!(signed.is_meant_by(&token));
        prop_assert_eq!(&token.registered().subject, "user-7");
        prop_assert_eq!(Some(token.registered().expires_at), record.expires_at);
        prop_assert_eq!(token.registered().issued_at, Some(record.created_at));
        let read = token.claims();
        for (name, value) in &claims {
            if !["sub", "iss", "aud", "exp", "ver", "iat"].contains(&name.as_str()) {
                let value = value.to_string();
                prop_assert_eq!(read.get(name), Some(value.as_str()));
            }
        }
        prop_assert_eq!(decide(text, &KeyspaceTable::new([keyspace]), [&record], 3_600), Ok("expired"));
    }
}
