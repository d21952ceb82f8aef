//! What a writer asks for, and what it notes of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Client, Dice};
use crate::history::board::Board;
use crate::history::event::{Act, Moment, NodeId, SecretId, SwitchId};

/// How often each act was done, and how often nothing is known of it.
pub(in crate::history) type Tally = BTreeMap<&'static str, [usize; 2]>;

/// The nodes, as a writer sees them.
pub(super) struct Calls<'a> {
    pub(super) acts: Vec<(SwitchId, Act)>,
    pub(super) board: &'a Board,
    clients: Vec<(NodeId, Client)>,
    pub(super) dice: &'a Dice,
    pub(super) tally: Tally,
}

/// A call that was made.
pub(super) struct Call {
    node: NodeId,
    name: &'static str,
    started: Moment,
    ended: Moment,
    pub(super) outcome: Outcome,
}

/// What is known of an act.
pub(super) enum Outcome {
    /// It was so already.
    Already,
    /// The node has done it.
    Done(Value),
    /// It may have been done or not, or may yet be.
    Unknown,
}

impl<'a> Calls<'a> {
    pub(super) fn new(
        board: &'a Board,
        nodes: &[(NodeId, SocketAddr)],
        root_key: &str,
        dice: &'a Dice,
    ) -> Self {
        let client = |(node, address): &(_, SocketAddr)| (*node, Client::new(*address, root_key));
        let clients = nodes.iter().map(client).collect();
        Self { acts: Vec::new(), board, clients, dice, tally: Tally::new() }
    }

    /// Asks a node drawn by lot.
    pub(super) fn call(
        &mut self,
        name: &'static str,
        (method, path): (&str, &str),
        body: &Value,
    ) -> Call {
        let drawn = self.dice.roll(self.clients.len());
        let (node, client) = &mut self.clients[drawn];
        let started = self.board.moment();
        let answer = client.try_call(method, path, body);
        let ended = self.board.moment();
        let outcome = match answer {
            Ok(answer) if answer.status / 100 == 2 => Outcome::Done(answer.body),
            Ok(answer) if answer.status == 409 => match answer.body["code"].as_str().unwrap() {
                code if code.starts_with("already_") || code == "not_deleted" => Outcome::Already,
                // A race with an earlier attempt.
                "conflict" => Outcome::Unknown,
                _ => panic!("{name} at node {node}: {answer:?}"),
            },
            Ok(answer) if answer.status == 503 => Outcome::Unknown,
            Ok(answer) => panic!("{name} at node {node}: {answer:?}"),
            Err(_) => Outcome::Unknown,
        };
        let is_done = matches!(outcome, Outcome::Done(_));
        self.tally.entry(name).or_default()[usize::from(!is_done)] += 1;
        Call { node: *node, name, started, ended, outcome }
    }

    /// The same for an act on secrets that are asked for often meanwhile.
    pub(super) fn act_on(
        &mut self,
        secrets: &[SecretId],
        name: &'static str,
        route: (&str, &str),
        body: &Value,
    ) -> Call {
        self.board.heat(secrets.iter().copied());
        let call = self.call(name, route, body);
        self.board.heat(secrets.iter().copied());
        call
    }

    /// Notes what a call did to a condition, after a delay if there is one.
    pub(super) fn note(&mut self, call: &Call, switch: SwitchId, gives: bool, delay: Duration) {
        let acknowledged = (!matches!(call.outcome, Outcome::Unknown)).then_some(call.ended);
        let act = Act {
            name: call.name,
            gives,
            node: call.node,
            started: call.started,
            acknowledged,
            is_own: matches!(call.outcome, Outcome::Done(_)),
            delay,
        };
        self.acts.push((switch, act));
    }

    /// A condition that holds from this call on.
    pub(super) fn given_by(&mut self, call: &Call) -> SwitchId {
        let switch = self.board.switch();
        self.note(call, switch, true, Duration::ZERO);
        switch
    }
}
