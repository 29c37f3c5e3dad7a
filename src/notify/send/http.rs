//! Webhooks and pings. Nothing but what the file names is asked: no proxy, no redirect.

use std::sync::Arc;

use ureq::Agent;
use ureq::tls::Certificate;
use ureq::tls::RootCerts;
use ureq::tls::TlsConfig;

use crate::config::secret::SecretFrom;
use crate::notify::message::Kind;
use crate::notify::message::Message;
use crate::notify::send::SendError;
use crate::notify::send::Way;
use crate::notify::send::chain;
use crate::notify::send::text;
use crate::notify::send::told;
use crate::notify::send::untrusted;

fn agent(url: &str, way: &Way) -> Agent {
    let mut tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
    if url.starts_with("https:") {
        // What the system trusts; a certificate that cannot be read is left out.
        let found = rustls_native_certs::load_native_certs().certs;
        let is_usable = |der: &rustls::pki_types::CertificateDer<'static>| {
            rustls::RootCertStore::empty().add(der.clone()).is_ok()
        };
        let usable = found.iter().filter(|der| is_usable(der));
        let certificates = usable.map(|der| Certificate::from_der(der).to_owned());
        tls = tls.root_certs(RootCerts::from(certificates));
    }
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent("lifeboat")
        .timeout_global(Some(way.patience.answer))
        .tls_config(tls.build())
        .build()
        .new_agent()
}

pub(super) fn post(
    url: &SecretFrom,
    token: Option<&SecretFrom>,
    message: &Message,
    way: &Way,
) -> Result<String, SendError> {
    let url = way.secret(url)?;
    let url = text(&url)?;
    let token = token.map(|token| way.secret(token)).transpose()?;
    let token = token.as_ref().map(text).transpose()?;
    let body = serde_json::to_vec(message).map_err(|e| SendError::Message(e.to_string()))?;
    let mut request = agent(url, way).post(url).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    answered(request.send(&body[..]), &[url, token.unwrap_or("")])
}

pub(super) fn ping(url: &SecretFrom, message: &Message, way: &Way) -> Result<String, SendError> {
    let url = way.secret(url)?;
    let url = text(&url)?;
    let is_raised = message.alarms.iter().any(|line| line.state != "recovered");
    let whole = match message.kind {
        Kind::Start => with(url, "/start"),
        Kind::Fail => with(url, "/fail"),
        Kind::Alarms if is_raised => with(url, "/fail"),
        _ => url.to_owned(),
    };
    answered(agent(url, way).get(&whole).call(), &[&whole, url])
}

/// Before the question mark, if there is one.
fn with(url: &str, end: &str) -> String {
    match url.split_once('?') {
        Some((path, query)) => format!("{}{end}?{query}", path.trim_end_matches('/')),
        None => format!("{}{end}", url.trim_end_matches('/')),
    }
}

fn answered(
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    secrets: &[&str],
) -> Result<String, SendError> {
    match answer {
        Ok(answer) if answer.status().is_success() => {
            Ok(format!("HTTP {}", answer.status().as_u16()))
        }
        Ok(answer) => Err(SendError::Refused(format!("HTTP {}", answer.status().as_u16()))),
        Err(ureq::Error::Timeout(_)) => Err(SendError::Late),
        // It would tell the address, which is a secret.
        Err(ureq::Error::BadUri(_) | ureq::Error::Http(_)) => Err(SendError::Address),
        Err(ureq::Error::Rustls(error)) => Err(SendError::Untrusted(error.to_string())),
        Err(ureq::Error::Io(error)) => Err(untrusted(&error).map_or_else(
            || SendError::Unreachable(told(&chain(&error), secrets)),
            SendError::Untrusted,
        )),
        Err(error) => Err(SendError::Unreachable(told(&chain(&error), secrets))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_goes_before_the_question() {
        assert_eq!(with("http://x/a", "/fail"), "http://x/a/fail");
        assert_eq!(with("http://x/a/", "/start"), "http://x/a/start");
        assert_eq!(with("http://x/a?b=/c", "/start"), "http://x/a/start?b=/c");
    }
}
