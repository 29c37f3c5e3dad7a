//! `restore --database`: a dump of a snapshot into a running server.

pub mod files;
pub mod server;

use std::fs::File;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::process::ExitStatus;
use std::process::Stdio;

use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Opened;
use crate::cli::choose::select::Place;
use crate::cli::choose::snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::errors::NOTHING_WRITTEN;
use crate::cli::language::table::restore as texts;
use crate::cli::verb::read::ls::no_such_path;
use crate::cli::verb::restore::Overwrite;
use crate::cli::verb::restore::RestoreArgs;
use crate::format::entry::Entry;
use crate::path::escape;
use crate::repository::tree::reader::find_entry;
use crate::restore::dump;
use crate::restore::dump::DumpError;
use crate::source::SourceError;
use crate::source::stream::command::Program;
use crate::source::stream::command::last_lines;
use crate::units::Bytes;

use self::server::Removed;
use self::server::Target;

/// Most bytes of a tool's last words.
const WORDS_BYTES_MAX: u64 = 8 * 1024;

#[derive(Serialize)]
struct Loaded<'a> {
    snapshot_id: String,
    database: &'a str,
    restored_as: &'a str,
    tables_count: u64,
    restored_bytes: u64,
}

/// Restores the database `name` into the server `into`.
///
/// # Errors
/// When `into` is none (2), the snapshot has no such database or a tool fails (1), or a database
/// with tables stands under that name (13).
pub fn run(
    context: &Context,
    args: &RestoreArgs,
    (name, into): (&str, &str),
) -> Result<Ended, Failure> {
    let place = Place::parse(&args.snapshot)?;
    let password = args.database.database_password_file.as_deref();
    let target = Target::parse(context, (name, into), password)?;
    let path = target.path_of(name)?;
    let opened = opened::for_objects(context)?;
    let chosen = snapshot::choose(&opened.snapshots, &place.snapshot, &args.filter)?;
    opened::warn_if_suspect(context, &opened.snapshots, chosen);
    let entry = find_entry(&context.run, &opened.reader, &chosen.root, &path)?;
    let entry = entry.ok_or_else(|| no_such_path(&path))?;
    let tables_before = target.tables_count(&context.run, &target.name).map_err(untouched)?;
    if let Some(count @ 1..) = tables_before
        && args.part.overwrite != Overwrite::Always
    {
        let message = texts::NOT_EMPTY.with("name", escape(target.name.as_bytes()));
        let message = message.with("count", count);
        return Err(Failure::new(Exit::Refused, message, texts::OTHER_DATABASE));
    }
    let landing = target.prepare(&context.run, tables_before).map_err(untouched)?;
    let (program, secret) = target.loader(&landing).map_err(untouched)?;
    let loaded = load(context, (&opened, &entry), &program);
    drop(secret);
    let restored_bytes = match loaded {
        Ok(bytes) => bytes,
        Err(error) => return Err(failed(context, (&target, &landing), (name, error))),
    };
    target.land(&context.run, &landing).map_err(|(error, is_gone)| match is_gone {
        Removed::Yes => Failure::from(error).meaning(texts::LEFT_AS_IT_WAS),
        Removed::No => {
            let name = escape(landing.name.as_bytes());
            Failure::from(error).meaning(texts::LEFT_BESIDE.with("name", name))
        }
    })?;
    // It is restored, whatever the server says now.
    let counted = target.tables_count(&context.run, &target.name);
    let tables_count = counted.ok().flatten().unwrap_or(0);
    let loaded = Loaded {
        snapshot_id: chosen.id.to_string(),
        database: name,
        restored_as: &target.name,
        tables_count,
        restored_bytes,
    };
    context.output.report("restore", &loaded, || {
        texts::LOADED
            .with("name", escape(name.as_bytes()))
            .with("as", escape(target.name.as_bytes()))
            .with("bytes", Bytes(restored_bytes))
            .with("tables", tables_count)
    })?;
    Ok(Ended::done())
}

/// A server's refusal before anything was loaded.
fn untouched(error: SourceError) -> Failure {
    Failure::from(error).meaning(NOTHING_WRITTEN)
}

/// Why a dump was not loaded.
enum LoadError {
    Tool(String),
    Dump(DumpError),
}

/// Gives the dump to a tool. A dump that cannot be read to its end ends the tool first, so that
/// none takes a part for the whole.
fn load(
    context: &Context,
    (opened, entry): (&Opened, &Entry),
    program: &Program,
) -> Result<u64, LoadError> {
    let tool = |error: std::io::Error| LoadError::Tool(format!("cannot start: {error}"));
    let mut words = tempfile::tempfile().map_err(tool)?;
    let errors = words.try_clone().map_err(tool)?;
    let mut command = program.command();
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(errors);
    let mut child = command.spawn().map_err(tool)?;
    let written = match child.stdin.take() {
        Some(mut pipe) => {
            let written = dump::file(&context.run, &opened.reader, entry, &mut pipe);
            if let Err(error) = &written
                && !matches!(error, DumpError::Write(_))
            {
                // It may have ended by itself meanwhile.
                let _killed = child.kill();
            }
            written
        }
        None => Ok(0),
    };
    let status = child.wait().map_err(tool)?;
    match written {
        Err(DumpError::Write(_)) | Ok(_) if !status.success() => {
            Err(LoadError::Tool(ended(status, &mut words)))
        }
        Err(DumpError::Write(error)) => Err(LoadError::Tool(error.to_string())),
        Err(error) => Err(LoadError::Dump(error)),
        Ok(bytes) => Ok(bytes),
    }
}

/// How a tool ended that did not end well, with its last words.
fn ended(status: ExitStatus, words: &mut File) -> String {
    let how = match status.code() {
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    };
    let said = said(words);
    if said.is_empty() { how } else { format!("{how}: {said}") }
}

fn said(words: &mut File) -> String {
    let len = words.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = Vec::new();
    let start = words.seek(SeekFrom::Start(len.saturating_sub(WORDS_BYTES_MAX)));
    match start.and_then(|_| words.take(WORDS_BYTES_MAX).read_to_end(&mut bytes)) {
        Ok(_) => last_lines(&bytes),
        Err(_) => String::new(),
    }
}

fn failed(
    context: &Context,
    (target, landing): (&Target, &server::Landing),
    (name, error): (&str, LoadError),
) -> Failure {
    let failure = match error {
        LoadError::Dump(error) => error.into(),
        LoadError::Tool(detail) => {
            let message = texts::LOAD_FAILED
                .with("tool", target.tool())
                .with("name", escape(name.as_bytes()))
                .with("detail", Said::heard(detail));
            let next = if target.has_roles() { texts::LOAD_ROLES } else { texts::LOAD_BY_HAND };
            Failure::new(Exit::Failed, message, next)
        }
    };
    // Told after the first trouble, whatever comes of it.
    if target.remove(&context.run.unstopped(), landing) == Removed::Yes {
        return failure.meaning(texts::LEFT_AS_IT_WAS);
    }
    failure.meaning(texts::LEFT_HALF.with("name", escape(landing.name.as_bytes())))
}
