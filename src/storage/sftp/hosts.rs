//! Whether a server is the one that is meant.

use std::path::Path;
use std::path::PathBuf;

use russh::keys::Algorithm;
use russh::keys::HashAlg;
use russh::keys::PublicKey;
use russh::keys::known_hosts::known_host_keys_path;
use russh::keys::parse_public_key_base64;

use crate::path::escape;
use crate::storage::StorageErrorKind;

use super::HostKeys;
use super::PORT;
use super::Ssh;
use super::trouble::Trouble;

/// Most bytes of a file of known hosts.
const BYTES_MAX: u64 = 16 * 1024 * 1024;
/// What marks a key that nobody may trust any more.
const REVOKED: &str = "@revoked";

/// What is known of a server's keys.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// As people name the server.
    host: String,
    expected: Expected,
    revoked: Vec<PublicKey>,
}

#[derive(Debug, Clone)]
enum Expected {
    Fingerprint(String),
    Keys { keys: Vec<PublicKey>, files: Vec<PathBuf> },
}

impl Known {
    /// Reads what is known.
    ///
    /// # Errors
    /// When a file of known hosts cannot be read.
    pub(super) fn of(ssh: &Ssh) -> Result<Self, Trouble> {
        let host = ssh.host.clone();
        let files = match &ssh.host_keys {
            HostKeys::Fingerprint(text) => {
                let expected = Expected::Fingerprint(text.clone());
                return Ok(Self { host, expected, revoked: Vec::new() });
            }
            HostKeys::Files(files) => files,
        };
        let (mut keys, mut revoked) = (Vec::new(), Vec::new());
        for file in files.iter().filter(|file| file.exists()) {
            let failed = |error: &dyn std::fmt::Display| {
                let file = shown(file);
                Trouble::said(StorageErrorKind::Other, format!("known hosts `{file}`: {error}"))
            };
            let len_bytes = file.metadata().map_err(|error| failed(&error))?.len();
            if len_bytes > BYTES_MAX {
                return Err(failed(&format!("expected at most {BYTES_MAX} bytes")));
            }
            let found = known_host_keys_path(&ssh.host, ssh.port, file);
            keys.extend(found.map_err(|error| failed(&error))?.into_iter().map(|(_, key)| key));
            let text = std::fs::read(file).map_err(|error| failed(&error))?;
            revoked.extend(revoked_in(&String::from_utf8_lossy(&text)));
        }
        let expected = Expected::Keys { keys, files: files.clone() };
        Ok(Self { host: named(&ssh.host, ssh.port), expected, revoked })
    }

    /// Which kinds of keys the server is asked for, one attempt after the other.
    pub(super) fn kinds(&self, all: &[Algorithm]) -> Vec<Vec<Algorithm>> {
        match &self.expected {
            Expected::Fingerprint(_) => all.iter().map(|kind| vec![kind.clone()]).collect(),
            Expected::Keys { keys, .. } => {
                let is_known = |kind: &&Algorithm| keys.iter().any(|key| key.algorithm() == **kind);
                let known: Vec<Algorithm> = all.iter().filter(is_known).cloned().collect();
                vec![if known.is_empty() { all.to_vec() } else { known }]
            }
        }
    }

    /// Why this is not the server that is meant.
    pub(super) fn check(&self, key: &PublicKey) -> Result<(), String> {
        let (host, found) = (&self.host, key.fingerprint(HashAlg::Sha256).to_string());
        if self.revoked.iter().any(|revoked| revoked.key_data() == key.key_data()) {
            return Err(format!("{host} shows a key that is marked as revoked: {found}"));
        }
        match &self.expected {
            Expected::Fingerprint(expected) if *expected == found => Ok(()),
            Expected::Fingerprint(expected) => Err(format!(
                "{host} is not the server that is meant, or somebody stands in between: expected \
                 the key {expected}, found {found}"
            )),
            Expected::Keys { keys, .. }
                if keys.iter().any(|known| known.key_data() == key.key_data()) =>
            {
                Ok(())
            }
            Expected::Keys { keys, files } if keys.is_empty() => Err(format!(
                "nobody has said which key {host} has: none is in {}. It shows {found}: compare \
                 that with what its administrator sees (ssh-keygen -lf \
                 /etc/ssh/ssh_host_ed25519_key.pub), then give it as host key, or add it by \
                 connecting with ssh once",
                files.iter().map(|file| shown(file)).collect::<Vec<_>>().join(", ")
            )),
            Expected::Keys { keys, .. } if keys.iter().all(|key| key.algorithm().is_rsa()) => {
                Err(format!(
                    "of {host} only keys of RSA are known, which are not supported; it shows \
                     {found}: compare that with what its administrator sees, then give it as host \
                     key"
                ))
            }
            Expected::Keys { .. } => Err(format!(
                "{host} is not the server that is known, or somebody stands in between: it shows \
                 a new key, {found}"
            )),
        }
    }
}

/// The keys of lines that revoke: marker, hosts, kind, key. Whichever host such a line names, its
/// key is no key to trust.
fn revoked_in(text: &str) -> impl Iterator<Item = PublicKey> {
    let of_line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let key = words.next().filter(|word| *word == REVOKED).and_then(|_| words.nth(2))?;
        parse_public_key_base64(key).ok()
    };
    text.lines().filter_map(of_line)
}

fn named(host: &str, port: u16) -> String {
    if port == PORT { host.to_owned() } else { format!("[{host}]:{port}") }
}

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}
