//! Certificates for servers that speak TLS.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::write;

/// An authority of the test's own, and the certificate of a server on 127.0.0.1.
#[derive(Clone, Debug)]
pub struct Certificates {
    authority: String,
    certificate: String,
    key: String,
}

/// The file with the authority.
pub(super) const AUTHORITY: &str = "ca.pem";

impl Certificates {
    /// New ones.
    pub(super) fn new() -> Self {
        let made = || -> Result<Self, rcgen::Error> {
            let mut params = CertificateParams::new(Vec::new())?;
            params.distinguished_name.push(DnType::CommonName, "the authority of a test");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
            let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
            let key = KeyPair::generate()?;
            let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
            Ok(Self {
                authority: authority.pem(),
                certificate: certificate.pem(),
                key: key.serialize_pem(),
            })
        };
        made().unwrap_or_else(|e| panic!("no certificates: {e}"))
    }

    /// Writes them into a folder. Returns the lines of `redis.conf` that make it speak TLS alone.
    pub(super) fn settings(&self, folder: &Path, port: u16) -> Vec<String> {
        let mut lines = vec![
            "port 0".to_owned(),
            format!("tls-port {port}"),
            "tls-auth-clients no".to_owned(),
            "tls-replication yes".to_owned(),
            "tls-cluster yes".to_owned(),
        ];
        for (setting, name, content) in [
            ("tls-ca-cert-file", AUTHORITY, &self.authority),
            ("tls-cert-file", "certificate.pem", &self.certificate),
            ("tls-key-file", "key.pem", &self.key),
        ] {
            write(&folder.join(name), content);
            lines.push(format!("{setting} {}", folder.join(name).display()));
        }
        lines
    }
}
