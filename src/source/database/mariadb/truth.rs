//! What the databases of MariaDB hold, read before and after their dump.

use crate::capsule::CapsuleError;
use crate::capsule::mariadb;
use crate::capsule::mariadb::Digests;
use crate::capsule::mariadb::MariadbTruth;
use crate::capsule::mariadb::Rows;
use crate::run::Run;
use crate::source::database::Server;

/// A server, and the databases of it that are dumped; none: all.
#[derive(Debug)]
pub struct Watched {
    pub server: Server,
    pub named: Vec<String>,
}

struct Asked<'a> {
    run: &'a Run,
    server: &'a Server,
}

impl Rows for Asked<'_> {
    fn rows(&mut self, statements: &str) -> Result<Vec<String>, CapsuleError> {
        super::ask(self.run, self.server, statements).map_err(|error| CapsuleError::Read {
            what: "the database".to_owned(),
            detail: error.to_string(),
        })
    }
}

impl Watched {
    /// # Errors
    /// When the server does not tell.
    pub fn read(&self, run: &Run) -> Result<MariadbTruth, CapsuleError> {
        let mut asked = Asked { run, server: &self.server };
        mariadb::read(&mut asked, &self.named, Digests::OfSmall)
    }
}
