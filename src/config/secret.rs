//! Where a secret is; it is read when it is needed and not before.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::secret::SecretBytes;

/// Most bytes of a secret.
const BYTES_MAX: u64 = 64 * 1024;
/// Where systemd lays a service's credentials.
pub const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

/// One way to a secret. It is no secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretFrom {
    /// By name, from the service manager.
    Credential(String),
    File(PathBuf),
    /// Program and arguments, without a shell. Arguments may be secret and are not shown.
    Command(#[serde(serialize_with = "program_only")] Vec<String>),
    Env(String),
}

fn program_only<S: serde::Serializer>(argv: &[String], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(argv.first().map_or("", String::as_str))
}

/// What the file cannot know: variables, and how safe other files are.
pub trait Outside {
    fn variable(&self, name: &str) -> Option<OsString>;
    fn reach(&self, path: &Path) -> Reach;
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Missing,
    /// Its owner and his group, or as far as can be told.
    Few,
    /// Everybody on this machine.
    Others,
}

/// Why there is no secret. It names where, never what.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("no service manager gave credentials: {CREDENTIALS_VARIABLE} is not set")]
    NoCredentials,
    #[error("the variable {0} is not set")]
    NotSet(String),
    #[error("file `{path}`: {detail}")]
    File { path: String, detail: String },
    #[error("file `{path}` can be read by everybody: run `chmod 600` on it")]
    Open { path: String },
    #[error("command `{program}`: {detail}")]
    Command { program: String, detail: String },
    #[error("the secret is empty")]
    Empty,
    #[error("a secret has at most {BYTES_MAX} bytes")]
    Long,
}

impl SecretFrom {
    /// The first line of what is there.
    ///
    /// # Errors
    /// When there is nothing, or it lies open.
    pub fn fetch(&self, outside: &dyn Outside) -> Result<SecretBytes, SecretError> {
        let bytes = self.all(outside)?;
        let line = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(SecretBytes::new(line.to_vec()))
    }

    /// All of what is there, such as a private key of many lines.
    ///
    /// # Errors
    /// As [`Self::fetch`].
    pub fn fetch_whole(&self, outside: &dyn Outside) -> Result<SecretBytes, SecretError> {
        let bytes = self.all(outside)?;
        if bytes.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(SecretBytes::new(bytes.to_vec()))
    }

    fn all(&self, outside: &dyn Outside) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        match self {
            Self::Credential(name) => {
                let folder = outside.variable(CREDENTIALS_VARIABLE);
                let folder = folder.ok_or(SecretError::NoCredentials)?;
                file(&Path::new(&folder).join(name))
            }
            Self::File(path) => {
                if outside.reach(path) == Reach::Others {
                    return Err(SecretError::Open { path: shown(path) });
                }
                file(path)
            }
            Self::Command(argv) => printed_by(argv),
            Self::Env(name) => {
                let value = outside.variable(name).ok_or(SecretError::NotSet(name.clone()))?;
                Ok(Zeroizing::new(value.into_encoded_bytes()))
            }
        }
    }
}

fn shown(path: &Path) -> String {
    crate::path::escape(path.as_os_str().as_encoded_bytes())
}

fn bounded(from: impl Read) -> Result<Zeroizing<Vec<u8>>, std::io::Error> {
    let mut bytes = Zeroizing::new(Vec::new());
    from.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn not_long(bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let is_long = u64::try_from(bytes.len()).map_or(true, |len| len > BYTES_MAX);
    if is_long { Err(SecretError::Long) } else { Ok(bytes) }
}

fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let read = std::fs::File::open(path).and_then(bounded);
    let failed =
        |error: std::io::Error| SecretError::File { path: shown(path), detail: error.to_string() };
    read.map_err(failed).and_then(not_long)
}

fn printed_by(argv: &[String]) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let program = argv.first().cloned().unwrap_or_default();
    let failed = |detail: String| SecretError::Command { program: program.clone(), detail };
    let mut command = Command::new(&program);
    command.args(argv.get(1..).unwrap_or_default()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let printed = child.stdout.take().map(bounded);
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    match printed {
        Some(Ok(bytes)) if status.success() => not_long(bytes),
        Some(Ok(bytes)) if not_long(bytes.clone()).is_err() => Err(SecretError::Long),
        Some(Err(error)) => Err(failed(error.to_string())),
        _ => Err(failed(status.to_string())),
    }
}
