//! What a database of PostgreSQL holds, read at the very state that is dumped.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;

use crate::capsule::CapsuleError;
use crate::capsule::postgresql;
use crate::capsule::postgresql::Database;
use crate::capsule::postgresql::Reading;
use crate::run::Cancel;
use crate::run::Run;
use crate::run::Stopped;
use crate::source::database::session::Session;
use crate::source::stream::Companion;
use crate::source::stream::command::Program;

/// What was recorded of each database, or why it could not be; empty until it was dumped.
pub type Recorded = Arc<Mutex<BTreeMap<String, Result<Database, String>>>>;

/// How often the run's switch is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Reads one database beside its dump.
pub(super) struct Beside {
    pub(super) database: String,
    /// A client that answers line by line.
    pub(super) client: Program,
    pub(super) recorded: Recorded,
    pub(super) reader: Option<Reader>,
}

/// The thread that reads.
pub(super) struct Reader {
    cancel: Cancel,
    thread: Option<JoinHandle<()>>,
    done: Receiver<Done>,
}

struct Done {
    session: Session,
    reading: Reading,
    found: Result<Database, CapsuleError>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Its client is killed with it.
        self.cancel.stop(Stopped::Terminated);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

impl Beside {
    /// Opens the transaction; name of the state that it sees.
    fn open(&mut self, run: &Run) -> Result<String, CapsuleError> {
        // It goes on while others are asked whether to stop, and is stopped by whoever drops it.
        let own = run.unstopped();
        let mut session = Session::start(run, ("psql", &self.client), Duration::MAX)?;
        let reading = postgresql::begin(&mut session)?;
        let state = postgresql::exported(&mut session)?;
        // Whatever reading meets, the dump has its state.
        session.outlive_errors()?;
        session.led_by(&own);
        let (sender, done) = crossbeam_channel::bounded(1);
        let thread = std::thread::spawn(move || {
            let found = postgresql::read(&mut session, &reading);
            // Nobody may be there any more.
            let _sent = sender.send(Done { session, reading, found });
        });
        let cancel = own.cancel.clone();
        self.reader = Some(Reader { cancel, thread: Some(thread), done });
        Ok(state)
    }
}

impl Companion for Beside {
    fn begin(&mut self, run: &Run) -> Result<Vec<OsString>, String> {
        let state = self.open(run).map_err(|error| error.to_string())?;
        Ok(vec![format!("--snapshot={state}").into()])
    }

    fn end(&mut self, run: &Run) -> Result<(), Stopped> {
        let Some(reader) = self.reader.take() else { return Ok(()) };
        let found = loop {
            match reader.done.recv_timeout(LOOK_EVERY) {
                Ok(mut done) => {
                    break done.found.and_then(|mut database| {
                        postgresql::end(&mut done.session, &done.reading, &mut database)?;
                        Ok(database)
                    });
                }
                Err(RecvTimeoutError::Timeout) => run.check()?,
                Err(RecvTimeoutError::Disconnected) => {
                    let (what, detail) = ("the database".to_owned(), "its reader ended".to_owned());
                    break Err(CapsuleError::Read { what, detail });
                }
            }
        };
        let found = found.map_err(|error| error.to_string());
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.insert(self.database.clone(), found);
        Ok(())
    }
}
