//! Keys of other libraries: taken over by their hashes, verified at once, and moved to a better digest
//! when they are used.

use keyward::store::{Store, Usage};
use keyward::{
    Action, AuditFilter, Dialect, DigestScheme, DigestUpgrades, Error, Foreign, ForeignPrefix,
    Format, FormatKind, ImportMode, ImportedKey, KeyId, KeyspaceId, Keyward, Locator, NewKey,
    NewKeyspace, Past, Pepper, PepperVersion, Peppers, Profile, Rotation, Secret, WeakSecrets,
};
use rstest::rstest;
use serde::Deserialize;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, code, create_keyspace, keyspace_of, me, owner, reader, seconds};

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    #[serde(rename = "impl")]
    made_by: String,
    version: String,
    token: String,
    key_id: String,
    secret_hash: String,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../../vectors/dialects.json");
    serde_json::from_str::<Vectors>(text).unwrap().vectors
}

impl Vector {
    fn dialect(&self) -> Dialect {
        match (self.made_by.as_str(), self.version.as_str()) {
            ("bencmbrook", "3.0.1") => Dialect::Fork3,
            ("bencmbrook", "4.0.0") => Dialect::Fork4,
            ("brahmlower-rust", "0.3.0") => Dialect::Rust,
            _ => Dialect::Seam,
        }
    }

    fn prefix(&self) -> &str {
        self.token.split('_').next().unwrap()
    }

    fn scheme(&self) -> &'static str {
        if self.dialect() == Dialect::Fork4 { "fork4" } else { "sha256-hex" }
    }
}

fn foreign(prefix: &str, dialect: Dialect, weak: WeakSecrets) -> Format {
    let prefix = ForeignPrefix::parse(prefix).unwrap();
    Format::Foreign(Foreign::new(prefix, Profile::new(dialect), weak).unwrap())
}

/// A keyspace with the secrets of a dialect under a prefix.
async fn keyspace(keyward: &Keyward, prefix: &str, dialect: Dialect) -> KeyspaceId {
    let id: KeyspaceId = format!("{prefix}-{}", dialect.as_str()).parse().unwrap();
    if keyward.keyspace(&id).await.unwrap().is_none() {
        let format = foreign(prefix, dialect, WeakSecrets::Refuse);
        create_keyspace(keyward, NewKeyspace::new(id.clone(), format)).await;
    }
    id
}

/// A keyspace with opaque secrets.
async fn opaque_keyspace(keyward: &Keyward) -> KeyspaceId {
    keyspace_of(keyward, FormatKind::Opaque).await
}

/// An instance with a pepper.
async fn peppered(world: &World) -> Keyward {
    let pepper = Pepper::new(vec![1; 32]).unwrap();
    world.builder().peppers(vec![(PepperVersion::new(1), pepper)]).build().await.unwrap()
}

fn key_of(keyspace: &KeyspaceId) -> NewKey {
    NewKey { keyspace: keyspace.clone(), ..reader() }
}

/// Takes the key of a vector over by its hash.
async fn take_over(keyward: &Keyward, vector: &Vector) -> Result<KeyId, Error> {
    let keyspace = keyspace(keyward, vector.prefix(), vector.dialect()).await;
    let id = vector.key_id.parse().ok();
    let hash = (vector.scheme(), vector.secret_hash.as_str());
    let imported = keyward.of_hash(key_of(&keyspace), id, hash)?;
    keyward.import(imported, &me()).await.map(|key| key.id)
}

