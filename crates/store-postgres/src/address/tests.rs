use std::time::Duration;

use super::*;

fn parsed(url: &str) -> Address {
    Address::parse(url).unwrap()
}

fn refusal(url: &str) -> String {
    Address::parse(url).unwrap_err().to_string()
}

#[test]
fn an_address_shows_where_it_leads_and_not_as_whom() {
    let address = parsed("postgres://me:se%3Acret@db1:6000,db2:6001/keyward?connect_timeout=7");
    assert_eq!(address.to_string(), "db1:6000,db2:6001/keyward");
    assert_eq!(format!("{address:?}"), "Address(db1:6000,db2:6001/keyward)");
    assert_eq!(address.config.get_password(), Some(&b"se:cret"[..]));
    assert_eq!(address.config.get_connect_timeout(), Some(&Duration::from_secs(7)));
    assert_eq!(parsed("postgresql://%2Frun%2Fpostgresql/k").to_string(), "/run/postgresql:5432/k");
}

#[test]
fn what_the_driver_does_not_know_is_taken_out_of_the_parameters() {
    let url = "postgres://db/k?sslmode=verify-full&application_name=mine&pooler=transaction\
               &sslrootcert=%2Fetc%2Froots.pem";
    let address = parsed(url);
    assert!(address.is_pooled);
    assert_eq!(address.config.get_application_name(), Some("mine"));
    assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
    let Trust::Host(Some(path)) = address.trust else { panic!("{:?}", address.trust) };
    assert_eq!(path, PathBuf::from("/etc/roots.pem"));
    let plain = parsed("postgres://db/k?pooler=none");
    assert!(!plain.is_pooled && plain.config.get_application_name() == Some("keyward"));
}

#[test]
fn roots_that_are_named_are_looked_at_where_libpq_does() {
    let trust = |parameters: &str| parsed(&format!("postgres://db/k?{parameters}")).trust;
    assert!(matches!(trust(""), Trust::Anybody));
    assert!(matches!(trust("sslmode=require"), Trust::Anybody));
    assert!(matches!(trust("sslmode=require&sslrootcert=a"), Trust::Authority(Some(_))));
    assert!(matches!(trust("sslmode=verify-ca"), Trust::Authority(None)));
    assert!(matches!(trust("sslmode=verify-full"), Trust::Host(None)));
}

#[test]
fn what_cannot_be_understood_is_refused_without_repeating_it() {
    for url in [
        "mysql://me:geheim@db/k",
        "postgres://me:ge@heim@db/k",
        "postgres://db:geheim/k",
        "postgres:///k",
        "postgres://db/k?geheim=1",
        "postgres://db/k?pooler=geheim",
        "postgres://db/k?sslmode=geheim",
    ] {
        let refusal = refusal(url);
        assert!(!refusal.contains("heim") && !refusal.contains("me:"), "{refusal}");
    }
}
