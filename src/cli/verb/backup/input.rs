//! What is backed up: from options to a source.

use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

use crate::capsule::canary::Canaries;
use crate::cli::context::Context;
use crate::cli::environment::Environment;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::backup as texts;
use crate::cli::language::table::options::CORRECT_PATTERN;
use crate::cli::secrets::bounded;
use crate::cli::secrets::read_bounded;
use crate::cli::verb::backup::BackupArgs;
use crate::cli::verb::backup::ExcludeArgs;
use crate::cli::verb::backup::StreamArgs;
use crate::cli::verb::backup::witness::Around;
use crate::cli::verb::backup::witness::Witness;
use crate::path::SnapshotPath;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::exclude::ExcludeError;
use crate::source::exclude::Excludes;
use crate::source::exclude::Marker;
use crate::source::exclude::Mounts;
use crate::source::exclude::Patterns;
use crate::source::stream::StreamSource;
use crate::source::stream::expect::Expected;
use crate::source::stream::expect::LastLine;
use crate::source::unix::FolderSource;

/// Most bytes of a list of paths.
const FILES_FROM_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A source with what is told of it.
pub struct Input {
    pub source: Box<dyn Source>,
    /// Who records what the source holds.
    pub witness: Witness,
    /// What was placed at the source to be found again.
    pub canaries: Option<Canaries>,
    /// What it is recorded for: whoever backs up by hand asks for speed.
    pub recorded: Option<String>,
    /// The same text, the same chain of snapshots.
    pub dataset: Vec<u8>,
    /// Absolute paths, or the name of the stream.
    pub paths: Vec<Vec<u8>>,
    /// Rules that leave something out, as they were given.
    pub excludes: Vec<String>,
}

/// Takes the options together.
///
/// # Errors
/// When nothing is named or an option is wrong (2), or a path does not exist (1).
pub fn resolve(context: &Context, args: &BackupArgs) -> Result<Input, Failure> {
    let environment = &context.environment;
    let StreamArgs { stdin, stdin_from_command, bytes_min, last_line, .. } = &args.input.stream;
    if *stdin || *stdin_from_command {
        return stream(args, environment);
    }
    if bytes_min.is_some() || last_line.is_some() {
        return Err(Failure::usage(texts::STREAM_ONLY, texts::GIVE_STREAM));
    }
    let mut paths = args.paths.clone();
    for list in &args.input.files_from {
        paths.extend(listed(list, ("--files-from", b'\n'))?);
    }
    for list in &args.input.files_from0 {
        paths.extend(listed(list, ("--files-from0", 0))?);
    }
    if paths.is_empty() {
        return Err(Failure::usage(texts::NOTHING_NAMED, texts::GIVE_PATH));
    }
    let rules = rules(&args.exclude)?;
    let excludes = excludes(&args.exclude, &rules)?;
    let mut source = FolderSource::new(&paths, excludes)?;
    if args.input.fs_snapshot.is_some() && !args.how.dry_run {
        source = from_snapshot(context, source)?;
    }
    let mut absolute = Vec::with_capacity(paths.len());
    let mut dataset = b"folders".to_vec();
    for path in &paths {
        let whole = std::path::absolute(path).map_err(|error| {
            let path = crate::path::escape(path.as_os_str().as_encoded_bytes());
            SourceError::Missing { path, detail: error.to_string() }
        })?;
        let form = if path.is_absolute() { b'A' } else { b'R' };
        absolute.push((whole.into_os_string().into_encoded_bytes(), form));
    }
    absolute.sort_unstable();
    absolute.dedup();
    for (path, form) in &absolute {
        // A relative path stands otherwise in the snapshot, so it is another dataset.
        dataset.extend_from_slice(&[0, *form]);
        dataset.extend_from_slice(path);
    }
    let paths = absolute.into_iter().map(|(path, _)| path).collect();
    let excludes = told_rules(&rules, &args.exclude);
    let source = Box::new(source);
    let witness = Witness::Around(Around::Folder(Vec::new()));
    Ok(Input { source, witness, canaries: None, recorded: None, dataset, paths, excludes })
}

#[cfg(target_os = "linux")]
fn from_snapshot(context: &Context, source: FolderSource) -> Result<FolderSource, Failure> {
    Ok(source.from_btrfs(&context.run, &context.environment.own_names())?)
}

#[cfg(not(target_os = "linux"))]
fn from_snapshot(_context: &Context, _source: FolderSource) -> Result<FolderSource, Failure> {
    Err(Failure::usage(texts::NO_SNAPSHOTS, texts::LEAVE_OUT_SNAPSHOT))
}

