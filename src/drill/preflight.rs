//! What must hold before anything is restored.

use std::path::Path;

use crate::drill::apart;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::plan::Extent;
use crate::drill::plan::Kind;
use crate::drill::plan::Origin;
use crate::drill::plan::Plan;
use crate::drill::plan::Planned;
use crate::drill::plan::Room;
use crate::drill::record::Check;
use crate::drill::server::Engine;
use crate::drill::server::Servers;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::run::Run;

/// A sandbox needs so much more than what is restored, in tenths.
const SPACE_TENTHS: u64 = 13;
/// So much where a server takes it in: the archives, and its own files with all indexes.
const SPACE_TENTHS_LOADED: u64 = 30;

/// What the machine says of a folder's medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    pub free_bytes: u64,
}

/// Looks at everything; nothing is started if a mandatory one did not pass.
#[must_use]
pub fn look(run: &Run, plan: &Plan, servers: Option<&Servers>) -> Vec<Check> {
    let mut checks = Checks::new(run);
    let mut note = |what: &str, weight, found| {
        checks.note((Level::L0, what), weight, found);
    };
    note("PF.paths", Weight::Mandatory, paths(&plan.room));
    note("PF.space", Weight::Mandatory, space(plan));
    note("PF.engine", Weight::Minor, engine(plan, servers));
    let (weight, found) = isolation(servers);
    note("PF.isolation", weight, found);
    if plan.room.isolation.is_apart() {
        note("PF.apart", Weight::Mandatory, apart::look(run, &plan.room.production));
    }
    note("PF.lease", Weight::Mandatory, lease(&plan.room));
    note("PF.readonly", Weight::Minor, readonly(plan.room.origin));
    let clock = Found::skipped(FailureCode::F8, "no time server was asked");
    note("PF.clock", Weight::Minor, clock);
    let mut list = checks.list;
    for check in &mut list {
        // They belong to no rung.
        if let Some(name) = check.id.strip_prefix("L0.") {
            check.id = name.to_owned();
        }
    }
    list
}

/// The sandbox lies in no source and no storage, and holds none.
fn paths(room: &Room) -> Found {
    let real = |path: &Path| {
        let known = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
        known.map_or_else(
            || path.to_owned(),
            |(above, real)| real.join(path.strip_prefix(above).unwrap_or(Path::new(""))),
        )
    };
    let own = real(&room.path);
    if own.parent().is_none() {
        return Found::failed(FailureCode::F8, "the sandbox would be the root of a file system");
    }
    for foreign in &room.foreign {
        let other = real(foreign);
        if own.starts_with(&other) || other.starts_with(&own) {
            let detail = "the sandbox and a source or storage lie inside each other";
            return Found::failed(FailureCode::F8, detail);
        }
    }
    Found::equal(FailureCode::F8, "apart", "apart")
}

fn space(plan: &Plan) -> Found {
    let of = |item: &Planned| {
        let tenths = if item.kind.is_served() { SPACE_TENTHS_LOADED } else { SPACE_TENTHS };
        expected_bytes(item).saturating_mul(tenths) / 10
    };
    let needed: u64 = plan.items.iter().map(of).sum();
    let Some(space) = free(&plan.room.path) else {
        return Found::skipped(FailureCode::F8, "the free space cannot be told");
    };
    let allowed = plan.room.bytes_max.unwrap_or(u64::MAX).min(space.free_bytes);
    let found = Found {
        expected: Some(format!("{needed} bytes")),
        actual: Some(format!("{allowed} bytes")),
        ..Found::failed(FailureCode::F8, "free, and allowed to a drill")
    };
    if needed <= allowed { Found { result: Outcome::Pass, ..found } } else { found }
}

/// What is restored of an item; of a sample as many files of average size.
fn expected_bytes(item: &Planned) -> u64 {
    let snapshot = &item.snapshot;
    match item.extent {
        Extent::Sample(claim) if item.kind == Kind::Files => {
            let files = claim.files_count().min(snapshot.files_count);
            let bytes = u128::from(snapshot.content_bytes) * u128::from(files)
                / u128::from(snapshot.files_count.max(1));
            u64::try_from(bytes).unwrap_or(u64::MAX)
        }
        Extent::Streamed if item.kind == Kind::Files => 0,
        _ => snapshot.content_bytes,
    }
}

/// Free bytes of the medium that the folder, or the one above it that exists, lies on.
#[cfg(unix)]
fn free(path: &Path) -> Option<Space> {
    let above = path.ancestors().find(|above| above.exists())?;
    let stat = rustix::fs::statvfs(above).ok()?;
    Some(Space { free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize) })
}

#[cfg(not(unix))]
fn free(_path: &Path) -> Option<Space> {
    None
}

fn engine(plan: &Plan, servers: Option<&Servers>) -> Found {
    let absent = plan.items.iter().find_map(|item| match item.kind {
        Kind::Other(name) => Some(name),
        _ => None,
    });
    let lacks = |is_served: fn(Kind) -> bool, engines: fn(&Servers) -> &Vec<Engine>| {
        plan.items.iter().any(|item| is_served(item.kind))
            && servers.is_some_and(|servers| engines(servers).is_empty())
    };
    match absent {
        Some(name) => Found::skipped(FailureCode::F8, format!("no engine for {name} is driven")),
        None if lacks(Kind::is_postgresql, |servers| &servers.postgresql) => {
            Found::skipped(FailureCode::F8, "no server of PostgreSQL is installed here")
        }
        None if lacks(Kind::is_mariadb, |servers| &servers.mariadb) => {
            Found::skipped(FailureCode::F8, "no server of MariaDB is installed here")
        }
        None => Found::equal(FailureCode::F8, "built in", "built in"),
    }
}

/// Where no program is started there is nothing that a network could reach.
fn isolation(servers: Option<&Servers>) -> (Weight, Found) {
    if let Some(servers) = servers {
        // It is those datasets that are not looked at; the others are.
        let found = match &servers.confinement {
            Ok(_) => Found::equal(FailureCode::F8, "no network", "no network").with(
                "outside a port answered; inside it did not, one of its own did, and no storage \
                 was seen",
            ),
            Err(why) => return (Weight::Minor, Found::skipped(FailureCode::F8, why.as_str())),
        };
        return (Weight::Mandatory, found);
    }
    let found = Found::equal(FailureCode::F8, "no program", "no program");
    (Weight::Mandatory, found.with("restored data is read by this process alone"))
}

fn readonly(origin: Origin) -> Found {
    match origin {
        Origin::Folder => Found {
            result: Outcome::NotApplicable,
            ..Found::skipped(FailureCode::F8, "this storage is a folder: it cannot refuse a write")
        },
        Origin::Server => Found::skipped(
            FailureCode::F8,
            "not tried by a drill: `storage test` tells what the storage refuses",
        ),
    }
}

fn lease(room: &Room) -> Found {
    if room.lease.is_zero() {
        return Found::failed(FailureCode::F8, "no time is given");
    }
    let armed = format!("{} s", room.lease.as_secs());
    Found::equal(FailureCode::F8, &armed, &armed)
}