async fn scheme_of(keyward: &Keyward, id: &KeyId) -> DigestScheme {
    keyward.key(id).await.unwrap().unwrap().record.secret.digest().unwrap().scheme()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

#[rstest]
#[tokio::test]
async fn tokens_of_every_library_work_at_once_and_no_others(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    for vector in vectors() {
        let id = take_over(&keyward, &vector).await.unwrap();
        let text = &vector.token;
        let (before, part) = text.rsplit_once('_').unwrap();
        // In another keyspace of the same form, so that the text as such is fine.
        keyspace(&keyward, "other", vector.dialect()).await;
        let swapped = |text: &str| {
            let mut chars: Vec<_> = text.chars().collect();
            *chars.last_mut().unwrap() = if text.ends_with('2') { '3' } else { '2' };
            chars.into_iter().collect::<String>()
        };
        for (forged, expected) in [
            (format!("other_{}_{part}", vector.key_id), "unknown"),
            (format!("{before}_{}", swapped(part)), "unknown"),
            (format!("{}_{}_{part}", vector.prefix(), swapped(&vector.key_id)), "unknown"),
            (format!("Bearer {text}"), "malformed"),
            (format!(" {text}"), "malformed"),
            (format!("{text}\n"), "malformed"),
            (format!("{text}_{text}"), "malformed"),
            (format!("x_{text}"), "malformed"),
            (part.to_owned(), "malformed"),
            (format!("{}_{part}", vector.key_id), "malformed"),
            (format!("{before}_{part}1"), "malformed"),
            (format!("{before}_"), "malformed"),
            (format!("{before}_{}", part.replace(part.get(..1).unwrap(), "0")), "malformed"),
        ] {
            assert_eq!(code(&keyward, &secret(&forged)).await, expected, "{forged}");
        }
        assert_eq!(code(&keyward, &secret(text)).await, "allowed", "{text}");
        let hint = keyward.key(&id).await.unwrap().unwrap().record.hint;
        assert_eq!(hint, before);
    }
}

#[rstest]
#[tokio::test]
async fn the_first_use_moves_a_digest_to_our_scheme(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(false, true)] is_peppered: bool,
) {
    let world = World::new(backend);
    let pepper = || (PepperVersion::new(3), Pepper::new(vec![3; 32]).unwrap());
    let peppers: Peppers = is_peppered.then(pepper).into_iter().collect();
    let ours = if is_peppered { "hmac-sha256:v3" } else { "sha256" };
    let keyward = world.builder().peppers(peppers).build().await.unwrap();
    for vector in vectors() {
        let id = take_over(&keyward, &vector).await.unwrap();
        let theirs = scheme_of(&keyward, &id).await;
        assert!(theirs.to_string().starts_with("part-"));
        // A wrong secret moves nothing.
        let wrong =
            vector.token.replace(vector.token.get(vector.token.len() - 6..).unwrap(), "222222");
        assert_eq!(code(&keyward, &secret(&wrong)).await, "unknown");
        keyward.flush_upgrades().await.unwrap();
        assert_eq!(scheme_of(&keyward, &id).await, theirs);
        let before = keyward.key(&id).await.unwrap().unwrap().record;
        assert_eq!(code(&keyward, &secret(&vector.token)).await, "allowed");
        keyward.flush_upgrades().await.unwrap();
        let after = keyward.key(&id).await.unwrap().unwrap().record;
        assert_eq!(after.secret.digest().unwrap().scheme().to_string(), ours);
        assert_eq!((after.updated_at, after.version), (before.updated_at, before.version.next()));
        assert_eq!(code(&keyward, &secret(&vector.token)).await, "allowed");
        keyward.flush_upgrades().await.unwrap();
        assert_eq!(keyward.key(&id).await.unwrap().unwrap().record, after, "once");
        let told = AuditFilter {
            key: Some(id),
            action: Some(Action::KeyRehashed),
            ..AuditFilter::default()
        };
        assert_eq!(keyward.summarize_audit(&told).await.unwrap().total(), 1);
        // The same key again, by the hash that is stored there.
        let again = take_over(&keyward, &vector).await.unwrap_err();
        assert!(matches!(again, Error::KeyExists), "{again:?}");
    }
}

/// A token of Laravel Sanctum, and the SHA-256 of what follows the number, by another program.
const SANCTUM: (&str, &str) = (
    "17|0123456789abcdefghijABCDEFGHIJ0123456789de57a0b1",
    "b4ebc775e0e1de27040cfb9828bb3a122f22ffb2379d99a5b43e396e8ca3a967",
);

#[rstest]
#[tokio::test]
async fn numbered_tokens_are_found_by_their_digest_which_covers_the_number(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keyspace = opaque_keyspace(&keyward).await;
    let (token, hex) = SANCTUM;
    assert_eq!(code(&keyward, &secret(token)).await, "malformed", "there are none yet");
    let hash = format!("17|{hex}");
    let imported = keyward.of_hash(key_of(&keyspace), None, ("sanctum", &hash)).unwrap();
    let key = keyward.import(imported, &me()).await.unwrap();
    for (text, expected) in [
        (token.to_owned(), "allowed"),
        (token.replace("17|", "18|"), "unknown"),
        (token.replace("17|", "017|"), "unknown"),
        (token.replace("17|", "|"), "malformed"),
        (token.replace("17|", "a|"), "malformed"),
        (token.replace("17|", ""), "malformed"),
        (token.replace("17|", "17||"), "unknown"),
        (token.replace("abc", "abd"), "unknown"),
        (token.get(..30).unwrap().to_owned(), "malformed"),
    ] {
        assert_eq!(code(&keyward, &secret(&text)).await, expected, "{text}");
    }
    keyward.flush_upgrades().await.unwrap();
    assert_eq!(scheme_of(&keyward, &key.id).await, DigestScheme::Sha256);
    assert_eq!(code(&keyward, &secret(token)).await, "allowed");
    assert_eq!(code(&keyward, &secret(&token.replace("17|", "18|"))).await, "unknown");
    for bad in ["17", hex, "|", "a|00", &format!("123456789012345678901|{hex}")] {
        let refused = keyward.of_hash(key_of(&keyspace), None, ("sanctum", bad)).unwrap_err();
        assert_eq!(refused.field().unwrap().field, "hash", "{bad}");
    }
}

