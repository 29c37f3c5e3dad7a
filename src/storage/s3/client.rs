//! One signed request and its answer.
//!
//! Every request waits on its caller's thread. There is no limit to how long a transfer may take,
//! but one to how long it may stand still: a slow line is served, a dead one is given up. Nothing
//! is repeated here; the layer above does that. Payloads are signed with their SHA-256, so a
//! server keeps what was sent or refuses it. Bodies are read only as far as their readers allow.

use std::collections::VecDeque;
use std::io;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use data_encoding::BASE64;
use data_encoding::HEXLOWER;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::Digest;
use sha2::Sha256;
use ureq::Agent;
use ureq::Body;
use ureq::SendBody;
use ureq::http::HeaderMap;
use ureq::http::Method;
use ureq::http::Request;
use ureq::http::Response;
use ureq::http::StatusCode;
use ureq::tls::Certificate;
use ureq::tls::RootCerts;
use ureq::tls::TlsConfig;

use crate::clock::Clock;
use crate::storage::StorageErrorKind;
use crate::storage::s3::S3Options;
use crate::storage::s3::fault::Fault;
use crate::storage::s3::keys;
use crate::storage::s3::keys::KeySigner;
use crate::storage::s3::place::Place;
use crate::storage::s3::xml::Element;
use crate::storage::wire::Wire;
use crate::units::Timestamp;

/// Most bytes of an answer that is no blob: a page of a listing has up to a thousand names of a
/// kilobyte.
const ANSWER_BYTES_MAX: u64 = 8 << 20;
/// Most bytes that a server's complaint is read of.
const COMPLAINT_BYTES_MAX: u64 = 64 << 10;
/// How long a server may think about whether it wants a body; one that does not answer gets it.
const AWAIT_100: Duration = Duration::from_millis(300);
const CONNECTIONS_IDLE_MAX: usize = 16;
/// From which size on a server is asked before the body is sent.
const EXPECT_BYTES_MIN: u64 = 1 << 20;
/// SHA-256 of nothing.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// How long nothing may happen before a request counts as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    pub connect: Duration,
    /// Between two signs of life, and until the answer begins.
    pub stall: Duration,
}

impl Patience {
    pub const USUAL: Self =
        Self { connect: Duration::from_secs(20), stall: Duration::from_secs(45) };
}

/// What to ask.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) key: Option<String>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    /// Nothing is not the same as no bytes.
    pub(super) content: Option<Content<'a>>,
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, key: Option<String>) -> Self {
        Self { method, key, query: Vec::new(), headers: Vec::new(), content: None }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn content(mut self, content: Content<'a>) -> Self {
        self.content = Some(content);
        self
    }
}

/// Bytes to send, as they lie in the caller's memory.
#[derive(Debug, Clone)]
pub(super) struct Content<'a> {
    parts: VecDeque<&'a [u8]>,
    len_bytes: u64,
}

impl<'a> Content<'a> {
    pub(super) fn of(parts: &[&'a [u8]]) -> Self {
        let len_bytes = parts.iter().map(|part| part.len() as u64).sum();
        Self { parts: parts.iter().copied().collect(), len_bytes }
    }

    pub(super) fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    /// Takes the next `bytes_max` bytes off, fewer at the end.
    pub(super) fn split(&mut self, bytes_max: usize) -> Self {
        let mut taken = Self::of(&[]);
        let mut left = bytes_max;
        while left > 0 {
            let Some(part) = self.parts.pop_front() else { break };
            let (start, rest) = part.split_at(part.len().min(left));
            left -= start.len();
            taken.parts.push_back(start);
            taken.len_bytes += start.len() as u64;
            if !rest.is_empty() {
                self.parts.push_front(rest);
            }
        }
        self.len_bytes -= taken.len_bytes;
        taken
    }

    fn sha256(&self) -> Sha256 {
        let mut hash = Sha256::new();
        self.parts.iter().for_each(|part| hash.update(part));
        hash
    }
}

impl Read for Content<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(part) = self.parts.front_mut() {
            let count = part.read(into)?;
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            self.parts.pop_front();
        }
        Ok(0)
    }
}

