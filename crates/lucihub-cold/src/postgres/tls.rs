//! TLS with rustls: whoever answers shows a certificate of the host's name, signed by an authority that is trusted.

use std::path::Path;
use std::sync::Arc;

use lucihub_models_core::Invalid;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What TLS connections are made with: the authorities of a PEM file, or the system's.
pub(super) fn connector(file: Option<&Path>) -> Result<MakeRustlsConnect, Invalid> {
    let roots = file.map_or_else(|| Ok(of_the_system()), of_a_file)?;
    let invalid = |e: rustls::Error| Invalid::new("TLS", e.to_string());
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(invalid)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn of_the_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn of_a_file(file: &Path) -> Result<RootCertStore, Invalid> {
    let invalid = |problem: String| {
        Invalid::new(format!("root certificates {}", file.display()), problem)
            .hint("name a PEM file of the authorities to be trusted")
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|e| invalid(e.to_string()))? {
        let certificate = certificate.map_err(|e| invalid(e.to_string()))?;
        roots.add(certificate).map_err(|e| invalid(e.to_string()))?;
    }
    if roots.is_empty() { Err(invalid("it holds no certificate".into())) } else { Ok(roots) }
}