#[rstest]
#[tokio::test]
async fn a_key_that_was_taken_over_is_known_again_after_its_digest_has_moved(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = peppered(&world).await;
    let keyspace = opaque_keyspace(&keyward).await;
    let text = "op_0123456789abcdefghijABCDEFGHIJxy";
    let digest = keyward::Hasher::new(Vec::new()).digest(DigestScheme::Sha256, text).unwrap();
    let by_hash = || ImportedKey::new(key_of(&keyspace), digest.clone());
    let key = keyward.import(by_hash(), &me()).await.unwrap();
    assert_eq!(code(&keyward, &secret(text)).await, "allowed");
    keyward.flush_upgrades().await.unwrap();
    assert_eq!(scheme_of(&keyward, &key.id).await, DigestScheme::HmacSha256(PepperVersion::new(1)));
    assert_eq!(world.store.find(&Locator::Digest(digest.clone())).await.unwrap(), None);
    keyward.revoke(&key.id, None, &me()).await.unwrap();
    // Or else whoever does the import again would bring a revoked key back to life.
    let by_secret = keyward.of_secret(key_of(&keyspace), &secret(text)).unwrap();
    for again in [by_hash(), by_secret] {
        let refused = keyward.import(again, &me()).await.unwrap_err();
        assert!(matches!(refused, Error::AlreadyImported), "{refused:?}");
    }
    assert_eq!(code(&keyward, &secret(text)).await, "revoked");
}

#[rstest]
#[tokio::test]
async fn an_upgrade_undoes_nothing_that_happens_meanwhile(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let mut vectors = vectors().into_iter();
    let [revoked, rotated, purged] = [(); 3].map(|()| vectors.next().unwrap());
    let mut ids = Vec::new();
    for vector in [&revoked, &rotated, &purged] {
        ids.push(take_over(&keyward, vector).await.unwrap());
        assert_eq!(code(&keyward, &secret(&vector.token)).await, "allowed");
    }
    keyward.revoke(&ids[0], None, &me()).await.unwrap();
    let fresh = keyward.rotate(&ids[1], Rotation::default(), &me()).await.unwrap();
    keyward.delete(&ids[2], &me()).await.unwrap();
    keyward.purge(&ids[2], &me()).await.unwrap();
    keyward.flush_upgrades().await.unwrap();
    assert_eq!(code(&keyward, &secret(&revoked.token)).await, "revoked");
    assert_eq!(code(&keyward, &secret(&rotated.token)).await, "unknown");
    assert_eq!(code(&keyward, &fresh.secret).await, "allowed");
    assert_eq!(code(&keyward, &secret(&purged.token)).await, "unknown");
}

#[tokio::test]
async fn an_upgrade_that_fails_is_left_to_the_next_use_and_one_that_is_off_is_not_made() {
    let world = World::new(Sqlite);
    let off = world.builder().digest_upgrades(DigestUpgrades::Off).build().await.unwrap();
    let vector = vectors().remove(0);
    let id = take_over(&off, &vector).await.unwrap();
    assert_eq!(code(&off, &secret(&vector.token)).await, "allowed");
    off.flush_upgrades().await.unwrap();
    assert!(scheme_of(&off, &id).await != DigestScheme::Sha256);
    let on = world.start().await;
    assert_eq!(code(&on, &secret(&vector.token)).await, "allowed");
    world.store.fail_after(Call::Apply, Some(0));
    on.flush_upgrades().await.unwrap_err();
    world.store.fail_after(Call::Apply, None);
    on.flush_upgrades().await.unwrap();
    assert!(scheme_of(&on, &id).await != DigestScheme::Sha256, "it was given up");
    assert_eq!(code(&on, &secret(&vector.token)).await, "allowed");
    on.flush_upgrades().await.unwrap();
    assert_eq!(scheme_of(&on, &id).await, DigestScheme::Sha256);
}

