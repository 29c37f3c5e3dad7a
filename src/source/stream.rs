//! Standard input or a command's output as a source of one file; several of them as one source.
//!
//! A thread reads ahead, so that whoever takes the bytes can look at the run's switch and at the
//! command while nothing comes. The size is not known before the end: it is reported as 0, and the
//! open content counts.

pub mod command;
mod content;
pub mod expect;
pub mod several;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::Read;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::run::Stopped;
use crate::source::Content;
use crate::source::Found;
use crate::source::ReadError;
use crate::source::Reader;
use crate::source::Source;
use crate::source::SourceError;
use crate::units::FileTime;

use self::command::Command;
use self::command::Program;
use self::content::StreamContent;
use self::expect::Expected;
use self::expect::Tail;

/// Where the bytes come from.
enum Input {
    Reader(Option<Box<dyn Read + Send>>),
    /// Made when the file is opened.
    Later(Option<Later>),
    Program(Program),
}

/// What makes a stream, or says why there is none.
pub type Later = Box<dyn FnOnce(&Run) -> Result<Box<dyn Read + Send>, String> + Send>;

/// Whoever accompanies a program, such as a second reader of the same state.
pub trait Companion: Send {
    /// Called before the program starts: arguments that it gets beside its own.
    ///
    /// # Errors
    /// When the program is not to be started.
    fn begin(&mut self, run: &Run) -> Result<Vec<OsString>, String>;

    /// Called when the program has ended well. One that is dropped before ends by itself.
    ///
    /// # Errors
    /// When the run is stopped.
    fn end(&mut self, run: &Run) -> Result<(), Stopped>;
}

/// How far reading has come.
#[derive(Debug, Default)]
struct Progress {
    has_started: bool,
    has_ended: bool,
    failure: Option<String>,
    command: Option<Command>,
    tail: Tail,
}

impl Progress {
    /// Whether nothing more will be read.
    const fn is_over(&self) -> bool {
        self.has_ended || self.failure.is_some()
    }
}

struct State {
    input: Input,
    progress: Progress,
    companion: Option<Box<dyn Companion>>,
}

/// One file of a snapshot that is filled from a stream. It can be read once.
///
/// The file may be read by its owner only: a stream does not tell who else may.
pub struct StreamSource {
    path: SnapshotPath,
    /// What errors call the stream: never an argument, for that may be a secret.
    label: String,
    expected: Expected,
    state: Mutex<State>,
}

impl StreamSource {
    /// From standard input.
    pub fn stdin(path: SnapshotPath) -> Result<Self, SourceError> {
        Self::from_reader(path, "standard input", Box::new(std::io::stdin()))
    }

    /// From whatever `reader` gives; errors call it `label`.
    pub fn from_reader(
        path: SnapshotPath,
        label: &str,
        reader: Box<dyn Read + Send>,
    ) -> Result<Self, SourceError> {
        Self::new(path, label.to_owned(), Input::Reader(Some(reader)))
    }

    /// From the output of a program, started without a shell when the file is opened. It gets the
    /// environment but for the variables in `hidden`.
    pub fn command(
        path: SnapshotPath,
        argv: Vec<OsString>,
        hidden: Vec<OsString>,
    ) -> Result<Self, SourceError> {
        let Some(program) = argv.first() else {
            let (command, detail) = (String::new(), "no program is named".to_owned());
            return Err(SourceError::Command { command, detail });
        };
        let label = crate::path::escape(program.as_encoded_bytes());
        Self::program(path, &label, Program { argv, hidden, ..Program::default() })
    }

    /// From the output of a program that is started when the file is opened; errors call it
    /// `label`.
    pub fn program(path: SnapshotPath, label: &str, program: Program) -> Result<Self, SourceError> {
        Self::new(path, label.to_owned(), Input::Program(program))
    }

    /// From what is made when the file is opened; errors call it `label`.
    pub fn later(path: SnapshotPath, label: &str, later: Later) -> Result<Self, SourceError> {
        Self::new(path, label.to_owned(), Input::Later(Some(later)))
    }

    fn new(path: SnapshotPath, label: String, input: Input) -> Result<Self, SourceError> {
        if path.is_root() {
            let detail = "a stream needs a file name".to_owned();
            return Err(SourceError::Missing { path: label, detail });
        }
        let state = Mutex::new(State { input, progress: Progress::default(), companion: None });
        Ok(Self { path, label, expected: Expected::default(), state })
    }

