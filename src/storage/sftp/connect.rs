//! Making the connection.

use std::borrow::Cow;
use std::ffi::OsString;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use russh::cipher;
use russh::client;
use russh::client::AuthResult;
use russh::keys::Algorithm;
use russh::keys::EcdsaCurve;
use russh::keys::PrivateKeyWithHashAlg;
use russh::keys::PublicKeyOrCertificate;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::decode_secret_key;
use russh_sftp::client::Config;
use russh_sftp::client::RawSftpSession;

use crate::secret::SecretBytes;
use crate::storage::StorageErrorKind;
use crate::storage::wire;

use super::Login;
use super::Ssh;
use super::Way;
use super::hosts::Known;
use super::link::Carrier;
use super::link::Link;
use super::patience::Patience;
use super::trouble::Trouble;

/// How often a silent server is asked whether it is there, and how many silences end it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVES_MAX: usize = 4;
/// Most bytes of one packet of SFTP, as OpenSSH has it.
const PACKET_BYTES_MAX: u32 = 256 * 1024;

/// The kinds of host keys, in the order in which they are asked for.
const KINDS: [Algorithm; 4] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
];
/// With hardware for AES, that is the faster of the two that authenticate what they encrypt.
const CIPHERS: [cipher::Name; 3] =
    [cipher::AES_256_GCM, cipher::CHACHA20_POLY1305, cipher::AES_256_CTR];

static GENERATIONS: AtomicU64 = AtomicU64::new(1);

/// Connects, proves who the server is, logs in, and starts SFTP. What lies at the path `root` is
/// asked along.
pub(super) async fn connect(
    way: &Way,
    root: &str,
    patience: Patience,
) -> Result<Arc<Link>, Trouble> {
    let made = async {
        match way {
            Way::Ssh(ssh) => by_ssh(ssh, root, patience).await,
            Way::Program(argv) => by_program(argv, root, patience).await,
        }
    };
    let seconds = patience.connect.as_secs();
    let late = |_| Trouble::Lost(format!("no connection with an answer of SFTP in {seconds} s"));
    tokio::time::timeout(patience.connect, made).await.map_err(late)?
}

async fn by_ssh(ssh: &Ssh, root: &str, patience: Patience) -> Result<Arc<Link>, Trouble> {
    let known = Known::of(ssh)?;
    let mut refused = None;
    // A server has several keys and shows one: the fingerprint may be that of another.
    for kinds in known.kinds(&KINDS) {
        match handshake(ssh, &known, kinds).await {
            Ok(handle) => return over_ssh(ssh, handle, (root, patience)).await,
            Err(Refused::Key(text)) => refused = refused.or(Some(text)),
            Err(Refused::NoSuchKind) => {}
            Err(Refused::Other(trouble)) => return Err(trouble),
        }
    }
    let none = || "it shows none of the kinds of keys that are known (no RSA keys)".to_owned();
    Err(Trouble::said(StorageErrorKind::Other, refused.unwrap_or_else(none)))
}

enum Refused {
    /// The server's key is not the known one; in words.
    Key(String),
    NoSuchKind,
    Other(Trouble),
}

async fn handshake(
    ssh: &Ssh,
    known: &Known,
    kinds: Vec<Algorithm>,
) -> Result<client::Handle<Guard>, Refused> {
    let preferred = russh::Preferred {
        key: Cow::Owned(kinds),
        cipher: Cow::Borrowed(&CIPHERS),
        ..russh::Preferred::DEFAULT
    };
    let config = client::Config {
        preferred,
        keepalive_interval: Some(KEEP_ALIVE),
        keepalive_max: KEEP_ALIVES_MAX,
        nodelay: true,
        ..client::Config::default()
    };
    let verdict = Arc::new(Mutex::new(None));
    let guard = Guard { known: known.clone(), refused: Arc::clone(&verdict) };
    let address = (ssh.host.as_str(), ssh.port);
    client::connect(Arc::new(config), address, guard).await.map_err(|error| {
        let refused = verdict.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (refused, error) {
            (Some(text), _) => Refused::Key(text),
            (None, russh::Error::NoCommonAlgo { kind: russh::AlgorithmKind::Key, .. }) => {
                Refused::NoSuchKind
            }
            (None, error) => Refused::Other(lost(&error)),
        }
    })
}

