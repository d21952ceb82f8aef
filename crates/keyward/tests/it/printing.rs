//! What is secret is printed by nothing, and kept nowhere but in its holder.

use std::fmt::Write as _;

use keyward::store::{AuditQuery, KeyQuery};
use keyward::{
    Asked, Decision, FormatKind, Hasher, KeyRecord, Pepper, PepperVersion, Peppers, Rotation,
    RotationMode, Secret,
};
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, issue_as, me, seconds};

use FormatKind::{Opaque, Prefixed, Signed};

const PEPPER: &[u8; 32] = b"a pepper that shall not be shown";

fn peppers() -> Peppers {
    vec![(PepperVersion::new(1), Pepper::new(PEPPER.to_vec()).unwrap())]
}

/// What must not be found in any text.
#[derive(Default)]
struct Hidden(Vec<String>);

impl Hidden {
    fn add_secret(&mut self, secret: &Secret, record: &KeyRecord) {
        let text = secret.expose();
        self.0.push(text.to_owned());
        // The random part alone, which begins where the hint ends, or else the signature.
        let random = text.strip_prefix(record.hint.as_str());
        let random = random.or_else(|| Some(text.rsplit_once('.')?.1));
        self.0.push(random.unwrap().to_owned());
        let hasher = Hasher::new(peppers());
        for scheme in ["sha256", "sha512", "hmac-sha256:v1"] {
            let digest = hasher.digest(scheme.parse().unwrap(), text).unwrap();
            self.add_bytes(digest.as_bytes());
        }
    }

    /// Bytes as they may be printed: in hex, and as a list.
    fn add_bytes(&mut self, bytes: &[u8]) {
        let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        self.0.push(hex.clone());
        self.0.push(hex.to_uppercase());
        self.0.push(format!("{:?}", &bytes[..8]).trim_matches(['[', ']']).to_owned());
    }

    fn assert_absent(&self, texts: &[String]) {
        for text in texts {
            let shown = self.0.iter().find(|hidden| text.contains(hidden.as_str()));
            assert_eq!(shown, None, "{text}");
        }
    }
}

/// A value as it is printed on one line and on many.
fn printed(value: &dyn std::fmt::Debug) -> [String; 2] {
    [format!("{value:?}"), format!("{value:#?}").replace(",\n", ", ").replace("  ", "")]
}

#[rstest]
#[tokio::test]
async fn no_type_prints_a_secret_a_digest_or_a_pepper(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let builder = world.builder().peppers(peppers());
    let mut texts = printed(&builder).to_vec();
    let keyward = builder.build().await.unwrap();
    let mut hidden = Hidden(vec![String::from_utf8(PEPPER.to_vec()).unwrap()]);
    hidden.add_bytes(PEPPER);

    let issued = issue_as(&keyward, format).await;
    hidden.add_secret(&issued.secret, &issued.key);
    texts.extend(printed(&issued));
    let rotation = Rotation { grace: Some(seconds(60)), ..Rotation::default() };
    let rotated = keyward.rotate(&issued.key.id, rotation.clone(), &me()).await.unwrap();
    hidden.add_secret(&rotated.secret, &rotated.key);
    texts.extend(printed(&rotated));
    let first_start = keyward.first_start().await.unwrap().unwrap();
    hidden.0.push(first_start.secret().expose().to_owned());
    let digest = Hasher::new(peppers());
    let scheme = "hmac-sha256:v1".parse().unwrap();
    hidden.add_bytes(digest.digest(scheme, first_start.secret().expose()).unwrap().as_bytes());
    texts.extend(printed(&first_start));

    let decision = keyward.verify(rotated.secret.expose(), &Asked::default()).await.unwrap();
    texts.extend(printed(&decision));
    let Decision::Allow(permit) = decision else { panic!("{decision:?}") };
    texts.extend(printed(&permit));
    texts.extend(printed(permit.holder()));
    let refused = keyward.verify("kw_garbage", &Asked::default()).await.unwrap();
    texts.extend(printed(&refused));
    texts.extend(printed(&keyward));
    assert!(texts.iter().any(|text| text.contains("hidden")));
    hidden.assert_absent(&texts);
}

#[rstest]
#[tokio::test]
async fn no_event_and_no_record_holds_a_secret(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
    #[values(RotationMode::SameId, RotationMode::Successor)] mode: RotationMode,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let rotation = Rotation { mode: Some(mode), grace: Some(seconds(60)), ..Rotation::default() };
    let rotated = keyward.rotate(&issued.key.id, rotation, &me()).await.unwrap();
    keyward.revoke(&rotated.key.id, "leaked".parse().ok(), &me()).await.unwrap();
    let mut hidden = Hidden::default();
    hidden.add_secret(&issued.secret, &issued.key);
    hidden.add_secret(&rotated.secret, &rotated.key);
    let query = AuditQuery { limit: 100, ..AuditQuery::default() };
    let events = keyward.audit(&query).await.unwrap().events;
    assert!(events.len() >= 4);
    let keys = keyward.list(&KeyQuery::new(keyward.now(), 100)).await.unwrap().keys;
    let texts = events
        .iter()
        .flat_map(|event| printed(event))
        .chain(keys.iter().flat_map(|key| printed(key)));
    hidden.assert_absent(&texts.collect::<Vec<_>>());
    let records = keys.iter().map(|key| serde_json::to_string(&key.record.metadata).unwrap());
    hidden.assert_absent(&records.collect::<Vec<_>>());
}
