//! L5 of a server's files: they are what their manifest says, and a server of their version runs
//! on them.

use std::fs::File;
use std::path::Path;

use crate::capsule::Between;
use crate::capsule::postgresql::PostgresqlTruth;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::check::broken;
use crate::drill::check::capsule;
use crate::drill::check::is_full;
use crate::drill::check::postgresql::Archive;
use crate::drill::check::postgresql::Form;
use crate::drill::check::postgresql::Restored;
use crate::drill::server::Means;
use crate::drill::server::postgresql::Cluster;
use crate::drill::server::postgresql::Files;
use crate::drill::server::postgresql::UNPACKER;
use crate::drill::server::process::ProcessError;
use crate::drill::server::running::ServerError;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::run::Stopped;
use crate::source::database::postgresql;
use crate::source::stream::command::last_lines;

/// Starts a server on the files in `folder`, and compares what it holds. Nothing if there is no
/// server; else also how far apart the readings of the source lie, in thousandths.
///
/// # Errors
/// When the run is stopped.
pub fn check<'a>(
    checks: &mut Checks<'_>,
    means: &Means<'a>,
    (folder, expected): (&Path, Option<&Between<PostgresqlTruth>>),
) -> Result<Option<(Restored<'a>, u64)>, Stopped> {
    checks.start();
    let Some(files) = unpacked(checks, means, folder)? else { return Ok(None) };
    if verified(checks, &files)? == Whole::No {
        return Ok(None);
    }
    let id = (Level::L5, "postgresql.start");
    let cluster = match files.start() {
        Ok(cluster) => cluster,
        Err(ServerError::Process(ProcessError::Stopped(stopped))) => return Err(stopped),
        // The programs are good: they have told their version. It is the files that are not.
        Err(error) => {
            checks.note(id, Weight::Mandatory, Found::failed(FailureCode::F3, error.to_string()));
            return Ok(None);
        }
    };
    let version = cluster.version();
    checks.note(id, Weight::Mandatory, Found::equal(FailureCode::F3, version, version));
    let Some(restored) = held(checks, means, cluster)? else { return Ok(None) };
    let (found, amchecked) =
        restored.read(checks, (means.run, expected.map(|between| &between.before)))?;
    let width = match (expected, found) {
        (Some(expected), Some(found)) => capsule::postgresql_files(checks, expected, &found),
        _ => 0,
    };
    restored.amcheck(checks, means.run, amchecked)?;
    Ok(Some((restored, width)))
}

/// Takes the archive apart, where its version has a server.
fn unpacked<'a>(
    checks: &mut Checks<'_>,
    means: &Means<'a>,
    folder: &Path,
) -> Result<Option<Files<'a>>, Stopped> {
    let id = (Level::L5, "postgresql.unpack");
    let path = folder.join(postgresql::FOLDER).join(postgresql::BASE);
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    let archive = is_file.then(|| File::open(&path)).and_then(Result::ok);
    let Some(archive) = archive else {
        let found = Found::equal(FailureCode::F2, "an archive of files", "none");
        checks.note(id, Weight::Mandatory, found);
        return Ok(None);
    };
    let found = match Files::unpack(means, archive) {
        Ok(files) if files.version() == Some(means.engine.version) => {
            let version = means.engine.version;
            checks.note(id, Weight::Mandatory, Found::equal(FailureCode::F1, version, version));
            return Ok(Some(files));
        }
        Ok(files) => match files.version() {
            Some(version) => {
                let why = format!("no server of version {version} is installed here");
                Found::skipped(FailureCode::F8, why)
            }
            None => Found::failed(FailureCode::F1, "the files name no version"),
        },
        Err(ServerError::Process(ProcessError::Stopped(stopped))) => return Err(stopped),
        Err(ServerError::Process(error)) => broken(&error),
        Err(ServerError::Ended { tool: UNPACKER, words, .. }) if !is_full(&words) => {
            Found::failed(FailureCode::F1, words)
        }
        // It is the same machine for every snapshot: nothing is said of this one.
        Err(error) => Found::skipped(FailureCode::F8, error.to_string()),
    };
    checks.note(id, Weight::Mandatory, found);
    Ok(None)
}

#[derive(PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// Every file against the manifest that the server wrote; files have numbers as names.
fn verified(checks: &mut Checks<'_>, files: &Files<'_>) -> Result<Whole, Stopped> {
    let id = (Level::L5, "postgresql.verifybackup");
    let (found, whole) = match files.verify() {
        Ok(None) => {
            let why = "the archive has no manifest of its files";
            checks.note(id, Weight::Minor, Found::skipped(FailureCode::F8, why));
            return Ok(Whole::Yes);
        }
        Ok(Some(ended)) if ended.code == Some(0) => {
            (Found::equal(FailureCode::F1, "as written", "as written"), Whole::Yes)
        }
        Ok(Some(ended)) => (Found::failed(FailureCode::F1, last_lines(&ended.stderr)), Whole::No),
        Err(ProcessError::Stopped(stopped)) => return Err(stopped),
        Err(error) => (broken(&error), Whole::No),
    };
    checks.note(id, Weight::Mandatory, found);
    Ok(whole)
}

/// Every database of the server.
fn held<'a>(
    checks: &mut Checks<'_>,
    means: &Means<'a>,
    cluster: Cluster<'a>,
) -> Result<Option<Restored<'a>>, Stopped> {
    let names = cluster.databases(means.limit);
    means.run.check()?;
    let Ok(names) = names else {
        let found = Found::failed(FailureCode::F1, "the server does not name its databases");
        checks.note((Level::L5, "postgresql.read"), Weight::Mandatory, found);
        return Ok(None);
    };
    let path = means.place.clone();
    let archive = |name: String| Archive {
        database: name.clone(),
        name,
        path: path.clone(),
        form: Form::Archive,
        is_there: true,
    };
    let archives = names.into_iter().map(archive).collect();
    Ok(Some(Restored { cluster, limit: means.limit, archives }))
}
