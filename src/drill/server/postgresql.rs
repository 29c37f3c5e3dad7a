//! A throw-away server of PostgreSQL: made, reached by a socket in its folder only, and killed.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::capsule::CapsuleError;
use crate::capsule::postgresql::Answers;
use crate::drill::server::Engine;
use crate::drill::server::Means;
use crate::drill::server::lent::Lent;
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
use crate::source::database::postgresql::DATABASES;
use crate::source::database::postgresql::conninfo;
use crate::source::database::session;
use crate::source::database::session::Session;
use crate::source::stream::command::last_lines;

/// Where Debian keeps versions side by side.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Folder of a cluster's files, beneath that of its socket.
const DATA: &str = "data";
/// First version that makes code at run time.
const JIT_SINCE: u32 = 11;
/// First version that restores side by side what was written to a pipe and has no table of places.
const JOBS_SINCE: u32 = 14;
/// Most tables that are restored side by side: each has a process of the server.
const JOBS_MAX: usize = 4;
/// What takes an archive of a server's files apart.
pub const UNPACKER: &str = "/bin/tar";
/// What a server on restored files is told besides; it may have transactions that were prepared.
const ON_FILES: [&str; 2] = ["shared_preload_libraries=", "max_prepared_transactions=64"];
/// Settings of the source go, and whoever comes through the socket may come in.
const SETTLE: &str = "rm -f data/postgresql.auto.conf data/standby.signal data/recovery.signal && \
                      : > drill.conf && : > drill.ident && echo 'local all all trust' > drill.hba";
/// What a server says when it may be asked.
const READY: &str = "database system is ready to accept connections";
/// Locales of the cluster itself; each database has its own.
const LOCALES: [&str; 2] = ["--locale=C.UTF-8", "--locale=C"];
/// Every program finds its files and the server's socket in the folder.
const VARIABLES: [Variable; 5] = [
    ("HOME", None),
    ("TMPDIR", None),
    ("PGHOST", None),
    ("PGUSER", Some("postgres")),
    ("PGCLIENTENCODING", Some("UTF8")),
];
/// Nothing of it outlives the drill: nothing is flushed, and shared memory lies in its folder.
const SETTINGS: [&str; 11] = [
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum=off",
    "dynamic_shared_memory_type=mmap",
    "logging_collector=off",
    "lc_messages=C",
    "max_connections=20",
];

/// All that lie in these folders, and where Debian keeps them; the oldest first. Versions are
/// those that people call it by: 15, 17.
#[must_use]
pub fn engines(run: &Run, folders: &[PathBuf]) -> Vec<Engine> {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let debian = versions.map(|entry| entry.path().join("bin"));
    let found = debian.chain(folders.iter().cloned()).filter_map(|folder| {
        let initdb = folder.join("initdb");
        let argv = [initdb.clone().into_os_string(), "--version".into()];
        let asked = initdb.is_file().then(|| output(run, command(&argv), SHORT).ok());
        let version = version(&asked.flatten()?.stdout)?;
        Some(Engine { folder, version })
    });
    Engine::sorted(found.collect())
}

/// `initdb (PostgreSQL) 15.18 (Debian …)` is 15.
fn version(text: &[u8]) -> Option<u32> {
    let text = String::from_utf8_lossy(text);
    let (_, rest) = text.split_once("(PostgreSQL) ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

/// A running server.
pub struct Cluster<'r>(Running<'r>);

impl<'r> Cluster<'r> {
    /// Makes and starts one.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(means: &Means<'r>) -> Result<Self, ServerError> {
        let place = Place::make(means, &VARIABLES)?;
        init(&place)?;
        Self::run(place, &[])
    }

    fn run(place: Place<'r>, more: &[&str]) -> Result<Self, ServerError> {
        let mut argv = vec![OsString::from("-D"), DATA.into()];
        for setting in SETTINGS.iter().chain(more) {
            argv.extend(["-c".into(), setting.into()]);
        }
        // Code made at run time is refused where memory may not be written and run.
        if place.version() >= JIT_SINCE {
            argv.extend(["-c".into(), "jit=off".into()]);
        }
        argv.extend(["-k".into(), place.folder().into()]);
        Running::start(place, "postgres", argv, READY).map(Self)
    }

    /// Names of all databases that may be asked.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn databases(&self, limit: Duration) -> Result<Vec<String>, CapsuleError> {
        let query = format!("select coalesce(jsonb_agg(datname), '[]') from ({DATABASES}) q");
        let answer = self.session("postgres", limit)?.ask(&query)?;
        let failed = |error: serde_json::Error| CapsuleError::Read {
            what: "the server".to_owned(),
            detail: error.to_string(),
        };
        serde_json::from_str(&answer).map_err(failed)
    }

    #[must_use]
    pub const fn version(&self) -> u32 {
        self.0.place.version()
    }

    /// How many tables are restored side by side.
    #[must_use]
    pub fn jobs(&self) -> usize {
        match self.version() >= JOBS_SINCE {
            true => self.0.place.threads_count().clamp(1, JOBS_MAX),
            false => 1,
        }
    }

    /// A restored file, to be read by its name; nothing where one job reads it, or where it cannot
    /// be had here.
    #[must_use]
    pub fn lend(&self, file: &Path) -> Option<Lent> {
        let is_asked = self.jobs() > 1;
        is_asked.then(|| Lent::new(self.0.place.folder(), file).ok()).flatten()
    }

    /// A client that answers line by line.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn session(&self, database: &str, limit: Duration) -> Result<Session, CapsuleError> {
        let mut argv: Vec<OsString> = session::PSQL.iter().map(OsString::from).collect();
        argv.push(format!("--dbname={}", conninfo(database)).into());
        self.0.place.session("psql", argv, limit)
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
        self.0.place.tool(name, words.iter().map(OsString::from).collect(), given)
    }
}

