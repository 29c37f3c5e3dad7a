//! A throw-away server of MariaDB: made, reached by a socket in its folder only, and killed.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use crate::capsule::CapsuleError;
use crate::capsule::mariadb::Rows;
use crate::capsule::mariadb::version_of;
use crate::drill::server::Engine;
use crate::drill::server::Means;
use crate::drill::server::process::Ended;
use crate::drill::server::process::ProcessError;
use crate::drill::server::process::SHORT;
use crate::drill::server::process::command;
use crate::drill::server::process::output;
use crate::drill::server::running::Place;
use crate::drill::server::running::Running;
use crate::drill::server::running::ServerError;
use crate::drill::server::running::Variable;
use crate::run::Run;
use crate::source::stream::command::last_lines;

/// Where packages put its programs.
const KNOWN: [&str; 2] = ["/usr/bin", "/usr/sbin"];
const DATA: &str = "data";
const SOCKET: &str = "sock";
/// The only folder that statements may read files of: it stays empty.
const FILES: &str = "files";
/// What a server says when it may be asked.
const READY: &str = "ready for connections";
/// Every program keeps its files in the folder.
const VARIABLES: [Variable; 2] = [("HOME", None), ("TMPDIR", None)];
/// Nothing of it outlives the drill: nothing is flushed. Events of the source do not run.
const SETTINGS: [&str; 14] = [
    "--skip-networking",
    "--skip-log-bin",
    "--skip-slave-start",
    "--skip-name-resolve",
    "--event-scheduler=OFF",
    "--local-infile=OFF",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=OFF",
    "--innodb-flush-method=nosync",
    "--innodb-use-native-aio=OFF",
    "--aria-log-purge-type=immediate",
    "--max-allowed-packet=1G",
    "--lower-case-table-names=0",
    "--character-set-server=utf8mb4",
];

/// What takes a stream of a server's files apart, and what makes one moment of them.
pub const UNPACKER: &str = "mbstream";
pub const PREPARER: &str = "mariadb-backup";
/// What a stream says of itself, under the names that it had over the years.
const INFO: &str = "cat data/mariadb_backup_info data/xtrabackup_info 2>/dev/null; true";
const OPTIONS: &str = "cat data/backup-my.cnf 2>/dev/null; true";
/// Options that say how files are laid out.
const LAYOUT: [&str; 3] = ["innodb_data_file_path", "innodb_page_size", "innodb_undo_tablespaces"];
/// Statements that a server carries out before it may be asked.
const INIT: &str = "init.sql";
const LET_IN: [&str; 4] = [
    "create user if not exists root@localhost;",
    "set password for root@localhost = '';",
    "alter user root@localhost identified via mysql_native_password using '' account unlock;",
    "grant all on *.* to root@localhost with grant option;",
];

/// All that lie in these folders and where packages put them; the oldest first. 10.11 is 10 011.
#[must_use]
pub fn engines(run: &Run, folders: &[PathBuf]) -> Vec<Engine> {
    let known = KNOWN.iter().map(PathBuf::from);
    let found = known.chain(folders.iter().cloned()).filter_map(|folder| {
        let server = folder.join("mariadbd");
        let argv = [server.clone().into_os_string(), "--no-defaults".into(), "--version".into()];
        let asked = server.is_file().then(|| output(run, command(&argv), SHORT).ok());
        let version = version(&asked.flatten()?.stdout)?;
        Some(Engine { folder, version })
    });
    Engine::sorted(found.collect())
}

/// `mariadbd  Ver 10.11.19-MariaDB-…` is 10 011.
fn version(text: &[u8]) -> Option<u32> {
    let text = String::from_utf8_lossy(text);
    text.split_once("Ver ").and_then(|(_, rest)| version_of(rest))
}

/// An option with a path in the folder.
fn within(place: &Place<'_>, name: &str, option: &str) -> OsString {
    let mut word = OsString::from(option);
    word.push(place.folder().join(name));
    word
}

/// A running server.
pub struct Instance<'r>(Running<'r>);

impl<'r> Instance<'r> {
    /// Makes and starts one.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(means: &Means<'r>) -> Result<Self, ServerError> {
        let place = Place::make(means, &VARIABLES)?;
        place.made(
            "mariadb-install-db",
            vec![
                "--no-defaults".into(),
                within(&place, DATA, "--datadir="),
                "--auth-root-authentication-method=normal".into(),
                "--skip-test-db".into(),
                // There is no name of a host where there is no network.
                "--force".into(),
            ],
        )?;
        Self::run(place, Vec::new())
    }

    fn run(place: Place<'r>, more: Vec<OsString>) -> Result<Self, ServerError> {
        place.made("/bin/mkdir", vec![FILES.into()])?;
        let within = |name: &str, option: &str| within(&place, name, option);
        let mut argv = vec!["--no-defaults".into(), within(DATA, "--datadir=")];
        argv.extend([within(SOCKET, "--socket="), within("pid", "--pid-file=")]);
        argv.extend([within("", "--tmpdir="), within(FILES, "--secure-file-priv=")]);
        argv.extend(SETTINGS.iter().map(OsString::from));
        argv.extend(more);
        Running::start(place, "mariadbd", argv, READY).map(Self)
    }

    #[must_use]
    pub const fn version(&self) -> u32 {
        self.0.place.version()
    }

    /// A tool of the server's version, with `input` to read.
    ///
    /// # Errors
    /// When it cannot be started or takes too long.
    pub fn tool(
        &self,
        name: &str,
        words: &[&str],
        given: (Option<File>, Duration),
    ) -> Result<Ended, ProcessError> {
        let mut socket = OsString::from("--socket=");
        socket.push(self.0.place.folder().join(SOCKET));
        let mut argv = vec!["--no-defaults".into(), socket, "--user=root".into()];
        argv.extend(words.iter().map(OsString::from));
        self.0.place.tool(name, argv, given)
    }
}

