//! From the configuration and the list of snapshots to the plan of a drill.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::choose::snapshot::Snapshot;
use crate::cli::verb::drill::run::production;
use crate::config::Config;
use crate::config::drill as config;
use crate::config::drill::Check;
use crate::config::drill::Class;
use crate::config::drill::Drill;
use crate::config::drill::Isolation;
use crate::config::drill::Mode;
use crate::config::drill::Stratum;
use crate::config::job::Backup;
use crate::config::job::Method;
use crate::config::job::Source;
use crate::config::job::truth::Truth;
use crate::config::storage::Storage;
use crate::drill::plan;
use crate::drill::plan::Choice;
use crate::drill::plan::Copied;
use crate::drill::plan::Custom;
use crate::drill::plan::Extent;
use crate::drill::plan::Kind;
use crate::drill::plan::More;
use crate::drill::plan::Origin;
use crate::drill::plan::Planned;
use crate::drill::plan::Probe;
use crate::drill::plan::Room;
use crate::drill::plan::Targets;
use crate::drill::sample::Claim;
use crate::path::SnapshotPath;
use crate::retention::DRILL_PROVEN;

/// Hard end of a drill that names none, by class.
const LEASE_D1: Duration = Duration::from_secs(2 * 3600);
const LEASE: Duration = Duration::from_secs(8 * 3600);

/// Of a class.
#[must_use]
pub const fn class_name(class: Class) -> &'static str {
    match class {
        Class::D1 => "D1",
        Class::D2 => "D2",
        Class::D3 => "D3",
        Class::D4 => "D4",
    }
}

#[must_use]
pub const fn stratum_name(stratum: Stratum) -> &'static str {
    match stratum {
        Stratum::Newest => "newest",
        Stratum::Oldest => "oldest",
        Stratum::Middle => "middle",
        Stratum::Drawn => "drawn",
    }
}

/// How much of a snapshot is restored.
#[must_use]
pub const fn extent(drill: &Drill) -> Extent {
    match (drill.mode, drill.claim) {
        (Mode::Full, _) => Extent::Full,
        (Mode::Streamed, _) => Extent::Streamed,
        (Mode::Sample, config::Claim::Percent5) => Extent::Sample(Claim::Percent5),
        (Mode::Sample, config::Claim::Percent1) => Extent::Sample(Claim::Percent1),
        (Mode::Sample, config::Claim::Permille1) => Extent::Sample(Claim::Permille1),
    }
}

/// What is in a dataset of the configuration.
#[must_use]
pub fn kind_of(source: &Source) -> Kind {
    match source {
        Source::Files(_) => Kind::Files,
        Source::Sqlite { .. } => Kind::Sqlite,
        Source::Command { truth: None, .. } => Kind::Stream,
        Source::Command { truth: Some(truth), .. } => match &**truth {
            Truth::Sqlite { .. } => Kind::Copy(Copied::Sqlite),
            Truth::Postgresql(_) => Kind::Copy(Copied::Postgresql),
            Truth::Mariadb(_) => Kind::Copy(Copied::Mariadb),
            Truth::Mail { .. } => Kind::Copy(Copied::Mail),
            Truth::Command { .. } => Kind::Copy(Copied::Told),
            Truth::Mssql => Kind::Other("mssql"),
        },
        Source::Postgresql(server) => match server.method {
            Method::Dump => Kind::Postgresql,
            Method::Physical => Kind::PostgresqlFiles,
        },
        Source::Mariadb(server) => match server.method {
            Method::Dump => Kind::Mariadb,
            Method::Physical => Kind::MariadbFiles,
        },
    }
}

/// As a plan has it.
#[must_use]
pub const fn isolation(isolation: Isolation) -> plan::Isolation {
    match isolation {
        Isolation::I0 => plan::Isolation::I0,
        Isolation::I1 => plan::Isolation::I1,
        Isolation::I2 => plan::Isolation::I2,
        Isolation::I3 => plan::Isolation::I3,
    }
}

/// Where it happens, and what must not be touched.
#[must_use]
pub fn room(config: &Config, drill: &Drill) -> Room {
    let mut foreign: Vec<PathBuf> = Vec::new();
    for backup in &config.backups {
        match &backup.source {
            Source::Files(files) => foreign.extend(files.paths.iter().cloned()),
            Source::Sqlite { path } => foreign.push(path.clone()),
            Source::Command { .. } | Source::Postgresql(_) | Source::Mariadb(_) => {}
        }
    }
    let folder = |storage: &Storage| match storage {
        Storage::Folder { path } => Some(path.clone()),
        _ => None,
    };
    let hidden: Vec<PathBuf> = config.storages.values().filter_map(folder).collect();
    foreign.extend(hidden.iter().cloned());
    let lease = if drill.class == Class::D1 { LEASE_D1 } else { LEASE };
    Room {
        path: drill.sandbox.path.clone(),
        bytes_max: drill.sandbox.bytes_max,
        lease: drill.sandbox.lease.unwrap_or(lease),
        isolation: isolation(drill.sandbox.isolation),
        foreign,
        hidden,
        production: production::addresses(config, drill),
        origin: match config.storages.get(&drill.storage) {
            Some(Storage::Folder { .. }) => Origin::Folder,
            _ => Origin::Server,
        },
    }
}

