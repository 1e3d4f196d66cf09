//! A throw-away certificate authority and a certificate of `localhost` and 127.0.0.1 that it signed.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// The files that a server, and its clients, need for TLS.
#[derive(Debug)]
pub(crate) struct Certificates {
    /// What a client trusts.
    pub(crate) authority: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificates {
    /// Writes new ones into a folder.
    pub(crate) fn write(folder: &Path) -> Self {
        let files = Self {
            authority: folder.join("ca.pem"),
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        };
        let authority = authority();
        let key = new_key();
        let certificate = server().signed_by(&key, &authority).expect("a certificate from a good key");
        for (file, text) in [
            (&files.authority, authority.pem()),
            (&files.certificate, certificate.pem()),
            (&files.key, key.serialize_pem()),
        ] {
            fs::write(file, text).expect("a file in a temporary folder");
        }
        files
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut of = CertificateParams::default();
    of.distinguished_name.push(DnType::CommonName, "LuciHub's tests");
    of.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    of.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(of, new_key()).expect("a certificate from a good key")
}

fn server() -> CertificateParams {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut of = CertificateParams::new(names).expect("names and addresses in their usual form");
    of.distinguished_name.push(DnType::CommonName, "localhost");
    of.use_authority_key_identifier_extension = true;
    of.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    of.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    of
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("the system's randomness")
}
