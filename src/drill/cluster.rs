//! A throw-away server of PostgreSQL: made, reached by a socket in its folder only, and killed.

use std::ffi::OsString;
use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStderr;
use std::process::Stdio;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;
use crossbeam_channel::Sender;

use crate::capsule::CapsuleError;
use crate::drill::process::Confinement;
use crate::drill::process::Ended;
use crate::drill::process::LOOK_EVERY;
use crate::drill::process::NOBODY;
use crate::drill::process::ProcessError;
use crate::drill::process::SHORT;
use crate::drill::process::command;
use crate::drill::process::output;
use crate::run::Run;
use crate::source::database::session;
use crate::source::database::session::Session;
use crate::source::stream::command::Program;

/// Where Debian keeps versions side by side.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Folder of a cluster's files, and of its socket.
const DATA: &str = "data";
/// How long a fresh server may take to be made, and to answer.
const START_WAIT: Duration = Duration::from_secs(300);
/// How long one that was killed may take to be gone.
const END_WAIT: Duration = Duration::from_secs(30);
/// First version that makes code at run time.
const JIT_SINCE: u32 = 11;
/// What a server says when it may be asked.
const READY: &[u8] = b"database system is ready to accept connections";
/// Locales of the cluster itself; each database has its own.
const LOCALES: [&str; 2] = ["--locale=C.UTF-8", "--locale=C"];
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

/// What servers are made of.
#[derive(Debug)]
pub struct Servers {
    /// How their programs are started, or why they are not.
    pub confinement: Result<Confinement, String>,
    /// The oldest first.
    pub engines: Vec<Engine>,
    /// How long one program may take.
    pub limit: Duration,
}

/// Programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    folder: PathBuf,
    pub version: u32,
}

impl Engine {
    /// All that lie in these folders, and where Debian keeps them; the oldest first.
    #[must_use]
    pub fn all(run: &Run, folders: &[PathBuf]) -> Vec<Self> {
        let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
        let debian = versions.map(|entry| entry.path().join("bin"));
        let mut engines: Vec<Self> = debian
            .chain(folders.iter().cloned())
            .filter_map(|folder| {
                let initdb = folder.join("initdb");
                let argv = [initdb.clone().into_os_string(), "--version".into()];
                let asked = initdb.is_file().then(|| output(run, command(&argv), SHORT).ok());
                let version = version(&asked.flatten()?.stdout)?;
                Some(Self { folder, version })
            })
            .collect();
        engines.sort_by_key(|engine| engine.version);
        engines.dedup_by_key(|engine| engine.version);
        engines
    }

    /// The one of this version, or the next newer one; the newest if it is not known.
    #[must_use]
    pub fn fitting(engines: &[Self], version: Option<u32>) -> Option<&Self> {
        match version {
            Some(version) => engines.iter().find(|engine| engine.version >= version),
            None => engines.last(),
        }
    }
}

/// `initdb (PostgreSQL) 15.18 (Debian …)` is 15.
fn version(text: &[u8]) -> Option<u32> {
    let text = String::from_utf8_lossy(text);
    let (_, rest) = text.split_once("(PostgreSQL) ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("its folder: {0}")]
    Folder(std::io::Error),
    #[error("`{tool}` ended with {code:?}: {words}")]
    Ended { tool: &'static str, code: Option<i32>, words: String },
}

/// A running server.
pub struct Cluster<'r> {
    run: &'r Run,
    confinement: &'r Confinement,
    engine: Engine,
    folder: PathBuf,
    server: Child,
    /// Closes when no process of the server is left.
    said: Receiver<()>,
}

impl<'r> Cluster<'r> {
    /// Makes and starts one in a folder of its own beneath `beneath`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(
        run: &'r Run,
        confinement: &'r Confinement,
        engine: &Engine,
        beneath: &Path,
    ) -> Result<Self, ClusterError> {
        let folder = beneath.join("server");
        make_folder(&folder).map_err(ClusterError::Folder)?;
        let place = Place { confinement, engine, folder: &folder };
        init(run, &place)?;
        let mut argv = vec![OsString::from("-D"), DATA.into()];
        for setting in SETTINGS {
            argv.extend(["-c".into(), setting.into()]);
        }
        // Code made at run time is refused where memory may not be written and run.
        if engine.version >= JIT_SINCE {
            argv.extend(["-c".into(), "jit=off".into()]);
        }
        argv.extend(["-k".into(), folder.clone().into_os_string()]);
        let mut command = place.command("postgres", argv);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut server = child.map_err(ProcessError::Start)?;
        let errors = server.stderr.take();
        let (sender, said) = crossbeam_channel::bounded(1);
        std::thread::spawn(move || listen(errors, &sender));
        let engine = engine.clone();
        let cluster = Self { run, confinement, engine, folder, server, said };
        cluster.wait()?;
        Ok(cluster)
    }

    /// Until it may be asked.
    fn wait(&self) -> Result<(), ClusterError> {
        let began = self.run.clock.elapsed();
        loop {
            match self.said.recv_timeout(LOOK_EVERY) {
                Ok(()) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => {
                    let words = "it ended before it was ready".to_owned();
                    return Err(ClusterError::Ended { tool: "postgres", code: None, words });
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.run.check().map_err(ProcessError::from)?;
                    if self.run.clock.elapsed().saturating_sub(began) > START_WAIT {
                        return Err(ProcessError::TimedOut(START_WAIT).into());
                    }
                }
            }
        }
    }

    fn place(&self) -> Place<'_> {
        Place { confinement: self.confinement, engine: &self.engine, folder: &self.folder }
    }

    #[must_use]
    pub const fn version(&self) -> u32 {
        self.engine.version
    }

    /// A client that answers line by line.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn session(&self, database: &str, limit: Duration) -> Result<Session, CapsuleError> {
        let mut argv: Vec<OsString> = session::WORDS.iter().map(OsString::from).collect();
        argv.push(format!("--dbname={database}").into());
        let argv = self.place().argv("psql", argv);
        Session::start(self.run, &Program { argv, ..Program::default() }, limit)
    }

    /// A tool of the server's version, with `input` to read.
    ///
    /// # Errors
    /// When it cannot be started or takes too long.
    pub fn tool(
        &self,
        name: &str,
        words: &[&str],
        (input, limit): (Option<File>, Duration),
    ) -> Result<Ended, ProcessError> {
        let argv = words.iter().map(OsString::from).collect();
        let mut command = self.place().command(name, argv);
        if let Some(input) = input {
            command.stdin(input);
        }
        output(self.run, command, limit)
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        // Where nothing keeps its processes together, its first one ends the others.
        #[cfg(unix)]
        if let Some(pid) =
            i32::try_from(self.server.id()).ok().and_then(rustix::process::Pid::from_raw)
        {
            let _asked = rustix::process::kill_process(pid, rustix::process::Signal::QUIT);
        }
        #[cfg(not(unix))]
        let _killed = self.server.kill();
        // A word may still be waiting; then comes the end.
        let mut left = END_WAIT;
        while left > Duration::ZERO
            && self.said.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Disconnected)
        {
            left = left.saturating_sub(LOOK_EVERY);
        }
        let _killed = self.server.kill();
        let _reaped = self.server.wait();
        // Only for its room: what stays goes with the sandbox, or is told there.
        let _removed = std::fs::remove_dir_all(&self.folder);
    }
}

