//! MariaDB: what `mariadb-dump` prints in one transaction.

pub mod truth;

use std::ffi::OsString;
use std::path::Path;

use crate::path::SnapshotPath;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::secret::SecretBytes;
use crate::source::SourceError;
use crate::source::database::Server;
use crate::source::database::all_there;
use crate::source::database::path_of;
use crate::source::database::tool;
use crate::source::stream::StreamSource;
use crate::source::stream::command::Program;
use crate::source::stream::expect::Expected;
use crate::source::stream::expect::LastLine;
use crate::source::stream::several::Streams;

/// Folder of a snapshot.
pub const FOLDER: &str = "mariadb";
/// Extension of a dump.
pub const EXTENSION: &str = "sql";
/// All databases with users and rights in one file.
pub const ALL: &str = "all.sql";

/// The server's files.
pub const BASE: &str = "base.mbstream";
const PHYSICAL: &str = "mariadb-backup";
/// Each part of the stream begins with this word.
const BASE_HEAD: &[u8] = b"XBSTCK01";
/// The last part says that a file has ended: the one that tells of the whole backup.
const BASE_COMPLETE: &str = "XBSTCK01?E*_info";

/// An option file that is read from standard input: a password stands in no file, variable or
/// argument. But for [`PHYSICAL`], whose environment has it.
const OPTIONS: &str = "--defaults-extra-file=/dev/stdin";
/// Name of a server's socket in its folder.
const SOCKET: &str = "mysqld.sock";
/// How the last line of a dump begins.
pub const COMPLETE: &str = "-- Dump completed*";

/// Tables of people whose engines have no transactions.
const OTHER_ENGINES: &str = "select table_schema, table_name from information_schema.tables \
    where engine in ('MyISAM', 'Aria', 'MRG_MyISAM', 'CSV', 'ARCHIVE', 'MEMORY') and table_schema \
    not in ('mysql', 'sys', 'information_schema', 'performance_schema')";

/// What a dump has: one state of all tables, programs too, and text as it is.
const WORDS: [&str; 8] = [
    "--single-transaction",
    "--quick",
    "--routines",
    "--events",
    "--triggers",
    "--hex-blob",
    "--default-character-set=utf8mb4",
    "--skip-dump-date",
];

/// Dumps of the named databases, or all in one.
///
/// # Errors
/// When a tool is absent or older than the server, the server does not answer, or a database is
/// not there.
pub fn dump(run: &Run, server: &Server, named: &[String]) -> Result<Streams, SourceError> {
    let (tool, server_version) = check_tools(run, server, "mariadb-dump")?;
    tool.older_than(&server_version)?;
    tell_of_other_engines(run, server, named)?;
    if named.is_empty() {
        let path = SnapshotPath::from_user(format!("{FOLDER}/{ALL}").as_bytes());
        let path = path.map_err(|error| SourceError::Missing {
            path: ALL.to_owned(),
            detail: error.to_string(),
        })?;
        let mut argv = words_of(server, &tool.name, &WORDS);
        argv.push("--all-databases".into());
        return Streams::new(vec![stream(server, path, (&tool.name, argv))?]);
    }
    let there = ask(run, server, "show databases")?;
    let mut streams = Vec::new();
    for database in all_there(server, named, &there)? {
        let mut argv = words_of(server, &tool.name, &WORDS);
        argv.extend(["--".into(), OsString::from(&database)]);
        let label = format!("{} {}", tool.name, crate::path::escape(database.as_bytes()));
        let path = path_of(FOLDER, &database, EXTENSION)?;
        streams.push(stream(server, path, (&label, argv))?);
    }
    Streams::new(streams)
}

