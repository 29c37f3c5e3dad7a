//! Where a bucket is, and the addresses of what lies in it.

use std::fmt::Write;
use std::net::IpAddr;

use ureq::http::Uri;

use crate::storage::s3::S3Options;

/// How a server is told the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// `https://host/bucket/key`: most servers other than Amazon's.
    Path,
    /// `https://bucket.host/key`.
    VirtualHost,
}

/// A region of a server that knows none.
pub(super) const REGION_DEFAULT: &str = "us-east-1";
/// Most bytes of a key, by the rules of S3.
const KEY_BYTES_MAX: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    scheme: String,
    /// Host, and port if it is not the usual one.
    authority: String,
    bucket: String,
    /// Nothing, or components each followed by `/`.
    prefix: String,
    addressing: Addressing,
}

impl Place {
    /// What is wrong is told without the address: it may have a password in it.
    pub(super) fn of(options: &S3Options) -> Result<Self, String> {
        let region = options.region.as_deref().unwrap_or(REGION_DEFAULT);
        let amazon = || format!("https://s3.{region}.amazonaws.com");
        let endpoint = options.endpoint.clone().unwrap_or_else(amazon);
        let wrong = || "the endpoint: expected `https://host` or `https://host:port`".to_owned();
        let uri: Uri = endpoint.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong());
        };
        let is_plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if !is_plain || !matches!(scheme, "http" | "https") || authority.as_str().contains('@') {
            return Err(wrong());
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if !(3..=255).contains(&options.bucket.len()) || !options.bucket.chars().all(allowed) {
            let bucket = crate::path::escape(options.bucket.as_bytes());
            return Err(format!("`{bucket}` names no bucket: 3 to 255 of letters, 0-9 - . _"));
        }
        Ok(Self {
            scheme: scheme.to_owned(),
            authority: authority.as_str().to_owned(),
            bucket: options.bucket.clone(),
            prefix: prefix_of(&options.prefix)?,
            addressing: options.addressing,
        })
    }

    /// For people.
    pub(super) fn location(&self) -> String {
        let Self { scheme, authority, bucket, .. } = self;
        let place = format!("s3:{scheme}://{authority}/{bucket}/{}", self.prefix);
        place.trim_end_matches('/').to_owned()
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.scheme == "https"
    }

    /// Whether the server is this machine.
    pub(super) fn is_here(&self) -> bool {
        let host = match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|c| c.is_ascii_digit()) => host,
            _ => self.authority.as_str(),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The address of a key, or of the bucket itself.
    pub(super) fn url(&self, key: Option<&str>, query: &[(&str, String)]) -> String {
        let Self { scheme, authority, bucket, .. } = self;
        let mut url = match self.addressing {
            Addressing::Path => format!("{scheme}://{authority}/{bucket}"),
            Addressing::VirtualHost => format!("{scheme}://{bucket}.{authority}"),
        };
        if key.is_some() || self.addressing == Addressing::VirtualHost {
            url.push('/');
        }
        escape_into(&mut url, key.unwrap_or_default(), "-._~/");
        for (index, (name, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            escape_into(&mut url, value, "-._~");
        }
        url
    }
}

/// Slashes at both ends are for people.
fn prefix_of(text: &str) -> Result<String, String> {
    let text = text.trim_matches('/');
    if text.is_empty() {
        return Ok(String::new());
    }
    let wrong = |part: &str| matches!(part, "" | "." | "..") || part.chars().any(char::is_control);
    if text.split('/').any(wrong) || text.len() > KEY_BYTES_MAX - crate::storage::NAME_BYTES_MAX - 1
    {
        let text = crate::path::escape(text.as_bytes());
        return Err(format!("`{text}` is no prefix: expected names with `/` between them"));
    }
    Ok(format!("{text}/"))
}

fn escape_into(url: &mut String, text: &str, plain: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte) {
            url.push(char::from(byte));
        } else {
            // A text takes any letters.
            let _always = write!(url, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::s3::Keys;

    fn options(endpoint: &str, bucket: &str, prefix: &str) -> S3Options {
        S3Options {
            endpoint: Some(endpoint.to_owned()),
            region: None,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            addressing: Addressing::Path,
            keys: Keys::Environment,
            ca_file: None,
            storage_class: None,
        }
    }

    #[test]
    fn a_server_on_this_machine_is_known() {
        for (endpoint, is_here) in [
            ("http://localhost", true),
            ("http://127.0.0.1:9000", true),
            ("http://[::1]:9000", true),
            ("http://[::1]", true),
            ("http://10.0.0.1:9000", false),
            ("http://[fd00::1]", false),
            ("http://localhost.office.lan", false),
        ] {
            let place = Place::of(&options(endpoint, "copies", "")).unwrap();
            assert_eq!(place.is_here(), is_here, "{endpoint}");
            assert!(!place.is_encrypted(), "{endpoint}");
        }
        assert!(Place::of(&options("https://nas", "copies", "")).unwrap().is_encrypted());
    }

    #[test]
    fn addresses_are_written_as_they_are_signed() {
        let place = Place::of(&options("https://nas:9000/", "copies", "/a b/é+/")).unwrap();
        assert_eq!(place.location(), "s3:https://nas:9000/copies/a b/é+");
        let key = place.key("packs/0a");
        let url = place.url(Some(&key), &[("uploads", String::new())]);
        assert_eq!(url, "https://nas:9000/copies/a%20b/%C3%A9%2B/packs/0a?uploads=");
        let listed = place.url(None, &[("prefix", "a/".to_owned()), ("n", "1".to_owned())]);
        assert_eq!(listed, "https://nas:9000/copies?prefix=a%2F&n=1");
        let mut host = options("http://h", "copies", "");
        host.addressing = Addressing::VirtualHost;
        let host = Place::of(&host).unwrap();
        assert_eq!(host.url(Some("x"), &[]), "http://copies.h/x");
        assert_eq!(host.url(None, &[]), "http://copies.h/");
        let mut amazon = options("", "copies", "");
        (amazon.endpoint, amazon.region) = (None, Some("eu-central-1".to_owned()));
        let amazon = Place::of(&amazon).unwrap();
        assert_eq!(amazon.location(), "s3:https://s3.eu-central-1.amazonaws.com/copies");
    }

    #[test]
    fn what_is_no_place_is_told_without_its_password() {
        for endpoint in ["", "nas", "ftp://h", "https://me:secret@h", "https://h/x", "https://h?x"]
        {
            let wrong = Place::of(&options(endpoint, "copies", "")).unwrap_err();
            assert!(!wrong.contains("secret") && wrong.contains("https://host"), "{wrong}");
        }
        for (bucket, prefix) in [("a/b", ""), ("ab", ""), ("copies", "a/../b"), ("copies", "a//b")]
        {
            assert!(Place::of(&options("https://h", bucket, prefix)).is_err(), "{bucket} {prefix}");
        }
    }
}