#[rstest]
#[case(Dialect::Fork3, WeakSecrets::Refuse, false)]
#[case(Dialect::Fork3, WeakSecrets::Warn, true)]
#[case(Dialect::Fork4, WeakSecrets::Refuse, true)]
#[case(Dialect::Rust, WeakSecrets::Refuse, true)]
#[case(Dialect::Seam, WeakSecrets::Refuse, true)]
#[tokio::test]
async fn new_keys_of_other_libraries_are_made_unless_they_are_weak(
    #[case] dialect: Dialect,
    #[case] weak: WeakSecrets,
    #[case] is_made: bool,
) {
    let world = World::new(Memory);
    let keyward = world.start().await;
    let id: KeyspaceId = "theirs".parse().unwrap();
    let format = foreign("My-App_live", dialect, weak);
    create_keyspace(&keyward, NewKeyspace::new(id.clone(), format)).await;
    let issued = keyward.issue(key_of(&id), &me()).await;
    if !is_made {
        assert_eq!(issued.unwrap_err().field().unwrap().field, "keyspace");
        return;
    }
    let issued = issued.unwrap();
    let text = issued.secret.expose();
    let parts = Profile::new(dialect).components(text).unwrap();
    assert_eq!((parts.prefix, parts.id), ("My-App_live", issued.key.id.as_str()));
    assert_eq!(
        issued.key.secret.digest().unwrap().scheme(),
        DigestScheme::Sha256,
        "of the whole text"
    );
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    let rotated = keyward.rotate(&issued.key.id, Rotation::default(), &me()).await.unwrap();
    let parts = Profile::new(dialect).components(rotated.secret.expose()).unwrap();
    assert_eq!(parts.id, issued.key.id.as_str());
    assert_eq!(code(&keyward, &rotated.secret).await, "allowed");
    assert_eq!(code(&keyward, &issued.secret).await, "unknown");
}

#[rstest]
#[tokio::test]
async fn of_many_keys_each_is_answered_and_none_is_written_twice(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keyspace = opaque_keyspace(&keyward).await;
    let hex = |n: usize| format!("{n:064x}");
    let key = |id: &str, n: usize| {
        keyward.of_hash(key_of(&keyspace), id.parse().ok(), ("sha256-hex", &hex(n))).unwrap()
    };
    let codes = async |keys: Vec<ImportedKey>, mode: ImportMode| {
        let taken = keyward.import_many(keys, mode, &me()).await.unwrap();
        let codes = taken.iter().map(|taken| taken.as_ref().map_or_else(Error::code, |_| "ok"));
        codes.collect::<Vec<_>>()
    };
    let count = async || {
        let query = keyward::store::KeyQuery::new(keyward.now(), 1_000);
        keyward.list(&query).await.unwrap().keys.len()
    };
    let batch = || vec![key("a", 1), key("b", 2), key("a", 3), key("c", 2), key("d", 4)];
    let expected = ["ok", "ok", "key_exists", "key_exists", "ok"];
    assert_eq!(codes(batch(), ImportMode::Check).await, expected);
    assert_eq!(codes(batch(), ImportMode::Whole).await, expected);
    assert_eq!(count().await, 0, "nothing was written");
    assert_eq!(codes(batch(), ImportMode::Each).await, expected);
    assert_eq!(count().await, 3);
    let again =
        ["already_imported", "already_imported", "key_exists", "key_exists", "already_imported"];
    for mode in [ImportMode::Check, ImportMode::Each, ImportMode::Whole] {
        assert_eq!(codes(batch(), mode).await, again);
    }
    let other = owner("somebody-else");
    let stolen = ImportedKey { key: NewKey { owner: other, ..key_of(&keyspace) }, ..key("b", 9) };
    assert_eq!(codes(vec![stolen, key("e", 5)], ImportMode::Each).await, ["key_exists", "ok"]);
    let b = keyward.key(&"b".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(b.record.owner, owner("customer-1"), "nothing is overwritten");
    assert_eq!(codes(vec![key("f", 6), key("g", 7)], ImportMode::Whole).await, ["ok", "ok"]);
    assert_eq!(count().await, 6);
}

#[rstest]
#[tokio::test]
async fn a_revoked_key_is_known_again_by_its_secret_whatever_hash_it_came_with(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values("sha256", "sha512", "hmac-sha256:v1")] scheme: &str,
) {
    let world = World::new(backend);
    let peppers = || vec![(PepperVersion::new(1), Pepper::new(vec![1; 32]).unwrap())];
    let keyward = world.builder().peppers(peppers()).build().await.unwrap();
    let keyspace = opaque_keyspace(&keyward).await;
    let text = "op_0123456789abcdefghijABCDEFGHIJxy";
    let hasher = keyward::Hasher::new(peppers());
    let digest = hasher.digest(scheme.parse().unwrap(), text).unwrap();
    let by_hash =
        ImportedKey { id: "mine".parse().ok(), ..ImportedKey::new(key_of(&keyspace), digest) };
    let key = keyward.import(by_hash, &me()).await.unwrap();
    keyward.revoke(&key.id, None, &me()).await.unwrap();
    for id in [None, "other".parse().ok()] {
        let imported = keyward.of_secret(key_of(&keyspace), &secret(text)).unwrap();
        let refused = keyward.import(ImportedKey { id, ..imported }, &me()).await.unwrap_err();
        assert!(matches!(refused, Error::KeyExists), "{refused:?}");
    }
    assert_eq!(code(&keyward, &secret(text)).await, "revoked");
}

