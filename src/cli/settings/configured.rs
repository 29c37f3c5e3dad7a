//! The configuration file: where it is, and what the command line takes from it.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::num::NonZeroU64;
use std::path::Path;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use crate::cli::args::GlobalArgs;
use crate::cli::environment::Environment;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::daemon as texts;
use crate::cli::secrets::read_bounded;
use crate::cli::settings::place::Place;
use crate::config;
use crate::config::Config;
use crate::config::Found;
use crate::config::mistake::Mistake;
use crate::config::secret::Outside;
use crate::config::secret::Reach;
use crate::config::secret::SecretFrom;
use crate::path::escape;
use crate::storage::layer::limit::Hours;
use crate::storage::layer::limit::Limits;
use crate::units::Timestamp;

const VARIABLE: &str = "LIFEBOAT_CONFIG";
#[cfg(not(windows))]
const DEFAULT: &str = "/etc/lifeboat/lifeboat.toml";
#[cfg(windows)]
const DEFAULT: &str = "C:\\ProgramData\\Lifeboat\\lifeboat.toml";

/// Which file holds the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigFile {
    /// By option or variable.
    Named(PathBuf),
    Default(PathBuf),
}

/// A file that has been read.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub path: PathBuf,
    pub found: Found,
}

/// What a repository's name in the file stands for.
#[derive(Debug, Clone)]
pub struct Repository {
    pub place: Place,
    pub passphrase: Option<SecretFrom>,
    pub limits: Limits,
    /// Limits by the hour, and the zone whose clocks are meant.
    pub hours: Vec<Hours>,
    pub zone: TimeZone,
    pub language: Language,
}

impl ConfigFile {
    #[must_use]
    pub fn of(args: &GlobalArgs, environment: &Environment) -> Self {
        let option = args.config.clone();
        let named = option.or_else(|| environment.get(VARIABLE).map(PathBuf::from));
        named.map_or_else(|| Self::Default(DEFAULT.into()), Self::Named)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Default(path) => path,
        }
    }

    /// Whether it is there; one that was named has to be.
    ///
    /// # Errors
    /// When a named one is not.
    pub fn is_there(&self) -> Result<bool, Said> {
        match self {
            Self::Default(path) => Ok(path.exists()),
            Self::Named(path) => match path.metadata() {
                Ok(_) => Ok(true),
                Err(error) => Err(texts::UNREADABLE
                    .with("path", shown(path))
                    .with("detail", Said::heard(error))
                    .with("origin", VARIABLE)),
            },
        }
    }

    /// Reads it; `now` is where schedules are looked at from.
    ///
    /// # Errors
    /// When it cannot be read (2). Mistakes in it are no error here.
    pub fn load(&self, environment: &Environment, now: Timestamp) -> Result<Loaded, Failure> {
        load(self.path(), |text| config::values(text, &System { environment }, now))
    }
}

/// Reads a file, with every value and its place.
///
/// # Errors
/// As [`ConfigFile::load`].
pub fn shown_values(
    file: &ConfigFile,
    environment: &Environment,
    now: Timestamp,
) -> Result<Loaded, Failure> {
    load(file.path(), |text| config::shown(text, &System { environment }, now))
}

/// Reads a file, with warnings.
///
/// # Errors
/// As [`ConfigFile::load`].
pub fn advised(path: &Path, environment: &Environment, now: Timestamp) -> Result<Loaded, Failure> {
    load(path, |text| config::read(text, &System { environment }, now))
}

fn load(path: &Path, read: impl Fn(&str) -> Found) -> Result<Loaded, Failure> {
    let text = text_of(path, |detail| {
        let message = texts::UNREADABLE
            .with("path", shown(path))
            .with("detail", detail)
            .with("origin", "--config");
        Failure::usage(message, texts::GENERATE)
    })?;
    Ok(Loaded { path: path.to_owned(), found: read(&text) })
}

/// The text of a file that people write.
///
/// # Errors
/// What `unreadable` makes of the system's words; or that it is not UTF-8 (2).
pub fn text_of(path: &Path, unreadable: impl Fn(Said) -> Failure) -> Result<String, Failure> {
    let bytes = read_bounded(path, config::BYTES_MAX);
    let bytes = bytes.map_err(|error| unreadable(Said::heard(error)))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()),
        Err(error) => {
            let line = bytes.iter().take(error.valid_up_to()).filter(|&&b| b == b'\n').count() + 1;
            let message = texts::NO_UTF8.with("path", shown(path)).with("line", line);
            Err(Failure::usage(message, texts::CORRECT))
        }
    }
}

