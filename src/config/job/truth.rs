//! By what a backup is judged when it is restored: the living source of a command's output, and
//! files that are placed to be found again.

use std::path::PathBuf;

use serde::Serialize;

use crate::config::job::Server;
use crate::config::job::Source;
use crate::config::job::server;
use crate::config::table::Table;

/// What the output of a command is a copy of.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Truth {
    Sqlite {
        path: PathBuf,
    },
    Postgresql(Server),
    Mariadb(Server),
    /// A file of messages.
    Mail {
        path: PathBuf,
    },
    /// A backup of SQL Server, which only an instance of it can judge.
    Mssql,
    /// Programs that tell what the source holds, and what a restored copy of it does.
    Command {
        argv: Vec<String>,
        restored: Vec<String>,
    },
}

/// Files that are placed where the office works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Canary {
    /// Their folder, as the backup has it.
    pub path: PathBuf,
    /// The same folder, as the office sees it.
    pub by: PathBuf,
}

#[derive(Clone, Copy)]
enum Kind {
    Sqlite,
    Postgresql,
    Mariadb,
    Mail,
    Mssql,
    Command,
}

const KINDS: [(&str, Kind); 6] = [
    ("sqlite", Kind::Sqlite),
    ("postgresql", Kind::Postgresql),
    ("mariadb", Kind::Mariadb),
    ("mail", Kind::Mail),
    ("mssql", Kind::Mssql),
    ("command", Kind::Command),
];

pub(super) fn read(mut table: Table<'_>) -> Option<Truth> {
    let kind = table.choice("kind", &KINDS);
    let truth = match table.needs("kind", kind)? {
        Kind::Sqlite => path(&mut table).map(|path| Truth::Sqlite { path }),
        Kind::Mail => path(&mut table).map(|path| Truth::Mail { path }),
        Kind::Mssql => Some(Truth::Mssql),
        Kind::Postgresql => one(&mut table).map(Truth::Postgresql),
        Kind::Mariadb => one(&mut table).map(Truth::Mariadb),
        Kind::Command => {
            let argv = table.argv("argv");
            let argv = table.needs("argv", argv);
            let restored = table.argv("restored");
            argv.map(|argv| Truth::Command { restored: restored.unwrap_or(argv.clone()), argv })
        }
    };
    table.finish();
    truth
}

fn path(table: &mut Table<'_>) -> Option<PathBuf> {
    let path = table.path("path");
    table.needs("path", path)
}

/// A server and the one database that a dump is of.
fn one(table: &mut Table<'_>) -> Option<Server> {
    let server = server(table)?;
    if server.databases.len() != 1 {
        table.wrong("database", "expected the name of one database: a dump is of one");
    }
    Some(server)
}

pub(super) fn canary(mut table: Table<'_>, source: Option<&Source>) -> Option<Canary> {
    let path = table.path("path");
    let path = table.needs("path", path);
    let by = table.path("by");
    if let (Some(path), Some(source)) = (&path, source) {
        let is_held = match source {
            Source::Files(files) => {
                files.paths.iter().any(|held| path.starts_with(held) && path != held)
            }
            _ => false,
        };
        if !is_held {
            table.wrong("path", "expected a folder beneath the paths of a source of files");
        }
    }
    table.finish();
    let path = path?;
    Some(Canary { by: by.unwrap_or_else(|| path.clone()), path })
}
