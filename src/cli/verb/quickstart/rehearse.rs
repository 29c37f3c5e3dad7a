//! The drill at the end of `quickstart`: the one restore, checked, judged, recorded and printed.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::backup::snapshot::BackupReport;
use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::quickstart as texts;
use crate::cli::verb::drill::keep::Drills;
use crate::cli::verb::drill::list::report;
use crate::cli::verb::drill::run::carry;
use crate::cli::verb::drill::run::carry::Carried;
use crate::cli::verb::drill::run::carry::Desk;
use crate::cli::verb::drill::run::follow;
use crate::cli::verb::drill::run::pick;
use crate::cli::verb::quickstart::compare::Compared;
use crate::drill::plan::Extent;
use crate::drill::plan::Isolation;
use crate::drill::plan::Kind;
use crate::drill::plan::More;
use crate::drill::plan::Origin;
use crate::drill::plan::Plan;
use crate::drill::plan::Room;
use crate::drill::plan::Targets;
use crate::drill::sandbox::Sandbox;
use crate::path::escape;
use crate::run::Stopped;

/// A whole disk is restored within this, or it is no conclusion.
const LEASE: Duration = Duration::from_secs(24 * 3600);
/// As the configuration calls them that is left.
pub const DATASET: &str = "files";
const STORAGE: &str = "main";
const ZONE: &str = "Asia/Ho_Chi_Minh";
/// Nobody has to sign it.
const CLASS: &str = "D1";

/// What came of it.
pub struct Rehearsed {
    pub carried: Carried,
    pub compared: Compared,
    pub compare: Duration,
}

/// Restores the new snapshot in a drill, and compares what was restored with its source beside.
///
/// # Errors
/// When the snapshot is not listed, or the drill cannot be held.
pub fn rehearse(
    context: &Context,
    keys: &Keys,
    (paths, storage, made): (&[PathBuf], &Path, &BackupReport),
    compare: &dyn Fn(&Path) -> Result<Compared, Stopped>,
) -> Result<Rehearsed, Failure> {
    let drills = Drills::new(context)?;
    carry::clear(context, &drills, keys)?;
    // Found as anybody would find it: in storage, by its signature.
    let snapshots = opened::list(context, keys)?;
    let id = made.snapshot.map(|place| place.id);
    let found = snapshots.iter().find(|snapshot| Some(snapshot.id) == id);
    let found =
        found.ok_or_else(|| Failure::new(Exit::Damage, texts::NOT_LISTED, texts::RUN_CHECK))?;
    let item = pick::planned(
        (DATASET, Kind::Files, Extent::Full),
        found,
        ("newest", STORAGE, Targets::default()),
        More::default(),
    );
    let foreign = paths.iter().cloned().chain([storage.to_owned()]).collect();
    let mut name = storage.file_name().unwrap_or_default().to_owned();
    name.push("-drill");
    let place = storage.with_file_name(name);
    let room = Room {
        path: place.clone(),
        bytes_max: None,
        lease: LEASE,
        isolation: Isolation::I0,
        foreign,
        hidden: vec![storage.to_owned()],
        production: Vec::new(),
        origin: Origin::Folder,
    };
    let called = (CLASS, "quickstart");
    let plan = Plan { items: vec![item], ..carry::plan(context, called, (ZONE, room)) };
    let desk = Desk { drills: &drills, keys, snapshots: &snapshots };
    let mut compared = Ok(Compared::default());
    let mut took = Duration::ZERO;
    let mut look = |sandbox: &Sandbox| {
        let began = context.run.clock.elapsed();
        compared = compare(&sandbox.content(0));
        took = context.run.clock.elapsed().saturating_sub(began);
    };
    let carried = carry::carry(context, &desk, (&plan, &mut look))?;
    follow::mark_proven(context, &desk, &carried.record);
    // Others may have theirs in it.
    let _others_are_there = std::fs::remove_dir(&place);
    Ok(Rehearsed { carried, compared: compared?, compare: took })
}

/// Minutes as PDF and page, and the record: beside the configuration, or else beside the record.
///
/// # Errors
/// When one cannot be made or kept.
pub fn documents(
    context: &Context,
    rehearsed: &Rehearsed,
    beside: Option<&Path>,
) -> Result<Vec<String>, Failure> {
    let drills = Drills::new(context)?;
    let record = &rehearsed.carried.record;
    let language = context.output.language();
    let files = report::all(context, &drills, &record.record_id, (language, beside))?;
    Ok(files.iter().map(|it| escape(it.as_os_str().as_encoded_bytes())).collect())
}
