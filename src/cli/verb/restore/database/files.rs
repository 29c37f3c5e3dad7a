//! `restore --server-files`: a physical backup as a folder that a server starts on.

use std::path::Path;
use std::process::Stdio;

use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Opened;
use crate::cli::choose::select::Place;
use crate::cli::choose::snapshot;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::errors::NOTHING_WRITTEN;
use crate::cli::language::table::restore as texts;
use crate::cli::verb::restore::RestoreArgs;
use crate::cli::verb::restore::database::LoadError;
use crate::cli::verb::restore::database::ended;
use crate::cli::verb::restore::database::load;
use crate::format::entry::Entry;
use crate::path::SnapshotPath;
use crate::path::escape;
use crate::repository::tree::reader::find_entry;
use crate::source::database::Server;
use crate::source::database::mariadb;
use crate::source::database::postgresql;
use crate::source::stream::command::Program;
use crate::units::Bytes;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Postgresql,
    Mariadb,
}

#[derive(Serialize)]
struct Unpacked {
    snapshot_id: String,
    server: &'static str,
    folder: String,
    restored_bytes: u64,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Postgresql => "PostgreSQL",
            Self::Mariadb => "MariaDB",
        }
    }

    fn path(self) -> Option<SnapshotPath> {
        let (folder, file) = match self {
            Self::Postgresql => (postgresql::FOLDER, postgresql::BASE),
            Self::Mariadb => (mariadb::FOLDER, mariadb::BASE),
        };
        SnapshotPath::from_user(format!("{folder}/{file}").as_bytes()).ok()
    }

    /// What unpacks it, and what makes it ready.
    fn programs(self, context: &Context, folder: &Path) -> (Program, Option<Program>) {
        let server = Server { hidden: context.environment.own_names(), ..Server::default() };
        match self {
            Self::Postgresql => (postgresql::unpacker(&server, folder), None),
            Self::Mariadb => {
                let (unpack, prepare) = mariadb::unpackers(&server, folder);
                (unpack, Some(prepare))
            }
        }
    }
}

/// Unpacks the physical backup of a snapshot into `folder`.
///
/// # Errors
/// When the folder is not empty (13), the snapshot has no such backup, or a tool fails (1).
pub fn run(context: &Context, args: &RestoreArgs, folder: &Path) -> Result<Ended, Failure> {
    let place = Place::parse(&args.snapshot)?;
    let opened = opened::for_objects(context)?;
    let chosen = snapshot::choose(&opened.snapshots, &place.snapshot, &args.filter)?;
    opened::warn_if_suspect(context, &opened.snapshots, chosen);
    let (kind, entry) = find(context, &opened, chosen)?;
    make(folder)?;
    let (unpack, prepare) = kind.programs(context, folder);
    let unpacked = load(context, (&opened, &entry), &unpack);
    let restored_bytes = unpacked.map_err(|error| failed((kind, &unpack, folder), error))?;
    if let Some(prepare) = prepare {
        context.run.check()?;
        ready(&prepare).map_err(|error| failed((kind, &prepare, folder), error))?;
    }
    let shown = escape(folder.as_os_str().as_encoded_bytes());
    let (snapshot_id, server) = (chosen.id.to_string(), kind.name());
    let unpacked = Unpacked { snapshot_id, server, folder: shown, restored_bytes };
    context.output.report("restore", &unpacked, || {
        texts::UNPACKED
            .with("server", server)
            .with("path", unpacked.folder.clone())
            .with("bytes", Bytes(restored_bytes))
    })?;
    Ok(Ended::done())
}

fn find(context: &Context, opened: &Opened, chosen: &Snapshot) -> Result<(Kind, Entry), Failure> {
    for kind in [Kind::Postgresql, Kind::Mariadb] {
        let Some(path) = kind.path() else { continue };
        let found = find_entry(&context.run, &opened.reader, &chosen.root, &path)?;
        if let Some(entry) = found {
            return Ok((kind, entry));
        }
    }
    let message = texts::NO_SERVER_FILES.with("id", chosen.id.short());
    Err(Failure::new(Exit::Failed, message, texts::NAME_PHYSICAL).meaning(NOTHING_WRITTEN))
}

/// A fresh folder, for its owner alone: servers refuse others.
fn make(folder: &Path) -> Result<(), Failure> {
    let shown = escape(folder.as_os_str().as_encoded_bytes());
    let made = new_folder(folder).or_else(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => std::fs::read_dir(folder)
            .map(|mut items| items.next())
            .and_then(|first| if first.is_none() { Ok(()) } else { Err(error) }),
        _ => Err(error),
    });
    made.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let message = texts::FOLDER_NOT_EMPTY.with("path", shown);
            Failure::new(Exit::Refused, message, texts::OTHER_FOLDER).meaning(NOTHING_WRITTEN)
        }
        _ => {
            let message = texts::FILE_FAILED.with("path", shown).with("detail", Said::heard(error));
            Failure::new(Exit::Failed, message, texts::OTHER_FOLDER).meaning(NOTHING_WRITTEN)
        }
    })
}

#[cfg(unix)]
fn new_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn new_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir(folder)
}

/// Runs a program to its end that is given nothing.
fn ready(program: &Program) -> Result<(), LoadError> {
    let tool = |error: std::io::Error| LoadError::Tool(format!("cannot start: {error}"));
    let mut words = tempfile::tempfile().map_err(tool)?;
    let errors = words.try_clone().map_err(tool)?;
    let mut command = program.command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
    let status = command.status().map_err(tool)?;
    if status.success() { Ok(()) } else { Err(LoadError::Tool(ended(status, &mut words))) }
}

fn failed((kind, program, folder): (Kind, &Program, &Path), error: LoadError) -> Failure {
    let folder = escape(folder.as_os_str().as_encoded_bytes());
    let failure = match error {
        LoadError::Dump(error) => error.into(),
        LoadError::Tool(detail) => {
            let tool = program.argv.first().cloned().unwrap_or_default();
            let message = texts::UNPACK_FAILED
                .with("tool", escape(tool.as_encoded_bytes()))
                .with("server", kind.name())
                .with("detail", Said::heard(detail));
            Failure::new(Exit::Failed, message, texts::UNPACK_BY_HAND)
        }
    };
    failure.meaning(texts::LEFT_UNREADY.with("path", folder))
}
