//! A server that runs in its own folder, until it is dropped.

use std::ffi::OsStr;
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
use crate::drill::server::Engine;
use crate::drill::server::Means;
use crate::drill::server::confine::Confinement;
use crate::drill::server::confine::Seen;
use crate::drill::server::process::Ended;
use crate::drill::server::process::LOOK_EVERY;
use crate::drill::server::process::ProcessError;
use crate::drill::server::process::command;
use crate::drill::server::process::output;
use crate::run::Run;
use crate::source::database::session::Session;
use crate::source::stream::command::Program;
use crate::source::stream::command::last_lines;

/// How long a fresh server may take to be made, and to answer.
const START_WAIT: Duration = Duration::from_secs(300);
/// How long one that was killed may take to be gone.
const END_WAIT: Duration = Duration::from_secs(30);
/// Folders of an engine's programs, side by side.
const BESIDE: [&str; 3] = ["bin", "sbin", "scripts"];
/// Most bytes of one line of its log.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("its folder: {0}")]
    Folder(std::io::Error),
    #[error("`{tool}` ended with {code:?}: {words}")]
    Ended { tool: &'static str, code: Option<i32>, words: String },
}

/// One that every program gets: with the folder's path where there is no other value.
pub type Variable = (&'static str, Option<&'static str>);

/// Where a server's programs run, and how.
#[derive(Debug)]
pub struct Place<'r> {
    run: &'r Run,
    confinement: &'r Confinement,
    engine: Engine,
    folder: PathBuf,
    variables: &'static [Variable],
    threads_count: usize,
}

impl<'r> Place<'r> {
    /// A folder of its own beneath that of `means`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(means: &Means<'r>, variables: &'static [Variable]) -> Result<Self, ServerError> {
        let folder = means.place.join("server");
        means.confinement.make_folder(&folder).map_err(ServerError::Folder)?;
        let (run, confinement, engine) = (means.run, means.confinement, means.engine.clone());
        let threads_count = means.threads_count;
        Ok(Self { run, confinement, engine, folder, variables, threads_count })
    }

    /// How much may go on side by side.
    #[must_use]
    pub const fn threads_count(&self) -> usize {
        self.threads_count
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    #[must_use]
    pub const fn version(&self) -> u32 {
        self.engine.version
    }

    /// Beside the engine's first program, or where packages put others of the same version.
    fn program(&self, tool: &str) -> PathBuf {
        let own = self.engine.folder.join(tool);
        let beside = self.engine.folder.parent().unwrap_or(&self.engine.folder);
        let others = BESIDE.iter().map(|name| beside.join(name).join(tool));
        let found = std::iter::once(own.clone()).chain(others).find(|path| path.is_file());
        found.unwrap_or(own)
    }

    fn argv(&self, tool: &str, argv: Vec<OsString>) -> Vec<OsString> {
        let value = |value: Option<&'static str>| value.map_or(self.folder.as_os_str(), OsStr::new);
        let variables: Vec<_> =
            self.variables.iter().map(|(name, text)| (*name, value(*text))).collect();
        let mut all = vec![self.program(tool).into_os_string()];
        all.extend(argv);
        // Programs that lie elsewhere have their libraries beside them.
        let beside = self.engine.folder.parent().unwrap_or(&self.engine.folder);
        let is_known = beside.starts_with("/usr") || beside.parent().is_none();
        let read = if is_known { &[][..] } else { &[beside][..] };
        self.confinement.argv(Seen { own: &self.folder, read }, &variables, all)
    }

    /// What a tool prints, with `input` to read.
    ///
    /// # Errors
    /// When it cannot be started or takes too long.
    pub fn tool(
        &self,
        name: &str,
        argv: Vec<OsString>,
        (input, limit): (Option<File>, Duration),
    ) -> Result<Ended, ProcessError> {
        let mut command = command(&self.argv(name, argv));
        if let Some(input) = input {
            command.stdin(input);
        }
        output(self.run, command, limit)
    }

    /// A tool that makes something, and has to succeed.
    ///
    /// # Errors
    /// When it does not.
    pub fn made(&self, tool: &'static str, argv: Vec<OsString>) -> Result<(), ServerError> {
        let Ended { code, stderr, stdout, .. } = self.tool(tool, argv, (None, START_WAIT))?;
        if code == Some(0) {
            return Ok(());
        }
        let said = if stderr.is_empty() { stdout } else { stderr };
        Err(ServerError::Ended { tool, code, words: last_lines(&said) })
    }

    /// A client that answers line by line.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn session(
        &self,
        client: &'static str,
        argv: Vec<OsString>,
        limit: Duration,
    ) -> Result<Session, CapsuleError> {
        let argv = self.argv(client, argv);
        Session::start(self.run, (client, &Program { argv, ..Program::default() }), limit)
    }
}

/// A server at work.
pub struct Running<'r> {
    pub place: Place<'r>,
    server: Child,
    /// Closes when no process of the server is left.
    said: Receiver<()>,
}

impl<'r> Running<'r> {
    /// Starts it, and waits until it says on standard error that it is `ready`.
    ///
    /// # Errors
    /// When it ends before, or takes too long.
    pub fn start(
        place: Place<'r>,
        tool: &'static str,
        argv: Vec<OsString>,
        ready: &'static str,
    ) -> Result<Self, ServerError> {
        let mut command = command(&place.argv(tool, argv));
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut server = child.map_err(ProcessError::Start)?;
        let errors = server.stderr.take();
        let (sender, said) = crossbeam_channel::bounded(1);
        std::thread::spawn(move || listen(errors, ready.as_bytes(), &sender));
        let running = Self { place, server, said };
        running.wait(tool)?;
        Ok(running)
    }

    /// Until it may be asked.
    fn wait(&self, tool: &'static str) -> Result<(), ServerError> {
        let run = self.place.run;
        let began = run.clock.elapsed();
        loop {
            match self.said.recv_timeout(LOOK_EVERY) {
                Ok(()) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => {
                    let words = "it ended before it was ready".to_owned();
                    return Err(ServerError::Ended { tool, code: None, words });
                }
                Err(RecvTimeoutError::Timeout) => {
                    run.check().map_err(ProcessError::from)?;
                    if run.clock.elapsed().saturating_sub(began) > START_WAIT {
                        return Err(ProcessError::TimedOut(START_WAIT).into());
                    }
                }
            }
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Every process of it dies with its first one.
        let _killed = self.server.kill();
        let _reaped = self.server.wait();
        // A word may still be waiting; then comes the end.
        let mut left = END_WAIT;
        while left > Duration::ZERO
            && self.said.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Disconnected)
        {
            left = left.saturating_sub(LOOK_EVERY);
        }
        // Only for its room: what stays goes with the sandbox, or is told there.
        let _removed = std::fs::remove_dir_all(&self.place.folder);
    }
}

/// Says when the server is ready; the channel closes when nobody of it is left.
fn listen(errors: Option<ChildStderr>, ready: &[u8], said: &Sender<()>) {
    let Some(errors) = errors else { return };
    let mut errors = BufReader::new(errors);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line may be as long as a restored program likes.
        match errors.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.windows(ready.len()).any(|part| part == ready) => {
                // Once is enough: later ones find the first still waiting.
                let _said = said.try_send(());
            }
            Ok(_) => {}
        }
    }
}
