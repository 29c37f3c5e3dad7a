//! What was said becomes what will happen: option > environment > default, all mistakes at once.

pub mod configured;
pub mod place;

use std::ffi::OsStr;
use std::ffi::OsString;
use std::num::NonZeroU64;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::args::GlobalArgs;
use crate::cli::args::OutputArgs;
use crate::cli::args::SecretArgs;
use crate::cli::environment::Environment;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::options;
use crate::cli::language::text::Text;
use crate::cli::output::Level;
use crate::cli::output::log;
use crate::cli::secrets::SecretSource;
use crate::cli::settings::configured::ConfigFile;
use crate::cli::settings::place::Place;
use crate::storage::layer::limit::Hours;
use crate::storage::layer::limit::Limits;
use crate::storage::layer::limit::Timetable;
use crate::units::Bytes;

/// Most bytes of a file that names a repository.
const REPOSITORY_FILE_BYTES_MAX: usize = 64 * 1024;
/// Most bytes of a machine's name.
const HOST_BYTES_MAX: usize = 255;
const WAIT_DEFAULT: Duration = Duration::from_secs(5 * 60);
const FPS_DEFAULT: u32 = 8;
const FPS_MAX: u32 = 60;
/// zstd level.
const COMPRESSION_DEFAULT: u8 = 3;

/// How progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Silent,
    /// One line on a terminal, drawn anew.
    Line {
        every: Duration,
    },
    /// A line of text or JSON each time.
    Lines {
        every: Duration,
    },
}

/// Whether local state is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheUse {
    Yes,
    KeysOnly,
}

/// What all verbs share, resolved.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the repository is, if one is named.
    pub repository: Option<Place>,
    pub config: ConfigFile,
    pub secret: SecretSource,
    /// `None` where the system knows no such folder and none is named.
    pub cache_dir: Option<PathBuf>,
    pub cache_use: CacheUse,
    pub wait: Duration,
    pub limits: Limits,
    /// What stands before the limits at some hours.
    pub timetable: Option<Arc<Timetable>>,
    /// zstd level, 1 to 19; 0: nothing is compressed.
    pub compression: u8,
    /// From the environment; `--host` of a verb stands before it.
    pub host: Option<OsString>,
    pub progress: Progress,
    /// What is logged; `None`: nothing.
    pub log: Option<String>,
    pub log_form: log::Form,
    /// `None`: standard error.
    pub log_file: Option<PathBuf>,
    /// Of the configuration file, where that says which repository is meant.
    pub office_language: Option<Language>,
}

impl Settings {
    /// What the configuration file says of a repository; options and variables stand before it.
    pub fn take(&mut self, found: configured::Repository, environment: &Environment) {
        self.repository = Some(found.place);
        self.office_language = Some(found.language);
        if let (SecretSource::Prompt, Some(from)) = (&self.secret, found.passphrase) {
            self.secret = SecretSource::Configured(from, environment.clone());
        }
        let said = self.limits;
        let under = |limits: Limits| Limits {
            up_bytes_per_s: said.up_bytes_per_s.or(limits.up_bytes_per_s),
            down_bytes_per_s: said.down_bytes_per_s.or(limits.down_bytes_per_s),
        };
        self.limits = under(found.limits);
        let hours: Vec<Hours> = found
            .hours
            .into_iter()
            .map(|hours| Hours { limits: under(hours.limits), ..hours })
            .collect();
        let is_any = !hours.is_empty();
        self.timetable = is_any.then(|| Arc::new(Timetable::new(found.zone, hours)));
    }

    /// Where the repository is.
    ///
    /// # Errors
    /// When none is named.
    pub fn repository(&self) -> Result<&Place, Failure> {
        self.repository
            .as_ref()
            .ok_or_else(|| Failure::usage(options::NO_REPOSITORY_NAMED, options::NAME_REPOSITORY))
    }
}

/// How much is told, from the options alone: needed before anything can go wrong.
#[must_use]
pub const fn level(args: &OutputArgs) -> Level {
    match (args.quiet, args.verbose) {
        (true, _) => Level::Quiet,
        (false, 0) => Level::Normal,
        (false, _) => Level::Verbose,
    }
}

