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
    Folder {
        path: PathBuf,
    },
    Sftp {
        host: String,
        port: u32,
        user: Option<String>,
        path: PathBuf,
        /// `SHA256:…`: without it a server could be anybody.
        host_key: String,
        identity: Option<SecretFrom>,
        password: Option<SecretFrom>,
    },
    S3 {
        endpoint: String,
        region: Option<String>,
        bucket: String,
        prefix: Option<String>,
        access_key: SecretFrom,
        secret_key: SecretFrom,
        path_style: Flag,
    },
}

#[derive(Clone, Copy)]
enum Kind {
    Folder,
    Sftp,
    S3,
}

const KINDS: [(&str, Kind); 3] = [("folder", Kind::Folder), ("sftp", Kind::Sftp), ("s3", Kind::S3)];
const SSH_PORT: u32 = 22;
const PORT_MAX: u32 = 65_535;

impl Storage {
    /// The word in the file.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "folder",
            Self::Sftp { .. } => "sftp",
            Self::S3 { .. } => "s3",
        }
    }

    /// What two storages that are one have in common.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Folder { path } => format!("folder {}", path.display()),
            Self::Sftp { host, port, path, .. } => format!("sftp {host}:{port}:{}", path.display()),
            Self::S3 { endpoint, bucket, prefix, .. } => {
                format!("s3 {endpoint}/{bucket}/{}", prefix.as_deref().unwrap_or_default())
            }
        }
    }
}

pub(super) fn read(mut table: Table<'_>) -> Option<Storage> {
    let kind = table.choice("kind", &KINDS);
    let storage = match table.needs("kind", kind)? {
        Kind::Folder => folder(&mut table),
        Kind::Sftp => sftp(&mut table),
        Kind::S3 => s3(&mut table),
    };
    table.finish();
    storage
}

fn folder(table: &mut Table<'_>) -> Option<Storage> {
    let path = table.path("path");
    Some(Storage::Folder { path: table.needs("path", path)? })
}

fn sftp(table: &mut Table<'_>) -> Option<Storage> {
    let host = table.text("host");
    let host = table.needs("host", host);
    let port = table.count("port", PORT_MAX);
    table.default("port", SSH_PORT);
    let user = table.text("user");
    let path = table.path("path");
    let path = table.needs("path", path);
    let host_key = table.parse("host_key", host_key);
    let host_key = table.needs("host_key", host_key);
    let identity = table.secret("identity");
    let password = table.secret("password");
    if identity.is_none() && password.is_none() {
        table.needs::<()>("identity", None);
    }
    let port = port.unwrap_or(SSH_PORT);
    let (host, path, host_key) = (host?, path?, host_key?);
    Some(Storage::Sftp { host, port, user, path, host_key, identity, password })
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
    let access_key = table.needs("access_key", access_key);
    let secret_key = table.secret("secret_key");
    let secret_key = table.needs("secret_key", secret_key);
    let path_style = table.flag("path_style", Flag::No);
    Some(Storage::S3 {
        endpoint: endpoint?,
        region,
        bucket: bucket?,
        prefix,
        access_key: access_key?,
        secret_key: secret_key?,
        path_style,
    })
}
