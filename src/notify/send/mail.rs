//! Mail by SMTP: encrypted from the start, or as soon as the server is asked.

use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use lettre::Message as Mail;
use lettre::SmtpTransport;
use lettre::Transport as _;
use lettre::message::Attachment;
use lettre::message::Mailbox;
use lettre::message::MultiPart;
use lettre::message::SinglePart;
use lettre::message::header::ContentType;
use lettre::message::header::HeaderName;
use lettre::message::header::HeaderValue;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::Tls;
use lettre::transport::smtp::client::TlsParameters;

use crate::config::secret::SecretFrom;
use crate::notify::message::Message;
use crate::notify::send::SendError;
use crate::notify::send::Way;
use crate::notify::send::chain;
use crate::notify::send::is_late;
use crate::notify::send::text;
use crate::notify::send::told;
use crate::notify::send::untrusted;

/// Where a mail goes.
pub(super) struct Post<'p> {
    pub(super) server: &'p str,
    pub(super) login: Login<'p>,
    pub(super) from: &'p str,
    pub(super) to: &'p [String],
}

pub(super) struct Login<'p> {
    pub(super) user: Option<&'p str>,
    pub(super) password: Option<&'p SecretFrom>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    /// The whole connection.
    Whole,
    /// From STARTTLS on.
    Asked,
    /// To this machine itself, without a password.
    None,
}

#[derive(Debug, PartialEq, Eq)]
struct Server {
    host: String,
    port: u16,
    cover: Cover,
}

fn server(url: &str, login: &Login<'_>) -> Option<Server> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = host == "localhost"
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    let (cover, usual) = match scheme {
        "smtps" => (Cover::Whole, 465),
        "smtp" if is_here && login.password.is_none() => (Cover::None, 25),
        "smtp" => (Cover::Asked, 587),
        _ => return None,
    };
    (!host.is_empty()).then(|| Server { host: host.to_owned(), port: port.unwrap_or(usual), cover })
}

pub(super) fn send(post: &Post<'_>, message: &Message, way: &Way) -> Result<String, SendError> {
    let server = server(post.server, &post.login).ok_or(SendError::Address)?;
    let mail = mail(post, message)?;
    let password = post.login.password.map(|from| way.secret(from)).transpose()?;
    let password = password.as_ref().map(text).transpose()?;
    let parameters = || {
        TlsParameters::new(server.host.clone()).map_err(|error| SendError::Untrusted(chain(&error)))
    };
    let tls = match server.cover {
        Cover::Whole => Tls::Wrapper(parameters()?),
        Cover::Asked => Tls::Required(parameters()?),
        Cover::None => Tls::None,
    };
    let mut transport = SmtpTransport::builder_dangerous(&server.host)
        .port(server.port)
        .timeout(Some(way.patience.answer))
        .tls(tls);
    if let Some(password) = password {
        let user = post.login.user.unwrap_or(post.from);
        transport = transport.credentials(Credentials::new(user.to_owned(), password.to_owned()));
    }
    let answer = transport.build().send(&mail);
    match answer {
        Ok(answer) => {
            let text = answer.message().collect::<Vec<_>>().join(" ");
            Ok(told(&format!("{} {text}", answer.code()), &[password.unwrap_or("")]))
        }
        Err(error) => Err(failed(&error, password.unwrap_or(""))),
    }
}

fn failed(error: &lettre::transport::smtp::Error, password: &str) -> SendError {
    if error.is_timeout() || is_late(error) {
        return SendError::Late;
    }
    if let Some(detail) = untrusted(error) {
        return SendError::Untrusted(detail);
    }
    let text = told(&chain(error), &[password]);
    if error.status().is_some() {
        return SendError::Refused(text);
    }
    // It is asked for before anything is sent, and the answer is then a refusal of ours.
    if error.is_client() && text.contains("STARTTLS") {
        return SendError::Unencrypted;
    }
    SendError::Unreachable(text)
}

fn mail(post: &Post<'_>, message: &Message) -> Result<Mail, SendError> {
    let mailbox = |address: &str| -> Result<Mailbox, SendError> {
        let address = address.parse().map_err(|_| SendError::Address)?;
        Ok(Mailbox::new(None, address))
    };
    let since = Duration::from_millis(u64::try_from(message.time.unix_ms).unwrap_or(0));
    let mut builder = Mail::builder()
        .from(mailbox(post.from)?)
        .date(UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH))
        .message_id(Some(id(post, message)))
        .subject(message.subject.clone())
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    for to in post.to {
        builder = builder.to(mailbox(to)?);
    }
    let wrong = |error: lettre::error::Error| SendError::Message(error.to_string());
    if message.files.is_empty() {
        return builder.header(ContentType::TEXT_PLAIN).body(message.text.clone()).map_err(wrong);
    }
    let mut parts = MultiPart::mixed().singlepart(SinglePart::plain(message.text.clone()));
    for file in &message.files {
        let part =
            Attachment::new(file.name.clone()).body(file.content.clone(), media(&file.name)?);
        parts = parts.singlepart(part);
    }
    builder.multipart(parts).map_err(wrong)
}

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// What a document is, by the ending of its name.
fn media(name: &str) -> Result<ContentType, SendError> {
    let text = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("pdf") => "application/pdf",
        Some("docx") => DOCX,
        Some("html") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    };
    ContentType::parse(text).map_err(|error| SendError::Message(error.to_string()))
}

/// The same for the same message, so that one that is sent twice is known.
fn id(post: &Post<'_>, message: &Message) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [&message.host, &message.subject, &message.text] {
        hasher.update(part.as_bytes()).update(&[0]);
    }
    for to in post.to {
        hasher.update(to.as_bytes()).update(&[0]);
    }
    for file in &message.files {
        hasher.update(file.name.as_bytes()).update(&[0]).update(&file.content);
    }
    let hash = hasher.finalize().to_hex();
    let domain = post.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    format!("<{}.{}@{domain}>", message.time.unix_ms, hash.get(..16).unwrap_or("0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_by_its_address() {
        let secret = SecretFrom::Env("X".to_owned());
        let with = Login { user: None, password: Some(&secret) };
        let none = Login { user: None, password: None };
        let of = |url, login| server(url, login).map(|s| (s.host, s.port, s.cover));
        let found = |host: &str, port, cover| Some((host.to_owned(), port, cover));
        assert_eq!(of("smtps://mail.lan", &with), found("mail.lan", 465, Cover::Whole));
        assert_eq!(of("smtp://mail.lan/", &with), found("mail.lan", 587, Cover::Asked));
        assert_eq!(of("smtp://mail.lan:25", &none), found("mail.lan", 25, Cover::Asked));
        assert_eq!(of("smtp://localhost", &none), found("localhost", 25, Cover::None));
        assert_eq!(of("smtp://127.0.0.1:2525", &with), found("127.0.0.1", 2525, Cover::Asked));
        assert_eq!(of("smtps://[::1]:4465", &with), found("::1", 4465, Cover::Whole));
        for bad in ["smtp://", "mail.lan", "http://x", "smtp://x:y", "smtp://x:99999"] {
            assert_eq!(server(bad, &none), None, "{bad}");
        }
    }
}
