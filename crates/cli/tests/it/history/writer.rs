//! Issues keys, and gives and takes them, at nodes drawn by lot.

mod acts;
mod calls;

use std::net::SocketAddr;
use std::time::Duration;

use acts::{Account, Key};
use calls::Calls;
pub(super) use calls::Tally;

use super::board::Board;
use super::event::{Act, SwitchId};
use crate::harness::Dice;

/// How many keys a writer has at a time, and how often it turns an account off before it takes another.
const KEYS: usize = 6;
const TURNS: usize = 12;
/// The most milliseconds between two acts.
const PAUSE: usize = 60;

/// Whoever manages keys that nobody else touches.
pub(super) struct Writer<'a> {
    account: Option<Account>,
    board: &'a Board,
    calls: Calls<'a>,
    keys: Vec<Key>,
    /// The key that was changed last.
    last: usize,
}

/// What a writer did.
pub(super) struct Written {
    pub(super) acts: Vec<(SwitchId, Act)>,
    pub(super) tally: Tally,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        board: &'a Board,
        nodes: &[(usize, SocketAddr)],
        root_key: &str,
        dice: &'a Dice,
    ) -> Self {
        let calls = Calls::new(board, nodes, root_key, dice);
        Self { account: None, board, calls, keys: Vec::new(), last: 0 }
    }

    /// Writes until the run is over. Half of all acts follow the one before closely, often on the same key:
    /// while it is still being read somewhere because of the one before.
    pub(super) fn write(mut self) -> Written {
        while !self.board.is_over() {
            self.step();
            if self.calls.dice.roll(2) == 0 {
                self.rest();
            }
        }
        Written { acts: self.calls.acts, tally: self.calls.tally }
    }

    fn step(&mut self) {
        if self.account.as_ref().is_none_or(|account| account.turns > TURNS) {
            self.account = Account::create(&mut self.calls);
        } else if self.keys.len() < KEYS {
            let account = self.account.as_ref().filter(|_| self.calls.dice.roll(3) > 0);
            self.keys.extend(Key::issue(&mut self.calls, account));
        } else if self.calls.dice.roll(8) == 0 {
            self.turn_account_off_and_on();
        } else {
            if self.calls.dice.roll(3) == 0 {
                self.last = self.calls.dice.roll(KEYS);
            }
            self.change(self.last);
        }
    }

    fn change(&mut self, number: usize) {
        let key = &mut self.keys[number];
        let calls = &mut self.calls;
        let certain = match calls.dice.roll(7) {
            _ if key.is_deleted => key.restore(calls),
            _ if !key.is_enabled => key.enable(calls),
            0 | 1 => key.disable(calls),
            2 => key.delete(calls),
            3 | 4 => key.rotate(calls, None),
            5 => key.rotate(calls, Some(Duration::from_millis(1_500))),
            _ => false,
        };
        // Nothing more can be said of a key whose act got no answer, but that it is revoked.
        if !certain {
            self.keys.swap_remove(number).revoke(&mut self.calls);
        }
    }

    fn turn_account_off_and_on(&mut self) {
        let Some(account) = &mut self.account else { return };
        let of_account = |key: &&Key| key.account.as_ref() == Some(&account.id);
        let secrets: Vec<_> = self.keys.iter().filter(of_account).flat_map(Key::secrets).collect();
        let mut certain = account.turn(&mut self.calls, false, &secrets);
        if certain {
            let pause = self.calls.dice.roll(400);
            std::thread::sleep(Duration::from_millis(u64::try_from(pause).unwrap()));
            certain = account.turn(&mut self.calls, true, &secrets);
        }
        if !certain {
            let id = account.id.clone();
            self.account = None;
            for key in self.keys.extract_if(.., |key| key.account.as_ref() == Some(&id)) {
                key.revoke(&mut self.calls);
            }
        }
    }

    fn rest(&self) {
        let pause = u64::try_from(self.calls.dice.roll(PAUSE)).unwrap();
        std::thread::sleep(Duration::from_millis(pause));
    }
}
