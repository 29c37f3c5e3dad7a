//! What a server's databases hold, read before and after its files are taken.

use std::time::Duration;

use crate::capsule::CapsuleError;
use crate::capsule::postgresql;
use crate::capsule::postgresql::Database;
use crate::capsule::postgresql::PostgresqlTruth;
use crate::run::Run;
use crate::source::SourceError;
use crate::source::database::Server;
use crate::source::database::all_there;
use crate::source::database::session::Session;

/// A server whose files are taken, or of which a command writes a dump.
#[derive(Debug)]
pub struct Watched {
    pub server: Server,
    /// The databases that are meant; none: all.
    pub named: Vec<String>,
}

fn failed(error: &SourceError) -> CapsuleError {
    CapsuleError::Read { what: "the server".to_owned(), detail: error.to_string() }
}

impl Watched {
    /// # Errors
    /// When the server does not tell.
    pub fn read(&self, run: &Run) -> Result<PostgresqlTruth, CapsuleError> {
        let there = super::ask(run, &self.server, &[], super::DATABASES).map_err(|e| failed(&e))?;
        let names = match self.named.is_empty() {
            true => there,
            false => all_there(&self.server, &self.named, &there).map_err(|e| failed(&e))?,
        };
        let mut truth = PostgresqlTruth::default();
        for name in names {
            let database = self.database(run, &name)?;
            truth.databases.insert(name, database);
        }
        Ok(truth)
    }

    fn database(&self, run: &Run, name: &str) -> Result<Database, CapsuleError> {
        let client = super::client(&self.server, name).map_err(|error| failed(&error))?;
        let mut session = Session::start(run, ("psql", &client), Duration::MAX)?;
        let reading = postgresql::begin(&mut session)?;
        let mut database = postgresql::read(&mut session, &reading)?;
        postgresql::end(&mut session, &reading, &mut database)?;
        Ok(database)
    }
}
