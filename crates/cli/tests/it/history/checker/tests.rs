//! Bad histories are found out, and good ones are not.

use std::time::Duration;

use rstest::rstest;

use super::{ViolationKind, violations};
use crate::history::event::{Act, Decision, History, Moment, Secret, Verification};

const STALENESS: Duration = Duration::from_secs(1);
const HERE: usize = 0;
const ELSEWHERE: usize = 1;

const fn ms(ms: u64) -> Moment {
    Moment::from_millis(ms)
}

/// An act of this node, asked for and acknowledged at these milliseconds.
fn act(name: &'static str, started: u64, acknowledged: u64) -> Act {
    Act {
        name,
        gives: matches!(name, "issue" | "enable" | "restore"),
        node: HERE,
        started: ms(started),
        acknowledged: Some(ms(acknowledged)),
        is_own: true,
        delay: Duration::ZERO,
    }
}

fn issue() -> Act {
    act("issue", 0, 10)
}

/// A history of one secret with one condition, and of one verification that took two milliseconds.
fn of(acts: &[Act], node: usize, asked: u64, decision: Decision) -> History {
    with_conditions(&[acts], node, asked, decision)
}

fn with_conditions(acts: &[&[Act]], node: usize, asked: u64, decision: Decision) -> History {
    let (asked, answered) = (ms(asked), ms(asked + 2));
    History {
        switches: acts.iter().map(|acts| acts.to_vec()).collect(),
        secrets: vec![Secret { key: (0..acts.len()).collect(), account: None }],
        verifications: vec![Verification { secret: 0, node, asked, answered, decision }],
    }
}

fn kinds(history: &History) -> Vec<ViolationKind> {
    violations(history, STALENESS).iter().map(|violation| violation.kind).collect()
}

#[rstest]
#[case::elsewhere_within_the_promise(ELSEWHERE, 1_115, false)]
#[case::elsewhere_after_it(ELSEWHERE, 1_121, true)]
#[case::long_after(ELSEWHERE, 60_000, true)]
#[case::here_before_the_acknowledgement(HERE, 119, false)]
#[case::here_after_it(HERE, 121, true)]
fn a_revoked_key_is_allowed(#[case] node: usize, #[case] asked: u64, #[case] is_violation: bool) {
    let acts = [issue(), act("revoke", 110, 120)];
    let expected = if is_violation { vec![ViolationKind::Allowed] } else { vec![] };
    assert_eq!(kinds(&of(&acts, node, asked, Decision::Allowed)), expected);
}

#[rstest]
#[case::before_anything_was_done(2_000, true)]
#[case::while_it_is_being_revoked(2_505, false)]
#[case::afterwards(9_000, false)]
#[case::before_it_must_be_known(900, false)]
fn a_key_is_refused(#[case] asked: u64, #[case] is_violation: bool) {
    let acts = [issue(), act("revoke", 2_500, 2_510)];
    let expected = if is_violation { vec![ViolationKind::Denied] } else { vec![] };
    assert_eq!(kinds(&of(&acts, ELSEWHERE, asked, Decision::Denied)), expected);
}

#[test]
fn what_was_given_back_may_be_allowed_and_refused_only_until_it_must_be_known() {
    let acts = [issue(), act("disable", 3_000, 3_010), act("enable", 3_500, 3_510)];
    let at = |node, asked, decision| kinds(&of(&acts, node, asked, decision)).len();
    for asked in [3_005, 3_505, 3_800, 9_000] {
        assert_eq!(at(ELSEWHERE, asked, Decision::Allowed), 0, "{asked}");
    }
    assert_eq!(at(HERE, 3_400, Decision::Allowed), 1);
    assert_eq!(at(HERE, 3_505, Decision::Allowed), 0);
    assert_eq!(at(ELSEWHERE, 4_500, Decision::Denied), 0);
    assert_eq!(at(ELSEWHERE, 4_520, Decision::Denied), 1);
    assert_eq!(at(HERE, 3_520, Decision::Denied), 1);
    assert_eq!(at(ELSEWHERE, 2_900, Decision::Denied), 1);
}

#[test]
fn what_lies_longer_apart_than_the_promise_is_no_excuse() {
    let acts = [issue(), act("disable", 3_000, 3_010), act("enable", 6_000, 6_010)];
    let allowed = |asked| kinds(&of(&acts, ELSEWHERE, asked, Decision::Allowed)).len();
    assert_eq!([allowed(4_000), allowed(4_020), allowed(5_990)], [0, 1, 1]);
    assert_eq!([allowed(5_999), allowed(6_001)], [0, 0]);
}