/// Where a server's programs run, and how.
#[derive(Clone, Copy)]
struct Place<'a> {
    confinement: &'a Confinement,
    engine: &'a Engine,
    folder: &'a Path,
}

impl<'a> Place<'a> {
    fn argv(&self, tool: &str, argv: Vec<OsString>) -> Vec<OsString> {
        let variable = |name: &str, value: &Path| {
            let mut variable = OsString::from(name);
            variable.push(value);
            variable
        };
        let variables = [
            variable("HOME=", self.folder),
            variable("TMPDIR=", self.folder),
            variable("PGHOST=", self.folder),
            "PGUSER=postgres".into(),
            "PGCLIENTENCODING=UTF8".into(),
        ];
        let mut all = vec![self.engine.folder.join(tool).into_os_string()];
        all.extend(argv);
        self.confinement.argv(&variables, all)
    }

    fn command(&self, tool: &str, argv: Vec<OsString>) -> std::process::Command {
        let mut command = command(&self.argv(tool, argv));
        command.current_dir(self.folder);
        command
    }
}

/// Makes the cluster's files.
fn init(run: &Run, place: &Place<'_>) -> Result<(), ClusterError> {
    let mut last = None;
    for locale in LOCALES {
        let words = ["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", locale];
        let mut argv = vec![OsString::from("--pgdata"), DATA.into()];
        argv.extend(words.iter().map(OsString::from));
        let Ended { code, stderr, .. } = output(run, place.command("initdb", argv), START_WAIT)?;
        if code == Some(0) {
            return Ok(());
        }
        let words = crate::source::stream::command::last_lines(&stderr);
        last = Some(ClusterError::Ended { tool: "initdb", code, words });
    }
    last.map_or(Ok(()), Err)
}

/// Says when the server is ready; the channel closes when nobody of it is left.
fn listen(errors: Option<ChildStderr>, ready: &Sender<()>) {
    let Some(errors) = errors else { return };
    let mut errors = BufReader::new(errors);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line may be as long as a restored program likes.
        match errors.by_ref().take(64 * 1024).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.windows(READY.len()).any(|part| part == READY) => {
                // Once is enough: later ones find the first still waiting.
                let _said = ready.try_send(());
            }
            Ok(_) => {}
        }
    }
}

/// Closed to others, and its user's.
#[cfg(unix)]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(folder)?;
    std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY))
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_fits_if_it_is_not_older() {
        let of = |version| Engine { folder: PathBuf::new(), version };
        let all = [of(13), of(15), of(17)];
        let fitting = |version| Engine::fitting(&all, version).map(|it| it.version);
        assert_eq!(fitting(Some(15)), Some(15));
        assert_eq!(fitting(Some(14)), Some(15));
        assert_eq!((fitting(Some(18)), fitting(None)), (None, Some(17)));
        assert_eq!(version(b"initdb (PostgreSQL) 15.18 (Debian 15.18-0)\n"), Some(15));
        assert_eq!(version(b"initdb (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(version(b"something"), None);
    }
}