/// The server's files and its log up to one moment, of all databases, as `mariadb-backup` streams
/// them. Whoever runs it has to be allowed to read the files.
///
/// # Errors
/// As [`dump`].
pub fn physical(run: &Run, server: &Server) -> Result<Streams, SourceError> {
    // That it fits the server it sees for itself: it tells its version on standard error only.
    let (tool, _) = check_tools(run, server, PHYSICAL)?;
    let mut argv = vec![OsString::from(&tool.name)];
    argv.extend(place_of(server));
    argv.extend(["--backup", "--stream=mbstream"].map(OsString::from));
    let mut program = server.program(argv);
    // It reads its options twice, which a pipe does not bear: the variable is what is left.
    program.set.extend(server.password()?.map(|password| ("MYSQL_PWD", password.into())));
    let path = SnapshotPath::from_user(format!("{FOLDER}/{BASE}").as_bytes());
    let path = path.map_err(|error| SourceError::Missing {
        path: BASE.to_owned(),
        detail: error.to_string(),
    })?;
    let stream = StreamSource::program(path, &tool.name, program)?;
    let last_line = LastLine::new(BASE_COMPLETE).ok();
    Streams::new(vec![stream.expecting(Expected {
        head: BASE_HEAD,
        last_line,
        ..Expected::default()
    })])
}

/// Programs that make a folder of files for a server out of a stream on standard input: one that
/// unpacks it into `folder`, and one that then brings the files to one moment.
#[must_use]
pub fn unpackers(server: &Server, folder: &Path) -> (Program, Program) {
    let mut unpack: Vec<OsString> = ["mbstream", "-x", "-C"].map(OsString::from).into();
    unpack.push(folder.into());
    let mut target = OsString::from("--target-dir=");
    target.push(folder);
    // Options of a server of this machine are not those of the one that was backed up.
    let prepare = vec![PHYSICAL.into(), "--no-defaults".into(), "--prepare".into(), target];
    (server.program(unpack), server.program(prepare))
}

/// A transaction does not hold tables of engines that know none: each is of its own moment.
fn tell_of_other_engines(run: &Run, server: &Server, named: &[String]) -> Result<(), SourceError> {
    for row in ask(run, server, OTHER_ENGINES)? {
        let (database, table) = row.split_once('\t').unwrap_or(("", &row));
        if named.is_empty() || named.iter().any(|name| name == database) {
            let message = "its engine has no transactions: it may be of another moment than the \
                           other tables";
            run.problem(&Problem::new(format!("{database}.{table}"), message));
        }
    }
    Ok(())
}

fn stream(
    server: &Server,
    path: SnapshotPath,
    (label, argv): (&str, Vec<OsString>),
) -> Result<StreamSource, SourceError> {
    let stream = StreamSource::program(path, label, program(server, argv)?)?;
    let last_line = LastLine::new(COMPLETE).ok();
    Ok(stream.expecting(Expected { last_line, ..Expected::default() }))
}

/// A program and what it says of its version.
struct Tool {
    name: String,
    said: String,
}

impl Tool {
    /// An error if it is older than the server.
    fn older_than(&self, server: &str) -> Result<(), SourceError> {
        let (own, other) = (numbers_of(&self.said), tool::numbers(server));
        let is_older = server.contains("MariaDB")
            && own.len() >= 2
            && other.len() >= 2
            && own.get(..2) < other.get(..2);
        if !is_older {
            return Ok(());
        }
        let shown = |all: &[u32]| all.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
        let detail = format!(
            "it is of version {}, the server of version {}: a dump takes a program that is not \
             older",
            shown(&own),
            shown(&other)
        );
        Err(SourceError::Tool { tool: self.name.clone(), detail })
    }
}

/// `Ver 10.19 Distrib 10.11.19-MariaDB`, `from 11.4.2-MariaDB` of newer ones, or `based on MariaDB
/// server 10.11.19-MariaDB`.
fn numbers_of(said: &str) -> Vec<u32> {
    let word =
        ["Distrib ", "from ", "MariaDB server "].iter().find_map(|mark| said.split_once(mark));
    word.map(|(_, rest)| tool::numbers(rest)).unwrap_or_default()
}

fn check_tools(run: &Run, server: &Server, tool: &str) -> Result<(Tool, String), SourceError> {
    tool::version(run, server.program(vec!["mariadb".into(), "--version".into()]))?;
    let name = tool.to_owned();
    let said = tool::version(run, server.program(vec![OsString::from(&name), "--version".into()]))?;
    let answer = ask(run, server, "select version()")?;
    Ok((Tool { name, said }, answer.into_iter().next().unwrap_or_default()))
}

