//! Which snapshots are meant: an id's beginning, or `latest`, narrowed by filters.

use std::ffi::OsStr;
use std::ffi::OsString;

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::options;
use crate::path::SnapshotPath;

/// Which snapshots count.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which snapshots")]
pub struct FilterArgs {
    /// Only of this machine.
    #[arg(short = 'H', long, value_name = "NAME")]
    pub host: Vec<OsString>,
    /// Only with this tag; with commas: with all of them.
    #[arg(long, value_name = "TAG[,TAG]")]
    pub tag: Vec<String>,
    /// Only of this path; several: of all of them.
    #[arg(long, value_name = "PATH")]
    pub path: Vec<OsString>,
}

/// `SNAPSHOT[:PATH]` taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub snapshot: Which,
    pub path: SnapshotPath,
}

/// Which snapshot is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    Latest,
    /// Lower-case hex digits that an id starts with.
    Prefix(String),
}

impl Place {
    /// # Errors
    /// When the text is neither, or the path goes up with `..`.
    pub fn parse(text: &OsStr) -> Result<Self, Failure> {
        let bytes = text.as_encoded_bytes();
        let at = bytes.iter().position(|&b| b == b':');
        let (snapshot, path) = match at {
            Some(at) => (bytes.get(..at), bytes.get(at + 1..).unwrap_or_default()),
            None => (Some(bytes), &b""[..]),
        };
        let snapshot = Which::parse(snapshot.unwrap_or_default())?;
        let path = SnapshotPath::from_user(path).map_err(|error| {
            let shown = crate::path::escape(path);
            let message = options::BAD_PATH.with("path", shown).with("detail", Said::heard(error));
            Failure::usage(message, options::PATH_AS_LISTED)
        })?;
        Ok(Self { snapshot, path })
    }
}

impl Which {
    /// # Errors
    /// When the text is neither `latest` nor 1 to 64 hex digits.
    pub fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let is_hex = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        match text.as_str() {
            "latest" => Ok(Self::Latest),
            digits if (1..=64).contains(&digits.len()) && digits.as_bytes().iter().all(is_hex) => {
                Ok(Self::Prefix(text))
            }
            _ => Err(Failure::usage(
                options::EXPECTED_SNAPSHOT.with("found", crate::path::escape(bytes)),
                options::SEE_SNAPSHOTS,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_and_a_path_in_it() {
        let place = Place::parse(OsStr::new("latest:/srv/a:b")).unwrap();
        assert_eq!(place.snapshot, Which::Latest);
        assert_eq!(place.path, SnapshotPath::from_user(b"srv/a:b").unwrap());
        let place = Place::parse(OsStr::new("00FF")).unwrap();
        assert_eq!(place.snapshot, Which::Prefix("00ff".to_owned()));
        assert!(place.path.is_root());
        for text in ["", "newest", "0g", "latest:../x", &"0".repeat(65)] {
            assert_eq!(Place::parse(OsStr::new(text)).unwrap_err().exit.code(), 2, "{text}");
        }
    }
}
