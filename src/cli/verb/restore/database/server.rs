//! The server that a database is restored into.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::restore as texts;
use crate::cli::secrets::first_line;
use crate::cli::secrets::read_bounded;
use crate::path::SnapshotPath;
use crate::path::escape;
use crate::run::Run;
use crate::secret::SecretBytes;
use crate::source::SourceError;
use crate::source::database::Server;
use crate::source::database::mariadb;
use crate::source::database::path_of;
use crate::source::database::postgresql;
use crate::source::stream::command::Program;

/// Most bytes of a password file.
const PASSWORD_BYTES_MAX: usize = 64 * 1024;
/// What is added to the name of a database while it is loaded.
const LOADING: &str = " (lifeboat)";
/// Tables that a person made.
const PG_TABLES: &str = "select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n \
    on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in \
    ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Postgresql,
    Mariadb,
}

/// A server, and the name of a database in it.
pub struct Target {
    kind: Kind,
    server: Server,
    pub name: String,
}

/// Where a dump is loaded.
pub struct Landing {
    pub name: String,
    /// Whether this run made it.
    is_ours: bool,
}

/// Whether what was loaded is gone again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    Yes,
    No,
}

impl Target {
    /// Reads `postgresql://USER@HOST:PORT/NAME`; without a name it is that of the snapshot.
    ///
    /// # Errors
    /// When it is none, or the password cannot be read (2).
    pub fn parse(
        context: &Context,
        (database, into): (&str, &str),
        password: Option<&Path>,
    ) -> Result<Self, Failure> {
        let mut target = parse(into).map_err(|detail| {
            let message = texts::BAD_SERVER.with("detail", Said::heard(detail));
            Failure::usage(message, texts::CORRECT_SERVER)
        })?;
        if target.name.is_empty() {
            database.clone_into(&mut target.name);
        }
        target.server.hidden = context.environment.own_names();
        if let Some(path) = password {
            let bytes = read_bounded(path, PASSWORD_BYTES_MAX).map_err(|error| {
                let message = texts::PASSWORD_UNREAD
                    .with("path", escape(path.as_os_str().as_encoded_bytes()))
                    .with("detail", Said::heard(error));
                Failure::usage(message, texts::NAME_PASSWORD)
            })?;
            target.server.password = Some(SecretBytes::new(first_line(&bytes).to_vec()));
        }
        Ok(target)
    }

    /// Where a snapshot has the database of this name.
    ///
    /// # Errors
    /// When that is no name.
    pub fn path_of(&self, database: &str) -> Result<SnapshotPath, SourceError> {
        match self.kind {
            Kind::Postgresql => path_of(postgresql::FOLDER, database, postgresql::EXTENSION),
            Kind::Mariadb => path_of(mariadb::FOLDER, database, mariadb::EXTENSION),
        }
    }

