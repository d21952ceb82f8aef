//! What one writer was told, and whether it still holds.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Answer, Client, Dice, Issued, now};

/// The keys that one writer issued and changed. No other writer touches them.
pub(super) struct Ledger {
    pub(super) acknowledged: usize,
    /// Acts without an answer: each may have been done or not.
    pub(super) interrupted: usize,
    /// How long the node that is asked in the end may lag behind the one that acted.
    max_staleness: Duration,
    dice: Dice,
    keys: HashMap<String, Entry>,
    order: Vec<String>,
    touched: BTreeSet<String>,
}

/// What is known of one key.
struct Entry {
    secret: String,
    /// Secrets that must not work any more.
    dead: Vec<String>,
    enabled: bool,
    revoked: bool,
    /// The events that must be there, the oldest first.
    events: Vec<&'static str>,
    /// An act without an answer.
    pending: Option<Act>,
}

#[derive(Clone, Copy, PartialEq)]
enum Act {
    Disable,
    Enable,
    Revoke,
    Rotate,
    Succeed,
}

impl Act {
    const fn event(self) -> &'static str {
        match self {
            Self::Disable => "key.disabled",
            Self::Enable => "key.enabled",
            Self::Revoke => "key.revoked",
            Self::Rotate | Self::Succeed => "key.rotated",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Revoke => "revoke",
            Self::Rotate | Self::Succeed => "rotate",
        }
    }

    fn body(self) -> Value {
        if self == Self::Succeed { json!({"mode": "successor"}) } else { Value::Null }
    }
}

impl Ledger {
    /// One that is checked by a node which may lag so long behind the one that acted.
    pub(super) fn new(dice: Dice, max_staleness: Duration) -> Self {
        Self {
            acknowledged: 0,
            interrupted: 0,
            max_staleness,
            dice,
            keys: HashMap::new(),
            order: Vec::new(),
            touched: BTreeSet::new(),
        }
    }

    pub(super) fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Does something, drawn by lot. An error means that the server is gone, or what it stands on.
    pub(super) fn act(&mut self, client: &mut Client) -> io::Result<()> {
        let candidate = self.candidate();
        let Some((id, act)) = candidate.filter(|_| self.dice.roll(10) > 2) else {
            let answer = self.ask(client, "/v1/keys", &json!({"owner": "somebody"}))?;
            self.enter(Issued::read(&answer.body));
            return Ok(());
        };
        self.touched.insert(id.clone());
        self.keys.get_mut(&id).unwrap().pending = Some(act);
        let answer = self.ask(client, &format!("/v1/keys/{id}/{}", act.path()), &act.body())?;
        let entry = self.keys.get_mut(&id).unwrap();
        entry.pending = None;
        entry.apply(act);
        if act == Act::Rotate {
            entry.replace(Issued::read(&answer.body).secret);
        } else if act == Act::Succeed {
            let enabled = entry.enabled;
            let issued = Issued::read(&answer.body);
            self.enter(issued.clone());
            self.keys.get_mut(&issued.id).unwrap().enabled = enabled;
        }
        Ok(())
    }

    /// Checks the keys that were touched since the last check.
    pub(super) fn check_touched(&mut self, client: &mut Client, round: u64) {
        for id in std::mem::take(&mut self.touched) {
            let entry = self.keys.get_mut(&id).unwrap();
            entry.check_record(client, &id, round);
            entry.check_secrets(client, self.max_staleness);
        }
    }

    /// Checks all keys.
    pub(super) fn check_all(&mut self, client: &mut Client) {
        for (id, entry) in &mut self.keys {
            entry.check_record(client, id, u64::MAX);
            entry.check_secrets(client, self.max_staleness);
        }
    }

    /// A young key and what can be done to it.
    fn candidate(&self) -> Option<(String, Act)> {
        let young = &self.order[self.order.len().saturating_sub(40)..];
        let id = young.get(self.dice.roll(young.len().max(1)))?;
        let entry = &self.keys[id];
        let toggle = if entry.enabled { Act::Disable } else { Act::Enable };
        let acts = [toggle, toggle, toggle, Act::Rotate, Act::Rotate, Act::Succeed, Act::Revoke];
        (!entry.revoked).then(|| (id.clone(), acts[self.dice.roll(acts.len())]))
    }

    fn ask(&mut self, client: &mut Client, path: &str, body: &Value) -> io::Result<Answer> {
        let answer = client.try_call("POST", path, body).and_then(|answer| match answer.status {
            503 => Err(io::ErrorKind::NotConnected.into()),
            _ => Ok(answer),
        });
        let answer = answer.inspect_err(|_| self.interrupted += 1)?;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        self.acknowledged += 1;
        Ok(answer)
    }

    fn enter(&mut self, issued: Issued) {
        let entry = Entry {
            secret: issued.secret,
            dead: Vec::new(),
            enabled: true,
            revoked: false,
            events: vec!["key.issued"],
            pending: None,
        };
        self.touched.insert(issued.id.clone());
        self.order.push(issued.id.clone());
        self.keys.insert(issued.id, entry);
    }
}

impl Entry {
    fn apply(&mut self, act: Act) {
        match act {
            Act::Disable => self.enabled = false,
            Act::Enable => self.enabled = true,
            Act::Revoke | Act::Succeed => self.revoked = true,
            Act::Rotate => {}
        }
        self.events.push(act.event());
    }

    fn replace(&mut self, secret: String) {
        self.dead.push(std::mem::replace(&mut self.secret, secret));
    }

    fn check_record(&mut self, client: &mut Client, id: &str, round: u64) {
        let record = client.show(id);
        let events = client.all(&format!("/v1/audit?key={id}&limit=200"));
        let mut events: Vec<_> = events.iter().map(|e| e["action"].as_str().unwrap()).collect();
        events.reverse();
        // An act without an answer was done wholly or not at all: its event tells which.
        if let Some(act) = self.pending.take()
            && events.len() > self.events.len()
        {
            self.apply(act);
            if act == Act::Rotate {
                self.replace(String::new());
            }
        }
        assert_eq!(events, self.events, "round {round}: {record}");
        assert_eq!(record["version"], events.len(), "round {round}: {record}");
        assert_eq!(record["enabled"], self.enabled, "round {round}: {record}");
        assert_eq!(!record["revoked_at"].is_null(), self.revoked, "round {round}: {record}");
    }

    fn check_secrets(&self, client: &mut Client, max_staleness: Duration) {
        let expected = match (self.revoked, self.enabled) {
            (true, _) => "revoked",
            (_, false) => "disabled",
            _ => "valid",
        };
        let dead = self.dead.iter().map(|dead| (dead, "unknown"));
        for (secret, expected) in dead.chain([(&self.secret, expected)]) {
            // Nobody was told the secret of a rotation without an answer.
            if secret.is_empty() {
                continue;
            }
            let asked = now();
            let mut verdict = client.verify(secret);
            while verdict != expected && asked.elapsed() <= max_staleness {
                verdict = client.verify(secret);
            }
            assert_eq!(verdict, expected);
        }
    }
}