/// Resolves options and environment.
///
/// # Errors
/// All mistakes at once, as one failure with exit code 2.
pub fn resolve(
    args: &GlobalArgs,
    environment: &Environment,
    terminal: Terminal,
) -> Result<Settings, Failure> {
    let mut wrong = Mistakes::default();
    let layered = Layered { environment };
    wrong.take(language(args, environment));
    let config = ConfigFile::of(args, environment);
    wrong.take(config.is_there());
    let named = wrong.take(named(args, environment)).flatten();
    let mut settings = Settings {
        repository: None,
        config,
        secret: wrong.take(secret(&args.secret, environment)).unwrap_or(SecretSource::Prompt),
        cache_dir: cache_dir(args, environment),
        cache_use: if args.cache.no_cache { CacheUse::KeysOnly } else { CacheUse::Yes },
        wait: wrong.take(wait(args)).unwrap_or(WAIT_DEFAULT),
        limits: Limits {
            up_bytes_per_s: wrong.take(limit(args.limit.limit_upload, "--limit-upload")).flatten(),
            down_bytes_per_s: wrong
                .take(limit(args.limit.limit_download, "--limit-download"))
                .flatten(),
        },
        timetable: None,
        compression: wrong.take(compression(args, &layered)).unwrap_or(COMPRESSION_DEFAULT),
        host: wrong.take(host(environment)).flatten(),
        progress: wrong.take(progress(args, environment, terminal)).unwrap_or(Progress::Silent),
        log: wrong.take(log(args, environment)).flatten(),
        log_form: wrong.take(log_form(environment)).unwrap_or(log::Form::Text),
        log_file: environment.get("LIFEBOAT_LOG_FILE").map(PathBuf::from),
        office_language: None,
    };
    if let Some(text) = named {
        match configured::repository(&text, &settings.config, environment) {
            Ok(Some(found)) => settings.take(found, environment),
            Ok(None) => settings.repository = wrong.take(Place::parse(&text)),
            Err(failure) => return wrong.into_result().and(Err(failure)),
        }
    }
    wrong.into_result().map(|()| settings)
}

/// What standard error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    Yes,
    No,
}

/// Mistakes so far, one line each.
#[derive(Debug, Default)]
struct Mistakes(Vec<Said>);

impl Mistakes {
    fn take<T>(&mut self, value: Result<T, Said>) -> Option<T> {
        value.map_err(|mistake| self.0.push(mistake)).ok()
    }

    fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mistakes = options::MISTAKES.with("mistakes", self.0);
        Err(Failure::usage(mistakes, options::CORRECT_OPTION))
    }
}

struct Layered<'a> {
    environment: &'a Environment,
}

impl<'a> Layered<'a> {
    /// The option if given, else the variable; with the name of what was chosen.
    fn pick(
        &self,
        option: Option<&'a OsStr>,
        option_name: &'a str,
        variable: &'a str,
    ) -> (Option<&'a OsStr>, &'a str) {
        match (option, self.environment.get(variable)) {
            (Some(text), _) => (Some(text), option_name),
            (None, text) => (text, variable),
        }
    }
}

/// A value from the user, safe to show.
fn shown(text: Option<&OsStr>) -> String {
    let bytes = text.unwrap_or_default().as_encoded_bytes();
    let start = bytes.get(..80).unwrap_or(bytes);
    format!("`{}`", crate::path::escape(start))
}

/// The language of messages: needed before anything can go wrong.
///
/// # Errors
/// When it is none of ours.
pub fn language(args: &GlobalArgs, environment: &Environment) -> Result<Option<Language>, Said> {
    let layered = Layered { environment };
    let (name, origin) = layered.pick(args.lang.as_deref(), "--lang", "LIFEBOAT_LANG");
    let Some(name) = name else { return Ok(None) };
    let found = Language::named(name).map(Some);
    found.ok_or_else(|| wrong(options::EXPECTED_LANGUAGE, origin, Some(name)))
}

fn wrong(text: Text, origin: &str, found: Option<&OsStr>) -> Said {
    text.with("origin", origin).with("found", shown(found))
}

