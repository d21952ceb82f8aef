//! What is done to keys and service accounts. Each act says whether it is certain what became of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::calls::{Call, Calls, Outcome};
use crate::harness::Issued;
use crate::history::event::{Secret, SecretId, SwitchId};

/// A service account.
pub(super) struct Account {
    pub(super) id: String,
    is_enabled: SwitchId,
    /// How often it was turned off or on.
    pub(super) turns: usize,
}

impl Account {
    pub(super) fn create(calls: &mut Calls<'_>) -> Option<Self> {
        let route = ("POST", "/v1/service-accounts");
        let call = calls.call("create account", route, &json!({"owner": "somebody"}));
        let Outcome::Done(body) = &call.outcome else { return None };
        let id = body["client_id"].as_str().unwrap().to_owned();
        Some(Self { id, is_enabled: calls.given_by(&call), turns: 0 })
    }

    pub(super) fn turn(&mut self, calls: &mut Calls<'_>, on: bool, secrets: &[SecretId]) -> bool {
        let (name, act) =
            if on { ("enable account", "enable") } else { ("disable account", "disable") };
        let path = format!("/v1/service-accounts/{}/{act}", self.id);
        let call = calls.act_on(secrets, name, ("POST", &path), &Value::Null);
        self.turns += 1;
        turned(calls, &call, self.is_enabled, on)
    }
}

/// A key that is not revoked.
pub(super) struct Key {
    pub(super) account: Option<String>,
    account_switch: Option<SwitchId>,
    id: String,
    pub(super) is_deleted: bool,
    pub(super) is_enabled: bool,
    /// Conditions: that it is switched on, neither deleted nor revoked.
    enabled: SwitchId,
    kept: SwitchId,
    unrevoked: SwitchId,
    /// Its secret, and the one before that while its grace lasts, with the condition of each.
    secrets: Vec<(SecretId, SwitchId)>,
}

impl Key {
    pub(super) fn issue(calls: &mut Calls<'_>, account: Option<&Account>) -> Option<Self> {
        let mut body = json!({"owner": "somebody"});
        if let Some(account) = account {
            body["service_account_id"] = json!(account.id);
        }
        let call = calls.call("issue", ("POST", "/v1/keys"), &body);
        let Outcome::Done(body) = &call.outcome else { return None };
        let Issued { id, secret } = Issued::read(body);
        let mut key = Self {
            account: account.map(|account| account.id.clone()),
            account_switch: account.map(|account| account.is_enabled),
            id,
            is_deleted: false,
            is_enabled: true,
            enabled: calls.given_by(&call),
            kept: calls.given_by(&call),
            unrevoked: calls.given_by(&call),
            secrets: Vec::new(),
        };
        key.publish(calls, secret, &call);
        Some(key)
    }

    /// The secrets that may be valid.
    pub(super) fn secrets(&self) -> impl Iterator<Item = SecretId> {
        self.secrets.iter().map(|(secret, _)| *secret)
    }

    pub(super) fn disable(&mut self, calls: &mut Calls<'_>) -> bool {
        self.is_enabled = false;
        self.turn(calls, "disable", self.enabled, false)
    }

    pub(super) fn enable(&mut self, calls: &mut Calls<'_>) -> bool {
        self.is_enabled = true;
        self.turn(calls, "enable", self.enabled, true)
    }

    pub(super) fn delete(&mut self, calls: &mut Calls<'_>) -> bool {
        self.is_deleted = true;
        self.turn(calls, "delete", self.kept, false)
    }

    pub(super) fn restore(&mut self, calls: &mut Calls<'_>) -> bool {
        self.is_deleted = false;
        self.turn(calls, "restore", self.kept, true)
    }

    pub(super) fn rotate(&mut self, calls: &mut Calls<'_>, grace: Option<Duration>) -> bool {
        let name = if grace.is_some() { "rotate with grace" } else { "rotate" };
        let body = match grace {
            Some(grace) => json!({"grace": format!("{}ms", grace.as_millis())}),
            None => Value::Null,
        };
        let call = self.act(calls, name, "rotate", &body);
        // A grace is the last secret's alone: the one before that ends with it.
        let grace = grace.unwrap_or_default();
        for (age, (_, switch)) in self.secrets.iter().enumerate() {
            calls.note(&call, *switch, false, if age == 0 { grace } else { Duration::ZERO });
        }
        let Outcome::Done(body) = &call.outcome else { return false };
        self.secrets.truncate(usize::from(!grace.is_zero()));
        self.publish(calls, Issued::read(body).secret, &call);
        true
    }

    /// Takes it away for good, as often as it takes until that is acknowledged.
    pub(super) fn revoke(self, calls: &mut Calls<'_>) {
        const ATTEMPTS: usize = 20;
        for _ in 0..ATTEMPTS {
            let call = self.act(calls, "revoke", "revoke", &Value::Null);
            if turned(calls, &call, self.unrevoked, false) || calls.board.is_over() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Makes a new secret known that was in the answer to a call.
    fn publish(&mut self, calls: &mut Calls<'_>, text: String, call: &Call) {
        let switch = calls.given_by(call);
        let key = vec![self.enabled, self.kept, self.unrevoked, switch];
        let secret = calls.board.publish(text, Secret { key, account: self.account_switch });
        calls.board.heat([secret]);
        self.secrets.insert(0, (secret, switch));
    }

    fn turn(
        &self,
        calls: &mut Calls<'_>,
        name: &'static str,
        switch: SwitchId,
        gives: bool,
    ) -> bool {
        let call = self.act(calls, name, name, &Value::Null);
        turned(calls, &call, switch, gives)
    }

    fn act(&self, calls: &mut Calls<'_>, name: &'static str, act: &str, body: &Value) -> Call {
        let path = format!("/v1/keys/{}", self.id);
        let secrets: Vec<_> = self.secrets().collect();
        match act {
            "delete" => calls.act_on(&secrets, name, ("DELETE", &path), body),
            act => calls.act_on(&secrets, name, ("POST", &format!("{path}/{act}")), body),
        }
    }
}

/// Notes an act on a condition, and returns whether it is certain what became of it.
fn turned(calls: &mut Calls<'_>, call: &Call, switch: SwitchId, gives: bool) -> bool {
    calls.note(call, switch, gives, Duration::ZERO);
    !matches!(call.outcome, Outcome::Unknown)
}