#[test]
fn an_act_without_an_acknowledgement_excuses_either_and_one_after_it_does_not() {
    let lost = |name, started| Act { acknowledged: None, ..act(name, started, started) };
    let acts = [issue(), lost("disable", 3_000)];
    for (asked, decision) in
        [(3_001, Decision::Denied), (60_000, Decision::Denied), (60_000, Decision::Allowed)]
    {
        assert_eq!(kinds(&of(&acts, ELSEWHERE, asked, decision)), []);
    }
    assert_eq!(kinds(&of(&acts, ELSEWHERE, 2_990, Decision::Denied)), [ViolationKind::Denied]);
    // It may be switched on at any time after it was switched off.
    let late = [issue(), lost("enable", 3_000), act("disable", 4_000, 4_010)];
    assert_eq!(kinds(&of(&late, ELSEWHERE, 60_000, Decision::Allowed)), []);
    // But not if the revocation is another condition.
    let conditions: [&[Act]; 2] = [&late, &[issue(), act("revoke", 5_000, 5_010)]];
    let history = with_conditions(&conditions, ELSEWHERE, 60_000, Decision::Allowed);
    assert_eq!(kinds(&history), [ViolationKind::Allowed]);
}

#[test]
fn conditions_must_hold_in_one_and_the_same_record() {
    let switched = [issue(), act("disable", 3_000, 3_010), act("enable", 3_100, 3_110)];
    let deleted = [issue(), act("delete", 3_050, 3_060)];
    let conditions: [&[Act]; 2] = [&switched, &deleted];
    let allowed =
        |asked| kinds(&with_conditions(&conditions, ELSEWHERE, asked, Decision::Allowed)).len();
    // Before it was switched off; afterwards, each holds at some time, but never both.
    assert_eq!([allowed(3_990), allowed(4_020), allowed(4_055), allowed(4_200)], [0, 1, 1, 1]);
}

#[test]
fn the_record_of_an_account_may_be_seen_at_another_time_than_the_keys() {
    let switched = [issue(), act("disable", 3_000, 3_010), act("enable", 3_100, 3_110)];
    let account = [issue(), act("disable", 3_050, 3_060)];
    let mut history = with_conditions(&[&switched, &account], ELSEWHERE, 4_055, Decision::Allowed);
    history.secrets[0] = Secret { key: vec![0], account: Some(1) };
    assert_eq!(kinds(&history), []);
    history.verifications[0].asked = ms(4_070);
    history.verifications[0].answered = ms(4_072);
    assert_eq!(kinds(&history), [ViolationKind::Allowed]);
}

#[test]
fn a_secret_that_was_rotated_lives_as_long_as_its_grace() {
    let rotate = Act { delay: ms(2_000), ..act("rotate", 3_000, 3_010) };
    let at = |node, asked, decision| kinds(&of(&[issue(), rotate.clone()], node, asked, decision));
    for node in [HERE, ELSEWHERE] {
        assert_eq!(at(node, 5_009, Decision::Allowed), []);
        assert_eq!(at(node, 5_011, Decision::Allowed), [ViolationKind::Allowed]);
        assert_eq!(at(node, 4_990, Decision::Denied), [ViolationKind::Denied]);
        assert_eq!(at(node, 5_001, Decision::Denied), []);
    }
}

#[test]
fn a_node_that_only_heard_of_an_act_may_lag() {
    let heard = Act { is_own: false, ..act("revoke", 3_000, 3_010) };
    let at = |asked| kinds(&of(&[issue(), heard.clone()], HERE, asked, Decision::Allowed));
    assert_eq!(at(3_900), []);
    assert_eq!(at(4_020), [ViolationKind::Allowed]);
}

#[test]
fn acts_at_the_same_time_may_have_been_done_in_either_order() {
    let acts = [issue(), act("disable", 3_000, 3_100), act("enable", 3_050, 3_060)];
    for decision in [Decision::Allowed, Decision::Denied] {
        assert_eq!(kinds(&of(&acts, ELSEWHERE, 9_000, decision)), []);
    }
}

#[test]
fn a_failure_is_never_a_violation_and_a_key_that_is_not_there_is_never_allowed() {
    let acts = [issue(), act("revoke", 110, 120)];
    assert_eq!(kinds(&of(&acts, ELSEWHERE, 9_000, Decision::Failed)), []);
    let late = [act("issue", 5_000, 5_010)];
    assert_eq!(kinds(&of(&late, ELSEWHERE, 4_000, Decision::Allowed)), [ViolationKind::Allowed]);
    // An absence may be known for as long as anything else.
    assert_eq!(kinds(&of(&late, ELSEWHERE, 5_900, Decision::Denied)), []);
    assert_eq!(kinds(&of(&late, ELSEWHERE, 6_020, Decision::Denied)), [ViolationKind::Denied]);
}