/// What names the repository: a place, or a storage of the configuration file.
fn named(args: &GlobalArgs, environment: &Environment) -> Result<Option<OsString>, Said> {
    let direct = environment.get("LIFEBOAT_REPOSITORY");
    let file = environment.get("LIFEBOAT_REPOSITORY_FILE");
    match (&args.repo, direct, file) {
        (Some(text), _, _) => Ok(Some(text.clone())),
        (None, Some(_), Some(_)) => Err(options::BOTH_REPOSITORIES.into()),
        (None, Some(text), None) => Ok(Some(text.to_owned())),
        (None, None, Some(file)) => repository_file(Path::new(file)).map(Some),
        // Whether this verb needs one is not known here.
        (None, None, None) => Ok(None),
    }
}

fn repository_file(path: &Path) -> Result<OsString, Said> {
    let wrong = |detail: Said| {
        options::REPOSITORY_FILE.with("path", path.display().to_string()).with("detail", detail)
    };
    let bytes = crate::cli::secrets::read_bounded(path, REPOSITORY_FILE_BYTES_MAX)
        .map_err(|error| wrong(Said::plain(error)))?;
    let line = crate::cli::secrets::first_line(&bytes);
    let text = std::str::from_utf8(line).map_err(|_| wrong(options::EXPECTED_UTF8.into()))?;
    if text.trim().is_empty() {
        return Err(wrong(options::EXPECTED_REPOSITORY.into()));
    }
    Ok(text.trim().into())
}

fn secret(args: &SecretArgs, environment: &Environment) -> Result<SecretSource, Said> {
    if let Some(path) = &args.key_file {
        return Ok(SecretSource::KeyFile(path.clone()));
    }
    if let Some(path) = &args.password_file {
        return Ok(SecretSource::File(path.clone()));
    }
    if let Some(command) = &args.password_command {
        return Ok(SecretSource::Command(argv(command, "--password-command")?));
    }
    let mut found = Vec::new();
    if let Some(path) = environment.get("LIFEBOAT_KEY_FILE") {
        found.push(("LIFEBOAT_KEY_FILE", SecretSource::KeyFile(path.into())));
    }
    if let Some(path) = environment.get("LIFEBOAT_PASSWORD_FILE") {
        found.push(("LIFEBOAT_PASSWORD_FILE", SecretSource::File(path.into())));
    }
    if let Some(command) = environment.get("LIFEBOAT_PASSWORD_COMMAND") {
        let argv = argv(command, "LIFEBOAT_PASSWORD_COMMAND")?;
        found.push(("LIFEBOAT_PASSWORD_COMMAND", SecretSource::Command(argv)));
    }
    if let Some(text) = environment.get("LIFEBOAT_PASSWORD") {
        found.push(("LIFEBOAT_PASSWORD", SecretSource::variable(text)));
    }
    if let [(first, _), (second, _), ..] = &found[..] {
        return Err(options::TWO_SECRETS.with("first", *first).with("second", *second));
    }
    Ok(found.pop().map_or(SecretSource::Prompt, |(_, source)| source))
}

/// The words of a command.
///
/// # Errors
/// When a quote does not close, or there are none.
pub fn argv(command: &OsStr, origin: &str) -> Result<Vec<OsString>, Said> {
    let wrong = || options::EXPECTED_COMMAND.with("origin", origin);
    let words = shlex::bytes::split(command.as_encoded_bytes()).ok_or_else(wrong)?;
    let argv: Vec<OsString> =
        words.into_iter().map(os_string).collect::<Option<_>>().ok_or_else(wrong)?;
    if argv.is_empty() { Err(wrong()) } else { Ok(argv) }
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes))
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(OsString::from)
}

fn cache_dir(args: &GlobalArgs, environment: &Environment) -> Option<PathBuf> {
    let named = args.cache.cache_dir.clone();
    named
        .or_else(|| environment.get("LIFEBOAT_CACHE_DIR").map(PathBuf::from))
        .or_else(|| environment.cache_home().map(|home| home.join("lifeboat")))
}

fn wait(args: &GlobalArgs) -> Result<Duration, Said> {
    args.wait.as_deref().map_or(Ok(WAIT_DEFAULT), |text| duration(text, "--wait"))
}

