//! TLS of the server's own: the certificate in force, and how connections are
//! taken. TLS 1.2 and 1.3, HTTP/1.1 only.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum_server::accept::Accept;
use rustls::{
    ServerConfig,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// A client that has not made the handshake after this long is cut off.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The first byte of whatever speaks TLS: a handshake record (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;

/// What a client is told that does not speak TLS.
const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\
    Content-Length: 48\r\n\r\nThis port speaks TLS; use https:// to reach it.\n";

/// A certificate chain and its private key that belong together.
#[derive(Clone)]
pub struct Certificate(Arc<ServerConfig>);

/// Why two files are no certificate and key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The first file has no certificate in it.
    #[error("the certificate file holds no certificate; write the chain as PEM, the server's own first")]
    NoCertificate,
    /// The first file is no PEM.
    #[error("the certificate file is broken ({0}); write the chain as PEM, the server's own first")]
    BrokenCertificate(String),
    /// The second file has no key that can be read.
    #[error("the key file holds no private key ({0}); write it as PEM, without a password")]
    NoKey(String),
    /// They do not fit.
    #[error("certificate and key cannot be used together ({0}); write the key that the certificate was made for")]
    Unfit(String),
}

/// The TLS of a server; its certificate can be renewed while it runs.
#[derive(Clone)]
pub struct Tls {
    in_force: Arc<RwLock<Certificate>>,
}

impl Certificate {
    /// Reads a chain and a key, both PEM.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Certificate, CertificateError> {
        let broken = |error: pem::Error| CertificateError::BrokenCertificate(error.to_string());
        let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>().map_err(broken)?;
        if chain.is_empty() {
            return Err(CertificateError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| CertificateError::NoKey(error.to_string()))?;
        let unfit = |error: rustls::Error| CertificateError::Unfit(error.to_string());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.map_err(unfit)?.with_no_client_auth().with_single_cert(chain, key);
        let mut config = config.map_err(unfit)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Certificate(Arc::new(config)))
    }
}

impl Tls {
    /// With that certificate at first.
    pub fn new(certificate: Certificate) -> Tls {
        Tls { in_force: Arc::new(RwLock::new(certificate)) }
    }

    /// Uses another certificate for connections from here on.
    pub fn renew(&self, certificate: Certificate) {
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = certificate;
    }

    fn certificate(&self) -> Certificate {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Tls {
    type Stream = TlsStream<TcpStream>;
    type Service = S;
    type Future = Pin<Box<dyn Future<Output = io::Result<(TlsStream<TcpStream>, S)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Certificate(config) = self.certificate();
        Box::pin(async move {
            let handshake = timeout(HANDSHAKE_TIMEOUT, handshake(stream, config)).await;
            Ok((handshake.map_err(io::Error::other)??, service))
        })
    }
}

async fn handshake(mut stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<TlsStream<TcpStream>> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE {
        stream.write_all(SPEAK_TLS).await?;
        stream.shutdown().await?;
        return Err(io::Error::other("the client does not speak TLS"));
    }
    TlsAcceptor::from(config).accept(stream).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_said() {
        let refusal = |chain: &str, key: &str| Certificate::from_pem(chain.as_bytes(), key.as_bytes()).err();
        assert_eq!(refusal("", ""), Some(CertificateError::NoCertificate));
        let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        assert!(matches!(refusal(broken, ""), Some(CertificateError::BrokenCertificate(_))));
        let any = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(refusal(any, ""), Some(CertificateError::NoKey(_))));
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(matches!(refusal(any, key), Some(CertificateError::Unfit(_))));
    }

    #[test]
    fn the_words_to_who_speaks_no_tls_are_as_long_as_they_say() {
        let (head, body) = std::str::from_utf8(SPEAK_TLS).unwrap().split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
    }
}
