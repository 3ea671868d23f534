//! Certificates of the tests' own, and a door with TLS before a server that has none.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Whoever signs certificates. Its files go with it.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("seawall-ca-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        std::fs::write(folder.join("root.pem"), own.pem()).unwrap();
        Self { folder, issuer: Issuer::new(params, key) }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.join("root.pem")
    }

    /// A certificate and its key, for a server of this name.
    pub fn server(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files =
            (self.folder.join(format!("{name}.pem")), self.folder.join(format!("{name}.key")));
        std::fs::write(&files.0, certificate.pem()).unwrap();
        std::fs::write(&files.1, key.serialize_pem()).unwrap();
        files
    }

    /// Ours.
    pub fn client(&self) -> (PathBuf, PathBuf) {
        self.server("client.example")
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A door before the server at this port; it asks those who come for a certificate if somebody is
/// named who must have signed it.
pub fn front(port: u16, files: &(PathBuf, PathBuf), clients: Option<&Authority>) -> u16 {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(authority.root()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(
                Arc::new(roots),
                Arc::new(ring::default_provider()),
            );
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let chain = vec![CertificateDer::from_pem_file(&files.0).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&files.1).unwrap();
    let config = Arc::new(builder.with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || hand_on(config, client.unwrap(), port));
        }
    });
    own
}

/// One thread for both ways: it looks at each in turn.
fn hand_on(config: Arc<ServerConfig>, client: TcpStream, port: u16) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    for side in [&client, &server] {
        side.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    }
    let mut client = StreamOwned::new(ServerConnection::new(config).unwrap(), client);
    let mut bytes = vec![0; 1 << 16];
    loop {
        match client.read(&mut bytes) {
            Ok(0) => return,
            Ok(count) if server.write_all(&bytes[..count]).is_err() => return,
            Err(error) if !is_quiet(&error) => return,
            _ => {}
        }
        match server.read(&mut bytes) {
            Ok(0) => return,
            Ok(count) if client.write_all(&bytes[..count]).is_err() => return,
            Err(error) if !is_quiet(&error) => return,
            _ => {}
        }
    }
}

fn is_quiet(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
