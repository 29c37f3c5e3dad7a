//! Datasets that are databases.

use std::path::Path;

use crate::capsule::Between;
use crate::capsule::Truth;
use crate::capsule::mariadb::MariadbTruth;
use crate::capsule::postgresql::PostgresqlTruth;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::capsule;
use crate::drill::check::custom;
use crate::drill::check::mariadb;
use crate::drill::check::postgresql;
use crate::drill::check::sqlite;
use crate::drill::item::Work;
use crate::drill::server::Engine;
use crate::drill::server::Means;
use crate::drill::server::Servers;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::run::Stopped;

/// What becomes of a restored folder: a server that answers, and how far apart the readings of the
/// source lie.
pub(super) type MariadbCheck<'a> =
    for<'c, 'r, 'p> fn(
        &'c mut Checks<'r>,
        &'c Means<'a>,
        (&'p Path, Option<&'p Between<MariadbTruth>>),
    ) -> Result<Option<(mariadb::Restored<'a>, u64)>, Stopped>;

impl<'a> Work<'a> {
    pub(super) fn sqlite(&mut self) {
        let expected = match self.truth.as_ref().map(|capsule| &capsule.truth) {
            Some(Truth::Sqlite(expected)) => Some(expected.clone()),
            _ => None,
        };
        let mut files = std::fs::read_dir(self.folder).into_iter().flatten().flatten();
        let path = match (files.next(), files.next()) {
            (Some(file), None) => file.path(),
            _ => {
                let why = "expected one file in the snapshot of a database";
                self.note(Level::L4, "header", Found::failed(FailureCode::F2, why));
                return;
            }
        };
        let pages = expected.as_ref().map(|truth| truth.page_count);
        let found = sqlite::check(&mut self.checks, &path, pages);
        self.database = Some(Box::new(custom::SqliteFile(path)));
        if let (Some(expected), Some(found)) = (expected, found) {
            capsule::sqlite(&mut self.checks, &expected, &found);
        }
    }

    pub(super) fn postgresql(&mut self) -> Result<(), Stopped> {
        let expected = match self.truth() {
            Some(Truth::Postgresql(expected)) => Some(expected),
            other => self.none(other),
        };
        let expected = expected.as_deref();
        let version = expected.and_then(PostgresqlTruth::version);
        let told = version.map(|version| version.to_string());
        let Some(means) = self.means(version, told, |servers| &servers.postgresql) else {
            return Ok(());
        };
        let asked = (self.folder, expected);
        if let Some(restored) = postgresql::check(&mut self.checks, &means, asked)? {
            self.marks.t6_ms = Some(self.now_ms());
            self.database = Some(Box::new(restored));
        }
        Ok(())
    }

    pub(super) fn postgresql_files(&mut self) -> Result<(), Stopped> {
        let expected = match self.truth() {
            Some(Truth::PostgresqlFiles(expected)) => Some(expected),
            other => self.none(other),
        };
        let expected = expected.as_deref();
        let version = expected.and_then(|between| between.before.version());
        let told = version.map(|version| version.to_string());
        let Some(means) = self.means(version, told, |servers| &servers.postgresql) else {
            return Ok(());
        };
        let asked = (self.folder, expected);
        if let Some((restored, width)) = postgresql::files::check(&mut self.checks, &means, asked)?
        {
            self.served(restored, width);
        }
        Ok(())
    }

    pub(super) fn mariadb(&mut self, check: MariadbCheck<'a>) -> Result<(), Stopped> {
        let expected = match self.truth() {
            Some(Truth::Mariadb(expected)) => Some(expected),
            other => self.none(other),
        };
        let expected = expected.as_deref();
        let version = expected.and_then(|between| between.before.version());
        let told = expected.map(|between| between.before.version.clone());
        let Some(means) = self.means(version, told, |servers| &servers.mariadb) else {
            return Ok(());
        };
        let asked = (self.folder, expected);
        if let Some((restored, width)) = check(&mut self.checks, &means, asked)? {
            self.served(restored, width);
        }
        Ok(())
    }

    /// A server answers, and may be asked more.
    pub(super) fn served(&mut self, restored: impl custom::Asked + 'a, width: u64) {
        self.width_permille = width;
        self.marks.t6_ms = Some(self.now_ms());
        self.database = Some(Box::new(restored));
    }

    pub(super) fn truth(&self) -> Option<Truth> {
        self.truth.as_ref().map(|capsule| capsule.truth.clone())
    }

    /// No truth of the kind; that is a failure where there is one of another kind.
    pub(super) fn none<T>(&mut self, another: Option<Truth>) -> Option<T> {
        if another.is_some() {
            let why = "the capsule is of another kind than the dataset";
            self.note(Level::L6, "capsule", Found::failed(FailureCode::F2, why));
        }
        None
    }

    /// What a server is made of; where there is none, that is noted.
    pub(super) fn means(
        &mut self,
        version: Option<u32>,
        told: Option<String>,
        engines: fn(&Servers) -> &Vec<Engine>,
    ) -> Option<Means<'a>> {
        match self.find_means(version, told, engines) {
            Ok(means) => Some(means),
            Err(why) => {
                self.note(Level::L5, "start", Found::skipped(FailureCode::F8, why));
                None
            }
        }
    }

    fn find_means(
        &self,
        version: Option<u32>,
        told: Option<String>,
        engines: fn(&Servers) -> &Vec<Engine>,
    ) -> Result<Means<'a>, String> {
        let bench = self.bench;
        let servers = bench.servers.ok_or("isolation I0 starts no program")?;
        let confinement = servers.confinement.as_ref().map_err(Clone::clone)?;
        let engine = Engine::fitting(engines(servers), version).ok_or_else(|| match told {
            Some(version) => format!("no server of version {version} or newer is installed here"),
            None => "no server is installed here".to_owned(),
        })?;
        let place = bench.sandbox.server_place();
        let place = place.map_err(|error| error.to_string())?;
        let (run, limit, threads_count) = (bench.run, servers.limit, bench.threads_count);
        Ok(Means { run, confinement, engine, place, limit, threads_count })
    }
}
