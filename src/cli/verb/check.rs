//! `check`: whether everything restores.

use clap::Args;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::choose::opened::Listed;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::rotation;
use crate::cli::language::table::read as texts;
use crate::cli::local::Local;
use crate::cli::local::heads::Heads;
use crate::cli::open;
use crate::crypto::sealed::keyset::AgentKeyset;
use crate::crypto::sign::VerifyingKey;
use crate::format::config::ConfigRecord;
use crate::ids::SnapshotId;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::unlock::Unlocked;
use crate::repository::open::Repository;
use crate::repository::trust::Enrolled;
use crate::run::monitor::Severity;
use crate::units::Bytes;
use crate::vault::chains::Copies;
use crate::vault::chains::Scope;
use crate::vault::scrub::Subset;
use crate::vault::scrub::Trust;
use crate::vault::scrub::graph;
use crate::vault::scrub::report::BadLocation;
use crate::vault::scrub::report::Class;
use crate::vault::scrub::report::Kind;
use crate::vault::scrub::report::Level;
use crate::vault::scrub::report::LostFile;
use crate::vault::scrub::report::LostPart;
use crate::vault::scrub::report::Part;
use crate::vault::scrub::report::Report;
use crate::vault::scrub::report::Verdict;
use crate::verify;
use crate::verify::Depth;
use crate::verify::Options;

/// Find out whether everything restores.
///
/// Says OK if and only if all of what it looks at is whole, and names how deep it looked: `listed`
/// (names, sizes, chains of snapshots, small records), `linked` (trees walked, every object there),
/// `read` (every byte hashed), `opened` (every byte opened and compared with the files' digests).
///
/// Exit codes: 0 all is whole; 3 everything restores, but a second copy is bad or missing; 20
/// something is lost, or a snapshot is gone without a reason. Nothing is changed.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Read, open and compare every byte.
    #[arg(long, conflicts_with = "read_data_subset")]
    pub read_data: bool,
    /// Read a part: `2/7` (the second of seven), `5%` or `10GiB`; the last two go on each day.
    #[arg(long, value_name = "PART", value_parser = subset)]
    pub read_data_subset: Option<Subset>,
    /// Ask for no passphrase: look as deep as this machine's own keys allow, or without any key at
    /// names, sizes and hashes only.
    #[arg(long, conflicts_with = "snapshot")]
    pub structure_only: bool,
    /// Only these snapshots.
    #[arg(long, value_name = "SNAPSHOT")]
    pub snapshot: Vec<String>,
}

pub fn run(context: &Context, args: &CheckArgs) -> Result<Ended, Failure> {
    let ((mut report, suspects), strangers) =
        open::with_strangers(context, || look(context, args))?;
    report.temporaries_count = strangers.temporaries_count;
    report.temporaries_bytes = strangers.temporaries_bytes;
    report.unknown.extend(strangers.unknown);
    tell(context, &report);
    show(context, &report, &suspects)?;
    Ok(Ended::done())
}

/// What is found, and the snapshots that may be a thief's.
fn look(context: &Context, args: &CheckArgs) -> Result<(Report, Vec<SnapshotId>), Failure> {
    let threads_count = open::threads(context);
    let subset = if args.read_data { Some(Subset::All) } else { args.read_data_subset };
    // What is wrong with the records is told by the check itself, once.
    let unwatched = context.unwatched();
    if args.structure_only {
        let reading = subset.map(|subset| (subset, threads_count));
        return Ok((without_passphrase((context, &unwatched), reading)?, Vec::new()));
    }
    let Listed { mut unlocked, mut repository, mut signers, listing } = opened::listed(&unwatched)?;
    let mut snapshots = Vec::new();
    if !args.snapshot.is_empty() {
        let keys = Keys { unlocked, signers: signers?, repository, ledger: None };
        let listed = opened::list(&unwatched, &keys)?;
        (unlocked, repository, signers) = (keys.unlocked, keys.repository, Ok(keys.signers));
        let chosen = opened::several(&listed, &args.snapshot, &Default::default())?;
        snapshots.extend(chosen.iter().map(|snapshot| snapshot.id));
    }
    let depth = subset.map_or(Depth::Structure, Depth::Data);
    let options = Options { depth, snapshots, threads_count };
    let suspects = suspects_of(&unwatched, (signers.as_ref().ok(), &repository))?;
    let trust = trust_of(context, &unlocked)?;
    let keys = (&unlocked.keyset, &trust);
    let report = verify::check_listed(&context.run, (&repository, listing), keys, &options)?;
    Ok((report, suspects))
}

/// Looks whether everything is there that some snapshots need, and tells what is not.
///
/// # Errors
/// When the storage fails (15).
pub fn look_at(
    context: &Context,
    (unlocked, repository): (&Unlocked, &Repository),
    snapshots: Vec<SnapshotId>,
) -> Result<(), Failure> {
    let threads_count = open::threads(context);
    let options = Options { depth: Depth::Structure, snapshots, threads_count };
    let trust = trust_of(context, unlocked)?;
    let report = verify::check(&context.run, repository, (&unlocked.keyset, &trust), &options)?;
    tell(context, &report);
    Ok(())
}

