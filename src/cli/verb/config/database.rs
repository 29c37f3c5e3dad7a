//! A database of the configuration as a source.

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::daemon as texts;
use crate::cli::local::Local;
use crate::cli::settings::configured::System;
use crate::cli::verb::backup::input::Input;
use crate::cli::verb::backup::witness::Witness;
use crate::config::job::Backup;
use crate::config::job::Method;
use crate::config::job::Server;
use crate::config::job::Source;
use crate::config::secret::SecretFrom;
use crate::source;
use crate::source::database;
use crate::source::database::mariadb;
use crate::source::database::postgresql;
use crate::source::database::postgresql::around::Watched as Around;
use crate::source::database::sqlite;

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
                    witness = Witness::PostgresqlFiles(Around(server));
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
                    witness = Witness::Mariadb(mariadb::truth::Watched { server, named });
                    streams
                }
                Method::Physical => {
                    witness = Witness::Nobody;
                    mariadb::physical(run, &server)?
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
    Ok(Some(Input { source, witness, recorded: None, dataset: Vec::new(), paths, excludes }))
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