/// The rows of an answer.
///
/// # Errors
/// When `mariadb` is absent or fails.
pub fn ask(run: &Run, server: &Server, query: &str) -> Result<Vec<String>, SourceError> {
    let words = ["--batch", "--skip-column-names", "--raw", "--connect-timeout=30"];
    let mut argv = words_of(server, "mariadb", &words);
    argv.push("--default-character-set=utf8mb4".into());
    argv.push(format!("--execute={query}").into());
    let answer = tool::printed(run, program(server, argv)?)?;
    Ok(String::from_utf8_lossy(&answer).lines().map(str::to_owned).collect())
}

/// A tool with its place and user, but for the password.
fn words_of(server: &Server, tool: &str, words: &[&str]) -> Vec<OsString> {
    let mut argv = vec![OsString::from(tool)];
    if server.password.is_some() {
        // This option has to be the first.
        argv.push(OPTIONS.into());
    }
    argv.extend(place_of(server));
    argv.extend(words.iter().map(OsString::from));
    argv
}

/// How a tool finds the server, and as whom.
fn place_of(server: &Server) -> Vec<OsString> {
    let mut argv = Vec::new();
    match server.host.as_deref() {
        Some(socket) if socket.starts_with('/') => {
            let path = Path::new(socket);
            let path = if path.is_dir() { path.join(SOCKET) } else { path.to_owned() };
            let mut word = OsString::from("--socket=");
            word.push(path);
            argv.push(word);
        }
        Some(host) => argv.push(format!("--host={host}").into()),
        None => {}
    }
    if let Some(port) = server.port {
        argv.push(format!("--port={port}").into());
    }
    if let Some(user) = &server.user {
        argv.push(format!("--user={user}").into());
    }
    argv
}

fn program(server: &Server, argv: Vec<OsString>) -> Result<Program, SourceError> {
    let input = server.password()?.map(option_file);
    Ok(Program { input, ..server.program(argv) })
}

/// A program that reads a dump from standard input: its password stands in a file that `options`
/// names.
#[must_use]
pub fn reader(server: &Server, options: &Path, words: &[&str]) -> Program {
    let mut argv = words_of(server, "mariadb", words);
    if server.password.is_some()
        && let Some(word) = argv.get_mut(1)
    {
        *word = OsString::from("--defaults-extra-file=");
        word.push(options);
    }
    server.program(argv)
}

/// A password as an option file says it.
#[must_use]
pub fn option_file(password: &str) -> SecretBytes {
    let mut text = b"[client]\npassword=\"".to_vec();
    for byte in password.bytes() {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', byte]),
            b'\n' => text.extend(b"\\n"),
            b'\r' => text.extend(b"\\r"),
            b'\t' => text.extend(b"\\t"),
            byte => text.push(byte),
        }
    }
    text.extend(b"\"\n");
    SecretBytes::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_no_argument_and_every_sign_of_it_counts() {
        let password = Some(SecretBytes::new(br#"a"b\c#d 'e"#.to_vec()));
        let server = Server { password, user: Some("u".into()), ..Server::default() };
        let words = words_of(&server, "mariadb", &["--batch"]);
        assert_eq!(words, ["mariadb", OPTIONS, "--user=u", "--batch"]);
        let program = program(&server, words).unwrap();
        let wanted = b"[client]\npassword=\"a\\\"b\\\\c#d 'e\"\n";
        assert_eq!(program.input.unwrap().expose(), wanted);
    }

    #[test]
    fn an_older_program_is_refused() {
        let tool = |said: &str| Tool { name: "x".to_owned(), said: said.to_owned() };
        let debian = tool("mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux");
        assert!(debian.older_than("10.11.20-MariaDB-0+deb12u1").is_ok());
        let error = debian.older_than("11.4.2-MariaDB").unwrap_err().to_string();
        assert!(error.contains("10.11.19") && error.contains("11.4.2"), "{error}");
        let newer = tool("mariadb-dump from 11.4.2-MariaDB, client 10.19 for Linux");
        assert!(newer.older_than("10.11.6-MariaDB").is_ok());
        assert!(newer.older_than("8.0.36").is_ok());
        assert!(tool("").older_than("10.11.6-MariaDB").is_ok());
    }
}
