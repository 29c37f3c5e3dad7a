//! Throw-away servers, and how programs are kept apart that are started on restored data.
//!
//! What it is: a place without rights and network, servers of PostgreSQL and MariaDB in it, and
//! their tools.
//! Never: starts a program that could reach a key, a repository, a source or a network; lets one
//! outlive the drill.
//! Invariants: a place is tried before anything is started in it; a server is reached by a socket
//! in its own folder only.
//! Start reading at: [`confine::Confinement`], then [`running::Running`].

pub mod confine;
pub mod lent;
pub mod mariadb;
pub mod postgresql;
pub mod process;
pub mod running;

use std::path::PathBuf;
use std::time::Duration;

use crate::drill::server::confine::Confinement;
use crate::run::Run;

/// What servers are made of.
#[derive(Debug)]
pub struct Servers {
    /// How their programs are started, or why they are not.
    pub confinement: Result<Confinement, String>,
    /// The oldest first.
    pub postgresql: Vec<Engine>,
    /// The oldest first.
    pub mariadb: Vec<Engine>,
    /// How long one program may take.
    pub limit: Duration,
}

/// Programs of one version of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    pub folder: PathBuf,
    /// As a number that grows with the version; each kind of server has its own way.
    pub version: u32,
}

impl Engine {
    /// The one of this version, or the next newer one; the newest if it is not known.
    #[must_use]
    pub fn fitting(engines: &[Self], version: Option<u32>) -> Option<&Self> {
        match version {
            Some(version) => engines.iter().find(|engine| engine.version >= version),
            None => engines.last(),
        }
    }

    /// Each version once, the oldest first.
    fn sorted(mut engines: Vec<Self>) -> Vec<Self> {
        engines.sort_by_key(|engine| engine.version);
        engines.dedup_by_key(|engine| engine.version);
        engines
    }
}

/// What one server is made of and where.
pub struct Means<'a> {
    pub run: &'a Run,
    pub confinement: &'a Confinement,
    pub engine: &'a Engine,
    /// A marked folder.
    pub place: PathBuf,
    /// How long one program may take.
    pub limit: Duration,
    /// How much may go on side by side.
    pub threads_count: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_fits_if_it_is_not_older() {
        let of = |version| Engine { folder: PathBuf::new(), version };
        let all = Engine::sorted([15, 13, 17, 15].map(of).into());
        let fitting = |version| Engine::fitting(&all, version).map(|it| it.version);
        assert_eq!(fitting(Some(15)), Some(15));
        assert_eq!(fitting(Some(14)), Some(15));
        assert_eq!((fitting(Some(18)), fitting(None)), (None, Some(17)));
    }
}
