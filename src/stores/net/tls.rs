//! Whom a server is believed to be, and who we are to it.
//!
//! A server's certificate is always verified, by the roots of the operating system or by those in a
//! file. The cryptography is handed to rustls here: nothing is installed for the whole process.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where certificates are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Roots that are believed instead of the operating system's.
    pub ca: Option<PathBuf>,
    /// Our own certificate, with those between it and its root, and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// As [`client`], without holding up others while files are read.
///
/// # Errors
/// As there.
pub async fn client_of(files: &Files) -> Result<Arc<ClientConfig>, String> {
    let files = files.clone();
    let read = tokio::task::spawn_blocking(move || client(&files).map(Arc::new)).await;
    read.map_err(|error| error.to_string())?
}

/// What a connection is made with. Files are read anew each time: they are replaced while we run.
///
/// # Errors
/// What can't be read, and where.
pub fn client(files: &Files) -> Result<ClientConfig, String> {
    let roots = Arc::new(roots(files.ca.as_deref())?);
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
    client_with(files, verifier.map_err(|error| error.to_string())?)
}

/// Likewise, where a server is believed for other reasons than usual.
///
/// # Errors
/// What can't be read, and where.
pub fn client_with(
    files: &Files,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    match &files.client {
        None => Ok(builder.with_no_client_auth()),
        Some((cert, key)) => {
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| in_file(key, error))?;
            builder
                .with_client_auth_cert(certificates(cert)?, private)
                .map_err(|error| in_file(cert, error))
        }
    }
}

/// The roots in a file, or the operating system's.
///
/// # Errors
/// What can't be read, and where.
pub fn roots(ca: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let Some(ca) = ca else {
        let found = rustls_native_certs::load_native_certs();
        // Some systems have a few that nobody can read; none at all is what matters.
        roots.add_parsable_certificates(found.certs);
        return if roots.is_empty() {
            Err("the operating system has no root certificates: name some with ca=path".to_owned())
        } else {
            Ok(roots)
        };
    };
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|error| in_file(ca, error))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| in_file(path, error))?;
    if found.is_empty() { Err(in_file(path, "it has no certificate")) } else { Ok(found) }
}

fn in_file(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that is not there, or has nothing in it, is named.
    #[test]
    fn a_file_that_can_not_be_used_is_named() {
        let path = std::env::temp_dir().join(format!("seawall-tls-{}.pem", std::process::id()));
        let files = Files { ca: Some(path.clone()), client: None };
        let missing = client(&files).unwrap_err();
        std::fs::write(&path, "no certificate").unwrap();
        let empty = client(&files).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        for said in [&missing, &empty] {
            assert!(said.starts_with(&path.display().to_string()), "{said}");
        }
        assert!(empty.contains("no certificate") && missing != empty, "{empty}");
    }
}
