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

/// A running server.
pub struct Instance<'r>(Running<'r>);

impl<'r> Instance<'r> {
    /// Makes and starts one.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(means: &Means<'r>) -> Result<Self, ServerError> {
        let place = Place::make(means, &VARIABLES)?;
        let within = |name: &str, option: &str| {
            let mut word = OsString::from(option);
            word.push(place.folder().join(name));
            word
        };
        let data = within(DATA, "--datadir=");
        place.made(
            "mariadb-install-db",
            vec![
                "--no-defaults".into(),
                data.clone(),
                "--auth-root-authentication-method=normal".into(),
                "--skip-test-db".into(),
                // There is no name of a host where there is no network.
                "--force".into(),
            ],
        )?;
        place.made("/bin/mkdir", vec![FILES.into()])?;
        let mut argv = vec!["--no-defaults".into(), data];
        argv.extend([within(SOCKET, "--socket="), within("pid", "--pid-file=")]);
        argv.extend([within("", "--tmpdir="), within(FILES, "--secure-file-priv=")]);
        argv.extend(SETTINGS.iter().map(OsString::from));
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
            return Err(failed(crate::source::stream::command::last_lines(&ended.stderr)));
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
}
