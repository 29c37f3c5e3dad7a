//! `restore --record`: a real recovery as evidence.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::table::restore as texts;
use crate::cli::open;
use crate::cli::settings::place::Place;
use crate::cli::verb::continuity::load;
use crate::cli::verb::drill::ledger;
use crate::cli::verb::drill::run::carry;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::engine;
use crate::drill::record::About;
use crate::drill::record::Capsule;
use crate::drill::record::Environment;
use crate::drill::record::Item;
use crate::drill::record::Marks;
use crate::drill::record::Measures;
use crate::drill::record::People;
use crate::drill::record::Point;
use crate::drill::record::Privacy;
use crate::drill::record::REAL;
use crate::drill::record::Record;
use crate::drill::record::SCHEMA;
use crate::drill::verdict;
use crate::drill::verdict::Evidence;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::evidence::entry;
use crate::evidence::entry::Kind;
use crate::evidence::entry::OFFSET_MINUTES_DEFAULT;
use crate::evidence::ledger::Draft;
use crate::repository::keys::unlock::Unlocked;
use crate::restore::Report;
use crate::units::Timestamp;

/// Digits of a record's id in the name of its entry.
const ID_CHARS: usize = 12;

/// A storage that no configuration names.
const UNNAMED: &str = "unnamed";

/// What is put on record.
#[derive(Debug, Args)]
#[command(next_help_heading = "On record")]
pub struct RecordArgs {
    /// Put into the ledger what was restored, how much, in what time and with what end: no names of
    /// files, and nobody but the id of who led it.
    #[arg(long, conflicts_with_all = ["database", "server_files", "dry_run"])]
    pub record: bool,
    /// Who led it: an id under `[people]` of the continuity plan.
    #[arg(long, value_name = "ID", requires = "record")]
    pub operator: Option<String>,
    /// What had happened, in a few words without names.
    #[arg(long, value_name = "TEXT", requires = "record")]
    pub scenario: Option<String>,
}

/// How much of a snapshot was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Full,
    Part,
}

/// A restore that is over.
pub(super) struct Kept<'a> {
    pub(super) chosen: &'a Snapshot,
    pub(super) total: &'a Report,
    pub(super) duration: Duration,
    pub(super) mode: Mode,
}

#[derive(Serialize)]
struct Line {
    record_id: String,
    subject: String,
    ledger_code: String,
}

