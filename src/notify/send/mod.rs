//! The ways out: one message to one channel, with time limits, and what came back.

mod command;
mod http;
mod mail;

use std::error::Error;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::secret::Outside;
use crate::config::secret::SecretError;
use crate::config::secret::SecretFrom;
use crate::config::tell::Channel;
use crate::notify::message::Kind;
use crate::notify::message::Message;
use crate::secret::SecretBytes;

/// Longest text of a server that is told.
const ANSWER_CHARS_MAX: usize = 200;

/// How long an answer is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For one answer of a server, and for a connection.
    pub answer: Duration,
    /// For a command.
    pub command: Duration,
}

impl Patience {
    #[must_use]
    pub const fn usual() -> Self {
        Self { answer: Duration::from_secs(20), command: Duration::from_secs(60) }
    }
}

/// What sending needs of the outside.
#[derive(Clone)]
pub struct Way {
    pub outside: Arc<dyn Outside + Send + Sync>,
    /// Variables that no command of ours sees.
    pub hidden: Vec<OsString>,
    pub clock: Arc<dyn Clock>,
    pub patience: Patience,
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Way({:?})", self.patience)
    }
}

/// Why a message did not arrive. It never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("its secret: {0}")]
    Secret(#[from] SecretError),
    #[error("its secret is no text")]
    SecretText,
    #[error("its address is none that can be used")]
    Address,
    #[error("the message cannot be made: {0}")]
    Message(String),
    #[error("no connection: {0}")]
    Unreachable(String),
    #[error("no answer in time")]
    Late,
    #[error("its certificate is not trusted: {0}")]
    Untrusted(String),
    #[error("it offers no encryption, and a password is not sent without")]
    Unencrypted,
    #[error("it answered: {0}")]
    Refused(String),
    #[error("a ping carries no documents")]
    NoDocuments,
    #[error("the command: {0}")]
    Command(String),
}

impl Way {
    fn secret(&self, from: &SecretFrom) -> Result<SecretBytes, SendError> {
        Ok(from.fetch(&*self.outside)?)
    }
}

fn text(secret: &SecretBytes) -> Result<&str, SendError> {
    std::str::from_utf8(secret.expose()).map_err(|_| SendError::SecretText)
}

/// Sends, and says what came back. It waits; nothing that must go on may call it.
///
/// # Errors
/// When nobody took the message.
pub fn send(channel: &Channel, message: &Message, way: &Way) -> Result<String, SendError> {
    match channel {
        Channel::Mail { server, user, password, from, to } => {
            let login = mail::Login { user: user.as_deref(), password: password.as_ref() };
            mail::send(&mail::Post { server, login, from, to }, message, way)
        }
        Channel::Webhook { url, token } => http::post(url, token.as_ref(), message, way),
        Channel::Ping { .. } if message.kind == Kind::Documents => Err(SendError::NoDocuments),
        Channel::Ping { url } => http::ping(url, message, way),
        Channel::Command { argv } => command::run(argv, message, way),
    }
}

/// What a server said, in one line, without the secrets that it may have sent back.
fn told(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "…");
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    crate::path::escape(line.as_bytes()).chars().take(ANSWER_CHARS_MAX).collect()
}

/// The whole chain of causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(&format!(": {cause_text}"));
        }
        next = cause.source();
    }
    text
}

/// Whether nobody answered in time; some systems say that it would have had to wait.
fn is_late(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if matches!(kind, Some(ErrorKind::WouldBlock | ErrorKind::TimedOut)) {
            return true;
        }
        next = cause.source();
    }
    false
}

/// Whether a certificate or the like is why, and what is wrong with it.
fn untrusted(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Some(tls.to_string());
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            let inner = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            if let Some(tls) = inner {
                return Some(tls.to_string());
            }
        }
        next = cause.source();
    }
    None
}
