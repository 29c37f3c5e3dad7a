//! The local socket: one question and one answer, each a line of JSON.

use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use serde::Deserialize;
use serde::Serialize;

use crate::daemon::serve::Event;
use crate::daemon::status::Report;
use crate::daemon::status::RunReport;

const QUESTION_BYTES_MAX: u64 = 64 * 1024;
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How long a question or an answer may be under way.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Most who are answered at once.
const ASKERS_MAX: usize = 64;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Question {
    Status,
    Runs {
        job: Option<String>,
        count: u32,
    },
    /// Answered when the run has ended.
    Run {
        job: String,
    },
    /// Answered when it is queued.
    Queue {
        job: String,
    },
    Pause,
    Resume,
    /// Somebody has held a drill: its ledger has more to say.
    Drilled,
    Cancel {
        job: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    Status {
        report: Box<Report>,
    },
    Runs {
        runs: Vec<RunReport>,
    },
    Ran {
        run: Box<RunReport>,
    },
    Done,
    NoJob {
        jobs: Vec<String>,
    },
    /// It neither waits nor is at work.
    Idle,
    Failed {
        message: String,
    },
}

/// Listens until the process ends.
///
/// # Errors
/// When the socket cannot be made.
pub(super) fn listen(path: &Path, events: &Sender<Event>) -> io::Result<()> {
    // Whoever holds the folder knows that nobody listens at an older one.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    let events = events.clone();
    let seats = Arc::new(());
    std::thread::Builder::new().name("control".to_owned()).spawn(move || {
        for stream in listener.incoming() {
            let stream = match stream {
                Ok(stream) => stream,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    // Without files to open it would fail again at once, and for ever.
                    tracing::error!(%error, "nobody is answered any more until a restart");
                    return;
                }
            };
            let seat = Arc::clone(&seats);
            if Arc::strong_count(&seat) > ASKERS_MAX + 1 {
                continue;
            }
            let events = events.clone();
            let serve = move || {
                // Whoever does not ask properly, or goes away, is not answered.
                let _gone = answer(&stream, &events);
                drop(seat);
            };
            let _no_thread = std::thread::Builder::new().name("answer".to_owned()).spawn(serve);
        }
    })?;
    Ok(())
}

fn answer(mut stream: &UnixStream, events: &Sender<Event>) -> io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut line = String::new();
    BufReader::new(stream.take(QUESTION_BYTES_MAX)).read_line(&mut line)?;
    let answer = match serde_json::from_str(&line) {
        Ok(question) => {
            let (reply, answer) = crossbeam_channel::bounded(1);
            let gone = || io::Error::from(io::ErrorKind::ConnectionAborted);
            events.send(Event::Asked { question, reply }).map_err(|_| gone())?;
            answer.recv().map_err(|_| gone())?
        }
        Err(error) => Answer::Failed { message: error.to_string() },
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    stream.write_all(&text)
}

/// Asks the daemon of a state folder.
///
/// # Errors
/// When none answers.
pub fn ask(path: &Path, question: &Question) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    if !matches!(question, Question::Run { .. }) {
        stream.set_read_timeout(Some(TIMEOUT))?;
    }
    let mut text = serde_json::to_vec(question)?;
    text.push(b'\n');
    stream.write_all(&text)?;
    let mut line = String::new();
    BufReader::new(stream.take(ANSWER_BYTES_MAX)).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}
