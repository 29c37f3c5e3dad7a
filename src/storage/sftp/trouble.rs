//! What can go wrong on the way to a server, and what it means.

use std::fmt;

use russh_sftp::client::error::Error;
use russh_sftp::protocol::StatusCode;

use crate::storage::StorageErrorKind;

/// Something that did not work.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server answered, and said no.
    Answered { code: StatusCode, text: String },
    /// The connection is gone, or nothing sensible comes over it.
    Lost(String),
    /// Known here.
    Said(StorageErrorKind, String),
}

impl Trouble {
    pub(super) fn said(kind: StorageErrorKind, text: impl Into<String>) -> Self {
        Self::Said(kind, text.into())
    }

    /// What has a blob's name is none.
    pub(super) fn no_file() -> Self {
        Self::said(StorageErrorKind::NotFound, "not a regular file")
    }

    /// Whether the connection is of no more use.
    pub(super) const fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }

    pub(super) const fn kind(&self) -> StorageErrorKind {
        match self {
            Self::Answered { code, .. } => match code {
                StatusCode::NoSuchFile => StorageErrorKind::NotFound,
                StatusCode::PermissionDenied => StorageErrorKind::Denied,
                StatusCode::NoConnection | StatusCode::ConnectionLost => {
                    StorageErrorKind::Transient
                }
                _ => StorageErrorKind::Other,
            },
            Self::Lost(_) => StorageErrorKind::Transient,
            Self::Said(kind, _) => *kind,
        }
    }

    /// Whether the server said no without a reason, as it does for most errors of its system.
    pub(super) const fn is_plain_failure(&self) -> bool {
        matches!(self, Self::Answered { code: StatusCode::Failure, .. })
    }

    pub(super) const fn is_end_of_file(&self) -> bool {
        matches!(self, Self::Answered { code: StatusCode::Eof, .. })
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Status(status) => {
                // A server's words are a stranger's: no control characters of theirs are shown.
                let text = crate::path::escape(status.error_message.as_bytes());
                Self::Answered { code: status.status_code, text }
            }
            // A limit that this side keeps for the server: the line is sound, and has room later.
            Error::Limited(text) => Self::Said(StorageErrorKind::Transient, text),
            Error::Timeout => {
                let text = "the server stands by its connection, and gave no answer of SFTP in \
                            time: look at its disks and its load";
                Self::Lost(text.to_owned())
            }
            other => Self::Lost(format!("the connection was lost: {other}")),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { code, text } if text.is_empty() => {
                write!(f, "the server answers {code:?}")
            }
            Self::Answered { text, .. } => write!(f, "the server answers: {text}"),
            Self::Lost(text) | Self::Said(_, text) => f.write_str(text),
        }
    }
}