/// At least a byte a second: less would never end.
fn limit(size: Option<Bytes>, origin: &str) -> Result<Option<NonZeroU64>, Said> {
    let wrong = || options::LIMIT_ZERO.with("origin", origin.to_owned());
    size.map(|size| NonZeroU64::new(size.0).ok_or_else(wrong)).transpose()
}

/// `0`, `none`, or a time with its unit.
pub fn duration(text: &str, origin: &str) -> Result<Duration, Said> {
    if matches!(text, "0" | "none" | "false") {
        return Ok(Duration::ZERO);
    }
    let wrong = || wrong(options::EXPECTED_TIME, origin, Some(OsStr::new(text)));
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(parsed).map_err(|_| wrong())
}

fn compression(args: &GlobalArgs, layered: &Layered<'_>) -> Result<u8, Said> {
    let option = args.compression.as_deref();
    let (text, origin) = layered.pick(option, "--compression", "LIFEBOAT_COMPRESSION");
    let Some(text) = text else { return Ok(COMPRESSION_DEFAULT) };
    if matches!(text.to_str(), Some("0" | "none" | "false")) {
        return Ok(0);
    }
    match text.to_str().and_then(|text| text.parse().ok()) {
        Some(level @ 1..=19) => Ok(level),
        _ => Err(wrong(options::EXPECTED_LEVEL, origin, Some(text))),
    }
}

fn host(environment: &Environment) -> Result<Option<OsString>, Said> {
    const VARIABLE: &str = "LIFEBOAT_HOST";
    let named = environment.get(VARIABLE);
    match named.filter(|name| !is_host(name)) {
        Some(name) => Err(wrong(options::EXPECTED_HOST, VARIABLE, Some(name))),
        None => Ok(named.map(OsStr::to_owned)),
    }
}

/// Whether this can be the name of a machine in lists and options.
#[must_use]
pub fn is_host(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    (1..=HOST_BYTES_MAX).contains(&bytes.len()) && !bytes.iter().any(u8::is_ascii_control)
}

fn progress(
    args: &GlobalArgs,
    environment: &Environment,
    terminal: Terminal,
) -> Result<Progress, Said> {
    const VARIABLE: &str = "LIFEBOAT_PROGRESS_FPS";
    let fps = match environment.get(VARIABLE) {
        None => FPS_DEFAULT,
        Some(text) => match text.to_str().and_then(|text| text.parse::<u32>().ok()) {
            Some(fps) if fps <= FPS_MAX => fps,
            _ => {
                let max = u64::from(FPS_MAX);
                return Err(wrong(options::EXPECTED_FPS, VARIABLE, Some(text)).with("max", max));
            }
        },
    };
    let every = args.output.progress_every.as_deref();
    let every = every.map(|text| duration(text, "--progress-every")).transpose()?;
    if args.output.quiet {
        return Ok(Progress::Silent);
    }
    Ok(match every {
        Some(Duration::ZERO) => Progress::Silent,
        Some(every) => Progress::Lines { every },
        None if args.output.json || terminal == Terminal::No || fps == 0 => Progress::Silent,
        None => Progress::Line { every: Duration::from_secs(1) / fps },
    })
}

fn log(args: &GlobalArgs, environment: &Environment) -> Result<Option<String>, Said> {
    const VARIABLE: &str = "LIFEBOAT_LOG";
    let Some(text) = environment.get(VARIABLE) else {
        return Ok((args.output.verbose >= 2).then(|| "lifeboat=debug".to_owned()));
    };
    let wrong = || wrong(options::EXPECTED_FILTER, VARIABLE, Some(text));
    let filter = text.to_str().ok_or_else(wrong)?;
    filter.parse::<tracing_subscriber::EnvFilter>().map_err(|_| wrong())?;
    Ok(Some(filter.to_owned()))
}

fn log_form(environment: &Environment) -> Result<log::Form, Said> {
    const VARIABLE: &str = "LIFEBOAT_LOG_FORMAT";
    let Some(text) = environment.get(VARIABLE) else { return Ok(log::Form::Text) };
    let wrong = || wrong(options::EXPECTED_LOG_FORM, VARIABLE, Some(text));
    log::Form::named(text).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