async fn over_ssh(
    ssh: &Ssh,
    mut handle: client::Handle<Guard>,
    (root, patience): (&str, Patience),
) -> Result<Arc<Link>, Trouble> {
    log_in(ssh, &mut handle).await?;
    let channel = handle.channel_open_session().await.map_err(|error| lost(&error))?;
    let asked = channel.request_subsystem(true, "sftp").await;
    asked.map_err(|error| lost(&error))?;
    let session = RawSftpSession::new_with_config(channel.into_stream(), config(patience));
    start(session, Carrier::Ssh(handle), root).await
}

async fn by_program(
    argv: &[OsString],
    root: &str,
    patience: Patience,
) -> Result<Arc<Link>, Trouble> {
    let said = |text| Trouble::said(StorageErrorKind::Other, text);
    let Some((program, arguments)) = argv.split_first() else {
        return Err(said("expected a program that speaks SFTP, found none".to_owned()));
    };
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let shown = program.to_string_lossy().into_owned();
    let started = command.spawn();
    let mut child = started.map_err(|error| match wire::lacks_handles(&error) {
        Some(text) => Trouble::Said(StorageErrorKind::Handles, text),
        None => said(format!("`{shown}` cannot be started: {error}")),
    })?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(said(format!("`{shown}` has no standard input and output")));
    };
    let way = tokio::io::join(stdout, stdin);
    let session = RawSftpSession::new_with_config(way, config(patience));
    start(session, Carrier::Program(Mutex::new(child)), root).await
}

fn config(patience: Patience) -> Config {
    Config {
        max_packet_len: PACKET_BYTES_MAX,
        request_timeout_secs: patience.request.as_secs().max(1),
        ..Config::default()
    }
}

async fn start(
    session: RawSftpSession,
    carrier: Carrier,
    root: &str,
) -> Result<Arc<Link>, Trouble> {
    let generation = GENERATIONS.fetch_add(1, Ordering::Relaxed);
    let version = session.init().await;
    let version = version.map_err(|error| Trouble::Lost(format!("no SFTP: {error}")))?;
    Link::new(session, carrier, (generation, &version.extensions), root).await
}

async fn log_in(ssh: &Ssh, handle: &mut client::Handle<Guard>) -> Result<(), Trouble> {
    let mut tried = Vec::new();
    for login in &ssh.logins {
        match login {
            Login::Key { shown, content, passphrase } => {
                let key = match private_key(shown, content, passphrase.as_ref()) {
                    Ok(key) => key,
                    // Another way in may be good.
                    Err(trouble) => {
                        tried.push(trouble.to_string());
                        continue;
                    }
                };
                let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
                let done = handle.authenticate_publickey(&ssh.user, key).await;
                if is_in(handle, done)? {
                    return Ok(());
                }
                tried.push(format!("key `{shown}`"));
            }
            Login::Agent(socket) => match by_agent(ssh, handle, socket).await? {
                Some(0) => tried.push("an agent without keys".to_owned()),
                Some(count) => tried.push(format!("{count} keys of the agent")),
                None => return Ok(()),
            },
            Login::Password(password) => {
                let text = std::str::from_utf8(password.expose()).map_err(|_| {
                    Trouble::said(StorageErrorKind::Denied, "the password is not UTF-8")
                })?;
                let done = handle.authenticate_password(&ssh.user, text).await;
                if is_in(handle, done)? {
                    return Ok(());
                }
                tried.push("the password".to_owned());
            }
        }
    }
    let tried = if tried.is_empty() { "nothing to log in with".into() } else { tried.join(", ") };
    let text = format!("user `{}` was not let in (tried: {tried})", ssh.user);
    Err(Trouble::said(StorageErrorKind::Denied, text))
}