/// Whom the holder of these keys believes on this machine.
///
/// # Errors
/// When local state cannot be read.
pub fn trust_of(context: &Context, unlocked: &Unlocked) -> Result<Trust, Failure> {
    let own = own(context, &unlocked.config);
    let mut trust = trust(context, &unlocked.config, own.as_ref())?;
    trust.root = unlocked.keyset.root_public;
    trust.admins.push(unlocked.keyset.admin.verifying_key());
    Ok(trust)
}

/// Snapshots that may be a thief's. Where the records do not tell, the check itself says why.
fn suspects_of(
    context: &Context,
    (signers, repository): (Option<&Enrolled>, &Repository),
) -> Result<Vec<SnapshotId>, Failure> {
    let Some(signers) = signers.filter(|signers| signers.has_suspicions()) else {
        return Ok(Vec::new());
    };
    let vault = repository.vault();
    let found = vault.manifests(&context.run, Scope::All, Copies::First, signers)?;
    Ok(signers.suspects(&found).into_keys().collect())
}

fn without_passphrase(
    (context, unwatched): (&Context, &Context),
    reading: Option<(Subset, usize)>,
) -> Result<Report, Failure> {
    let storage = open::storage(context)?;
    let config = publish::load_config(&unwatched.run, &storage)?;
    let own = own(context, &config);
    let trust = trust(context, &config, own.as_ref())?;
    let run = &context.run;
    let Some(own) = own else {
        return Ok(graph::without_passphrase(run, (&storage, None), &trust, reading)?);
    };
    let repository = open::repository(context, (&storage, &config), own.store)?;
    let place = (&storage, Some(repository.vault()));
    Ok(graph::without_passphrase(run, place, &trust, reading)?)
}

/// This machine's keyset, if it has one that can be read: a check goes on without it.
fn own(context: &Context, config: &ConfigRecord) -> Option<AgentKeyset> {
    let local = Local::new(context.settings.cache_dir.as_deref(), &context.environment).ok()?;
    let (keyset, _) = open::own_keyset(&local, config).ok()??;
    Some(keyset)
}

fn trust(
    context: &Context,
    config: &ConfigRecord,
    own: Option<&AgentKeyset>,
) -> Result<Trust, Failure> {
    let local = Local::new(context.settings.cache_dir.as_deref(), &context.environment);
    let place = context.settings.repository()?.shown();
    let heads = |local| Heads::new(&local, config.repository, &place).all();
    let heads = local.map_or(Ok(Vec::new()), heads)?;
    let named = VerifyingKey::from_bytes(&config.root).map_err(KeysError::from)?;
    Ok(Trust {
        repository: config.repository,
        root: own.map_or(named, |own| own.root_public),
        admins: Vec::new(),
        recipients_version_min: own.map_or(0, |own| own.recipients_version),
        heads,
    })
}

/// Everything that is bad, one problem each.
pub fn tell(context: &Context, report: &Report) {
    let severity = |class| match class {
        Class::Healable => Severity::Healable,
        Class::Unclear | Class::Lost => Severity::Damage,
    };
    for bad in &report.bad {
        context.problem(severity(bad.class), &bad.name, bad_part(bad));
    }
    for trouble in &report.troubles {
        let message = Said::heard(&trouble.message);
        context.problem(severity(trouble.class), &trouble.subject, message);
    }
    for sid in &report.lost_objects {
        context.problem(Severity::Damage, sid, texts::NO_COPY);
    }
    for lost in &report.lost_files {
        context.problem(Severity::Damage, texts::LOST, lost_part(lost));
    }
}

fn bad_part(bad: &BadLocation) -> Said {
    let kind = match bad.kind {
        Kind::Config => texts::CONFIG,
        Kind::Slot => texts::SLOT,
        Kind::Keyring => texts::KEYRING,
        Kind::Recipients => texts::RECIPIENTS,
        Kind::Machine => texts::MACHINE,
        Kind::Custody => texts::CUSTODY,
        Kind::Pack => texts::PACK,
        Kind::Index => texts::INDEX,
        Kind::Manifest => texts::MANIFEST,
        Kind::Tombstone => texts::TOMBSTONE,
        Kind::Note => texts::NOTE,
        Kind::Session => texts::SESSION,
        Kind::Condemned => texts::CONDEMNED,
    };
    let said = match bad.part {
        Part::Whole => texts::BAD.into(),
        Part::Head => texts::BAD_HEAD.into(),
        Part::Object { offset, len_bytes } => {
            let said = texts::BAD_OBJECT.with("bytes", u64::from(len_bytes));
            said.with("offset", offset.to_string())
        }
        Part::Table => texts::BAD_TABLE.into(),
        Part::Trailer => texts::BAD_TRAILER.into(),
    };
    said.with("kind", kind).with("why", Said::heard(&bad.why))
}

