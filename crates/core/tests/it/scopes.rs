//! What a key may do: scopes everywhere, and scopes on single resources.

use std::collections::BTreeMap;

use keyward_core::{
    Asked, Decision, KeyspaceId, MatchScopes, ResourceId, ResourceScopes, Scope, ScopeSet,
};
use rstest::rstest;

use crate::support::{Issued, at, decide, issued};

fn scopes(names: &[&str]) -> Vec<Scope> {
    names.iter().map(|name| Scope::parse(*name).unwrap()).collect()
}

fn resource(text: &str) -> ResourceId {
    ResourceId::parse(text).unwrap()
}

/// A key that may `read` and `list` everywhere, `write` on one project, and `ping` on an odd one.
fn key() -> Issued {
    let mut key = issued();
    key.record.scopes = ScopeSet::new(scopes(&["read", "list"])).unwrap();
    let on = |text, names: &[&str]| (resource(text), ScopeSet::new(scopes(names)).unwrap());
    let resources = [on("project:1", &["write", "share"]), on("project:1:a", &["ping"])];
    key.record.resources = ResourceScopes::new(BTreeMap::from(resources)).unwrap();
    key
}

fn may(names: &[&str], matching: MatchScopes, on: Option<&str>) -> bool {
    let key = key();
    let (scopes, resource) = (scopes(names), on.map(resource));
    let resource = resource.as_ref();
    let asked = Asked { matching, resource, scopes: &scopes, ..Asked::default() };
    let text = key.minted.secret.expose();
    match decide(text, &key.keyspace, &key.record, &asked, at(0)) {
        Decision::Allow(_) => true,
        Decision::Deny(reason) => {
            assert_eq!(reason.code(), "insufficient_scope");
            false
        }
    }
}

#[rstest]
#[case::none(&[], true)]
#[case::one(&["read"], true)]
#[case::both(&["list", "read"], true)]
#[case::one_lacking(&["read", "delete"], false)]
#[case::unknown(&["delete"], false)]
#[case::case_counts(&["Read"], false)]
#[case::no_part_of_a_name(&["rea"], false)]
#[case::no_wildcard(&["*"], false)]
#[case::given_on_a_resource_alone(&["write"], false)]
fn all_scopes_are_needed_everywhere(#[case] asked: &[&str], #[case] allowed: bool) {
    assert_eq!(may(asked, MatchScopes::All, None), allowed);
}

#[rstest]
#[case::none(&[], true)]
#[case::one(&["read"], true)]
#[case::one_of_two(&["delete", "read"], true)]
#[case::neither(&["delete", "admin"], false)]
#[case::given_on_a_resource_alone(&["delete", "write"], false)]
fn any_scope_is_enough(#[case] asked: &[&str], #[case] allowed: bool) {
    assert_eq!(may(asked, MatchScopes::Any, None), allowed);
}

#[rstest]
#[case::given_there(&["write"], "project:1", true)]
#[case::given_everywhere(&["read"], "project:1", true)]
#[case::given_everywhere_on_a_stranger(&["read"], "invoice:9", true)]
#[case::one_of_each(&["read", "write"], "project:1", true)]
#[case::one_lacking(&["read", "ping"], "project:1", false)]
#[case::another_id(&["write"], "project:2", false)]
#[case::another_type(&["write"], "invoice:1", false)]
#[case::longer_id(&["write"], "project:11", false)]
#[case::colon_in_the_id(&["ping"], "project:1:a", true)]
#[case::not_what_is_above(&["write"], "project:1:a", false)]
#[case::not_what_is_below(&["ping"], "project:1", false)]
#[case::case_counts(&["write"], "Project:1", false)]
#[case::none(&[], "invoice:9", true)]
fn scopes_on_a_resource_add_to_those_everywhere(
    #[case] asked: &[&str],
    #[case] on: &str,
    #[case] allowed: bool,
) {
    assert_eq!(may(asked, MatchScopes::All, Some(on)), allowed);
}

#[rstest]
#[case::one_of_two_there(&["delete", "write"], "project:1", true)]
#[case::one_of_two_everywhere(&["delete", "read"], "project:2", true)]
#[case::neither(&["delete", "write"], "project:2", false)]
#[case::none(&[], "project:2", true)]
fn any_scope_on_a_resource_is_enough(
    #[case] asked: &[&str],
    #[case] on: &str,
    #[case] allowed: bool,
) {
    assert_eq!(may(asked, MatchScopes::Any, Some(on)), allowed);
}

#[test]
fn a_permit_knows_what_else_the_key_may_do() {
    let key = key();
    let text = key.minted.secret.expose();
    let decision = decide(text, &key.keyspace, &key.record, &Asked::default(), at(0));
    let Decision::Allow(permit) = decision else { panic!("nothing was asked") };
    assert_eq!(permit.key(), &key.record);

    let (project, write, read) = (resource("project:1"), scopes(&["write"]), scopes(&["read"]));
    assert!(permit.allows(&Asked { scopes: &read, ..Asked::default() }));
    assert!(!permit.allows(&Asked { scopes: &write, ..Asked::default() }));
    let on_project = Asked { resource: Some(&project), scopes: &write, ..Asked::default() };
    assert!(permit.allows(&on_project));
    let (own, other) = (KeyspaceId::default_keyspace(), KeyspaceId::management());
    assert!(permit.allows(&Asked { keyspace: Some(&own), ..on_project }));
    assert!(!permit.allows(&Asked { keyspace: Some(&other), ..on_project }));
}

#[test]
fn a_record_can_be_asked_for_scopes_here_and_there() {
    let record = key().record;
    let (project, other) = (resource("project:1"), resource("project:2"));
    let [read, write] = [&scopes(&["read"])[0], &scopes(&["write"])[0]].map(Clone::clone);
    assert!(record.has_scope(&read, None) && record.has_scope(&read, Some(&other)));
    assert!(record.has_scope(&write, Some(&project)));
    assert!(!record.has_scope(&write, None) && !record.has_scope(&write, Some(&other)));
    let both = [read, write.clone()];
    assert!(record.has_all_scopes(&both, Some(&project)), "of both kinds together");
    assert!(!record.has_all_scopes(&both, Some(&other)) && !record.has_all_scopes(&both, None));
    assert!(record.has_any_scope(&both, None) && !record.has_any_scope(&[write], Some(&other)));
    assert!(record.has_all_scopes(&[], None) && !record.has_any_scope(&[], Some(&project)));
}
