//! TLS, and whom the store believes.

use keyward_store::Store;
use keyward_store_postgres::{OpenError, PostgresOptions, PostgresStore};
use keyward_testkit::postgres::Postgres;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// An authority, as a file of roots, and a server with a certificate of it for a name.
struct Site {
    server: Postgres,
    folder: tempfile::TempDir,
}

impl Site {
    async fn start(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &authority).unwrap();
        let files = [("site.crt", certificate.pem()), ("site.key", key.serialize_pem())];
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let settings = ["ssl = on", "ssl_cert_file = 'site.crt'", "ssl_key_file = 'site.key'"];
        let server = Postgres::start_with(&settings, &files);
        server.create_database("keyward");
        PostgresStore::migrate(&server.url("keyward")).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("roots.pem"), authority.pem()).unwrap();
        let other = CertificateParams::default();
        let other = other.self_signed(&KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("others.pem"), other.pem()).unwrap();
        Self { server, folder }
    }

    /// Connects with these parameters, in which files are named by their own names, and returns whether
    /// that was over TLS.
    async fn connect(&self, host: &str, parameters: &str) -> Result<bool, OpenError> {
        let folder = self.folder.path().to_str().unwrap().replace('/', "%2F");
        let parameters = parameters.replace("rootcert=", &format!("rootcert={folder}%2F"));
        let port = self.server.port();
        let url = format!("postgres://postgres@{host}:{port}/keyward?{parameters}");
        let store = PostgresStore::connect(&url, &PostgresOptions::default()).await?;
        store.health().await.unwrap();
        let used = "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) \
                    where application_name = 'keyward'";
        Ok(self.server.execute("keyward", used) == "t\n")
    }
}

#[tokio::test]
async fn a_server_is_believed_as_the_address_says() {
    let site = Site::start("localhost").await;
    for (parameters, is_tls) in [
        ("sslmode=disable", false),
        ("", true),
        ("sslmode=prefer", true),
        ("sslmode=require", true),
        ("sslmode=require&sslrootcert=roots.pem", true),
        ("sslmode=verify-ca&sslrootcert=roots.pem", true),
        ("sslmode=verify-full&sslrootcert=roots.pem", true),
    ] {
        assert_eq!(site.connect("localhost", parameters).await.unwrap(), is_tls, "{parameters}");
    }
    // The certificate is for another name than this one, and the authority is none that is known here.
    assert!(site.connect("127.0.0.1", "sslmode=verify-ca&sslrootcert=roots.pem").await.unwrap());
    for (host, parameters) in [
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=roots.pem"),
        ("localhost", "sslmode=require&sslrootcert=others.pem"),
        ("localhost", "sslmode=verify-ca&sslrootcert=others.pem"),
        ("localhost", "sslmode=verify-full&sslrootcert=others.pem"),
        ("localhost", "sslmode=verify-full"),
        ("localhost", "sslmode=verify-full&sslrootcert=nowhere.pem"),
    ] {
        let refused = site.connect(host, parameters).await;
        assert!(refused.is_err(), "{host} {parameters}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_only_taken_where_that_is_no_matter() {
    let server = Postgres::start(&[]);
    server.create_database("keyward");
    PostgresStore::migrate(&server.url("keyward")).await.unwrap();
    for (mode, is_taken) in
        [("disable", true), ("prefer", true), ("require", false), ("verify-full", false)]
    {
        let url = format!("{}?sslmode={mode}", server.url("keyward"));
        let connected = PostgresStore::connect(&url, &PostgresOptions::default()).await;
        assert_eq!(connected.is_ok(), is_taken, "{mode}");
    }
}