/// Adds the record to the ledger of the repository that it came from.
///
/// # Errors
/// When the ledger does not verify (23) or cannot be written.
pub(super) fn keep(
    context: &Context,
    unlocked: &Unlocked,
    (args, kept): (&RecordArgs, &Kept<'_>),
) -> Result<(), Failure> {
    let storage = open::storage(context)?;
    let record = record(context, (args, kept));
    let subject = record.drill.code.clone();
    let mut ledger = ledger::founded(context, &storage, unlocked)?;
    let writer = ledger::office(unlocked);
    let document = serde_json::to_value(&record).unwrap_or_default();
    ledger.append(&context.run, &writer, &Draft::new(Kind::Restore, &subject, document))?;
    let (checkpoint, _) = ledger.put_checkpoint(&writer)?;
    let code = checkpoint.code().to_string();
    let line = Line { record_id: record.record_id, subject, ledger_code: code };
    context.output.report("record", &line, || {
        let said = texts::ON_RECORD.with("subject", line.subject.as_str());
        said.with("code", line.ledger_code.as_str())
    })
}

/// The tag by which a backup of the configuration marks its snapshots; else the source.
fn dataset(snapshot: &Snapshot) -> String {
    let own = snapshot.tags.iter().filter(|tag| !snapshot.tags_later.contains(tag));
    let mut names = own.filter(|tag| entry::is_name(tag));
    let source = || format!("source-{}", snapshot.source.to_string().get(..8).unwrap_or_default());
    names.next().cloned().unwrap_or_else(source)
}

/// Who led it, if the plan knows somebody of this id.
fn people(context: &Context, operator: Option<&String>) -> Option<People> {
    let id = operator?;
    let known = load::names(context).contains_key(id);
    if !known {
        let id = crate::path::escape(id.as_bytes());
        context.output.warn(texts::NOBODY.with("id", id));
    }
    known.then(|| People { operator: Some(id.clone()), ..People::default() })
}

/// What the configuration calls the storage; an address may have somebody's name.
fn storage_name(context: &Context) -> String {
    let now = context.run.clock.now();
    let loaded = context.settings.config.load(&context.environment, now).ok();
    let config = loaded.as_ref().and_then(|loaded| loaded.found.config.as_ref());
    let Some(place) = &context.settings.repository else { return String::new() };
    let mut all = config.into_iter().flat_map(|config| &config.storages);
    let same = all.find(|(_, storage)| Place::of(storage).is(place));
    same.map_or_else(|| UNNAMED.to_owned(), |(name, _)| name.clone())
}

fn record(context: &Context, (args, kept): (&RecordArgs, &Kept<'_>)) -> Record {
    let now = context.run.clock.now();
    let took_ms = i64::try_from(kept.duration.as_millis()).unwrap_or(i64::MAX);
    let began = Timestamp { unix_ms: now.unix_ms.saturating_sub(took_ms) };
    let offset_s = i32::from(OFFSET_MINUTES_DEFAULT) * 60;
    let whole = |at: Timestamp| Timestamp { unix_ms: at.unix_ms - at.unix_ms.rem_euclid(1000) };
    let told = |at: Timestamp| engine::told(whole(at), offset_s);
    let record_id = context.run.id.to_string();
    let item = item(context, kept, (&storage_name(context), &told(kept.chosen.time)));
    Record {
        schema: SCHEMA.to_owned(),
        kind: REAL.to_owned(),
        record_id: record_id.clone(),
        legal_profile: None,
        org: None,
        drill: About {
            code: format!("restore-{}", record_id.get(..ID_CHARS).unwrap_or(&record_id)),
            class: REAL.to_owned(),
            title: REAL.to_owned(),
            period: told(now).chars().take(7).collect(),
            plan_ref: None,
            announced: true,
            objectives: Vec::new(),
            scenario: args.scenario.clone(),
            location: None,
            started_at: told(began),
            ended_at: told(now),
        },
        people: people(context, args.operator.as_ref()),
        selection: None,
        recovery: None,
        env: Environment {
            host: carry::machine(),
            os: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            tools: BTreeMap::from([("lifeboat".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
            ..Environment::default()
        },
        preflight: Vec::new(),
        verdict: item.verdict,
        items: vec![item],
        coverage: None,
        privacy: Privacy { personal_data: true, basis: None, access: Vec::new() },
        findings: Vec::new(),
        actions: Vec::new(),
    }
}

/// What came back, as a drill would say it of the rungs that a restore itself climbs.
fn item(context: &Context, kept: &Kept<'_>, (storage, taken_at): (&str, &str)) -> Item {
    let Kept { chosen, total, duration, mode } = kept;
    let mut checks = Checks::new(&context.run);
    let lost = total.lost_nodes_count + total.failed_count;
    let found = match total.unread_count {
        0 => Found::equal(FailureCode::F1, 0, lost),
        count => Found::skipped(FailureCode::F6, format!("{count} could not be read")),
    };
    checks.note((Level::L0, "restore.objects"), Weight::Mandatory, found);
    let there = total.restored_count + total.kept_count;
    let found = Found::equal(FailureCode::F2, total.asked_count, there);
    checks.note((Level::L1, "restore.bytes"), Weight::Mandatory, found);
    let took_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1);
    let measures = Measures {
        rto_tech_s: Some(took_ms.div_ceil(1000)),
        throughput_bps: Some(total.restored_bytes.saturating_mul(1000) / took_ms),
        ..Measures::default()
    };
    let evidence = Evidence {
        checks: &checks.list,
        measures: &measures,
        capsule: Capsule::Absent,
        width_permille: 0,
        broken: false,
    };
    let (verdict, failures) = (verdict::item(&evidence), verdict::failures(&evidence));
    let proof_level = verdict::proof_level(&checks.list, Capsule::Absent);
    Item {
        service: None,
        dataset: dataset(chosen),
        machine: String::from_utf8_lossy(&chosen.host).into_owned(),
        criticality: None,
        snapshot: chosen.id.to_string(),
        taken_at: taken_at.to_owned(),
        point: Point { kind: "backup_began".to_owned(), at: taken_at.to_owned() },
        stratum: String::new(),
        drawn_among: Vec::new(),
        drawn_root: None,
        target: storage.to_owned(),
        domain: None,
        mode: if *mode == Mode::Full { "full" } else { "part" }.to_owned(),
        claim: None,
        sample: None,
        logical_bytes: chosen.content_bytes,
        read_bytes: total.restored_bytes,
        files_count: chosen.files_count,
        checked_count: total.verified_count,
        marks: Marks { t4_ms: Some(took_ms), t3_ms: Some(0), ..Marks::default() },
        measures,
        checks: checks.list,
        capsule: Capsule::Absent,
        proof_level,
        min_proof: Level::L1,
        verdict,
        failures,
        attack_signs: false,
    }
}
