//! Truth about what is backed up, recorded at the source.
//!
//! What it is: what a dataset held when its snapshot was made (counts, sums, digests), read by a
//! second reading of the source, sealed into the snapshot, and compared with what a restore gives.
//! Never: reads the stream that is backed up; judges a drill; holds a file's name or a row.
//! Invariants: the same content gives the same truth, whatever the order in which it is read; what
//! cannot be read is a counted problem; an unknown kind or version is refused.
//! Start reading at: [`Capsule`], then [`compare`].

pub mod canary;
pub mod compare;
pub mod folder;
pub mod format;
pub mod mail;
pub mod mariadb;
pub mod postgresql;
pub mod sqlite;
pub mod told;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

/// Version of the JSON that a capsule is.
pub const SCHEMA: &str = "lifeboat/capsule/1";
/// Most bytes of a capsule.
pub const CAPSULE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why bytes are no capsule, or a truth could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CapsuleError {
    #[error("capsule: {detail}")]
    Decode { detail: String },
    #[error("capsule: schema `{found}` is not known, expected `{SCHEMA}`")]
    Schema { found: String },
    #[error("a capsule of {found_bytes} bytes is longer than {CAPSULE_BYTES_MAX}")]
    TooLong { found_bytes: usize },
    #[error("the truth of {what} cannot be read: {detail}")]
    Read { what: String, detail: String },
}

/// What a dataset held at one point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    pub schema: String,
    /// Name of the dataset; empty for a backup without one.
    pub dataset: String,
    /// Program and version that read it.
    pub reader: String,
    /// Milliseconds since 1970 when reading began.
    pub taken_at_ms: i64,
    /// Whether it was read at the very point that the snapshot holds.
    pub same_point: bool,
    /// What was placed at the source to be found again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub canaries: Option<canary::Canaries>,
    pub truth: Truth,
}

/// What is recorded, by the kind of source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Truth {
    /// Readings before and after the backup: an open folder has no single point.
    Folder(Box<Between<folder::FolderTruth>>),
    Sqlite(Box<sqlite::SqliteTruth>),
    Postgresql(Box<postgresql::PostgresqlTruth>),
    /// Readings before and after a server's files were taken, or a command wrote a dump.
    PostgresqlFiles(Box<Between<postgresql::PostgresqlTruth>>),
    /// Readings before and after the dump: whoever reads beside it cannot share its state.
    Mariadb(Box<Between<mariadb::MariadbTruth>>),
    /// Readings before and after a command that writes a copy or a dump of it.
    SqliteCopy(Box<Between<sqlite::SqliteTruth>>),
    /// Readings before and after a command that writes a file of messages.
    Mail(Box<Between<mail::MailTruth>>),
    /// What a program of the office told before and after.
    Told(Box<Between<BTreeMap<String, String>>>),
}

/// Two readings round a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Between<T> {
    pub before: T,
    pub after: T,
}

impl Capsule {
    /// The bytes that are sealed.
    ///
    /// # Errors
    /// When they are too long.
    pub fn encode(&self) -> Result<Vec<u8>, CapsuleError> {
        let failed = |error: serde_json::Error| CapsuleError::Decode { detail: error.to_string() };
        let bytes = serde_json::to_vec(self).map_err(failed)?;
        if bytes.len() > CAPSULE_BYTES_MAX {
            return Err(CapsuleError::TooLong { found_bytes: bytes.len() });
        }
        Ok(bytes)
    }

    /// Reads what [`Capsule::encode`] gave.
    ///
    /// # Errors
    /// When they are none, or of another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, CapsuleError> {
        if bytes.len() > CAPSULE_BYTES_MAX {
            return Err(CapsuleError::TooLong { found_bytes: bytes.len() });
        }
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let failed = |error: serde_json::Error| CapsuleError::Decode { detail: error.to_string() };
        let head: Head = serde_json::from_slice(bytes).map_err(failed)?;
        if head.schema != SCHEMA {
            let found = head.schema.chars().take(80).collect();
            return Err(CapsuleError::Schema { found });
        }
        serde_json::from_slice(bytes).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capsule() -> Capsule {
        Capsule {
            schema: SCHEMA.to_owned(),
            dataset: "hồ sơ".to_owned(),
            reader: "lifeboat".to_owned(),
            taken_at_ms: 1_800_000_000_000,
            same_point: true,
            canaries: None,
            truth: Truth::Sqlite(Box::default()),
        }
    }

    #[test]
    fn a_capsule_comes_back_as_it_was() {
        let capsule = capsule();
        assert_eq!(Capsule::decode(&capsule.encode().unwrap()).unwrap(), capsule);
    }

    #[test]
    fn what_is_no_capsule_of_this_version_is_refused() {
        let text = String::from_utf8(capsule().encode().unwrap()).unwrap();
        let other = text.replace("capsule/1", "capsule/2");
        assert!(matches!(Capsule::decode(other.as_bytes()), Err(CapsuleError::Schema { .. })));
        let more = text.replacen('{', "{\"more\":1,", 1);
        assert!(matches!(Capsule::decode(more.as_bytes()), Err(CapsuleError::Decode { .. })));
        for cut in 0..text.len() {
            assert!(Capsule::decode(&text.as_bytes()[..cut]).is_err(), "{cut}");
        }
        let long = vec![b' '; CAPSULE_BYTES_MAX + 1];
        assert!(matches!(Capsule::decode(&long), Err(CapsuleError::TooLong { .. })));
    }
}