fn stream(args: &BackupArgs, environment: &Environment) -> Result<Input, Failure> {
    let StreamArgs { stdin_from_command, stdin_filename, bytes_min, last_line, .. } =
        &args.input.stream;
    let last_line = last_line.as_deref().map(LastLine::new).transpose().map_err(|error| {
        let message = texts::LAST_LINE.with("detail", Said::heard(error));
        Failure::usage(message, CORRECT_PATTERN)
    })?;
    let expected = Expected {
        bytes_min: bytes_min.map_or(0, |size| size.0),
        last_line,
        ..Expected::default()
    };
    let name = stdin_filename.as_encoded_bytes();
    let path = SnapshotPath::from_user(name).map_err(|error| {
        let name = crate::path::escape(name);
        let message = texts::STREAM_NAME.with("name", name).with("detail", Said::heard(error));
        Failure::usage(message, texts::OTHER_NAME)
    })?;
    let (source, kind) = if *stdin_from_command {
        let argv = args.paths.iter().map(|word| word.clone().into_os_string()).collect();
        (StreamSource::command(path.clone(), argv, environment.own_names())?, "command")
    } else {
        (StreamSource::stdin(path.clone())?, "stdin")
    };
    let mut stored = vec![b'/'];
    stored.extend_from_slice(&path.to_slashed());
    let dataset = [kind.as_bytes(), &stored].join(&0);
    let source = Box::new(source.expecting(expected));
    let (witness, paths, excludes) = (Witness::Nobody, vec![stored], Vec::new());
    Ok(Input { source, witness, canaries: None, recorded: None, dataset, paths, excludes })
}

/// Paths from a file, each ended by `end`; `-` is standard input.
fn listed(list: &Path, (option, end): (&str, u8)) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| {
        let name = crate::path::escape(list.as_os_str().as_encoded_bytes());
        let message = texts::PATH_LIST.with("option", option).with("path", name);
        Failure::usage(message.with("detail", Said::heard(error)), texts::NAME_PATH_LIST)
    };
    let bytes = match list.to_str() {
        Some("-") => bounded(std::io::stdin().lock(), FILES_FROM_BYTES_MAX),
        _ => read_bounded(list, FILES_FROM_BYTES_MAX),
    };
    let bytes = bytes.map_err(failed)?;
    let paths = bytes.split(|&b| b == end).map(|line| match end {
        0 => line,
        _ => line.strip_suffix(b"\r").unwrap_or(line),
    });
    Ok(paths.filter(|path| !path.is_empty()).map(os_path).collect())
}

#[cfg(unix)]
fn os_path(bytes: &[u8]) -> PathBuf {
    let text: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(bytes);
    PathBuf::from(text)
}

#[cfg(not(unix))]
fn os_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// Patterns of the options and of their files.
///
/// # Errors
/// When a file cannot be read.
pub fn rules(args: &ExcludeArgs) -> Result<Vec<String>, Failure> {
    let mut rules = args.exclude.clone();
    for file in &args.exclude_file {
        rules.extend(Patterns::read_lines(file).map_err(wrong)?);
    }
    Ok(rules)
}

/// What the snapshot keeps of the rules: a reader should know that `case` does not count.
fn told_rules(rules: &[String], args: &ExcludeArgs) -> Vec<String> {
    let folded = args.iexclude.iter().map(|rule| format!("(any case) {rule}"));
    rules.iter().cloned().chain(folded).collect()
}

/// All rules of the options; `rules` are the patterns.
///
/// # Errors
/// When a rule cannot be used.
pub fn excludes(args: &ExcludeArgs, rules: &[String]) -> Result<Excludes, Failure> {
    let mut markers = Vec::new();
    for name in &args.exclude_if_present {
        markers.push(Marker::parse(name.as_encoded_bytes()).map_err(wrong)?);
    }
    if args.exclude_caches {
        markers.push(Marker::caches());
    }
    Ok(Excludes {
        patterns: Patterns::compile(rules.iter().map(String::as_str))
            .and_then(|exact| exact.and_in_any_case(args.iexclude.iter().map(String::as_str)))
            .map_err(wrong)?,
        markers,
        larger_than_bytes: args.exclude_larger_than.map(|size| size.0),
        mounts: if args.one_file_system { Mounts::Stay } else { Mounts::Enter },
    })
}

fn wrong(error: ExcludeError) -> Failure {
    let message = texts::BAD_RULE.with("detail", Said::heard(error));
    Failure::usage(message, texts::CORRECT_RULE)
}
