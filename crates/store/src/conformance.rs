//! The rules of the port as tests, for every backend and for yours.
//!
//! ```
//! # use std::sync::Arc;
//! # use keyward_store::{MemoryStore, Store};
//! async fn fresh_store() -> (Arc<dyn Store>, ()) {
//!     // The second value lives as long as the test: keep a temporary folder in it, say.
//!     (Arc::new(MemoryStore::new()), ())
//! }
//!
//! # mod tests { use super::*;
//! keyward_store::conformance_tests!(fresh_store);
//! # }
//! ```
//!
//! Each rule is a function over `&dyn Store`, which must be empty. Rules panic when they are broken.
#![allow(
    clippy::cognitive_complexity,
    clippy::expect_used,
    clippy::many_single_char_names,
    clippy::too_many_lines,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "these functions are tests"
)]

pub mod accounts;
pub mod audit;
pub mod ended;
pub mod feed;
pub mod keys;
pub mod keyspaces;
pub mod lists;
pub mod oauth;
pub mod sample;
pub mod seal;
pub mod usage;

use std::sync::Arc;

use crate::Store;

/// The rules that are broken by stores that the given function makes, one for each rule. They are tried
/// one after the other in one test: for servers that take long to start, where each test runs in a process
/// of its own.
pub async fn broken_rules<G>(make: impl AsyncFn() -> (Arc<dyn Store>, G)) -> Vec<&'static str> {
    let mut broken = Vec::new();
    crate::conformance_rules! { broken make }
    broken
}

/// Makes a test of every rule, on a store that the given async function makes.
#[macro_export]
macro_rules! conformance_tests {
    ($make:path) => {
        $crate::conformance_rules! { tests $make }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_rules {
    (@of [tests $make:path] $($group:ident: $rule:ident,)*) => {
        $(
            #[tokio::test]
            async fn $rule() {
                let (store, _guard) = $make().await;
                $crate::conformance::$group::$rule(&*store).await;
            }
        )*
    };
    (@of [$broken:ident $make:ident] $($group:ident: $rule:ident,)*) => {
        $(
            let (store, _guard) = $make().await;
            let rule = tokio::spawn(async move { $group::$rule(&*store).await });
            if rule.await.is_err() {
                $broken.push(stringify!($rule));
            }
        )*
    };
    ($($how:tt)*) => {
        $crate::conformance_rules! { @of [$($how)*]
            accounts: an_account_reads_back_as_it_was_written,
            accounts: an_account_is_created_once_and_changed_from_its_version,
            accounts: an_owner_has_one_primary_account,
            accounts: of_concurrent_primary_accounts_exactly_one_is_made,
            accounts: a_key_has_an_account_that_exists,
            accounts: a_key_is_read_with_the_state_of_its_account,
            accounts: a_changed_account_is_told_to_followers,
            accounts: events_are_found_by_their_account,
            accounts: pages_visit_every_account_once_in_every_order,
            accounts: every_filter_of_accounts_is_kept,
            audit: events_commit_with_their_change_or_not_at_all,
            audit: events_are_listed_newest_first_in_pages,
            audit: every_filter_of_events_is_kept,
            audit: the_context_of_an_event_reads_back_as_it_was_written,
            audit: summaries_count_what_the_filter_names,
            audit: erasures_remove_what_the_filter_names_and_no_more,
            ended: keys_have_ended_at_and_after_their_instant,
            ended: deleted_keys_have_ended_as_others_do,
            ended: a_change_of_a_key_moves_its_end_nowhere,
            ended: spared_keyspaces_are_left_out_before_the_limit,
            ended: what_is_over_the_limit_is_found_when_the_rest_is_purged,
            ended: a_key_that_ended_in_two_ways_is_found_once,
            ended: deleted_keys_are_found_by_their_deletion,
            feed: a_change_is_seen_by_a_follower,
            feed: a_replayed_change_does_nothing_and_reports_its_first_sequence,
            feed: a_change_that_is_applied_twice_at_once_is_made_once,
            feed: a_refused_change_leaves_no_trace_in_the_feed,
            feed: a_changed_keyspace_is_told_to_followers,
            feed: a_follower_that_is_up_to_date_sees_nothing,
            feed: many_changes_are_followed_in_steps,
            keys: a_key_reads_back_as_it_was_written,
            keys: an_absent_key_is_none,
            keys: a_prefixed_key_is_found_by_its_id_alone,
            keys: a_signed_key_is_found_by_its_id,
            keys: an_opaque_key_is_found_by_its_digests_alone,
            keys: a_digest_that_a_rotation_dropped_finds_nothing,
            keys: an_id_is_used_once,
            keys: a_digest_is_used_once,
            keys: of_two_rows_of_one_change_with_the_same_id_or_digest_neither_is_made,
            keys: a_digest_in_its_grace_is_not_free,
            keys: of_two_changes_to_one_version_the_second_conflicts,
            keys: of_concurrent_changes_to_one_version_exactly_one_wins,
            keys: a_change_of_many_rows_is_made_whole_or_not_at_all,
            keys: a_purged_key_is_gone_with_its_locators,
            keys: names_with_special_characters_are_only_text,
            keyspaces: a_keyspace_reads_back_as_it_was_written,
            keyspaces: a_keyspace_is_created_once_and_changed_from_its_version,
            lists: pages_visit_every_key_once_in_every_order,
            lists: keys_that_are_added_meanwhile_do_not_disturb_pages,
            lists: states_are_told_as_the_record_tells_them,
            lists: every_filter_of_keys_is_kept,
            lists: keys_are_listed_by_their_service_account,
            lists: pages_with_numbers_hold_what_others_hold,
            lists: keys_are_found_by_any_or_by_all_of_several_tags,
            lists: a_changed_key_is_listed_by_what_it_is_now,
            lists: searches_ignore_case_and_take_wildcards_literally,
            lists: searches_in_notes_look_nowhere_else,
            oauth: signing_keys_read_back_as_they_were_written,
            oauth: a_signing_key_that_is_written_anew_is_replaced,
            oauth: signing_keys_go_when_others_are_written_after_their_end,
            oauth: a_revoked_token_is_known_to_be,
            oauth: revoked_tokens_go_when_others_are_revoked_after_their_end,
            oauth: revoked_tokens_are_listed_by_id,
            oauth: a_refused_change_publishes_and_revokes_nothing,
            seal: a_sealed_store_refuses_changes_and_keeps_counting,
            seal: a_seal_is_taken_off_again,
            seal: a_change_that_was_made_before_the_seal_is_reported,
            usage: usage_is_added_up_and_the_later_instant_stays,
            usage: usage_never_touches_the_record,
            usage: usage_of_unknown_keys_is_dropped,
            usage: a_touch_moves_the_instant_and_counts_nothing,
            usage: usage_goes_with_a_purged_key,
        }
    };
}