/// Files of a server that were taken while it ran.
pub struct Files<'r> {
    place: Place<'r>,
    limit: Duration,
    version: Option<u32>,
}

impl<'r> Files<'r> {
    /// Takes an archive apart.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub fn unpack(means: &Means<'r>, archive: File) -> Result<Self, ServerError> {
        let place = Place::make(means, &VARIABLES)?;
        let words = |all: &[&str]| all.iter().map(OsString::from).collect::<Vec<_>>();
        place.made("/bin/mkdir", words(&["-m", "700", DATA]))?;
        let given = (Some(archive), means.limit);
        let ended = place.tool(UNPACKER, words(&["-xf", "-", "-C", DATA]), given)?;
        if ended.code != Some(0) {
            let words = last_lines(&ended.stderr);
            return Err(ServerError::Ended { tool: UNPACKER, code: ended.code, words });
        }
        let version = words(&["--", "data/PG_VERSION"]);
        let version = place.tool("/bin/cat", version, (None, SHORT))?;
        let version = String::from_utf8_lossy(&version.stdout).trim().parse().ok();
        Ok(Self { place, limit: means.limit, version })
    }

    /// Of the server that they are of, from version 10 on.
    #[must_use]
    pub const fn version(&self) -> Option<u32> {
        self.version
    }

    /// Compares them with the manifest that the server wrote, and reads their log; nothing if
    /// there is none.
    ///
    /// # Errors
    /// When that cannot be carried out.
    pub fn verify(&self) -> Result<Option<Ended>, ProcessError> {
        let words = vec!["-c".into(), "test -e data/backup_manifest".into()];
        if self.place.tool("/bin/sh", words, (None, SHORT))?.code != Some(0) {
            return Ok(None);
        }
        self.place.tool("pg_verifybackup", vec![DATA.into()], (None, self.limit)).map(Some)
    }

    /// Starts a server on them. Their own settings are no longer those of this machine, and
    /// could name programs.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(self) -> Result<Cluster<'r>, ServerError> {
        self.place.made("/bin/sh", vec!["-c".into(), SETTLE.into()])?;
        let own = |name: &str, setting: &str| {
            format!("{setting}={}", self.place.folder().join(name).display())
        };
        let more = [
            own("drill.conf", "config_file"),
            own("drill.hba", "hba_file"),
            own("drill.ident", "ident_file"),
        ];
        let more: Vec<&str> = more.iter().map(String::as_str).chain(ON_FILES).collect();
        Cluster::run(self.place, &more)
    }
}

/// Makes the cluster's files.
fn init(place: &Place<'_>) -> Result<(), ServerError> {
    let mut last = None;
    for locale in LOCALES {
        let words = ["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", locale];
        let mut argv = vec![OsString::from("--pgdata"), DATA.into()];
        argv.extend(words.iter().map(OsString::from));
        match place.made("initdb", argv) {
            Ok(()) => return Ok(()),
            Err(ServerError::Process(error)) => return Err(error.into()),
            Err(error) => last = Some(error),
        }
    }
    last.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_its_first_number() {
        assert_eq!(version(b"initdb (PostgreSQL) 15.18 (Debian 15.18-0)\n"), Some(15));
        assert_eq!(version(b"initdb (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(version(b"something"), None);
    }
}
