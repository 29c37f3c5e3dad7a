//! What is backed up: from options to a source.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::failure::Failure;
use crate::cli::secrets::read_bounded;
use crate::cli::verb::backup::BackupArgs;
use crate::cli::verb::backup::ExcludeArgs;
use crate::path::SnapshotPath;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::exclude::ExcludeError;
use crate::source::exclude::Excludes;
use crate::source::exclude::Marker;
use crate::source::exclude::Mounts;
use crate::source::exclude::Patterns;
use crate::source::stream::StreamSource;
use crate::source::unix::FolderSource;

/// Most bytes of a list of paths.
const FILES_FROM_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A source with what is told of it.
pub struct Input {
    pub source: Box<dyn Source>,
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
pub fn resolve(args: &BackupArgs) -> Result<Input, Failure> {
    if args.input.stdin || args.input.stdin_from_command {
        return stream(args);
    }
    let mut paths = args.paths.clone();
    for list in &args.input.files_from {
        paths.extend(listed(list)?);
    }
    if paths.is_empty() {
        return Err(Failure::usage("nothing to back up is named", "give a path, such as `.`"));
    }
    let rules = rules(&args.exclude)?;
    let excludes = excludes(&args.exclude, &rules)?;
    let source = FolderSource::new(&paths, excludes)?;
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
    Ok(Input { source: Box::new(source), dataset, paths, excludes: rules })
}

fn stream(args: &BackupArgs) -> Result<Input, Failure> {
    let name = args.input.stdin_filename.as_encoded_bytes();
    let path = SnapshotPath::from_user(name).map_err(|error| {
        let name = crate::path::escape(name);
        Failure::usage(format_args!("--stdin-filename `{name}`: {error}"), "give another name")
    })?;
    let (source, kind) = if args.input.stdin_from_command {
        let argv = args.paths.iter().map(|word| word.clone().into_os_string()).collect();
        (StreamSource::command(path.clone(), argv)?, "command")
    } else {
        (StreamSource::stdin(path.clone())?, "stdin")
    };
    let mut stored = vec![b'/'];
    stored.extend_from_slice(&path.to_slashed());
    let dataset = [kind.as_bytes(), &stored].join(&0);
    Ok(Input { source: Box::new(source), dataset, paths: vec![stored], excludes: Vec::new() })
}

/// Paths from a file, one a line; `-` is standard input.
fn listed(list: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| {
        let name = crate::path::escape(list.as_os_str().as_encoded_bytes());
        let message = format!("--files-from `{name}`: {error}");
        Failure::usage(message, "name a file with one path a line")
    };
    let bytes = if list.as_os_str() == OsStr::new("-") {
        let mut bytes = Vec::new();
        let limit = u64::try_from(FILES_FROM_BYTES_MAX).unwrap_or(u64::MAX);
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(failed)?;
        bytes
    } else {
        read_bounded(list, FILES_FROM_BYTES_MAX).map_err(failed)?.to_vec()
    };
    let lines = bytes.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Ok(lines.filter(|line| !line.is_empty()).map(os_path).collect())
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
        patterns: Patterns::compile(rules.iter().map(String::as_str)).map_err(wrong)?,
        markers,
        larger_than_bytes: args.exclude_larger_than.map(|size| size.0),
        mounts: if args.one_file_system { Mounts::Stay } else { Mounts::Enter },
    })
}

fn wrong(error: ExcludeError) -> Failure {
    Failure::usage(error, "correct the rule; nothing was read")
}
