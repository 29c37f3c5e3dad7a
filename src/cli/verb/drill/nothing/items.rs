//! What a drill from nothing restores: what the kit's configuration names, or without one what the
//! snapshots themselves say they are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::capsule::Capsule;
use crate::capsule::Truth;
use crate::cli::choose::opened::Keys;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::table::keeping::nothing as texts;
use crate::cli::settings::place::Place;
use crate::cli::verb::drill::nothing::NothingArgs;
use crate::cli::verb::drill::run;
use crate::cli::verb::drill::run::asked::Asked;
use crate::cli::verb::drill::run::carry;
use crate::cli::verb::drill::run::pick;
use crate::cli::verb::drill::run::production;
use crate::config;
use crate::config::Config;
use crate::config::drill::Choice;
use crate::config::drill::Class;
use crate::config::drill::Drill;
use crate::config::drill::Mode;
use crate::drill::plan::Copied;
use crate::drill::plan::Extent;
use crate::drill::plan::Kind;
use crate::drill::plan::More;
use crate::drill::plan::Origin;
use crate::drill::plan::Plan;
use crate::drill::plan::Room;
use crate::drill::plan::Targets;
use crate::evidence::entry;
use crate::format::object::ObjectKind;
use crate::path::escape;

/// How such a drill is called.
const TITLE: &str = "from-nothing";
/// Where its sandbox is made.
const SANDBOX: &str = "sandbox";
/// Hard end: somebody stands beside it.
const LEASE: Duration = Duration::from_secs(24 * 3600);
/// Of an office without a configuration.
const ZONE: &str = "Asia/Ho_Chi_Minh";

/// Where restored data lies meanwhile.
#[must_use]
pub fn sandbox(args: &NothingArgs) -> PathBuf {
    args.sandbox.clone().unwrap_or_else(|| args.folder.join(SANDBOX))
}

/// What the storage is called in the record: as the configuration does, or by its address.
fn storage_name(context: &Context, args: &NothingArgs, config: Option<&Config>) -> String {
    if let Some(name) = &args.storage {
        return name.clone();
    }
    let Some(place) = &context.settings.repository else { return String::new() };
    let same = config.and_then(|config| {
        let mut all = config.storages.iter();
        all.find(|(_, storage)| Place::of(storage).is(place)).map(|(name, _)| name.clone())
    });
    same.unwrap_or_else(|| place.shown())
}

/// The whole plan.
///
/// # Errors
/// When a dataset or a person is named that nobody knows (2).
pub fn plan(
    context: &Context,
    args: &NothingArgs,
    (config, keys, snapshots): (Option<&Config>, &Keys, &[Snapshot]),
) -> Result<Plan, Failure> {
    let storage = storage_name(context, args, config);
    match config.and_then(|config| Some((config, drill(args, config, storage.clone())?))) {
        Some((config, drill)) => {
            known(args, config.backups.iter().map(|backup| backup.name.as_str()).collect())?;
            let asked = Asked::read(context, (config, &drill), args.operator.as_deref())?;
            let plan = run::plan(context, (config, &drill), (&asked, snapshots))?;
            let mut room = plan.room.clone();
            let repository = context.settings.repository.as_ref();
            let own = repository.and_then(Place::as_folder);
            room.foreign.extend(own.cloned());
            room.hidden.extend(own.cloned());
            room.origin = origin(context);
            // The configuration may not know the address that is restored from.
            let server = repository.and_then(|place| production::of_storage(place.storage()));
            room.production
                .retain(|it| Some(it) != server.as_ref() || args.apart_from.contains(it));
            // What other machines have drilled, this one does not know.
            Ok(Plan { room, coverage: None, ..plan })
        }
        None => told(context, args, (&storage, keys, snapshots)),
    }
}

/// Every dataset that was asked for by its name is one.
fn known(args: &NothingArgs, all: Vec<&str>) -> Result<(), Failure> {
    let strange = args.dataset.iter().find(|name| !all.contains(&name.as_str()));
    let Some(name) = strange else { return Ok(()) };
    let message = texts::NO_DATASET.with("name", escape(name.as_bytes()));
    Err(Failure::usage(message.with("datasets", all.join(", ")), texts::NAME_DATASET))
}

