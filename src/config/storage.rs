//! Where snapshots are kept.

use std::path::PathBuf;

use serde::Serialize;

use crate::config::secret::SecretFrom;
use crate::config::table::Flag;
use crate::config::table::Table;

/// One `[storage.NAME]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Storage {
    Folder { path: PathBuf },
    Sftp(Sftp),
    S3(S3),
}

/// How fast a storage may be written and read, beside what holds for all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct StorageLimits {
    pub upload_bytes_per_s: Option<u64>,
    pub download_bytes_per_s: Option<u64>,
    /// What stands before them at some hours; the first that holds counts.
    pub hours: Vec<HourLimits>,
}

/// `[[storage.NAME.hours]]`: minutes of the day in the file's time zone, over midnight where `to`
/// is the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HourLimits {
    pub from_minute: u16,
    pub to_minute: u16,
    pub upload_bytes_per_s: Option<u64>,
    pub download_bytes_per_s: Option<u64>,
}

/// A folder on a server that is reached by SSH.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sftp {
    /// Empty where a command knows it.
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
    /// On the server; without a leading `/` it lies in the user's own folder.
    pub path: String,
    /// `SHA256:…`
    pub host_key: Option<String>,
    pub known_hosts: Option<PathBuf>,
    pub identity: Option<SecretFrom>,
    pub identity_passphrase: Option<SecretFrom>,
    pub password: Option<SecretFrom>,
    /// An agent's socket.
    pub agent: Option<PathBuf>,
    /// A program that speaks SFTP, in the place of our own SSH.
    pub command: Option<Vec<String>>,
}

/// A bucket, or a part of one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct S3 {
    pub endpoint: String,
    pub region: Option<String>,
    pub bucket: String,
    pub prefix: Option<String>,
    /// Both keys, or none: then the variables `AWS_*`, a profile, or the machine's own are asked.
    pub access_key: Option<SecretFrom>,
    pub secret_key: Option<SecretFrom>,
    pub path_style: Flag,
    /// Certificates to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    pub storage_class: Option<String>,
}

#[derive(Clone, Copy)]
enum Kind {
    Folder,
    Sftp,
    S3,
}

const KINDS: [(&str, Kind); 3] = [("folder", Kind::Folder), ("sftp", Kind::Sftp), ("s3", Kind::S3)];
/// The port of SSH.
pub const SSH_PORT: u16 = 22;
const PORT_MAX: u32 = 65_535;

impl Storage {
    /// The word in the file.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "folder",
            Self::Sftp(_) => "sftp",
            Self::S3(_) => "s3",
        }
    }

    /// What two storages that are one have in common.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Folder { path } => format!("folder {}", path.display()),
            Self::Sftp(sftp) => match &sftp.command {
                Some(argv) => format!("sftp {}:{}", argv.join(" "), sftp.path),
                // What a path means on a server depends on the user, and often on the key.
                None => {
                    let user = sftp.user.as_deref().unwrap_or_default();
                    let key = sftp.identity.as_ref().map(|from| format!("{from:?}"));
                    let key = key.unwrap_or_default();
                    format!("sftp {user}@{}:{}:{} {key}", sftp.host, sftp.port, sftp.path)
                }
            },
            Self::S3(s3) => {
                let prefix = s3.prefix.as_deref().unwrap_or_default();
                format!("s3 {}/{}/{prefix}", s3.endpoint, s3.bucket)
            }
        }
    }
}

pub(super) fn read(mut table: Table<'_>) -> Option<(Storage, StorageLimits)> {
    let limits = StorageLimits {
        upload_bytes_per_s: table.rate("upload"),
        download_bytes_per_s: table.rate("download"),
        hours: table.tables("hours").into_iter().filter_map(hours).collect(),
    };
    let kind = table.choice("kind", &KINDS);
    let storage = match table.needs("kind", kind)? {
        Kind::Folder => folder(&mut table),
        Kind::Sftp => sftp(&mut table),
        Kind::S3 => s3(&mut table),
    };
    table.finish();
    storage.map(|storage| (storage, limits))
}

