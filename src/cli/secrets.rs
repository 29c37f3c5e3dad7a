//! Where a passphrase or key comes from. Nothing of it ever stands in an error.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::fs::File;
use std::io::IsTerminal;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use zeroize::Zeroizing;

use crate::cli::environment::Environment;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::daemon;
use crate::cli::language::table::options;
use crate::cli::language::text::Text;
use crate::cli::output::Output;
use crate::cli::settings::configured::System;
use crate::config::secret::SecretFrom;
use crate::crypto::sealed::slot::SlotSecret;
use crate::secret::SecretBytes;

/// Most bytes of a passphrase file, of what a command prints, and of a key file.
const SECRET_BYTES_MAX: usize = 64 * 1024;

/// One way to a secret.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// Ask at the terminal.
    Prompt,
    /// The value of `LIFEBOAT_PASSWORD`.
    Variable(SecretBytes),
    File(PathBuf),
    /// Program and arguments.
    Command(Vec<OsString>),
    KeyFile(PathBuf),
    /// Where the configuration file says.
    Configured(SecretFrom, Environment),
}

/// Whether a passphrase is new, so that a typing mistake has to be caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Existing,
    New,
}

impl SecretSource {
    #[must_use]
    pub fn variable(text: &OsStr) -> Self {
        Self::Variable(SecretBytes::new(text.as_encoded_bytes().to_vec()))
    }

    /// Whether nobody named a secret and nobody can be asked.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Prompt) && !std::io::stdin().is_terminal()
    }

    /// Fetches the secret.
    ///
    /// # Errors
    /// When the file or command fails, gives nothing, or nobody can be asked.
    pub fn fetch(&self, output: &Output, asked: Asked) -> Result<SlotSecret, Failure> {
        let passphrase = match self {
            Self::Prompt => output.alone(|| prompt(output.language(), asked))?,
            Self::Variable(secret) => {
                output.warn(options::PASSWORD_SEEN);
                secret.clone()
            }
            Self::File(path) => {
                let bytes = read(path, options::PASSWORD_FILE)?;
                SecretBytes::new(first_line(&bytes).to_vec())
            }
            Self::Command(argv) => SecretBytes::new(first_line(&printed_by(argv)?).to_vec()),
            Self::Configured(from, environment) => {
                from.fetch(&System { environment }).map_err(|error| {
                    let message = daemon::SECRET.with("detail", Said::heard(error));
                    Failure::usage(message, daemon::SEE_SECRET)
                })?
            }
            Self::KeyFile(path) => {
                let bytes = read(path, options::KEY_FILE)?;
                return not_empty(SecretBytes::new(bytes.to_vec())).map(SlotSecret::KeyFile);
            }
        };
        not_empty(passphrase).map(SlotSecret::Passphrase)
    }
}

fn not_empty(secret: SecretBytes) -> Result<SecretBytes, Failure> {
    if secret.expose().is_empty() {
        return Err(Failure::usage(options::EMPTY_SECRET, options::GIVE_SECRET));
    }
    Ok(secret)
}

fn prompt(language: Language, asked: Asked) -> Result<SecretBytes, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(options::NO_TERMINAL, options::SET_PASSWORD_FILE));
    }
    let ask = |text: Text| {
        let asked = rpassword::prompt_password(text.words(language)).map(Zeroizing::new);
        asked.map_err(|error| {
            let message = options::TERMINAL_FAILED.with("detail", Said::heard(error));
            Failure::usage(message, options::SET_PASSWORD_FILE)
        })
    };
    let first = ask(match asked {
        Asked::Existing => options::ASK,
        Asked::New => options::ASK_NEW,
    })?;
    if asked == Asked::New && ask(options::ASK_AGAIN)? != first {
        return Err(Failure::usage(options::TWO_DIFFER, options::RUN_AGAIN));
    }
    Ok(SecretBytes::new(first.as_bytes().to_vec()))
}

fn read(path: &Path, wrong: Text) -> Result<Zeroizing<Vec<u8>>, Failure> {
    read_bounded(path, SECRET_BYTES_MAX).map_err(|error| {
        let shown = crate::path::escape(path.as_os_str().as_encoded_bytes());
        let message = wrong.with("path", shown).with("detail", Said::heard(error));
        Failure::usage(message, options::NAME_READABLE)
    })
}

/// A whole file of at most `bytes_max`.
pub fn read_bounded(path: &Path, bytes_max: usize) -> std::io::Result<Zeroizing<Vec<u8>>> {
    bounded(File::open(path)?, bytes_max)
}

/// All that is left to read, of at most `bytes_max`.
pub fn bounded(from: impl Read, bytes_max: usize) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    from.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        let text = format!("has more than {bytes_max} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, text));
    }
    Ok(bytes)
}

/// Up to the first line feed, without it and without a carriage return before it.
#[must_use]
pub fn first_line(bytes: &[u8]) -> &[u8] {
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What a program prints. Only its name stands in an error: arguments may be secret.
///
/// # Errors
/// When it does not start, fails, or prints too much (2).
pub fn printed_by(argv: &[OsString]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let (program, args) = argv.split_first().map_or((OsStr::new(""), argv), |(p, rest)| (p, rest));
    let failed = |text: Text, detail: String| {
        let name = crate::path::escape(program.as_encoded_bytes());
        let message = text.with("name", name).with("detail", detail);
        Failure::usage(message, options::RUN_BY_HAND)
    };
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::inherit())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(options::COMMAND_NOT_STARTED, error.to_string()))?;
    let printed = child.stdout.take().map(|out| bounded(out, SECRET_BYTES_MAX));
    let status = child.wait().map_err(|error| failed(options::COMMAND_LOST, error.to_string()))?;
    match printed {
        Some(Ok(bytes)) if status.success() => Ok(bytes),
        Some(Err(error)) => Err(failed(options::COMMAND_TOO_LONG, error.to_string())),
        _ => Err(failed(options::COMMAND_FAILED, status.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Format;
    use crate::cli::output::Level;

    fn fetch(source: &SecretSource) -> Result<Vec<u8>, Failure> {
        let output = Output::new(Format::Human, Level::Quiet);
        source.fetch(&output, Asked::Existing).map(|secret| match secret {
            SlotSecret::Passphrase(bytes) | SlotSecret::KeyFile(bytes) => bytes.expose().to_vec(),
        })
    }

    #[test]
    fn the_first_line_counts() {
        for (bytes, line) in [(&b"a b\r\nc"[..], &b"a b"[..]), (b"x", b"x"), (b"", b"")] {
            assert_eq!(first_line(bytes), line);
        }
    }

    #[test]
    fn a_command_without_a_shell() {
        let argv = |words: &[&str]| SecretSource::Command(words.iter().map(Into::into).collect());
        assert_eq!(fetch(&argv(&["printf", "%s\n", "$HOME"])).unwrap(), b"$HOME");
        let failure = fetch(&argv(&["false", "--secret=hush"])).unwrap_err();
        assert_eq!(failure.exit.code(), 2);
        assert!(!failure.to_string().contains("hush"), "{failure}");
        assert!(fetch(&argv(&["/nonexistent/program"])).is_err());
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert!(fetch(&SecretSource::variable(OsStr::new(""))).is_err());
        assert_eq!(fetch(&SecretSource::variable(OsStr::new("x"))).unwrap(), b"x");
    }
}
