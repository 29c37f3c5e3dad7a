//! PostgreSQL: every database as an archive of `pg_dump`, or the server's files.

pub mod around;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use crate::capsule::postgresql::VERSION_MIN;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::source::SourceError;
use crate::source::database::Server;
use crate::source::database::all_there;
use crate::source::database::path_of;
use crate::source::database::session;
use crate::source::database::tool;
use crate::source::database::truth::Beside;
use crate::source::database::truth::Recorded;
use crate::source::stream::StreamSource;
use crate::source::stream::command::Program;
use crate::source::stream::expect::Expected;
use crate::source::stream::expect::LastLine;
use crate::source::stream::several::Streams;

/// Folder of a snapshot.
pub const FOLDER: &str = "postgresql";
/// Extension of an archive.
pub const EXTENSION: &str = "dump";
/// Roles and tablespaces.
pub const GLOBALS: &str = "globals.sql";
const GLOBALS_WITHOUT_PASSWORDS: &str = "globals-without-passwords.sql";
/// The server's files.
pub const BASE: &str = "base.tar";

/// An archive begins with this word. It ends with the empty chunk of its last table, or with the
/// empty place of a part without data: both are zeros.
const ARCHIVE_HEAD: &[u8] = b"PGDMP";
const ARCHIVE_END: &[u8] = &[0; 5];
/// Two empty blocks end a tar.
const TAR_END: &[u8] = &[0; 1024];
/// The last lines among which `pg_dumpall` says that it is complete.
const GLOBALS_END_LINES: usize = 10;
const GLOBALS_END: &str = "-- PostgreSQL database cluster dump complete";
/// How long a table may be locked by others.
const LOCK_WAIT: &str = "--lock-wait-timeout=600000";
const CONNECT_TIMEOUT_S: &str = "30";

/// Names of the databases that may be asked.
pub const DATABASES: &str =
    "select datname from pg_catalog.pg_database where datallowconn order by datname";
const SERVER: &str = "select pg_catalog.current_setting('server_version_num')::integer / 10000, \
                      pg_catalog.current_setting('is_superuser')";

/// Archives of the named databases, or of all that allow connections, and what they share. What
/// each holds is read at the very state that is dumped.
///
/// # Errors
/// When a tool is absent or older than the server, the server does not answer, or a database is
/// not there.
pub fn dump(
    run: &Run,
    server: &Server,
    named: &[String],
) -> Result<(Streams, Recorded), SourceError> {
    let (user, version) = check_tools(run, server, &["pg_dump", "pg_dumpall"], named)?;
    let there = ask(run, server, named, DATABASES)?;
    let named = if named.is_empty() { &there } else { named };
    let mut streams = vec![globals(server, user)?];
    let recorded = Recorded::default();
    for database in all_there(server, named, &there)? {
        let words = ["--format=custom", "--compress=0", "--no-password", LOCK_WAIT];
        let mut argv = words_of("pg_dump", &words);
        argv.push(format!("--dbname={}", conninfo(&database)).into());
        let mut program = program(server, argv)?;
        // A dump has its database's own encoding.
        program.hidden.push("PGCLIENTENCODING".into());
        let label = format!("pg_dump {}", crate::path::escape(database.as_bytes()));
        let path = path_of(FOLDER, &database, EXTENSION)?;
        let stream = StreamSource::program(path, &label, program)?;
        let expected = Expected { head: ARCHIVE_HEAD, end: ARCHIVE_END, ..Expected::default() };
        let mut stream = stream.expecting(expected);
        if version >= VERSION_MIN / 10_000 {
            let (client, recorded) = (client(server, &database)?, Arc::clone(&recorded));
            stream = stream.beside(Box::new(Beside { database, client, recorded, reader: None }));
        }
        streams.push(stream);
    }
    Ok((Streams::new(streams)?, recorded))
}

/// `psql` that stays.
fn client(server: &Server, database: &str) -> Result<Program, SourceError> {
    let mut argv = words_of("psql", &session::PSQL);
    argv.push(format!("--dbname={}", conninfo(database)).into());
    let mut program = program(server, argv)?;
    program.set.push(("PGCLIENTENCODING", "UTF8".into()));
    Ok(program)
}

/// The server's files as a tar, with the log that makes them one state and their manifest.
///
/// # Errors
/// As [`dump`].
pub fn physical(run: &Run, server: &Server) -> Result<Streams, SourceError> {
    check_tools(run, server, &["pg_basebackup"], &[])?;
    let words = ["--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast"];
    let mut argv = words_of("pg_basebackup", &words);
    argv.push("--no-password".into());
    let path = plain_path(BASE)?;
    let stream = StreamSource::program(path, "pg_basebackup", program(server, argv)?)?;
    Streams::new(vec![stream.expecting(Expected { end: TAR_END, ..Expected::default() })])
}

/// A program that unpacks the server's files from standard input into `folder`.
#[must_use]
pub fn unpacker(server: &Server, folder: &Path) -> Program {
    let mut argv = words_of("tar", &["--extract", "--file=-", "--same-permissions", "-C"]);
    argv.push(folder.into());
    server.program(argv)
}