#[rstest]
#[tokio::test]
async fn a_key_that_moves_to_another_digest_while_it_is_looked_for_is_found(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = peppered(&world).await;
    let keyspace = opaque_keyspace(&keyward).await;
    let text = "op_0123456789abcdefghijABCDEFGHIJxy";
    let digest = keyward::Hasher::new(Vec::new()).digest(DigestScheme::Sha256, text).unwrap();
    let key = keyward.import(ImportedKey::new(key_of(&keyspace), digest), &me()).await.unwrap();
    // It is used, so that it is about to move; then it is forgotten.
    assert_eq!(code(&keyward, &secret(text)).await, "allowed");
    let locators: Vec<_> = key.locators().collect();
    keyward.invalidate(&locators).await.unwrap();
    let gate = world.store.hold(Call::BeforeFind);
    let same = keyward.clone();
    let looking = tokio::spawn(async move { code(&same, &secret(text)).await });
    // The new digest is known to be absent; the old one is about to be looked for.
    gate.arrivals(1).await;
    world.store.hold_no_more(Call::BeforeFind);
    keyward.flush_upgrades().await.unwrap();
    gate.open();
    assert_eq!(looking.await.unwrap(), "allowed");
}

#[rstest]
#[tokio::test]
async fn a_numbered_secret_is_taken_over_by_itself(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keyspace = opaque_keyspace(&keyward).await;
    let imported = keyward.of_secret(key_of(&keyspace), &secret(SANCTUM.0)).unwrap();
    keyward.import(imported, &me()).await.unwrap();
    assert_eq!(code(&keyward, &secret(SANCTUM.0)).await, "allowed");
    let again = keyward.of_hash(key_of(&keyspace), None, ("sanctum", &format!("17|{}", SANCTUM.1)));
    let refused = keyward.import(again.unwrap(), &me()).await.unwrap_err();
    assert!(matches!(refused, Error::KeyExists | Error::AlreadyImported), "{refused:?}");
}

#[rstest]
#[tokio::test]
async fn the_secret_before_a_rotation_moves_no_digest(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let plain = world.start().await;
    let before = plain.issue(reader(), &me()).await.unwrap();
    let grace = Rotation { grace: Some(seconds(3_600)), ..Rotation::default() };
    let after = plain.rotate(&before.key.id, grace, &me()).await.unwrap();
    let keyward = peppered(&world).await;
    assert_eq!(code(&keyward, &before.secret).await, "allowed");
    keyward.flush_upgrades().await.unwrap();
    assert_eq!(scheme_of(&keyward, &before.key.id).await, DigestScheme::Sha256);
    assert_eq!(code(&keyward, &after.secret).await, "allowed");
    keyward.flush_upgrades().await.unwrap();
    assert!(scheme_of(&keyward, &before.key.id).await != DigestScheme::Sha256);
    for secret in [&before.secret, &after.secret] {
        assert_eq!(code(&keyward, secret).await, "allowed");
    }
}

#[rstest]
#[tokio::test]
async fn usage_that_comes_along_is_written_later_if_it_cannot_be_now(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keyspace = opaque_keyspace(&keyward).await;
    let hash = ("sha256-hex", "0".repeat(64));
    let imported = keyward.of_hash(key_of(&keyspace), None, (hash.0, &hash.1)).unwrap();
    let usage = Usage { last_used_at: Some(keyward.now()), uses: 7, previous_uses: 2 };
    let imported = ImportedKey { past: Past { usage, ..Past::default() }, ..imported };
    world.store.fail_after(Call::RecordUsage, Some(0));
    let key = keyward.import(imported, &me()).await.unwrap();
    world.store.fail_after(Call::RecordUsage, None);
    assert_eq!(keyward.key(&key.id).await.unwrap().unwrap().usage, usage);
}
