//! Where a repository is, as people write it.

use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::language::said::Said;
use crate::cli::language::table::options;
use crate::cli::language::text::Text;
use crate::config::storage::S3;
use crate::config::storage::SSH_PORT;
use crate::config::storage::Sftp;
use crate::config::storage::Storage;
use crate::config::table::Flag;
use crate::path::escape;

pub mod location;

/// Spellings that are told from folders, so that nobody gets a folder `s3:`.
const OTHERS: [&str; 2] = ["vault:", "rest:"];

/// Where a repository is. It holds no secret, only where secrets are.
#[derive(Debug, Clone, PartialEq)]
pub struct Place(Storage);

impl Place {
    #[must_use]
    pub fn folder(path: &Path) -> Self {
        Self(Storage::Folder { path: path.to_owned() })
    }

    /// A storage of the configuration file.
    #[must_use]
    pub fn of(storage: &Storage) -> Self {
        Self(storage.clone())
    }

    /// A folder, `sftp:user@host:/path`, `sftp://user@host:port/path`, or
    /// `s3:https://host/bucket/prefix`. `./s3:x` is a folder that looks like another storage.
    ///
    /// # Errors
    /// What is wrong with the text, which may hold what should not be shown and is not repeated
    /// beyond its beginning.
    pub fn parse(text: &OsStr) -> Result<Self, Said> {
        let wrong = |expected: Text| Err(expected.with("found", shown(text)));
        let as_utf8 = text.to_str().unwrap_or_default();
        if let Some(rest) = as_utf8.strip_prefix("sftp:") {
            return sftp(rest).map_or_else(|| wrong(options::EXPECTED_SFTP), Ok);
        }
        if let Some(rest) = as_utf8.strip_prefix("s3:") {
            return s3(rest).map_or_else(|| wrong(options::EXPECTED_S3), Ok);
        }
        let bytes = text.as_encoded_bytes();
        let is_other = |scheme: &str| bytes.starts_with(scheme.as_bytes());
        if OTHERS.into_iter().chain(["sftp:", "s3:"]).any(is_other) {
            return wrong(options::EXPECTED_FOLDER);
        }
        Ok(Self::folder(Path::new(text)))
    }

    /// As a configuration would have it.
    #[must_use]
    pub const fn storage(&self) -> &Storage {
        &self.0
    }

    /// The folder, where it is one on this machine.
    #[must_use]
    pub const fn as_folder(&self) -> Option<&PathBuf> {
        match &self.0 {
            Storage::Folder { path } => Some(path),
            Storage::Sftp(_) | Storage::S3(_) => None,
        }
    }

    /// As it is typed; safe to show.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.0 {
            Storage::Folder { path } => escape(path.as_os_str().as_encoded_bytes()),
            other => address(other),
        }
    }

    /// Whether both are one place.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match (self.as_folder(), other.as_folder()) {
            (Some(one), Some(two)) => real(one) == real(two),
            _ => self.0.place() == other.0.place(),
        }
    }
}

/// How a storage is named on the command line, with nothing but its address.
#[must_use]
pub fn address(storage: &Storage) -> String {
    match storage {
        Storage::Folder { path } => path.display().to_string(),
        Storage::Sftp(Sftp { command: Some(argv), path, .. }) => {
            let program = argv.first().map(String::as_str).unwrap_or_default();
            format!("sftp by `{program}`:{path}")
        }
        Storage::Sftp(Sftp { host, port, user, path, .. }) => {
            let user = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
            let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
            match *port {
                SSH_PORT => format!("sftp:{user}{host}:{path}"),
                // A path that begins without `/` lies in the user's own folder.
                port if path.starts_with('/') => format!("sftp://{user}{host}:{port}{path}"),
                port => format!("sftp://{user}{host}:{port}/./{path}"),
            }
        }
        Storage::S3(S3 { endpoint, bucket, prefix, .. }) => {
            let prefix = prefix.as_ref().map(|it| format!("/{it}")).unwrap_or_default();
            format!("s3:{}/{bucket}{prefix}", endpoint.trim_end_matches('/'))
        }
    }
}

