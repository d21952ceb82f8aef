//! Asks one node about secrets, all the time.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::board::Board;
use super::event::{Decision, NodeId, SecretId, Verification};
use crate::harness::{Client, Dice, verdict};

/// Whoever asks a node.
pub(super) struct Verifier<'a> {
    pub(super) board: &'a Board,
    client: Client,
    node: NodeId,
    seen: Vec<Verification>,
}

/// Without it, verifiers would leave writers, servers and networks no time to do anything.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(1);
/// After how many questions about a secret of lately comes one about any of them.
const STRANGERS: usize = 10;

impl<'a> Verifier<'a> {
    pub(super) fn new(board: &'a Board, (node, address): (NodeId, SocketAddr), key: &str) -> Self {
        Self { board, client: Client::new(address, key), node, seen: Vec::new() }
    }

    /// Asks about those that something happened to last, so that it is known when that took effect.
    pub(super) fn pursue(mut self) -> Vec<Verification> {
        let mut turn = 0;
        while !self.board.is_over() {
            turn += 1;
            match self.board.newest(turn) {
                Some(secret) => self.verify(secret),
                None => rest(),
            }
            thread::sleep(BETWEEN_QUESTIONS);
        }
        self.seen
    }

    /// Asks about all that something happened to lately, and now and then about any other.
    pub(super) fn patrol(mut self, dice: &Dice) -> Vec<Verification> {
        let mut turn = 0;
        while !self.board.is_over() {
            turn += 1;
            let count = self.board.secrets();
            match self.board.hot(turn) {
                Some(_) if turn.is_multiple_of(STRANGERS) => self.verify(dice.roll(count)),
                Some(secret) => self.verify(secret),
                None => rest(),
            }
            thread::sleep(BETWEEN_QUESTIONS);
        }
        self.seen
    }

    /// Asks about each of the last of all secrets once.
    pub(super) fn sweep(mut self, most: usize) -> Vec<Verification> {
        let count = self.board.secrets();
        for secret in count.saturating_sub(most)..count {
            self.verify(secret);
        }
        self.seen
    }

    fn verify(&mut self, secret: SecretId) {
        let text = self.board.secret(secret);
        let asked = self.board.moment();
        let answer = self.client.try_call("POST", "/v1/verify", &json!({"secret": text}));
        let answered = self.board.moment();
        let decision = match &answer {
            Ok(answer) if answer.status == 200 => {
                if verdict(&answer.body) == "valid" {
                    Decision::Allowed
                } else {
                    Decision::Denied
                }
            }
            Ok(answer) if answer.status == 503 => Decision::Failed,
            Ok(answer) => panic!("node {}: {answer:?}", self.node),
            Err(_) => Decision::Failed,
        };
        if decision == Decision::Failed {
            rest();
        }
        self.seen.push(Verification { secret, node: self.node, asked, answered, decision });
    }
}

/// Whoever cannot be answered now need not be asked all the time.
fn rest() {
    thread::sleep(Duration::from_millis(5));
}