/// A success.
pub(super) struct Answer(Response<Body>);

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    pub(super) fn len_bytes(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// The body as far as `bytes_max`, and one byte more if there is more.
    pub(super) fn read(mut self, bytes_max: u64) -> Result<Vec<u8>, Fault> {
        let likely = self.len_bytes().unwrap_or(0).min(bytes_max);
        let mut bytes = Vec::with_capacity(usize::try_from(likely).unwrap_or(0));
        let reader = self.0.body_mut().with_config().limit(u64::MAX).reader();
        match reader.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(Fault::unanswered(&ureq::Error::from(error))),
        }
    }

    /// Fills `into` and looks that nothing follows.
    pub(super) fn read_exact(mut self, into: &mut [u8]) -> Result<(), Fault> {
        let mut reader = self.0.body_mut().with_config().limit(u64::MAX).reader();
        let read = reader.read_exact(into).and_then(|()| reader.read(&mut [0]));
        match read {
            Ok(0) => Ok(()),
            Ok(_) => Err(Fault::new(StorageErrorKind::Other, "the server sent more than asked")),
            Err(error) => Err(Fault::unanswered(&ureq::Error::from(error))),
        }
    }

    /// The body as XML whose outermost element has this name.
    pub(super) fn xml(self, name: &str) -> Result<Element, Fault> {
        let body = self.read(ANSWER_BYTES_MAX)?;
        let found = Element::parse(&body).filter(|_| body.len() as u64 <= ANSWER_BYTES_MAX);
        found.filter(|found| found.name() == name).ok_or_else(|| {
            let detail = format!("expected an answer `{name}`, found something else");
            Fault::new(StorageErrorKind::Other, detail)
        })
    }
}

pub(super) struct Client {
    agent: Agent,
    place: Place,
    signer: KeySigner,
    /// Whether a request was signed already.
    had_keys: AtomicBool,
    wire: &'static Wire,
    clock: Arc<dyn Clock>,
}