    #[must_use]
    pub const fn tool(&self) -> &'static str {
        match self.kind {
            Kind::Postgresql => "pg_restore",
            Kind::Mariadb => "mariadb",
        }
    }

    /// Whether a dump names owners that have to be there.
    #[must_use]
    pub fn has_roles(&self) -> bool {
        self.kind == Kind::Postgresql
    }

    /// How many tables and views a database has; `None` if it is not there.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn tables_count(&self, run: &Run, name: &str) -> Result<Option<u64>, SourceError> {
        let literal = self.text(name);
        let (there, tables) = match self.kind {
            Kind::Postgresql => {
                let there = "select count(*) from pg_catalog.pg_database where datname = ";
                (format!("{there}{literal}"), PG_TABLES.to_owned())
            }
            Kind::Mariadb => {
                let there = "select count(*) from information_schema.schemata where schema_name = ";
                let tables = "select count(*) from information_schema.tables where table_schema = ";
                (format!("{there}{literal}"), format!("{tables}{literal}"))
            }
        };
        if self.ask(run, None, &there)? == Some(0) {
            return Ok(None);
        }
        self.ask(run, Some(name), &tables)
    }

    fn ask(&self, run: &Run, name: Option<&str>, query: &str) -> Result<Option<u64>, SourceError> {
        let named: Vec<String> = name.into_iter().map(str::to_owned).collect();
        let rows = match self.kind {
            Kind::Postgresql => postgresql::ask(run, &self.server, &named, query)?,
            Kind::Mariadb => mariadb::ask(run, &self.server, query)?,
        };
        Ok(rows.first().and_then(|row| row.parse().ok()))
    }

    /// Makes a database to load into. What is there with tables is gone only when the new one is
    /// whole, where the server can rename.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn prepare(&self, run: &Run, tables: Option<u64>) -> Result<Landing, SourceError> {
        let name = match (self.kind, tables) {
            // An empty one was made by somebody who knows its encoding.
            (_, Some(0)) => return Ok(Landing { name: self.name.clone(), is_ours: false }),
            (Kind::Postgresql, Some(_)) => format!("{}{LOADING}", self.name),
            _ => self.name.clone(),
        };
        let quoted = self.quoted(&name);
        match self.kind {
            Kind::Postgresql => {
                // One that an earlier run left behind.
                if tables.is_some() {
                    self.ask(run, None, &format!("drop database if exists {quoted}"))?;
                }
                self.ask(run, None, &format!("create database {quoted} template template0"))?;
            }
            Kind::Mariadb => {
                self.ask(run, None, &format!("drop database if exists {quoted}"))?;
                let query = format!("create database {quoted} character set utf8mb4");
                self.ask(run, None, &query)?;
            }
        }
        Ok(Landing { name, is_ours: true })
    }

    /// The program that reads a dump, and its password's file, to be kept as long as it runs.
    ///
    /// # Errors
    /// When that file cannot be written.
    pub fn loader(
        &self,
        landing: &Landing,
    ) -> Result<(Program, Option<NamedTempFile>), SourceError> {
        if self.kind == Kind::Postgresql {
            let words = ["pg_restore", "--exit-on-error", "--no-password"];
            let mut argv: Vec<_> = words.into_iter().map(Into::into).collect();
            argv.push(format!("--dbname={}", postgresql::conninfo(&landing.name)).into());
            return Ok((postgresql::program(&self.server, argv)?, None));
        }
        let failed = |error: std::io::Error| SourceError::Tool {
            tool: "mariadb".to_owned(),
            detail: format!("its password's file: {error}"),
        };
        let mut file = NamedTempFile::new().map_err(failed)?;
        if let Some(password) = self.server.password()? {
            file.write_all(mariadb::option_file(password).expose()).map_err(failed)?;
        }
        let words = ["--batch", "--default-character-set=utf8mb4", "--", &landing.name];
        Ok((mariadb::reader(&self.server, file.path(), &words), Some(file)))
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// When the server refuses: then what was there stands, and what was loaded is removed; or only
    /// the new name was refused, and what was loaded stands under its own.
    pub fn land(&self, run: &Run, landing: &Landing) -> Result<(), (SourceError, Removed)> {
        if landing.name == self.name {
            return Ok(());
        }
        let (loaded, wanted) = (self.quoted(&landing.name), self.quoted(&self.name));
        self.ask(run, None, &format!("drop database {wanted}"))
            .map_err(|error| (error, self.remove(&run.unstopped(), landing)))?;
        self.ask(run, None, &format!("alter database {loaded} rename to {wanted}"))
            .map_err(|error| (error, Removed::No))?;
        Ok(())
    }

    /// Removes what was loaded, if this run made its database.
    pub fn remove(&self, run: &Run, landing: &Landing) -> Removed {
        let query = format!("drop database {}", self.quoted(&landing.name));
        let is_gone = landing.is_ours && self.ask(run, None, &query).is_ok();
        if is_gone { Removed::Yes } else { Removed::No }
    }

    /// A text of SQL, whatever the server makes of a backslash.
    fn text(&self, name: &str) -> String {
        match self.kind {
            Kind::Postgresql => format!("'{}'", name.replace('\'', "''")),
            Kind::Mariadb => {
                let digits: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
                format!("convert(0x{digits} using utf8mb4)")
            }
        }
    }

    fn quoted(&self, name: &str) -> String {
        match self.kind {
            Kind::Postgresql => format!("\"{}\"", name.replace('"', "\"\"")),
            Kind::Mariadb => format!("`{}`", name.replace('`', "``")),
        }
    }
}

fn parse(into: &str) -> Result<Target, String> {
    let (scheme, rest) = into.split_once("://").ok_or("expected a scheme and `://`")?;
    let kind = match scheme {
        "postgresql" | "postgres" => Kind::Postgresql,
        "mariadb" | "mysql" => Kind::Mariadb,
        _ => return Err("expected the scheme postgresql or mariadb".to_owned()),
    };
    let (place, name) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = match place.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, place),
    };
    if user.is_some_and(|user| user.contains(':')) {
        let advice = "a password in an argument is seen by others: use --database-password-file";
        return Err(advice.to_owned());
    }
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (host, None),
    };
    let port = port.map(|port| port.parse::<u16>().map(u32::from)).transpose();
    let host = decoded(host.trim_start_matches('[').trim_end_matches(']'))?;
    let server = Server {
        host: Some(host).filter(|host| !host.is_empty()),
        port: port.map_err(|_| "expected a port from 1 to 65535".to_owned())?,
        user: user.map(decoded).transpose()?,
        ..Server::default()
    };
    Ok(Target { kind, server, name: decoded(name)? })
}

/// `%2F` is a slash.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        rest = others;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = others.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or("expected two hex digits after `%`")?);
        rest = others.get(2..).unwrap_or_default();
    }
    String::from_utf8(bytes).map_err(|_| "expected UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers() {
        let told = |into: &str| {
            let target = parse(into).unwrap();
            let Server { host, port, user, .. } = target.server;
            (target.kind, host, port, user, target.name)
        };
        let some = |text: &str| Some(text.to_owned());
        let full = told("postgresql://an%20a@db.example:5433/h%E1%BB%93 s%C6%A1");
        let wanted =
            (Kind::Postgresql, some("db.example"), Some(5433), some("an a"), "hồ sơ".to_owned());
        assert_eq!(full, wanted);
        let short = told("mariadb://");
        assert_eq!(short, (Kind::Mariadb, None, None, None, String::new()));
        let socket = told("mariadb://%2Frun%2Fmysqld/x");
        assert_eq!((socket.1, socket.4), (some("/run/mysqld"), "x".to_owned()));
        assert_eq!(told("postgresql://[::1]:5/x").1, some("::1"));
        assert_eq!(told("postgresql://[::1]/x").1, some("::1"));
        for bad in ["x", "oracle://a/b", "mariadb://a:b/c", "mariadb://u:p@a/b", "mariadb:///%4"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