/// As a `[[drill]]` would say it; none where nothing is backed up.
fn drill(args: &NothingArgs, config: &Config, storage: String) -> Option<Drill> {
    let schedule = config.backups.first()?.schedule.clone();
    // A storage that the configuration does not know may hold any of them.
    let named = match (args.dataset.is_empty(), config.storages.contains_key(&storage)) {
        (true, false) => config.backups.iter().map(|backup| backup.name.clone()).collect(),
        _ => args.dataset.clone(),
    };
    Some(Drill {
        name: TITLE.to_owned(),
        class: Class::D3,
        datasets: named,
        selection: Choice::Named,
        storage,
        stratum: args.stratum.of(),
        mode: Mode::Full,
        claim: config::drill::Claim::Percent1,
        schedule,
        sandbox: config::drill::Sandbox {
            path: sandbox(args),
            bytes_max: None,
            lease: Some(LEASE),
            isolation: args.isolation.of(),
            apart_from: args.apart_from.clone(),
        },
        report: None,
        checks: Vec::new(),
        operator: args.operator.clone(),
        is_announced: true,
        scenario: args.scenario.clone(),
        location: args.location.clone(),
        at: 0,
    })
}

/// Without a configuration: each dataset by the first of its tags, and what it is by its capsule.
fn told(
    context: &Context,
    args: &NothingArgs,
    (storage, keys, snapshots): (&str, &Keys, &[Snapshot]),
) -> Result<Plan, Failure> {
    let mut datasets: BTreeMap<String, Vec<Snapshot>> = BTreeMap::new();
    for snapshot in snapshots.iter().filter(|it| it.suspect_since.is_none()) {
        datasets.entry(name(snapshot)).or_default().push(snapshot.clone());
    }
    known(args, datasets.keys().map(String::as_str).collect())?;
    let stratum = args.stratum.of();
    let mut items = Vec::new();
    for (dataset, own) in &datasets {
        if !args.dataset.is_empty() && !args.dataset.contains(dataset) {
            continue;
        }
        let chosen = pick::of_age(own.iter().collect(), stratum);
        let Some(chosen) = chosen else { continue };
        let kind = kind_of(context, keys, chosen);
        let place = (pick::stratum_name(stratum), storage, Targets::default());
        let called = (dataset.as_str(), kind, Extent::Full);
        items.push(pick::planned(called, chosen, place, More::default()));
    }
    let plan = bare(context, args);
    Ok(Plan { items, programs: programs(context), ..plan })
}

/// A drill of nothing yet.
#[must_use]
pub fn bare(context: &Context, args: &NothingArgs) -> Plan {
    let place = context.settings.repository.as_ref().and_then(Place::as_folder);
    let foreign: Vec<PathBuf> = place.into_iter().cloned().collect();
    let room = Room {
        path: sandbox(args),
        bytes_max: None,
        lease: LEASE,
        isolation: pick::isolation(args.isolation.of()),
        production: args.apart_from.clone(),
        origin: origin(context),
        hidden: foreign.clone(),
        foreign,
    };
    Plan {
        scenario: args.scenario.clone(),
        location: args.location.clone(),
        ..carry::plan(context, (pick::class_name(Class::D3), TITLE), (ZONE, room))
    }
}

/// What is restored from.
fn origin(context: &Context) -> Origin {
    match context.settings.repository.as_ref().and_then(Place::as_folder) {
        Some(_) => Origin::Folder,
        None => Origin::Server,
    }
}

/// Where programs of servers may be.
fn programs(context: &Context) -> Vec<PathBuf> {
    let path = context.environment.get("PATH");
    let all: Vec<PathBuf> =
        path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    all.into_iter().filter(|path| path.is_absolute()).collect()
}

/// The first tag that came with the snapshot and can name something; else its source.
fn name(snapshot: &Snapshot) -> String {
    let own = snapshot.tags.iter().filter(|tag| !snapshot.tags_later.contains(tag));
    let mut names = own.filter(|tag| entry::is_name(tag));
    let source = || format!("source-{}", snapshot.source.to_string().get(..8).unwrap_or_default());
    names.next().cloned().unwrap_or_else(source)
}

/// What is in it, as its truth was recorded. Of some kinds only the configuration knows how their
/// copy was made.
fn kind_of(context: &Context, keys: &Keys, snapshot: &Snapshot) -> Kind {
    let Some(reference) = snapshot.capsules.first() else { return Kind::Files };
    let read = keys.repository.data(&context.run, reference, ObjectKind::Capsule);
    let capsule = read.ok().and_then(|bytes| Capsule::decode(&bytes).ok());
    match capsule.map(|capsule| capsule.truth) {
        // One that cannot be read is told when it is compared.
        None | Some(Truth::Folder(_)) => Kind::Files,
        Some(Truth::Sqlite(_)) => Kind::Sqlite,
        Some(Truth::SqliteCopy(_)) => Kind::Copy(Copied::Sqlite),
        Some(Truth::Postgresql(_)) => Kind::Postgresql,
        Some(Truth::Mail(_)) => Kind::Copy(Copied::Mail),
        Some(Truth::PostgresqlFiles(_)) => Kind::Other("postgresql without the kit"),
        Some(Truth::Mariadb(_)) => Kind::Other("mariadb without the kit"),
        Some(Truth::Told(_)) => Kind::Other("an office's own program without the kit"),
    }
}