/// Whether the server has let us in. The library tells an end of the connection as a refusal.
fn is_in(
    handle: &client::Handle<Guard>,
    done: Result<AuthResult, russh::Error>,
) -> Result<bool, Trouble> {
    match done {
        Ok(AuthResult::Success) => Ok(true),
        Ok(AuthResult::Failure { .. }) if handle.is_closed() => {
            Err(Trouble::Lost("the server ended the connection at the login".to_owned()))
        }
        Ok(AuthResult::Failure { .. }) => Ok(false),
        Err(error) => Err(lost(&error)),
    }
}

/// Whether a private key opens only with a passphrase.
pub(super) fn is_sealed_key(content: &SecretBytes) -> bool {
    let text = std::str::from_utf8(content.expose()).unwrap_or_default();
    matches!(decode_secret_key(text, None), Err(russh::keys::Error::KeyIsEncrypted))
}

fn private_key(
    shown: &str,
    content: &SecretBytes,
    passphrase: Option<&SecretBytes>,
) -> Result<russh::keys::PrivateKey, Trouble> {
    let said = |text: String| Trouble::said(StorageErrorKind::Denied, text);
    let no_text = |_| said(format!("key `{shown}` is no text"));
    let content = std::str::from_utf8(content.expose()).map_err(no_text)?;
    let passphrase = passphrase.map(|bytes| std::str::from_utf8(bytes.expose())).transpose();
    let key = decode_secret_key(content, passphrase.map_err(no_text)?);
    let key = key.map_err(|error| said(format!("key `{shown}` cannot be used: {error}")))?;
    if key.algorithm().is_rsa() {
        let next = "make one of Ed25519: ssh-keygen -t ed25519";
        return Err(said(format!("key `{shown}` is of RSA, which is not supported: {next}")));
    }
    Ok(key)
}

/// `None` if the agent let us in, else how many keys it has.
#[cfg(unix)]
async fn by_agent(
    ssh: &Ssh,
    handle: &mut client::Handle<Guard>,
    socket: &std::path::Path,
) -> Result<Option<usize>, Trouble> {
    let said = |text: String| Trouble::said(StorageErrorKind::Denied, text);
    let shown = crate::path::escape(socket.as_os_str().as_encoded_bytes());
    let failed = |error: russh::keys::Error| said(format!("the agent at `{shown}`: {error}"));
    let mut agent = AgentClient::connect_uds(socket).await.map_err(failed)?;
    let identities = agent.request_identities().await.map_err(failed)?;
    let count = identities.len();
    for identity in identities {
        let AgentIdentity::PublicKey { key, .. } = identity else { continue };
        let done = handle.authenticate_publickey_with(&ssh.user, key, None, &mut agent).await;
        match done {
            Ok(AuthResult::Success) => return Ok(None),
            Ok(AuthResult::Failure { .. }) if !handle.is_closed() => {}
            Ok(AuthResult::Failure { .. }) => {
                let text = "the server ended the connection at the login";
                return Err(Trouble::Lost(text.to_owned()));
            }
            // An agent may refuse one key and have others.
            Err(error) if !handle.is_closed() => {
                tracing::debug!(%error, "a key of the agent was not used");
            }
            Err(error) => return Err(Trouble::Lost(format!("SSH: {error}"))),
        }
    }
    Ok(Some(count))
}

#[cfg(not(unix))]
async fn by_agent(
    _ssh: &Ssh,
    _handle: &mut client::Handle<Guard>,
    _socket: &std::path::Path,
) -> Result<Option<usize>, Trouble> {
    Err(Trouble::said(StorageErrorKind::Other, "an agent is not supported on this system"))
}

fn lost(error: &russh::Error) -> Trouble {
    match wire::lacks_handles(error) {
        Some(text) => Trouble::Said(StorageErrorKind::Handles, text),
        None => Trouble::Lost(format!("SSH: {error}")),
    }
}

/// Looks at the server's key; everything else of the server is ignored.
pub(super) struct Guard {
    known: Known,
    refused: Arc<Mutex<Option<String>>>,
}

impl client::Handler for Guard {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let verdict = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.known.check(key),
            PublicKeyOrCertificate::Certificate(_) => Err("a certificate, not a key".to_owned()),
        };
        match verdict {
            Ok(()) => Ok(true),
            Err(why) => {
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                Ok(false)
            }
        }
    }
}
