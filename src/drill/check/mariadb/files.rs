//! L5 of a server's files: they come to one moment, and a server of their version runs on them.

use std::fs::File;
use std::path::Path;

use crate::capsule::Between;
use crate::capsule::mariadb::MariadbTruth;
use crate::capsule::mariadb::Rows;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::check::broken;
use crate::drill::check::is_full;
use crate::drill::check::mariadb::Restored;
use crate::drill::server::Means;
use crate::drill::server::mariadb::Asked;
use crate::drill::server::mariadb::Files;
use crate::drill::server::mariadb::Instance;
use crate::drill::server::mariadb::PREPARER;
use crate::drill::server::mariadb::UNPACKER;
use crate::drill::server::process::ProcessError;
use crate::drill::server::running::ServerError;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::run::Stopped;
use crate::source::database::mariadb;

/// Starts a server on the files in `folder`, and compares what it holds. Nothing if there is no
/// server; else also how far apart the readings of the source lie, in thousandths.
///
/// # Errors
/// When the run is stopped.
pub fn check<'a>(
    checks: &mut Checks<'_>,
    means: &Means<'a>,
    (folder, expected): (&Path, Option<&Between<MariadbTruth>>),
) -> Result<Option<(Restored<'a>, u64)>, Stopped> {
    checks.start();
    let Some(files) = unpacked(checks, means, folder)? else { return Ok(None) };
    let Some(server) = started(checks, means, files)? else { return Ok(None) };
    let restored = Restored { server, limit: means.limit, dumps: Vec::new() };
    let width = restored.compared(checks, (means.run, expected))?;
    Ok(Some((restored, width)))
}

/// Takes the stream apart, where its version has a server.
fn unpacked<'a>(
    checks: &mut Checks<'_>,
    means: &Means<'a>,
    folder: &Path,
) -> Result<Option<Files<'a>>, Stopped> {
    let id = (Level::L5, "mariadb.unpack");
    let path = folder.join(mariadb::FOLDER).join(mariadb::BASE);
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    let stream = is_file.then(|| File::open(&path)).and_then(Result::ok);
    let Some(stream) = stream else {
        let found = Found::equal(FailureCode::F2, "a stream of files", "none");
        checks.note(id, Weight::Mandatory, found);
        return Ok(None);
    };
    let found = match Files::unpack(means, stream) {
        Ok(files) if files.version == Some(means.engine.version) => {
            let version = means.engine.version;
            checks.note(id, Weight::Mandatory, Found::equal(FailureCode::F1, version, version));
            return Ok(Some(files));
        }
        Ok(files) => match files.version {
            Some(version) => {
                let why = format!("no server of version {version} is installed here");
                Found::skipped(FailureCode::F8, why)
            }
            None => Found::failed(FailureCode::F1, "the files name no version"),
        },
        Err(error) => of_files(error)?,
    };
    checks.note(id, Weight::Mandatory, found);
    Ok(None)
}

/// What it means for the files that a program of theirs failed.
fn of_files(error: ServerError) -> Result<Found, Stopped> {
    match error {
        ServerError::Process(ProcessError::Stopped(stopped)) => Err(stopped),
        ServerError::Process(error) => Ok(broken(&error)),
        ServerError::Ended { tool: UNPACKER | PREPARER, words, .. } if !is_full(&words) => {
            Ok(Found::failed(FailureCode::F1, words))
        }
        // It is the same machine for every snapshot: nothing is said of this one.
        error => Ok(Found::skipped(FailureCode::F8, error.to_string())),
    }
}

/// Brings the files to one moment, and starts a server on them that answers.
fn started<'a>(
    checks: &mut Checks<'_>,
    means: &Means<'a>,
    files: Files<'a>,
) -> Result<Option<Instance<'a>>, Stopped> {
    let prepared = match files.prepare() {
        Ok(()) => Found::equal(FailureCode::F1, "one moment", "one moment"),
        Err(error) => {
            let found = of_files(error)?;
            checks.note((Level::L5, "mariadb.prepare"), Weight::Mandatory, found);
            return Ok(None);
        }
    };
    checks.note((Level::L5, "mariadb.prepare"), Weight::Mandatory, prepared);
    let id = (Level::L5, "mariadb.start");
    let server = match files.start() {
        Ok(server) => server,
        Err(ServerError::Process(ProcessError::Stopped(stopped))) => return Err(stopped),
        // The programs are good: they have told their version. It is the files that are not.
        Err(error) => {
            checks.note(id, Weight::Mandatory, Found::failed(FailureCode::F3, error.to_string()));
            return Ok(None);
        }
    };
    // Whoever has no way in can say nothing of what is there.
    let answer = Asked(&server, means.limit).rows("select 1");
    means.run.check()?;
    if let Err(error) = answer {
        checks.note(id, Weight::Mandatory, Found::skipped(FailureCode::F8, error.to_string()));
        return Ok(None);
    }
    let version = server.version();
    checks.note(id, Weight::Mandatory, Found::equal(FailureCode::F3, version, version));
    Ok(Some(server))
}