fn sftp(text: &str) -> Option<Place> {
    let (to, port, path) = match text.strip_prefix("//") {
        Some(rest) => {
            let (to, path) = rest.split_at_checked(rest.find('/')?)?;
            let (to, port) = match to.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
                Some((to, port)) => (to, port.parse().ok()?),
                None => (to, SSH_PORT),
            };
            (to, port, path.strip_prefix("/./").unwrap_or(path))
        }
        None => {
            // The colon behind the host; a host in brackets has its own.
            let after = text.find("]:").map_or(0, |at| at + 1);
            let at = text.get(after..)?.find(':')? + after;
            let (to, path) = text.split_at_checked(at)?;
            (to, SSH_PORT, path.strip_prefix(':')?)
        }
    };
    let (user, host) = match to.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, to),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    // A password in an address is seen by everybody on the machine.
    let fits = |word: &str| {
        !word.is_empty() && !word.starts_with('-') && !word.contains([' ', '/', '@', '[', ']'])
    };
    let is_at_host = |path: &str| path.split('/').next().is_some_and(|part| part.contains('@'));
    let is_whole = fits(host)
        && !is_at_host(path)
        && user.is_none_or(|user| fits(user) && !user.contains(':'))
        && !path.is_empty()
        && !path.starts_with('~')
        && !path.contains('\0');
    is_whole.then(|| {
        Place(Storage::Sftp(Sftp {
            host: host.to_owned(),
            port,
            user: user.map(str::to_owned),
            path: path.to_owned(),
            host_key: None,
            known_hosts: None,
            identity: None,
            identity_passphrase: None,
            password: None,
            agent: None,
            command: None,
        }))
    })
}

fn s3(text: &str) -> Option<Place> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme @ ("https" | "http"), rest)) => (scheme, rest),
        Some(_) => return None,
        None => ("https", text),
    };
    let (host, path) = rest.split_once('/')?;
    let (bucket, prefix) = match path.split_once('/') {
        Some((bucket, prefix)) => (bucket, prefix.trim_matches('/')),
        None => (path, ""),
    };
    let is_plain = |text: &str| !text.contains(['@', '?', '#', ' ', '\\']);
    let is_whole = !host.is_empty() && !bucket.is_empty() && is_plain(rest);
    is_whole.then(|| {
        Place(Storage::S3(S3 {
            endpoint: format!("{scheme}://{host}"),
            region: None,
            bucket: bucket.to_owned(),
            prefix: Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()),
            access_key: None,
            secret_key: None,
            // A host that was named is rarely one for each bucket.
            path_style: Flag::Yes,
            ca_file: None,
            storage_class: None,
        }))
    })
}

/// A text from the user, safe to show. What stands before an `@` may hold a password.
fn shown(text: &OsStr) -> String {
    let bytes = text.as_encoded_bytes();
    let start = bytes.get(..80).unwrap_or(bytes);
    let start = match start.iter().rposition(|&b| b == b'@') {
        Some(at) => [b"\xe2\x80\xa6", start.get(at..).unwrap_or_default()].concat(),
        None => start.to_owned(),
    };
    format!("`{}`", escape(&start))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::language::Language;

    fn parsed(text: &str) -> Option<String> {
        Place::parse(OsStr::new(text)).ok().map(|place| place.shown())
    }

    #[test]
    fn places_are_written_as_they_are_read() {
        for text in [
            "/srv/backup",
            "backup",
            "./s3:x",
            "C:\\backup",
            "sftp:host:/srv/x",
            "sftp:office@nas.lan:/backup/lifeboat",
            "sftp:office@nas:own/folder",
            "sftp:office@[fe80::1]:/x",
            "sftp://office@nas:2222/x/y",
            "sftp://office@[fe80::1]:2222/x",
            "sftp://office@nas:2222/./own",
            "s3:https://s3.example.vn/bucket",
            "s3:https://s3.example.vn:8443/bucket/a/b",
            "s3:http://127.0.0.1:7480/bucket",
        ] {
            let escaped = text.replace('\\', "\\\\");
            let found = parsed(text).unwrap();
            assert!(found == text || found == escaped, "{text}: {found}");
        }
        assert_eq!(parsed("s3:host/bucket/x/"), Some("s3:https://host/bucket/x".to_owned()));
        assert_eq!(parsed("sftp://nas/x"), Some("sftp:nas:/x".to_owned()));
    }

    #[test]
    fn what_is_no_place_is_told_without_its_secrets() {
        for text in [
            "sftp:",
            "sftp:host",
            "sftp:host:",
            "sftp:host:~/x",
            "sftp:-oProxyCommand=x:/y",
            "sftp:u:secret@host:/x",
            "sftp://host",
            "sftp://u:secret@host/x",
            "sftp://u@host:70000/x",
            "s3:",
            "s3:https://host",
            "s3:https://host/",
            "s3:https://key:secret@host/bucket",
            "s3:ftp://host/bucket",
            "vault:https://host/x",
            "rest:x",
        ] {
            let told = Place::parse(OsStr::new(text)).unwrap_err().told_in(Language::En);
            assert!(!told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn one_place_has_many_spellings() {
        let place = |text: &str| Place::parse(OsStr::new(text)).unwrap();
        assert!(place("sftp:a@nas:/x").is(&place("sftp://a@nas:22/x")));
        assert!(!place("sftp:a@nas:/x").is(&place("sftp:b@nas:/x")));
        assert!(!place("sftp:a@nas:/x").is(&place("sftp:a@nas:/y")));
        assert!(place("/tmp/.").is(&place("/tmp")));
        assert!(!place("/tmp").is(&place("sftp:a@nas:/tmp")));
    }
}