fn hours(mut table: Table<'_>) -> Option<HourLimits> {
    let from = table.minute_of_day("from");
    let from = table.needs("from", from);
    let to = table.minute_of_day("to");
    let to = table.needs("to", to);
    let upload_bytes_per_s = table.rate("upload");
    let download_bytes_per_s = table.rate("download");
    if upload_bytes_per_s.is_none() && download_bytes_per_s.is_none() {
        table.needs::<()>("upload", None);
    }
    table.finish();
    let (from_minute, to_minute) = (from?, to?);
    Some(HourLimits { from_minute, to_minute, upload_bytes_per_s, download_bytes_per_s })
}

fn folder(table: &mut Table<'_>) -> Option<Storage> {
    let path = table.path("path");
    Some(Storage::Folder { path: table.needs("path", path)? })
}

fn sftp(table: &mut Table<'_>) -> Option<Storage> {
    let command = table.argv("command");
    let host = table.text("host");
    let port = table.count("port", PORT_MAX).and_then(|port| u16::try_from(port).ok());
    table.default("port", SSH_PORT);
    let user = table.text("user");
    let path = table.parse("path", remote_path);
    let path = table.needs("path", path);
    let host_key = table.parse("host_key", host_key);
    let known_hosts = table.path("known_hosts");
    let identity = table.secret("identity");
    let identity_passphrase = table.secret("identity_passphrase");
    let password = table.secret("password");
    let agent = table.path("agent");
    if command.is_none() {
        table.needs("host", host.as_ref());
        if known_hosts.is_none() {
            table.needs("host_key", host_key.as_ref());
        }
        if identity.is_none() && password.is_none() && agent.is_none() {
            table.needs::<()>("identity", None);
        }
    }
    let host = if command.is_some() { host.unwrap_or_default() } else { host? };
    Some(Storage::Sftp(Sftp {
        host,
        port: port.unwrap_or(SSH_PORT),
        user,
        path: path?,
        host_key,
        known_hosts,
        identity,
        identity_passphrase,
        password,
        agent,
        command,
    }))
}

fn remote_path(text: &str) -> Result<String, &'static str> {
    if text.starts_with('~') {
        return Err("expected a path without `~`: one that begins without `/` lies in the \
                    user's own folder");
    }
    let fits = !text.is_empty() && !text.contains('\0');
    fits.then(|| text.to_owned()).ok_or("expected a path on the server")
}

/// As `ssh-keygen -l` prints it: 43 letters of base64.
fn host_key(text: &str) -> Result<String, &'static str> {
    let digest = text.strip_prefix("SHA256:").unwrap_or_default();
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    let fits = digest.len() == 43 && digest.chars().all(is_base64);
    fits.then(|| text.to_owned()).ok_or(
        "expected SHA256: and 43 letters, as `ssh-keyscan HOST | ssh-keygen -lf -` prints it",
    )
}

fn s3(table: &mut Table<'_>) -> Option<Storage> {
    let endpoint = table.url("endpoint", &["https", "http"]);
    let endpoint = table.needs("endpoint", endpoint);
    let region = table.text("region");
    let bucket = table.text("bucket");
    let bucket = table.needs("bucket", bucket);
    let prefix = table.text("prefix");
    let access_key = table.secret("access_key");
    let secret_key = table.secret("secret_key");
    match (&access_key, &secret_key) {
        (Some(_), None) => table.needs("secret_key", None::<()>),
        (None, Some(_)) => table.needs("access_key", None::<()>),
        _ => None,
    };
    // Of all servers only Amazon's surely has a name for each bucket.
    let is_amazon = endpoint.as_deref().is_some_and(|it| it.contains(".amazonaws.com"));
    let style = if is_amazon { Flag::No } else { Flag::Yes };
    let path_style = table.flag("path_style", style);
    let ca_file = table.path("ca_file");
    let storage_class = table.text("storage_class");
    Some(Storage::S3(S3 {
        endpoint: endpoint?,
        region,
        bucket: bucket?,
        prefix,
        access_key,
        secret_key,
        path_style,
        ca_file,
        storage_class,
    }))
}