    /// Refuses a stream that is not as expected when it has ended.
    #[must_use]
    pub fn expecting(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    /// With somebody beside the program.
    #[must_use]
    pub fn beside(self, companion: Box<dyn Companion>) -> Self {
        self.lock().companion = Some(companion);
        self
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, detail: String) -> ReadError {
        let mut state = self.lock();
        ReadError::Failed(state.progress.failure.get_or_insert(detail).clone())
    }

    fn error(&self, input: &Input, detail: String) -> SourceError {
        match input {
            Input::Program(_) => SourceError::Command { command: self.label.clone(), detail },
            Input::Reader(_) | Input::Later(_) => {
                SourceError::Missing { path: self.label.clone(), detail }
            }
        }
    }
}

impl Source for StreamSource {
    fn walk<'a>(
        &'a self,
        run: &Run,
    ) -> Result<Box<dyn Iterator<Item = Result<Found, SourceError>> + 'a>, SourceError> {
        run.check()?;
        let now = run.clock.now().unix_ms;
        let nanos = u32::try_from(now.rem_euclid(1000)).unwrap_or(0) * 1_000_000;
        let time = FileTime { secs: now.div_euclid(1000), nanos };
        let mut meta = Meta { mtime: time, ctime: time, ..Meta::plain(Kind::File, 0) };
        meta.mode = 0o600;
        let mut found = vec![Found { path: self.path.clone(), meta }];
        let mut above = self.path.parent().filter(|path| !path.is_root());
        while let Some(path) = above {
            above = path.parent().filter(|path| !path.is_root());
            let meta = Meta { mtime: time, ctime: time, ..Meta::plain(Kind::Directory, 0) };
            found.push(Found { path, meta });
        }
        Ok(Box::new(found.into_iter().rev().map(Ok)))
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(StreamReader(self))
    }

    /// Waits for the command's end. An error unless the stream was read to its end and the command
    /// ended well.
    fn finish(&self, run: &Run) -> Result<(), SourceError> {
        run.check()?;
        let mut state = self.lock();
        let State { input, progress, companion } = &mut *state;
        // Whatever made the program end, its companion is not needed after this.
        let companion = if progress.is_over() { companion.take() } else { None };
        if let Some(command) = &mut progress.command
            && (progress.has_ended || command.is_dead())
            && let Some(detail) = command.wait(run)?
        {
            return Err(self.error(input, detail));
        }
        if let Some(detail) = &progress.failure {
            return Err(self.error(input, detail.clone()));
        }
        if !progress.has_ended {
            return Err(self.error(input, "it was not read to its end".to_owned()));
        }
        if let Some(detail) = progress.tail.lack(&self.expected) {
            return Err(self.error(input, detail));
        }
        companion.map_or(Ok(()), |mut companion| Ok(companion.end(run)?))
    }
}

struct StreamReader<'a>(&'a StreamSource);

impl Reader for StreamReader<'_> {
    fn attributes(&mut self, _run: &Run, found: &Found) -> Result<Meta, ReadError> {
        Ok(found.meta.clone())
    }

    fn open<'a>(
        &'a mut self,
        run: &Run,
        found: &Found,
    ) -> Result<Box<dyn Content + 'a>, ReadError> {
        let mut state = self.0.lock();
        if found.path != self.0.path || state.progress.has_started {
            return Err(ReadError::Failed("a stream can be read only once".to_owned()));
        }
        state.progress.has_started = true;
        let State { input, progress, companion } = &mut *state;
        let opened = match input {
            Input::Reader(reader) => reader.take().ok_or_else(|| "it is gone".to_owned()),
            Input::Later(later) => match later.take() {
                Some(later) => later(run),
                None => Err("it is gone".to_owned()),
            },
            Input::Program(program) => {
                let more = companion.as_mut().map_or(Ok(Vec::new()), |it| it.begin(run));
                let started = more.and_then(|more| {
                    program.argv.extend(more);
                    Command::start(program)
                });
                started.map(|(command, output)| {
                    progress.command = Some(command);
                    output
                })
            }
        };
        drop(state);
        let blocks = opened.and_then(content::read_ahead);
        let blocks = blocks.map_err(|detail| self.0.fail(detail))?;
        Ok(Box::new(StreamContent::new(self.0, run, blocks, found.meta.clone())))
    }
}

impl std::fmt::Debug for StreamSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StreamSource({} from {})", self.path, self.label)
    }
}
