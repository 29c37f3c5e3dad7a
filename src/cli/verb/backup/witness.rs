//! Who records at the source what a dataset holds, while it is backed up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::backup::snapshot::attach::Attachments;
use crate::capsule::Between;
use crate::capsule::Capsule;
use crate::capsule::CapsuleError;
use crate::capsule::SCHEMA;
use crate::capsule::Truth;
use crate::capsule::canary::Canaries;
use crate::capsule::folder::FolderTruth;
use crate::capsule::mail::MailTruth;
use crate::capsule::mariadb::MariadbTruth;
use crate::capsule::postgresql::PostgresqlTruth;
use crate::capsule::sqlite::SqliteTruth;
use crate::cli::open::PROGRAM;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::census;
use crate::source::census::Scope;
use crate::source::database::mariadb::truth::Watched;
use crate::source::database::postgresql::around;
use crate::source::database::sqlite;
use crate::source::database::sqlite::Recorded;
use crate::source::database::truth;
use crate::source::stream::command::Program;
use crate::source::told;

/// How a dataset is looked at a second time.
#[derive(Debug)]
pub enum Witness {
    /// Nothing can be read twice.
    Nobody,
    Sqlite(Recorded),
    Postgresql(truth::Recorded),
    /// The source is read before and after.
    Around(Around),
}

/// What is read before a backup and after it.
#[derive(Debug)]
pub enum Around {
    /// Folders; beneath these is mail.
    Folder(Vec<SnapshotPath>),
    Postgresql(around::Watched),
    Mariadb(Watched),
    /// A database of which a command writes a copy.
    Sqlite(PathBuf),
    /// A file of messages that a command writes.
    Mail(PathBuf),
    /// A program of the office.
    Told(Program),
}

/// What one reading found.
#[derive(Debug)]
pub enum Reading {
    Folder(FolderTruth),
    Postgresql(PostgresqlTruth),
    Mariadb(MariadbTruth),
    Sqlite(SqliteTruth),
    Mail(MailTruth),
    Told(BTreeMap<String, String>),
}

/// Both readings, if they are of one kind.
fn between(before: Reading, after: Reading) -> Option<Truth> {
    Some(match (before, after) {
        (Reading::Folder(before), Reading::Folder(after)) => {
            Truth::Folder(Box::new(Between { before, after }))
        }
        (Reading::Postgresql(before), Reading::Postgresql(after)) => {
            Truth::PostgresqlFiles(Box::new(Between { before, after }))
        }
        (Reading::Mariadb(before), Reading::Mariadb(after)) => {
            Truth::Mariadb(Box::new(Between { before, after }))
        }
        (Reading::Sqlite(before), Reading::Sqlite(after)) => {
            Truth::SqliteCopy(Box::new(Between { before, after }))
        }
        (Reading::Mail(before), Reading::Mail(after)) => {
            Truth::Mail(Box::new(Between { before, after }))
        }
        (Reading::Told(before), Reading::Told(after)) => {
            Truth::Told(Box::new(Between { before, after }))
        }
        _ => return None,
    })
}

/// One dataset with its witness.
pub struct Recorder<'a> {
    pub dataset: &'a str,
    pub source: &'a dyn Source,
    pub witness: &'a Witness,
    /// What lies directly beneath it is counted apart.
    pub base: SnapshotPath,
    /// When reading began, and what was found.
    pub before: Mutex<(i64, Option<Reading>)>,
    /// What was placed at the source.
    pub canaries: Option<Canaries>,
}

impl Recorder<'_> {
    /// Reads the source once.
    ///
    /// # Errors
    /// When a folder as a whole cannot be used.
    fn read(&self, run: &Run, around: &Around) -> Result<Option<Reading>, SourceError> {
        let read = match around {
            Around::Folder(mail) => {
                let scope = Scope { base: &self.base, mail };
                return census::folder(run, self.source, scope).map(|it| Some(Reading::Folder(it)));
            }
            Around::Postgresql(watched) => watched.read(run).map(Reading::Postgresql),
            Around::Mariadb(watched) => watched.read(run).map(Reading::Mariadb),
            Around::Sqlite(path) => sqlite::look(path).map(Reading::Sqlite),
            Around::Mail(path) => census::mailbox(run, path).map(Reading::Mail),
            Around::Told(program) => told::read(run, program).map(Reading::Told),
        };
        Ok(self.known(run, read))
    }

    /// Something could not be recorded: a problem, and no reason to have no snapshot.
    fn lacks(&self, run: &Run, detail: &str) {
        run.problem(&Problem::new(self.dataset, format!("truth for drills: {detail}")));
    }

    /// What a server said; nothing if it did not.
    fn known<T>(&self, run: &Run, said: Result<T, CapsuleError>) -> Option<T> {
        said.map_err(|error| self.lacks(run, &error.to_string())).ok()
    }

    /// What all databases of a server hold; nothing if it is not known of each.
    fn postgresql(&self, run: &Run, recorded: &truth::Recorded) -> Option<Truth> {
        let recorded =
            std::mem::take(&mut *recorded.lock().unwrap_or_else(PoisonError::into_inner));
        let (mut databases, count) = (BTreeMap::new(), recorded.len());
        for (name, found) in recorded {
            match found {
                Ok(database) => drop(databases.insert(name, database)),
                Err(why) => {
                    let name = crate::path::escape(name.as_bytes());
                    self.lacks(run, &format!("database `{name}`: {why}"));
                }
            }
        }
        let is_whole = count > 0 && databases.len() == count;
        is_whole.then(|| Truth::Postgresql(Box::new(PostgresqlTruth { databases })))
    }
}

impl Attachments for Recorder<'_> {
    fn before(&self, run: &Run) -> Result<(), SourceError> {
        let began_ms = run.clock.now().unix_ms;
        let found = match self.witness {
            Witness::Around(around) => self.read(run, around)?,
            Witness::Nobody | Witness::Sqlite(_) | Witness::Postgresql(_) => None,
        };
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = (began_ms, found);
        Ok(())
    }

    fn after(&self, run: &Run) -> Result<Vec<Vec<u8>>, SourceError> {
        let (taken_at_ms, before) =
            std::mem::take(&mut *self.before.lock().unwrap_or_else(PoisonError::into_inner));
        let truth = match self.witness {
            Witness::Nobody => None,
            Witness::Around(around) => {
                // What was not known before is not asked for again.
                let after = before.is_some().then(|| self.read(run, around)).transpose()?.flatten();
                before.zip(after).and_then(|(before, after)| between(before, after))
            }
            Witness::Sqlite(recorded) => {
                let truth = recorded.lock().unwrap_or_else(PoisonError::into_inner).take();
                truth.map(|truth| Truth::Sqlite(Box::new(truth)))
            }
            Witness::Postgresql(recorded) => self.postgresql(run, recorded),
        };
        let Some(truth) = truth else { return Ok(Vec::new()) };
        let capsule = Capsule {
            schema: SCHEMA.to_owned(),
            dataset: self.dataset.to_owned(),
            reader: PROGRAM.to_owned(),
            taken_at_ms,
            canaries: self.canaries.clone(),
            same_point: matches!(truth, Truth::Sqlite(_) | Truth::Postgresql(_)),
            truth,
        };
        match capsule.encode() {
            Ok(encoded) => Ok(vec![encoded]),
            Err(error) => {
                self.lacks(run, &error.to_string());
                Ok(Vec::new())
            }
        }
    }
}