fn globals(server: &Server, user: User) -> Result<StreamSource, SourceError> {
    let mut argv = words_of("pg_dumpall", &["--globals-only", "--no-password"]);
    // Only a superuser may read the passwords of roles; the file's name tells.
    let name = if user == User::Super {
        GLOBALS
    } else {
        argv.push("--no-role-passwords".into());
        GLOBALS_WITHOUT_PASSWORDS
    };
    let stream = StreamSource::program(plain_path(name)?, "pg_dumpall", program(server, argv)?)?;
    let last_line = LastLine::new(GLOBALS_END).ok();
    let last_line = last_line.map(|line| line.within(GLOBALS_END_LINES));
    Ok(stream.expecting(Expected { last_line, ..Expected::default() }))
}

/// What the user of a server may read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum User {
    Super,
    Plain,
}

/// What the user is, and the version of the server, if every tool is there and not older than it.
fn check_tools(
    run: &Run,
    server: &Server,
    tools: &[&str],
    named: &[String],
) -> Result<(User, u32), SourceError> {
    let mut versions = Vec::new();
    for tool in tools.iter().copied().chain(["psql"]) {
        let asked = server.program(words_of(tool, &["--version"]));
        versions.push((tool, major(&tool::version(run, asked)?)));
    }
    let answer = ask(run, server, named, SERVER)?;
    let (number, is_super) =
        answer.first().and_then(|line| line.split_once('|')).unwrap_or(("", ""));
    let number: u32 = number.parse().unwrap_or(0);
    for (tool, version) in versions {
        if version.is_some_and(|version| version < number) {
            let version = version.unwrap_or(0);
            let detail = format!(
                "it is of version {version}, the server of version {number}: a dump takes a \
                 program that is not older"
            );
            return Err(SourceError::Tool { tool: tool.to_owned(), detail });
        }
    }
    Ok((if is_super == "on" { User::Super } else { User::Plain }, number))
}

/// `pg_dump (PostgreSQL) 15.18 (Debian …)` is 15.
fn major(text: &str) -> Option<u32> {
    let (_, version) = text.split_once(") ")?;
    tool::numbers(version).first().copied()
}

/// The rows of an answer of the first of these databases, or of `postgres`.
///
/// # Errors
/// When `psql` is absent or fails.
pub fn ask(
    run: &Run,
    server: &Server,
    named: &[String],
    query: &str,
) -> Result<Vec<String>, SourceError> {
    let words =
        ["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--record-separator-zero"];
    let mut argv = words_of("psql", &words);
    argv.push("--no-password".into());
    argv.push(format!("--command={query}").into());
    let database = named.first().map_or("postgres", String::as_str);
    argv.push(format!("--dbname={}", conninfo(database)).into());
    let mut program = program(server, argv)?;
    program.set.push(("PGCLIENTENCODING", "UTF8".into()));
    let answer = tool::printed(run, program)?;
    let text = String::from_utf8(answer).map_err(|_| {
        let detail = "it answered with names that are not UTF-8".to_owned();
        SourceError::Database { database: server.shown(), detail }
    })?;
    // A line feed ends the answer, whatever parts its rows.
    let rows = text.strip_suffix('\n').unwrap_or(&text).split('\0');
    Ok(rows.filter(|row| !row.is_empty()).map(str::to_owned).collect())
}

/// A database's name as libpq takes it, whatever is in it.
#[must_use]
pub fn conninfo(database: &str) -> String {
    format!("dbname='{}'", database.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A tool of the server: nothing secret stands among its arguments.
///
/// # Errors
/// When the password is no text.
pub fn program(server: &Server, argv: Vec<OsString>) -> Result<Program, SourceError> {
    let mut program = server.program(argv);
    let port = server.port.map(|port| port.to_string());
    let given = [
        ("PGHOST", server.host.as_deref()),
        ("PGPORT", port.as_deref()),
        ("PGUSER", server.user.as_deref()),
        ("PGPASSWORD", server.password()?),
        ("PGCONNECT_TIMEOUT", Some(CONNECT_TIMEOUT_S)),
    ];
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value?.into())));
    program.set.extend(given);
    Ok(program)
}

fn words_of(tool: &str, words: &[&str]) -> Vec<OsString> {
    std::iter::once(tool).chain(words.iter().copied()).map(OsString::from).collect()
}

fn plain_path(name: &str) -> Result<SnapshotPath, SourceError> {
    SnapshotPath::from_user(format!("{FOLDER}/{name}").as_bytes())
        .map_err(|error| SourceError::Missing { path: name.to_owned(), detail: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_connection() {
        assert_eq!(conninfo("host=evil"), "dbname='host=evil'");
        assert_eq!(conninfo(r"a'b\c"), r"dbname='a\'b\\c'");
    }

    #[test]
    fn versions_of_tools() {
        assert_eq!(major("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major("pg_dump (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("nothing"), None);
    }

    #[test]
    fn a_password_is_no_argument() {
        use crate::secret::SecretBytes;
        let password = Some(SecretBytes::new(b"hush".to_vec()));
        let server = Server { password, ..Server::default() };
        let program = program(&server, words_of("psql", &["-l"])).unwrap();
        assert!(program.argv.iter().all(|word| word != "hush"));
        assert!(program.set.contains(&("PGPASSWORD", "hush".into())));
        assert!(!format!("{program:?}").contains("hush"));
    }
}