impl Loaded {
    /// # Errors
    /// With every mistake (2).
    pub fn config(&self) -> Result<&Config, Failure> {
        self.found.config.as_ref().ok_or_else(|| {
            let lines = self.found.mistakes.iter().map(|mistake| self.line(mistake)).collect();
            Failure::usage(texts::MISTAKES.with("mistakes", Said::list(lines)), texts::CORRECT)
        })
    }

    /// `FILE:59:1: key: what`.
    #[must_use]
    pub fn line(&self, mistake: &Mistake) -> Said {
        Said::plain(format!("{}:{mistake}", shown(&self.path)))
    }
}

/// Whether a repository's text can be a name of the file.
fn is_name(text: &OsStr) -> bool {
    let bytes = text.as_encoded_bytes();
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    bytes.first().is_some_and(u8::is_ascii_alphanumeric) && bytes.iter().all(is_plain)
}

/// The storage that `text` names in the file; `None` where it is no name of it.
///
/// # Errors
/// When the file that was named has mistakes (2).
pub fn repository(
    text: &OsStr,
    file: &ConfigFile,
    environment: &Environment,
) -> Result<Option<Repository>, Failure> {
    let is_there = file.is_there().unwrap_or(false);
    if !is_name(text) || !is_there {
        return Ok(None);
    }
    // Only names are wanted: no matter when.
    let loaded = file.load(environment, Timestamp::from_unix_ms(0));
    let (file_wins, folder_is_there) =
        (matches!(file, ConfigFile::Named(_)), Path::new(text).is_dir());
    let loaded = match loaded {
        Err(_) if !file_wins && folder_is_there => return Ok(None),
        other => other?,
    };
    let config = match loaded.config() {
        Err(_) if !file_wins && folder_is_there => return Ok(None),
        other => other?,
    };
    let Some(name) = text.to_str().filter(|name| config.storages.contains_key(*name)) else {
        return Ok(None);
    };
    Ok(named(config, name))
}

/// The storage of this name; a configuration without mistakes has every one that it names.
#[must_use]
pub fn named(config: &Config, name: &str) -> Option<Repository> {
    let storage = config.storages.get(name)?;
    let rate = |bytes: Option<u64>| bytes.and_then(NonZeroU64::new);
    let all = &config.limits;
    let own = config.storage_limits.get(name).cloned().unwrap_or_default();
    let limits = Limits {
        up_bytes_per_s: rate(own.upload_bytes_per_s.or(all.upload_bytes_per_s)),
        down_bytes_per_s: rate(own.download_bytes_per_s.or(all.download_bytes_per_s)),
    };
    let hours = own.hours.iter().map(|hours| Hours {
        from_minute: hours.from_minute,
        to_minute: hours.to_minute,
        limits: Limits {
            up_bytes_per_s: rate(hours.upload_bytes_per_s),
            down_bytes_per_s: rate(hours.download_bytes_per_s),
        },
    });
    Some(Repository {
        place: Place::of(storage),
        passphrase: config.keys.passphrase.clone(),
        limits,
        hours: hours.collect(),
        // A zone that the file may name is one that is known.
        zone: TimeZone::get(&config.time_zone).unwrap_or(TimeZone::UTC),
        language: language(config),
    })
}

/// What the office reads.
#[must_use]
pub const fn language(config: &Config) -> Language {
    match config.language {
        config::Language::En => Language::En,
        config::Language::Vi => Language::Vi,
    }
}

/// Variables and files as they are.
pub struct System<'a> {
    pub environment: &'a Environment,
}

impl Outside for System<'_> {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.environment.get(name).map(OsStr::to_owned)
    }

    fn reach(&self, path: &Path) -> Reach {
        match path.metadata() {
            Err(_) => Reach::Missing,
            Ok(metadata) => reach(&metadata),
        }
    }
}

/// To be kept where nothing can be borrowed.
impl Outside for Environment {
    fn variable(&self, name: &str) -> Option<OsString> {
        System { environment: self }.variable(name)
    }

    fn reach(&self, path: &Path) -> Reach {
        System { environment: self }.reach(path)
    }
}

#[cfg(unix)]
fn reach(metadata: &std::fs::Metadata) -> Reach {
    use std::os::unix::fs::PermissionsExt as _;
    if metadata.permissions().mode() & 0o007 == 0 { Reach::Few } else { Reach::Others }
}

#[cfg(not(unix))]
fn reach(_metadata: &std::fs::Metadata) -> Reach {
    Reach::Few
}

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}
