//! A database of the configuration as a source, and who looks at a source a second time.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::daemon as texts;
use crate::cli::local::Local;
use crate::cli::settings::configured::System;
use crate::cli::verb::backup::input::Input;
use crate::cli::verb::backup::witness::Around;
use crate::cli::verb::backup::witness::Witness;
use crate::config::job::Backup;
use crate::config::job::Method;
use crate::config::job::Server;
use crate::config::job::Source;
use crate::config::job::truth::Truth;
use crate::config::secret::SecretFrom;
use crate::path::SnapshotPath;
use crate::source;
use crate::source::database;
use crate::source::database::mariadb;
use crate::source::database::postgresql;
use crate::source::database::postgresql::around;
use crate::source::database::sqlite;
use crate::source::stream::command::Program;

/// Folder of local state for copies of databases.
const COPIES: &str = "databases";

/// The source, if it is a database. Its tools and its server are asked first.
///
/// # Errors
/// When a tool is absent or too old, the server does not answer, or has no such database (1); when
/// the password is not where the file says (2).
pub fn input(context: &Context, backup: &Backup) -> Result<Option<Input>, Failure> {
    let run = &context.run;
    let witness;
    let (source, path): (Box<dyn source::Source>, Vec<u8>) = match &backup.source {
        Source::Files(_) | Source::Command { .. } => return Ok(None),
        Source::Postgresql(asked) => {
            let server = server(context, asked)?;
            let streams = match asked.method {
                Method::Dump => {
                    let (streams, recorded) = postgresql::dump(run, &server, &asked.databases)?;
                    witness = Witness::Postgresql(recorded);
                    streams
                }
                Method::Physical => {
                    let streams = postgresql::physical(run, &server)?;
                    let watched = around::Watched { server, named: Vec::new() };
                    witness = Witness::Around(Around::Postgresql(watched));
                    streams
                }
            };
            (Box::new(streams), stored(postgresql::FOLDER.as_bytes()))
        }
        Source::Mariadb(asked) => {
            let server = server(context, asked)?;
            let streams = match asked.method {
                Method::Dump => {
                    let streams = mariadb::dump(run, &server, &asked.databases)?;
                    let named = asked.databases.clone();
                    let watched = mariadb::truth::Watched { server, named };
                    witness = Witness::Around(Around::Mariadb(watched));
                    streams
                }
                Method::Physical => {
                    let streams = mariadb::physical(run, &server)?;
                    let watched = mariadb::truth::Watched { server, named: Vec::new() };
                    witness = Witness::Around(Around::Mariadb(watched));
                    streams
                }
            };
            (Box::new(streams), stored(mariadb::FOLDER.as_bytes()))
        }
        Source::Sqlite { path } => {
            let dir = context.settings.cache_dir.as_deref();
            let folder = Local::new(dir, &context.environment)?.root().join(COPIES);
            let (stream, recorded) = sqlite::source(path, &folder)?;
            witness = Witness::Sqlite(recorded);
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            (Box::new(stream), stored(name))
        }
    };
    let (paths, excludes) = (vec![path], Vec::new());
    Ok(Some(Input {
        source,
        witness,
        canaries: None,
        recorded: None,
        dataset: Vec::new(),
        paths,
        excludes,
    }))
}

/// Who looks at what a folder or a command's output is a copy of, where that is no database of its
/// own.
///
/// # Errors
/// As [`input`]; and when a path cannot stand in a snapshot (2).
pub fn witness(context: &Context, backup: &Backup) -> Result<Option<Witness>, Failure> {
    let around = match &backup.source {
        Source::Files(files) => {
            let stored = |path: &PathBuf| {
                let bytes = path.as_os_str().as_encoded_bytes();
                SnapshotPath::from_user(bytes).ok()
            };
            Around::Folder(files.mail.iter().filter_map(stored).collect())
        }
        Source::Command { truth: Some(truth), .. } => match &**truth {
            Truth::Sqlite { path } => Around::Sqlite(path.clone()),
            Truth::Mail { path } => Around::Mail(path.clone()),
            Truth::Postgresql(asked) => {
                let (server, named) = (server(context, asked)?, asked.databases.clone());
                Around::Postgresql(around::Watched { server, named })
            }
            Truth::Mariadb(asked) => {
                let (server, named) = (server(context, asked)?, asked.databases.clone());
                Around::Mariadb(mariadb::truth::Watched { server, named })
            }
            Truth::Mssql => return Ok(None),
            Truth::Command { argv, .. } => {
                let argv = argv.iter().map(OsString::from).collect();
                let hidden = context.environment.own_names();
                Around::Told(Program { argv, hidden, ..Program::default() })
            }
        },
        Source::Command { truth: None, .. }
        | Source::Sqlite { .. }
        | Source::Postgresql(_)
        | Source::Mariadb(_) => return Ok(None),
    };
    Ok(Some(Witness::Around(around)))
}

fn stored(name: &[u8]) -> Vec<u8> {
    [b"/", name].concat()
}

fn server(context: &Context, asked: &Server) -> Result<database::Server, Failure> {
    let system = System { environment: &context.environment };
    let password = asked.password.as_ref().map(|from| from.fetch(&system)).transpose();
    let password = password.map_err(|error| {
        let message = texts::SECRET.with("detail", Said::heard(error));
        Failure::usage(message, texts::SEE_SECRET)
    })?;
    let mut hidden = context.environment.own_names();
    if let Some(SecretFrom::Env(name)) = &asked.password {
        hidden.push(name.into());
    }
    Ok(database::Server {
        host: asked.host.clone(),
        port: asked.port,
        user: asked.user.clone(),
        password,
        hidden,
    })
}
