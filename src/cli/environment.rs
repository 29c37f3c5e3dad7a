//! Variables of the environment, read once.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::PathBuf;

/// The variables that Lifeboat reads, with what they say; for the man page.
pub const VARIABLES: &[(&str, &str)] = &[
    ("LIFEBOAT_REPOSITORY", "where the repository is (--repo)"),
    ("LIFEBOAT_REPOSITORY_FILE", "a file whose first line says where the repository is"),
    ("LIFEBOAT_PASSWORD", "the passphrase itself; other programs may see it, so it warns"),
    ("LIFEBOAT_PASSWORD_FILE", "a file with the passphrase (--password-file)"),
    ("LIFEBOAT_PASSWORD_COMMAND", "a command that prints the passphrase (--password-command)"),
    ("LIFEBOAT_KEY_FILE", "a key file in place of a passphrase (--key-file)"),
    ("LIFEBOAT_TO_PASSWORD_FILE", "the passphrase of `copy`'s other one (--to-password-file)"),
    ("LIFEBOAT_TO_PASSWORD_COMMAND", "a command that prints it (--to-password-command)"),
    ("LIFEBOAT_TO_KEY_FILE", "a key file of `copy`'s other repository (--to-key-file)"),
    ("LIFEBOAT_CACHE_DIR", "folder for local state (--cache-dir)"),
    ("LIFEBOAT_COMPRESSION", "zstd level, 1 to 19, or `none` (--compression)"),
    ("LIFEBOAT_HOST", "host name written into snapshots (--host)"),
    ("LIFEBOAT_LANG", "language of messages: `en` or `vi` (--lang)"),
    ("LIFEBOAT_LOG", "what is logged on standard error, such as `info` or `lifeboat=debug`"),
    ("LIFEBOAT_LOG_FORMAT", "`text`, or `json`: an object a line"),
    ("LIFEBOAT_LOG_FILE", "a file that the log is added to, in the place of standard error"),
    ("LIFEBOAT_PROGRESS_FPS", "how often a second the progress line is drawn, 0 to 60; 0: never"),
    ("LIFEBOAT_CONFIG", "the configuration file (--config)"),
    ("LIFEBOAT_PARENT", "set by the daemon for what it starts: the process that it ends with"),
    ("LIFEBOAT_POWER_SUPPLY", "folder that tells `daemon` of batteries, not that of the kernel"),
    ("NO_COLOR", "any text: no colours; this version has none"),
    ("LIFEBOAT_SFTP_IDENTITY", "private key for an `sftp:` repository; else the agent and ~/.ssh"),
    ("LIFEBOAT_SFTP_IDENTITY_PASSPHRASE_FILE", "a file with the passphrase of that key"),
    ("LIFEBOAT_SFTP_PASSWORD_FILE", "a file with the user's password on the server"),
    ("LIFEBOAT_SFTP_HOST_KEY", "the server's key, `SHA256:...`, in the place of known hosts"),
    ("LIFEBOAT_SFTP_KNOWN_HOSTS", "a file of known hosts; else that of the user's ~/.ssh"),
    ("LIFEBOAT_SFTP_COMMAND", "a program that speaks SFTP, such as `ssh -J jump nas -s sftp`"),
    ("SSH_AUTH_SOCK", "the agent that is asked for keys of an `sftp:` repository"),
    ("AWS_*", "keys, profile, region and AWS_CA_BUNDLE of an `s3:` repository, as usual there"),
];

/// What the names of this program's variables begin with.
const OWN_PREFIX: &[u8] = b"LIFEBOAT_";

/// A snapshot of the environment. A variable that is empty counts as not set.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    values: BTreeMap<OsString, OsString>,
}

impl Environment {
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.values.get(OsStr::new(name)).map(OsString::as_os_str).filter(|text| !text.is_empty())
    }

    /// Names of all variables that are meant for this program: nothing that it starts on the
    /// source's behalf needs them, and some are secrets.
    #[must_use]
    pub fn own_names(&self) -> Vec<OsString> {
        let is_own = |name: &&OsString| name.as_encoded_bytes().starts_with(OWN_PREFIX);
        self.values.keys().filter(is_own).cloned().collect()
    }

    /// The user's folder for caches, by the conventions of the desktop.
    #[must_use]
    pub fn cache_home(&self) -> Option<PathBuf> {
        self.folder("XDG_CACHE_HOME", ".cache")
    }

    /// The user's folder for data that must stay.
    #[must_use]
    pub fn data_home(&self) -> Option<PathBuf> {
        self.folder("XDG_DATA_HOME", ".local/share")
    }

    /// The user's folder for configurations.
    #[must_use]
    pub fn config_home(&self) -> Option<PathBuf> {
        self.folder("XDG_CONFIG_HOME", ".config")
    }

    /// The user's folder for what programs remember.
    #[must_use]
    pub fn state_home(&self) -> Option<PathBuf> {
        self.folder("XDG_STATE_HOME", ".local/state")
    }

    fn folder(&self, name: &str, in_home: &str) -> Option<PathBuf> {
        let named = self.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        named.or_else(|| self.get("HOME").map(|home| PathBuf::from(home).join(in_home)))
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(pairs: I) -> Self {
        Self { values: pairs.into_iter().collect() }
    }
}
