//! Who records at the source what a dataset holds, while it is backed up.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::backup::snapshot::attach::Attachments;
use crate::capsule::Between;
use crate::capsule::Capsule;
use crate::capsule::CapsuleError;
use crate::capsule::SCHEMA;
use crate::capsule::Truth;
use crate::capsule::folder::FolderTruth;
use crate::capsule::mariadb::MariadbTruth;
use crate::capsule::postgresql::PostgresqlTruth;
use crate::cli::open::PROGRAM;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::census;
use crate::source::database::mariadb::truth::Watched;
use crate::source::database::postgresql::around::Watched as Around;
use crate::source::database::sqlite::Recorded;
use crate::source::database::truth;

/// How a dataset is looked at a second time.
#[derive(Debug)]
pub enum Witness {
    /// Nothing can be read twice.
    Nobody,
    /// Folders are walked before and after.
    Folder,
    Sqlite(Recorded),
    Postgresql(truth::Recorded),
    /// The server is asked before and after.
    PostgresqlFiles(Around),
    /// The server is asked before and after.
    Mariadb(Watched),
}

/// What was found before the backup.
#[derive(Debug)]
pub enum Before {
    Folder(FolderTruth),
    PostgresqlFiles(PostgresqlTruth),
    Mariadb(MariadbTruth),
}

/// One dataset with its witness.
pub struct Recorder<'a> {
    pub dataset: &'a str,
    pub source: &'a dyn Source,
    pub witness: &'a Witness,
    /// What lies directly beneath it is counted apart.
    pub base: SnapshotPath,
    /// When reading began, and what was found.
    pub before: Mutex<(i64, Option<Before>)>,
}

impl Recorder<'_> {
    fn walk(&self, run: &Run) -> Result<FolderTruth, SourceError> {
        census::folder(run, self.source, &self.base)
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
            Witness::Folder => Some(Before::Folder(self.walk(run)?)),
            Witness::PostgresqlFiles(watched) => {
                self.known(run, watched.read(run)).map(Before::PostgresqlFiles)
            }
            Witness::Mariadb(watched) => self.known(run, watched.read(run)).map(Before::Mariadb),
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
            Witness::Folder => {
                let after = self.walk(run)?;
                match before {
                    Some(Before::Folder(before)) => {
                        Some(Truth::Folder(Box::new(Between { before, after })))
                    }
                    _ => None,
                }
            }
            Witness::PostgresqlFiles(watched) => match (before, watched.read(run)) {
                (Some(Before::PostgresqlFiles(before)), after) => self
                    .known(run, after)
                    .map(|after| Truth::PostgresqlFiles(Box::new(Between { before, after }))),
                _ => None,
            },
            Witness::Mariadb(watched) => match (before, watched.read(run)) {
                (Some(Before::Mariadb(before)), after) => self
                    .known(run, after)
                    .map(|after| Truth::Mariadb(Box::new(Between { before, after }))),
                _ => None,
            },
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