/// The snapshot of a dataset by its age; those under suspicion do not count.
#[must_use]
pub fn snapshot<'s>(all: &'s [Snapshot], dataset: &str, stratum: Stratum) -> Option<&'s Snapshot> {
    let is_own = |snapshot: &&Snapshot| {
        snapshot.suspect_since.is_none() && snapshot.tags.iter().any(|tag| tag == dataset)
    };
    of_age(all.iter().filter(is_own).collect(), stratum)
}

/// The one of these by its age.
#[must_use]
pub fn of_age(mut own: Vec<&Snapshot>, stratum: Stratum) -> Option<&Snapshot> {
    own.sort_by_key(|snapshot| (snapshot.time, snapshot.seq));
    match stratum {
        Stratum::Newest | Stratum::Drawn => own.last().copied(),
        Stratum::Oldest => own.first().copied(),
        Stratum::Middle => own.get(own.len() / 2).copied(),
    }
}

/// Those among which one is drawn; none where it is told which one it is.
#[must_use]
pub fn choices(all: &[Snapshot], (drill, backup): (&Drill, &Backup)) -> Vec<Choice> {
    if drill.stratum != Stratum::Drawn {
        return Vec::new();
    }
    let choice = |stratum: Stratum| {
        let found = snapshot(all, &backup.name, stratum)?;
        Some(Choice {
            stratum: stratum_name(stratum).to_owned(),
            snapshot: of(found),
            shrink: more(all, backup, found).shrink,
        })
    };
    [Stratum::Newest, Stratum::Oldest, Stratum::Middle].into_iter().filter_map(choice).collect()
}

fn of(snapshot: &Snapshot) -> plan::Snapshot {
    plan::Snapshot {
        id: snapshot.id.to_string(),
        time: snapshot.time,
        host: String::from_utf8_lossy(&snapshot.host).into_owned(),
        root: snapshot.root.clone(),
        capsules: snapshot.capsules.clone(),
        content_bytes: snapshot.content_bytes,
        files_count: snapshot.files_count,
    }
}

/// One snapshot as an item.
#[must_use]
pub fn planned(
    (dataset, kind, extent): (&str, Kind, Extent),
    snapshot: &Snapshot,
    (stratum, storage, targets): (&str, &str, Targets),
    more: More,
) -> Planned {
    Planned {
        dataset: dataset.to_owned(),
        kind,
        extent,
        snapshot: of(snapshot),
        choices: Vec::new(),
        stratum: stratum.to_owned(),
        storage: storage.to_owned(),
        targets,
        more,
    }
}

/// What the configuration says of a dataset, and what its snapshots were like before this one.
#[must_use]
pub fn more(all: &[Snapshot], backup: &Backup, chosen: &Snapshot) -> More {
    let stored = |path: &PathBuf| SnapshotPath::from_user(path.as_os_str().as_encoded_bytes()).ok();
    let canary = backup.canary.as_ref().and_then(|canary| stored(&canary.path));
    let mut more = More { canary, ..More::default() };
    match &backup.source {
        Source::Files(files) => {
            more.mail = files.mail.iter().filter_map(stored).collect();
            let percent_max = backup.expect.shrink_max_percent;
            more.shrink = before(all, &backup.name, chosen).map(|it| plan::Shrink {
                percent_max,
                files_count: it.files_count,
                content_bytes: it.content_bytes,
            });
        }
        Source::Command { truth: Some(truth), .. } => {
            if let Truth::Command { restored, .. } = &**truth {
                more.told = restored.iter().map(OsString::from).collect();
            }
        }
        _ => {}
    }
    more
}

/// The newest snapshot before this one that a drill has proven; where there is none the one before.
fn before<'s>(all: &'s [Snapshot], dataset: &str, chosen: &Snapshot) -> Option<&'s Snapshot> {
    let is_older = |it: &&Snapshot| {
        (it.time, it.seq) < (chosen.time, chosen.seq)
            && it.host == chosen.host
            && it.suspect_since.is_none()
            && it.tags.iter().any(|tag| tag == dataset)
    };
    let newest = |all: Vec<&'s Snapshot>| all.into_iter().max_by_key(|it| (it.time, it.seq));
    let older: Vec<&Snapshot> = all.iter().filter(is_older).collect();
    let proven =
        older.iter().copied().filter(|it| it.tags_later.iter().any(|tag| tag == DRILL_PROVEN));
    newest(proven.collect()).or_else(|| newest(older))
}

/// What a backup is asked for by the configuration alone.
#[must_use]
pub fn targets(backup: &Backup) -> Targets {
    Targets { rpo_s: backup.expect.age_max.map(|age| age.as_secs()), ..Targets::default() }
}

/// A check of the file.
#[must_use]
pub fn check(check: &Check) -> Custom {
    match check.clone() {
        Check::File { dataset, path, bytes_min } => {
            Custom::File { dataset, path, bytes_min: bytes_min.unwrap_or(0) }
        }
        Check::Sql { dataset, query, min, max } => Custom::Sql { dataset, query, min, max },
        Check::Command { dataset, argv } => {
            Custom::Command { dataset, argv: argv.into_iter().map(OsString::from).collect() }
        }
        Check::Newest { dataset, query, argv, age_max } => {
            let probe = match (query, argv) {
                (Some(query), _) => Probe::Sql(query),
                (None, Some(argv)) => {
                    Probe::Command(argv.into_iter().map(OsString::from).collect())
                }
                (None, None) => Probe::Inside,
            };
            Custom::Newest { dataset, probe, age_max_s: age_max.map(|age| age.as_secs()) }
        }
    }
}