fn lost_part(lost: &LostFile) -> Said {
    let said = match &lost.what {
        LostPart::File { path, ranges } => {
            let bytes: u64 = ranges.iter().map(|(start, end)| end.saturating_sub(*start)).sum();
            texts::LOST_FILE.with("path", path.to_string()).with("bytes", bytes)
        }
        LostPart::Entries { from, before: None } if from.is_root() => texts::LOST_ALL.into(),
        LostPart::Entries { from, before: None } => texts::LOST_FROM.with("from", from.to_string()),
        LostPart::Entries { from, before: Some(before) } => {
            texts::LOST_BETWEEN.with("from", from.to_string()).with("before", before.to_string())
        }
        LostPart::Objects { count } => texts::LOST_OBJECTS.with("count", *count),
    };
    said.with("id", lost.snapshot.short()).with("why", Said::heard(&lost.why))
}

/// What it comes to.
///
/// # Errors
/// When standard output is gone.
pub fn show(context: &Context, report: &Report, suspects: &[SnapshotId]) -> Result<(), Failure> {
    let verdict = report.verdict();
    let ids = suspects.iter().map(ToString::to_string).collect();
    context.output.report(
        "check",
        &Checked { is_ok: verdict == Verdict::Ok, verdict, suspect_snapshot_ids: ids, report },
        || {
            let text = match verdict {
                Verdict::Ok => texts::CHECK_OK,
                Verdict::Healable => texts::CHECK_HEALABLE,
                Verdict::Damaged => texts::CHECK_DAMAGED,
            };
            let Report { level, snapshots_count, entries_count, objects_count, .. } = report;
            let level = match level {
                Level::Listed => texts::LEVEL_LISTED,
                Level::Linked => texts::LEVEL_LINKED,
                Level::Read => texts::LEVEL_READ,
                Level::Opened => texts::LEVEL_OPENED,
            };
            let told = text
                .with("level", level)
                .with("snapshots", *snapshots_count)
                .with("entries", *entries_count)
                .with("objects", *objects_count)
                .with("looked", looked(report));
            let told = leftovers(report, told);
            match suspects.len() as u64 {
                0 => told,
                count => rotation::SUSPECTS.with("told", told).with("count", count),
            }
        },
    )
}

fn looked(report: &Report) -> Said {
    let text = match report.level {
        Level::Listed if report.packs_read_count > 0 => texts::LISTED_HASHED,
        Level::Listed => texts::LISTED,
        Level::Linked => texts::LINKED,
        Level::Read => texts::READ_HASHED,
        Level::Opened => texts::OPENED,
    };
    text.with("read", report.packs_read_count)
        .with("total", report.packs_count)
        .with("bytes", Bytes(report.read_bytes))
        .with("files", report.files_compared_count)
}

/// What is no damage and worth knowing, if there is any of it.
fn leftovers(report: &Report, told: Said) -> Said {
    let packs = report.unreferenced_packs.len() as u64;
    let (records, unknown) = (report.leftover_records.len() as u64, report.unknown.len() as u64);
    let notes = report.leftover_notes.len() as u64;
    let quarantined = report.quarantined_count;
    if packs + records + notes + unknown + quarantined + report.temporaries_count == 0 {
        return told;
    }
    texts::NO_DAMAGE
        .with("text", told)
        .with("packs", packs)
        .with("files", report.temporaries_count)
        .with("bytes", Bytes(report.temporaries_bytes))
        .with("records", records)
        .with("notes", notes)
        .with("quarantined", quarantined)
        .with("kept", Bytes(report.quarantined_bytes))
        .with("unknown", unknown)
}

#[derive(serde::Serialize)]
struct Checked<'a> {
    is_ok: bool,
    verdict: Verdict,
    /// Of machines that are revoked; whether they restore has nothing to do with it.
    suspect_snapshot_ids: Vec<String>,
    #[serde(flatten)]
    report: &'a Report,
}

/// `n/t`, `x%` or a size.
fn subset(text: &str) -> Result<Subset, String> {
    let wrong = || format!("expected a part such as `2/7`, `5%` or `10GiB`, found `{text}`");
    if let Some((n, t)) = text.split_once('/') {
        let (n, t) = (n.parse().map_err(|_| wrong())?, t.parse().map_err(|_| wrong())?);
        return if (1..=t).contains(&n) { Ok(Subset::Part { n, t }) } else { Err(wrong()) };
    }
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
        let is_share = percent > 0.0 && percent <= 100.0;
        return if is_share { Ok(Subset::Share(percent / 100.0)) } else { Err(wrong()) };
    }
    text.parse::<Bytes>().map(|size| Subset::Bytes(size.0)).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_data() {
        assert_eq!(subset("2/7"), Ok(Subset::Part { n: 2, t: 7 }));
        assert_eq!(subset("50%"), Ok(Subset::Share(0.5)));
        assert_eq!(subset("1KiB"), Ok(Subset::Bytes(1024)));
        for text in ["0/7", "8/7", "0%", "101%", "nan%", "x", ""] {
            assert!(subset(text).is_err(), "{text}");
        }
    }
}
