//! The configuration that `quickstart` leaves, so that the same runs on time.

use std::ffi::OsStr;
use std::io;
use std::io::ErrorKind;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::context::Context;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::quickstart as texts;
use crate::cli::local;
use crate::cli::secrets::SecretSource;
use crate::cli::secrets::read_bounded;
use crate::cli::settings::configured::System;
use crate::config;
use crate::path::escape;

/// Its folder beneath the user's folders, and its name there.
const OWN: &str = "lifeboat";
const FILE: &str = "lifeboat.toml";
/// Where the service of the system has its configuration and its state.
const SYSTEM_FILE: &str = "/etc/lifeboat/lifeboat.toml";
const SYSTEM_STATE: &str = "/var/lib/lifeboat";
/// A drop-in for the unit, as `printf` writes it.
const SECTION: &str = r#"[Service]\nReadWritePaths="%s"\n"#;
/// The credential of a passphrase that only its owner knows.
const CREDENTIAL: &str = "lifeboat";

/// What became of it.
pub enum Outcome {
    /// It is there, made now or by an earlier run.
    There(PathBuf),
    /// Another file has its name, and stays.
    Other(PathBuf),
    /// The file could not say it, or not be written.
    Not(Said),
}

impl Outcome {
    /// The folder that it is in, or would be.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::There(path) | Self::Other(path) => path.parent(),
            Self::Not(_) => None,
        }
    }
}

/// What the file says.
pub struct Facts<'a> {
    pub paths: &'a [PathBuf],
    pub storage: &'a Path,
    pub secret: &'a SecretSource,
}

/// Writes it into the user's folder for configurations, never over another file.
pub fn write(context: &Context, facts: &Facts<'_>) -> Outcome {
    let environment = &context.environment;
    let homes = environment.config_home().zip(environment.state_home());
    let Some((home, state)) = homes else { return Outcome::Not(texts::NO_CONFIG_HOME.into()) };
    let state = if is_root() { SYSTEM_STATE.into() } else { state.join(OWN) };
    let Some(text) = text(facts, &state, context.output.language()) else {
        return Outcome::Not(texts::NOT_SAYABLE.into());
    };
    let found = config::read(&text, &System { environment }, context.run.clock.now());
    if let Some(mistake) = found.mistakes.first() {
        return Outcome::Not(Said::plain(mistake));
    }
    let path = home.join(OWN).join(FILE);
    match place(&path, &text) {
        Ok(()) => Outcome::There(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Outcome::Other(path),
        Err(error) => Outcome::Not(
            texts::PATH_FAILED
                .with("path", escape(path.as_os_str().as_encoded_bytes()))
                .with("detail", Said::heard(error)),
        ),
    }
}

fn place(path: &Path, text: &str) -> io::Result<()> {
    local::make_private_folder(path.parent().unwrap_or(path))?;
    match local::private_file(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).and_then(|()| file.sync_all()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let there = read_bounded(path, config::BYTES_MAX)?;
            if *there == *text.as_bytes() { Ok(()) } else { Err(error) }
        }
        Err(error) => Err(error),
    }
}

/// `None` if a path or the passphrase's place is nothing that TOML can say.
fn text(facts: &Facts<'_>, state: &Path, language: Language) -> Option<String> {
    let paths: Option<Vec<String>> = facts.paths.iter().map(string).collect();
    let passphrase = match facts.secret {
        SecretSource::File(path) => {
            format!("{{ file = {} }}", string(std::path::absolute(path).ok()?)?)
        }
        SecretSource::Command(argv) => {
            let words: Option<Vec<String>> = argv.iter().map(string).collect();
            format!("{{ command = [{}] }}", words?.join(", "))
        }
        SecretSource::Prompt | SecretSource::Variable(_) => {
            format!("{{ credential = \"{CREDENTIAL}\" }}")
        }
        SecretSource::KeyFile(_) | SecretSource::Configured(..) => return None,
    };
    let text = match language {
        Language::En => include_str!("en.toml"),
        Language::Vi => include_str!("vi.toml"),
    };
    let text = text.replace("<state_dir>", &string(state)?);
    let text = text.replace("<passphrase>", &passphrase);
    let text = text.replace("<storage>", &string(facts.storage)?);
    Some(text.replace("<paths>", &format!("[{}]", paths?.join(", "))))
}

/// A string of TOML; `None` if it is not Unicode.
fn string(text: impl AsRef<OsStr>) -> Option<String> {
    // JSON escapes all that TOML does, but one.
    let quoted = serde_json::to_string(text.as_ref().to_str()?).ok()?;
    Some(quoted.replace('\u{7f}', "\\u007F"))
}

/// What makes a service of it, where the Debian package is installed: commands for a shell. The
/// system's service for root, a service of their own for everybody else.
pub fn service(configuration: &Path, storage: &Path) -> Option<Vec<String>> {
    if !is_root() {
        return Some(vec![
            "systemctl --user enable --now lifeboat".into(),
            "loginctl enable-linger".into(),
        ]);
    }
    let configuration = shell(configuration.to_str()?)?;
    let place = storage.to_str()?;
    let writable = place.replace('%', "%%");
    let place = shell(place)?;
    let unit = "/etc/systemd/system/lifeboat.service.d";
    let writable = shell(&writable)?;
    Some(vec![
        format!("install -m 0640 -g lifeboat {configuration} {SYSTEM_FILE}"),
        format!("chown -R lifeboat: {place}"),
        format!("install -d {unit}"),
        format!("printf '{SECTION}' {writable} > {unit}/storage.conf"),
        "systemctl daemon-reload && systemctl enable --now lifeboat".into(),
    ])
}

fn shell(word: &str) -> Option<String> {
    shlex::try_quote(word).ok().map(std::borrow::Cow::into_owned)
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_that_is_unicode_comes_back_from_toml() {
        for name in ["/a b", "/\"q\"\\n", "/\u{7f}\t\n\u{1}", "/hồ sơ/😀", "~/x"] {
            let text = format!("x = {}", string(name).unwrap());
            let table = toml::de::DeTable::parse(&text).unwrap();
            assert_eq!(table.get_ref()["x"].get_ref().as_str(), Some(name), "{text}");
        }
    }
}
