//! TLS to the server, and whom it is believed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::open::Problem;

/// Which servers are believed. A path is that of a file with roots in PEM; without it, the roots of the
/// system count.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    /// Whoever answers: what is said cannot be read along, but may be said to anybody.
    Anybody,
    /// Whoever has a certificate of an authority, whatever name is in it.
    Authority(Option<PathBuf>),
    /// Whoever has a certificate of an authority for the host that was asked for.
    Host(Option<PathBuf>),
}

/// What makes TLS connections to servers that are trusted so.
pub(crate) fn connector(trust: &Trust) -> Result<MakeRustlsConnect, Problem> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(Problem::tls)?;
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::Anybody => Arc::new(Lenient { provider, roots: None }),
        Trust::Authority(path) => {
            Arc::new(Lenient { provider, roots: Some(roots(path.as_deref())?) })
        }
        Trust::Host(path) => {
            let roots = Arc::new(roots(path.as_deref())?);
            WebPkiServerVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(Problem::tls)?
        }
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    Ok(MakeRustlsConnect::new(builder.with_no_client_auth()))
}

fn roots(path: Option<&Path>) -> Result<RootCertStore, Problem> {
    let mut store = RootCertStore::empty();
    if let Some(path) = path {
        for certificate in CertificateDer::pem_file_iter(path).map_err(Problem::tls)? {
            store.add(certificate.map_err(Problem::tls)?).map_err(Problem::tls)?;
        }
    } else {
        // Some of the system's may be of no use; there are others.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if store.is_empty() { Err(Problem::NoRoots) } else { Ok(store) }
}

/// Believes certificates that do not name the host: of these roots, or else any at all.
#[derive(Debug)]
struct Lenient {
    provider: Arc<CryptoProvider>,
    roots: Option<RootCertStore>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                roots,
                intermediates,
                now,
                algorithms,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
