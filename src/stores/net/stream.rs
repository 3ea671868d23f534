//! A stream to a server, in the clear or not.

use super::endpoint::Endpoint;
use super::tls;
use crate::stores::error::StoreError;
use rustls::pki_types::ServerName;
use std::io::ErrorKind;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What bytes go through.
pub trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Bytes for S {}

/// A TCP stream, in the clear.
///
/// # Errors
/// `Unavailable`, with the place and what the system says.
pub async fn dial(endpoint: &Endpoint) -> Result<TcpStream, StoreError> {
    let unreachable = |error| StoreError::Unavailable(format!("no way to {endpoint}: {error}"));
    let stream = TcpStream::connect((&*endpoint.host, endpoint.port)).await.map_err(unreachable)?;
    // An operation is one small message: waiting for more to send would only delay it.
    stream.set_nodelay(true).map_err(unreachable)?;
    Ok(stream)
}

/// The stream, once the server has proved who it is.
///
/// # Errors
/// `Refused`: what is wrong with its certificate or with our files, which trying again won't mend;
/// `Unavailable` if it went away meanwhile.
pub async fn secure(
    endpoint: &Endpoint,
    files: &tls::Files,
    stream: TcpStream,
) -> Result<Box<dyn Bytes>, StoreError> {
    let no_tls = |why: String| format!("no TLS with {endpoint}: {why}");
    let refused = |why| StoreError::Refused(no_tls(why));
    let config = tls::client_of(files).await.map_err(refused)?;
    let name = ServerName::try_from(endpoint.host.clone())
        .map_err(|_| refused("its name can be in no certificate".to_owned()))?;
    match TlsConnector::from(config).connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        // What rustls itself objects to comes so.
        Err(error) if error.kind() == ErrorKind::InvalidData => Err(refused(error.to_string())),
        Err(error) => Err(StoreError::Unavailable(no_tls(error.to_string()))),
    }
}
