//! What opens the other repository of a copy.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::cli::environment::Environment;
use crate::cli::failure::Failure;
use crate::cli::language::table::keeping::copy as texts;
use crate::cli::language::table::options;
use crate::cli::secrets::SecretSource;
use crate::cli::settings;

/// Where the secret of the repository of `--to` or `--from` comes from; without these it is tried
/// with that of `--repo`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The other repository")]
pub struct OtherSecretArgs {
    /// Read its passphrase from the first line of a file.
    #[arg(long, value_name = "FILE")]
    pub to_password_file: Option<PathBuf>,
    /// Run a program (no shell) and take its passphrase from the first line that it prints.
    #[arg(long, value_name = "COMMAND", conflicts_with = "to_password_file")]
    pub to_password_command: Option<OsString>,
    /// Open it with a key file.
    #[arg(long, value_name = "FILE")]
    #[arg(conflicts_with_all = ["to_password_file", "to_password_command"])]
    pub to_key_file: Option<PathBuf>,
}

impl OtherSecretArgs {
    /// # Errors
    /// When two variables are set, or a command cannot be read (2).
    pub(super) fn source(
        &self,
        environment: &Environment,
    ) -> Result<Option<SecretSource>, Failure> {
        let wrong = |said| Failure::usage(said, options::CORRECT_OPTION);
        let command = |text: &std::ffi::OsStr, origin: &str| {
            settings::argv(text, origin).map(SecretSource::Command).map_err(wrong)
        };
        if let Some(path) = &self.to_key_file {
            return Ok(Some(SecretSource::KeyFile(path.clone())));
        }
        if let Some(path) = &self.to_password_file {
            return Ok(Some(SecretSource::File(path.clone())));
        }
        if let Some(text) = &self.to_password_command {
            return command(text, "--to-password-command").map(Some);
        }
        let mut found = Vec::new();
        if let Some(path) = environment.get("LIFEBOAT_TO_KEY_FILE") {
            found.push(("LIFEBOAT_TO_KEY_FILE", SecretSource::KeyFile(path.into())));
        }
        if let Some(path) = environment.get("LIFEBOAT_TO_PASSWORD_FILE") {
            found.push(("LIFEBOAT_TO_PASSWORD_FILE", SecretSource::File(path.into())));
        }
        const COMMAND: &str = "LIFEBOAT_TO_PASSWORD_COMMAND";
        if let Some(text) = environment.get(COMMAND) {
            found.push((COMMAND, command(text, COMMAND)?));
        }
        if let [(first, _), (second, _), ..] = &found[..] {
            let said = texts::TWO_OTHER_SECRETS.with("first", *first).with("second", *second);
            return Err(wrong(said));
        }
        Ok(found.pop().map(|(_, source)| source))
    }
}