impl Client {
    pub(super) fn new(
        options: &S3Options,
        region: &str,
        clock: Arc<dyn Clock>,
        patience: Patience,
    ) -> Result<Self, Fault> {
        let other = |detail: String| Fault::new(StorageErrorKind::Other, detail);
        let place = Place::of(options).map_err(other)?;
        let signer = keys::signer(&options.keys, region)
            .map_err(|detail| Fault::new(StorageErrorKind::Denied, detail))?;
        let wire = Wire::shared().map_err(|error| other(error.to_string()))?;
        let agent = agent(options, patience).map_err(other)?;
        let had_keys = AtomicBool::new(false);
        Ok(Self { agent, place, signer, had_keys, wire, clock })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Asks, and gives back a success; anything else is a fault.
    pub(super) fn ask(&self, ask: Ask<'_>) -> Result<Answer, Fault> {
        let request = self.signed(&ask)?;
        let answer = match ask.content {
            None => self.agent.run(request),
            Some(mut content) => {
                let (head, ()) = request.into_parts();
                self.agent.run(Request::from_parts(head, SendBody::from_reader(&mut content)))
            }
        };
        let mut answer = answer.map_err(|error| Fault::unanswered(&error))?;
        if answer.status().is_success() {
            return Ok(Answer(answer));
        }
        let mut body = Vec::new();
        let reader = answer.body_mut().with_config().limit(u64::MAX).reader();
        // What does not arrive explains nothing; the status still does.
        let _partly = reader.take(COMPLAINT_BYTES_MAX).read_to_end(&mut body);
        Err(self.answered(answer.status(), answer.headers(), &body))
    }

    /// What an answer says that is no success.
    pub(super) fn answered(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Fault {
        Fault::answered(status, headers, body, self.clock.now())
    }

    fn signed(&self, ask: &Ask<'_>) -> Result<Request<()>, Fault> {
        let wrong = |detail: String| Fault::new(StorageErrorKind::Other, detail);
        let url = self.place.url(ask.key.as_deref(), &ask.query);
        let mut request = Request::builder().method(ask.method.clone()).uri(url);
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        if let Some(content) = &ask.content {
            let hash = content.sha256().finalize();
            request = request
                .header("content-length", content.len_bytes())
                .header("x-amz-content-sha256", HEXLOWER.encode(&hash));
            // Elsewhere it would be that of the object, not of what is said about it.
            if ask.method == Method::PUT {
                request = request.header("x-amz-checksum-sha256", BASE64.encode(&hash));
            }
            if content.len_bytes() >= EXPECT_BYTES_MIN {
                request = request.header("expect", "100-continue");
            }
        } else {
            request = request.header("x-amz-content-sha256", EMPTY_SHA256);
        }
        let request = request.body(()).map_err(|error| wrong(error.to_string()))?;
        let (mut head, ()) = request.into_parts();
        let signed = self.wire.wait(self.signer.sign(&mut head, None));
        signed.map_err(|error| match error.kind() {
            reqsign_core::ErrorKind::CredentialInvalid => {
                let detail = "no keys that are valid now: neither in variables, nor in a profile, \
                              nor of this instance";
                // An instance that gave keys before gives them again.
                let had_keys = self.had_keys.load(Ordering::Relaxed);
                let passing = StorageErrorKind::Transient;
                Fault::new(if had_keys { passing } else { StorageErrorKind::Denied }, detail)
            }
            _ => {
                let detail = format!("the request cannot be signed: {error}");
                Fault::new(StorageErrorKind::Denied, detail)
            }
        })?;
        self.had_keys.store(true, Ordering::Relaxed);
        Ok(Request::from_parts(head, ()))
    }
}

fn agent(options: &S3Options, patience: Patience) -> Result<Agent, String> {
    let mut tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
    if options.endpoint.as_deref().is_none_or(|endpoint| endpoint.starts_with("https:")) {
        tls = tls.root_certs(RootCerts::from(authorities(options)?.into_iter()));
    }
    Ok(Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent("lifeboat")
        .max_idle_connections(CONNECTIONS_IDLE_MAX)
        .max_idle_connections_per_host(CONNECTIONS_IDLE_MAX)
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_await_100(Some(AWAIT_100))
        .timeout_per_read(Some(patience.stall))
        .timeout_per_write(Some(patience.stall))
        .tls_config(tls.build())
        .build()
        .new_agent())
}

/// What the system trusts, and what the options name besides.
fn authorities(options: &S3Options) -> Result<Vec<Certificate<'static>>, String> {
    let mut found = rustls_native_certs::load_native_certs().certs;
    // A certificate of the system that cannot be read is left out.
    found.retain(|der| rustls::RootCertStore::empty().add(der.clone()).is_ok());
    if let Some(path) = &options.ca_file {
        let shown = crate::path::escape(path.as_os_str().as_encoded_bytes());
        let bytes = std::fs::read(path).map_err(|error| format!("`{shown}`: {error}"))?;
        let named: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        let named = named.map_err(|error| format!("`{shown}`: {error}"))?;
        let is_good =
            |der: &CertificateDer<'static>| rustls::RootCertStore::empty().add(der.clone()).is_ok();
        if named.is_empty() || !named.iter().all(is_good) {
            return Err(format!("`{shown}`: expected certificates in PEM, found something else"));
        }
        found.extend(named);
    }
    Ok(found.iter().map(|der| Certificate::from_der(der).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_cut_and_read_across_its_parts() {
        let mut whole = Content::of(&[b"abc", b"", b"defg", b"h"]);
        assert_eq!(whole.len_bytes(), 8);
        let mut read = Vec::new();
        whole.clone().read_to_end(&mut read).unwrap();
        assert_eq!(read, b"abcdefgh");
        let mut found = Vec::new();
        while whole.len_bytes() > 0 {
            let mut part = whole.split(3);
            let mut bytes = Vec::new();
            part.read_to_end(&mut bytes).unwrap();
            found.push(bytes);
        }
        assert_eq!(found, [b"abc".to_vec(), b"def".to_vec(), b"gh".to_vec()]);
        assert_eq!(HEXLOWER.encode(&Content::of(&[]).sha256().finalize()), EMPTY_SHA256);
    }
}