/// Files of a server that were taken while it ran.
pub struct Files<'r> {
    place: Place<'r>,
    limit: Duration,
    /// Of the server that they are of.
    pub version: Option<u32>,
}

impl<'r> Files<'r> {
    /// Takes a stream apart.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub fn unpack(means: &Means<'r>, stream: File) -> Result<Self, ServerError> {
        let place = Place::make(means, &VARIABLES)?;
        place.made("/bin/mkdir", ["-m", "700", DATA].map(OsString::from).into())?;
        let words = ["-x", "-C", DATA].map(OsString::from).into();
        ended_well(UNPACKER, place.tool(UNPACKER, words, (Some(stream), means.limit))?)?;
        let said = printed(&place, INFO)?;
        let version = { said.lines() }.find_map(|line| {
            let (name, version) = line.split_once('=')?;
            (name.trim() == "server_version").then(|| version_of(version.trim()))?
        });
        Ok(Self { place, limit: means.limit, version })
    }

    /// Brings them to one moment, by the log that was taken with them.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn prepare(&self) -> Result<(), ServerError> {
        let words = ["--no-defaults", "--prepare", "--target-dir=data"].map(OsString::from);
        ended_well(PREPARER, self.place.tool(PREPARER, words.into(), (None, self.limit))?)
    }

    /// Starts a server on them, which whoever comes through the socket may ask everything. With
    /// its tables of rights: without them a server tells of no events.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(self) -> Result<Instance<'r>, ServerError> {
        let own = printed(&self.place, OPTIONS)?;
        let mut more: Vec<OsString> = layout(&own).map(Into::into).collect();
        let script =
            format!("printf '%s\\n' {} > {INIT}", LET_IN.map(|it| format!("\"{it}\"")).join(" "));
        self.place.made("/bin/sh", vec!["-c".into(), script.into()])?;
        more.push(within(&self.place, INIT, "--init-file="));
        Instance::run(self.place, more)
    }
}

/// What the files say, where they say it.
fn printed(place: &Place<'_>, script: &str) -> Result<String, ServerError> {
    let printed = place.tool("/bin/sh", vec!["-c".into(), script.into()], (None, SHORT))?;
    Ok(String::from_utf8_lossy(&printed.stdout).into_owned())
}

fn ended_well(tool: &'static str, ended: Ended) -> Result<(), ServerError> {
    match ended.code {
        Some(0) => Ok(()),
        code => Err(ServerError::Ended { tool, code, words: last_lines(&ended.stderr) }),
    }
}

/// Options of the server that the files are of, as arguments, where files cannot be read without
/// them. Nothing else of a snapshot is said to a program.
fn layout(options: &str) -> impl Iterator<Item = String> {
    let is_plain = |value: &str| {
        { value.bytes() }.all(|it| it.is_ascii_alphanumeric() || b":;_".contains(&it))
    };
    options.lines().filter_map(move |line| {
        let (name, value) = line.split_once('=')?;
        let is_it = LAYOUT.contains(&name.trim()) && is_plain(value.trim());
        is_it.then(|| format!("--{}={}", name.trim(), value.trim()))
    })
}

/// A server that is asked, each answer within a limit.
pub struct Asked<'a, 'r>(pub &'a Instance<'r>, pub Duration);

impl Rows for Asked<'_, '_> {
    fn rows(&mut self, statements: &str) -> Result<Vec<String>, CapsuleError> {
        let failed = |detail: String| CapsuleError::Read { what: "the database".into(), detail };
        let words = [
            "--batch",
            "--skip-column-names",
            "--raw",
            "--default-character-set=utf8mb4",
            "--execute",
            statements,
        ];
        let ended = self.0.tool("mariadb", &words, (None, self.1));
        let ended = ended.map_err(|error| failed(error.to_string()))?;
        if ended.code != Some(0) {
            return Err(failed(last_lines(&ended.stderr)));
        }
        if ended.is_cut {
            return Err(failed("its answer is too long".to_owned()));
        }
        Ok(String::from_utf8_lossy(&ended.stdout).lines().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_its_first_two_numbers() {
        assert_eq!(version(b"mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for x"), Some(10_011));
        assert_eq!(version(b"mariadbd from 11.4.2-MariaDB"), None);
        assert_eq!(version(b""), None);
    }

    #[test]
    fn only_the_layout_of_files_is_taken_from_a_snapshot() {
        let options = "[mariadbd]\ninnodb_page_size=8192\ninnodb_undo_tablespaces = 3\n\
                       innodb_data_file_path=ibdata1:12M:autoextend\nplugin_load=x.so\n\
                       innodb_page_size=../../x\ninnodb_data_file_path=/dev/sda:1Gnewraw\n";
        let wanted = [
            "--innodb_page_size=8192",
            "--innodb_undo_tablespaces=3",
            "--innodb_data_file_path=ibdata1:12M:autoextend",
        ];
        assert_eq!(layout(options).collect::<Vec<_>>(), wanted);
    }
}
