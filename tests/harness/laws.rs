//! The ten laws of keeping, tried on whatever a crash or a fault has left.

use std::collections::BTreeMap;
use std::sync::Arc;

use lifeboat::crypto::sealed::keyset::RestoreKeyset;
use lifeboat::format::object::Ref;
use lifeboat::ids::SnapshotId;
use lifeboat::repository::keys::error::KeysError;
use lifeboat::repository::keys::publish;
use lifeboat::repository::keys::unlock::unlock;
use lifeboat::repository::manifest::open_manifest;
use lifeboat::restore;
use lifeboat::restore::Delete;
use lifeboat::restore::Options;
use lifeboat::restore::Overwrite;
use lifeboat::restore::Owners;
use lifeboat::restore::Replaced;
use lifeboat::restore::Rights;
use lifeboat::restore::Verify;
use lifeboat::restore::select::Selection;
use lifeboat::run::monitor::Problem;
use lifeboat::run::monitor::Severity;
use lifeboat::target::Target;
use lifeboat::vault::chains::ChainFinding;
use lifeboat::vault::chains::Copies;
use lifeboat::vault::chains::Scope;
use lifeboat::vault::error::Fault;
use lifeboat::vault::gc::Trash;
use lifeboat::vault::scrub::Subset;
use lifeboat::vault::scrub::report::BadLocation;
use lifeboat::vault::scrub::report::Class;
use lifeboat::vault::scrub::report::Kind;
use lifeboat::vault::scrub::report::Report;
use lifeboat::vault::scrub::report::Verdict;
use lifeboat::verify;

use super::model::Tree;
use super::office::Moment;
use super::office::Office;
use super::office::Opening;
use super::office::Reader;
use super::office::Secret;
use super::office::secret;
use super::office::text;
use super::target::MemoryTarget;
use super::twins;

/// A law that does not hold.
#[derive(Debug, Clone)]
pub struct Broken {
    pub law: &'static str,
    pub found: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.law, self.found)
    }
}

fn broken(law: &'static str) -> impl Fn(String) -> Broken {
    move |found| Broken { law, found }
}

/// An error if there is something to tell.
fn demand(law: &'static str, found: Option<String>) -> Result<(), Broken> {
    found.map_or(Ok(()), |found| Err(Broken { law, found }))
}

/// How much the design promises of a medium, from the most to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It keeps its promises: all laws.
    All,
    /// It broke a promise and said so: what was acknowledged stays, the next backup works; what is
    /// left behind may be told as damage.
    Kept,
    /// It lied about what it keeps: `check` says so if anything does not restore.
    Noticed,
    /// It keeps nothing any more and says otherwise: only that nothing panics.
    Nothing,
}

/// Tries the laws on what `office` was promised. Ends with a backup of every machine and a check.
/// A panic is a broken law.
pub fn hold(office: &mut Office) -> Result<(), Broken> {
    hold_as(office, Claim::All)
}

/// The laws, as far as they are claimed.
pub fn hold_as(office: &mut Office, claim: Claim) -> Result<(), Broken> {
    let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        if let Some(target) = twins::target(office) {
            hold_as(&mut target.map_err(broken("K3 copy"))?, claim)?;
        }
        match claim {
            Claim::All => try_all(office),
            Claim::Kept => try_kept(office),
            Claim::Noticed => try_noticed(office),
            Claim::Nothing => {
                drop(try_noticed(office));
                Ok(())
            }
        }
    }));
    tried.unwrap_or_else(|_| Err(Broken { law: "K10", found: "a panic".to_owned() }))
}

fn try_all(office: &mut Office) -> Result<(), Broken> {
    if !make_if_missing(office)? {
        secrets_open(office)?;
        mended(office)?;
        let reader = office.reader().map_err(broken("K6"))?;
        let found = restores(office, &reader)?;
        checks(&reader, &found.half)?;
        problems_are_none(office, &reader, Writers::None)?;
    }
    copied(office)?;
    for desk in 0..office.desks.len() {
        let told = office.backup_while(desk, &mut |_| {}).map_err(broken("K3 backup"))?;
        let is_left = |problem: &Problem| is_half_done(office, problem, Writers::None);
        let damage = told.1.iter().find(|problem| is_damage(problem) && !is_left(problem));
        demand("K8 false alarm of backup", damage.map(ToString::to_string))?;
    }
    let reader = office.reader().map_err(broken("K3 open"))?;
    let found = restores(office, &reader)?;
    demand("K3 twin", (!found.half.is_empty()).then(|| format!("{:?}", found.half)))?;
    checks(&reader, &[])?;
    problems_are_none(office, &reader, Writers::Backups)?;
    if office.known.heads.is_some() { gives_back(office) } else { Ok(()) }
}

/// What a copy has begun is ended by the next one, and needs no backup for it.
fn copied(office: &mut Office) -> Result<(), Broken> {
    let Some(told) = twins::copy_again(office) else { return Ok(()) };
    let (report, problems) = told.map_err(broken("K3 copy"))?;
    demand("K3 copy", twins::lacks(&report))?;
    let is_left = |problem: &Problem| is_half_done(office, problem, Writers::None);
    let damage = problems.iter().find(|problem| is_damage(problem) && !is_left(problem));
    demand("K8 false alarm of copy", damage.map(ToString::to_string))?;
    let reader = office.reader().map_err(broken("K3 open"))?;
    let found = restores(office, &reader)?;
    demand("K3 twin of a copy", (!found.half.is_empty()).then(|| format!("{:?}", found.half)))?;
    problems_are_none(office, &reader, Writers::Backups)
}

/// What was begun is ended by the next prune: nothing is left that nobody needs, and all else is.
fn gives_back(office: &mut Office) -> Result<(), Broken> {
    // Where the medium knows no turns the second mark is another run.
    office.prune(Trash::Emptied).map_err(broken("K3 prune"))?;
    let pruned = office.prune(Trash::Emptied).map_err(broken("K3 prune"))?;
    let is_done = pruned.waiting_packs_count == 0 && pruned.unused_bytes == 0;
    demand("K5", (!is_done).then(|| format!("{pruned:?}")))?;
    let reader = office.reader().map_err(broken("K3 open"))?;
    restores(office, &reader)?;
    checks(&reader, &[])?;
    let report = check(&reader, &reader.unlocked.keyset).map_err(broken("K3 check"))?;
    let is_clean = report.unreferenced_packs.is_empty() && report.gone_packs.is_empty();
    demand("K5", (!is_clean || report.quarantined_count > 0).then(|| format!("{report:?}")))
}

/// Where something was damaged that stands twice: nothing is lost by it at any moment of a repair
/// or of its undoing, and the next repair ends what was begun.
fn mended(office: &mut Office) -> Result<(), Broken> {
    if !office.known.is_harmed {
        return Ok(());
    }
    let reader = office.reader().map_err(broken("K6"))?;
    let lost = losses(office, &reader)?;
    demand("K1", (!lost.is_empty()).then(|| lost.join("; ")))?;
    office.repair().map_err(broken("K3 repair"))
}

fn try_kept(office: &mut Office) -> Result<(), Broken> {
    match make_if_missing(office) {
        // A part of a repository that nobody was promised: it is refused, and told.
        Err(_) if office.known.made.is_none() => return Ok(()),
        made => made?,
    };
    secrets_open(office)?;
    mended(office)?;
    twins::copy_again(office).transpose().map_err(broken("K3 copy"))?;
    for desk in 0..office.desks.len() {
        office.backup(desk).map_err(broken("K3 backup"))?;
    }
    let reader = office.reader().map_err(broken("K6"))?;
    let lost = losses(office, &reader)?;
    demand("K1", (!lost.is_empty()).then(|| lost.join("; ")))?;
    let report = check(&reader, &reader.unlocked.keyset).map_err(broken("K3 check"))?;
    // A manifest that was never acknowledged and that a fault has cut is nobody's loss.
    let kept = |id: &SnapshotId| {
        let mut attempts = office.known.attempts.iter();
        attempts.any(|attempt| attempt.acknowledged.is_some_and(|(_, known)| known == *id))
    };
    let lost = !report.lost_files.iter().any(|lost| kept(&lost.snapshot));
    let lost = lost && report.lost_objects.is_empty();
    demand("K8 false loss", (!lost).then(|| format!("{report:?}")))
}

fn try_noticed(office: &mut Office) -> Result<(), Broken> {
    // What does not open or cannot be checked is noticed too.
    let Ok(reader) = office.reader() else { return Ok(()) };
    let lost = losses(office, &reader)?;
    let Ok(report) = check(&reader, &reader.unlocked.keyset) else { return Ok(()) };
    let is_told = lost.is_empty() || report.verdict() == Verdict::Damaged;
    demand("K8 silent loss", (!is_told).then(|| format!("{}; {report:?}", lost.join("; "))))
}

/// Every acknowledged or listed snapshot that does not restore as it was.
fn losses(office: &Office, reader: &Reader) -> Result<Vec<String>, Broken> {
    let vault = reader.repository.vault();
    let found = vault.manifests(&reader.process.run, Scope::All, Copies::First, &reader.signers);
    let found = found.map_err(|error| Broken { law: "K1 list", found: error.to_string() })?;
    let mut lost = Vec::new();
    let mut listed = Vec::new();
    for stored in &found.manifests {
        listed.push(stored.place.id);
        let info = open_manifest(&reader.unlocked.keyset, &stored.manifest);
        let restored = info.map_err(text).and_then(|info| {
            let number: usize = info.tags[0].parse().unwrap();
            restore_one(reader, &info.root(), &office.known.attempts[number].tree)
        });
        lost.extend(restored.err());
    }
    for attempt in &office.known.attempts {
        if let Some((_, id)) = attempt.acknowledged.filter(|(_, id)| !listed.contains(id)) {
            lost.push(format!("snapshot {id} is not listed"));
        }
    }
    Ok(lost)
}

fn is_damage(problem: &Problem) -> bool {
    problem.severity == Severity::Damage
}

/// Forgets what was promised only later. What is left was promised before the first moment.
pub fn forget_later(office: &mut Office, at: Moment) {
    let done = |moment: &mut Option<Moment>| *moment = moment.filter(|m| *m <= at).map(|_| 0);
    done(&mut office.known.made);
    office.known.secrets.retain(|secret| secret.begun <= at);
    for secret in &mut office.known.secrets {
        [&mut secret.opens, &mut secret.ending, &mut secret.ended].into_iter().for_each(done);
    }
    // An attempt that has not begun cannot be there; its number stays, so that tags fit.
    for attempt in &mut office.known.attempts {
        let acknowledged = attempt.acknowledged.filter(|(moment, _)| *moment <= at);
        attempt.acknowledged = acknowledged.map(|(_, id)| (0, id));
    }
    for secret in &mut office.known.secrets {
        secret.begun = 0;
    }
    for desk in &mut office.desks {
        let keyset = desk.keyset.take().filter(|(moment, _)| *moment <= at);
        desk.keyset = keyset.map(|(_, keyset)| (0, keyset));
        desk.caches.retain(|(moment, _)| *moment <= at);
        desk.caches.iter_mut().for_each(|(moment, _)| *moment = 0);
    }
}

/// Makes the repository if none was promised and none is there; whether it did.
fn make_if_missing(office: &mut Office) -> Result<bool, Broken> {
    let found = match office.process(Opening::Existing) {
        Err(error) => Err(error),
        Ok(process) => match publish::load_config(&process.run, &process.storage) {
            Ok(_) => return Ok(false),
            Err(KeysError::NoRepository { .. }) => Err("no repository".to_owned()),
            Err(error) => return Err(Broken { law: "K1 config", found: error.to_string() }),
        },
    };
    match office.known.made {
        None => {
            office.half_slots = true;
            let made = match twins::is_twin(office) {
                true => twins::make_twin(office),
                false => office.init("made after all"),
            };
            made.map(|()| true).map_err(broken("K3 init"))
        }
        Some(_) => found.map_err(broken("K1 repository")),
    }
}

/// K6: what was promised to open opens, one of old and new does in between, removed ones do not.
fn secrets_open(office: &mut Office) -> Result<(), Broken> {
    let secrets = office.known.secrets.clone();
    let process = office.process(Opening::Existing).map_err(broken("K6"))?;
    let mut opening = Vec::new();
    for known in &secrets {
        let opened = unlock(&process.run, &process.storage, &secret(&known.text));
        let (must, must_not) = (known.opens.is_some() && known.ending.is_none(), known.ended);
        match opened {
            Ok(_) if must_not.is_some() => {
                let found = format!("`{}` opens after it was removed", known.text);
                return Err(Broken { law: "K6 removed", found });
            }
            Ok(_) => opening.push(known.text.clone()),
            Err(error) if must => {
                return Err(Broken { law: "K6", found: format!("`{}`: {error}", known.text) });
            }
            Err(KeysError::WrongSecret { .. }) => {}
            Err(error) => return Err(Broken { law: "K6", found: error.to_string() }),
        }
    }
    demand("K6", opening.is_empty().then(|| "no secret opens".to_owned()))?;
    let certain = |known: &Secret| known.opens.is_some() && known.ending.is_none();
    office.half_slots |= !secrets.iter().all(certain);
    // From here on a person knows which one opens.
    for known in &mut office.known.secrets {
        if opening.contains(&known.text) {
            known.opens = known.opens.or(Some(known.begun));
            known.ending = None;
        } else {
            known.opens = None;
        }
    }
    if !office.shares.is_empty() && office.known.secrets.len().is_multiple_of(2) {
        office.use_shares("from shares").map_err(broken("K6 shares"))?;
    }
    Ok(())
}

struct Restored {
    /// Unacknowledged snapshots of which one of two copies is there.
    half: Vec<SnapshotId>,
}

/// K1, K2 and K9: what is listed restores as it was, what was acknowledged is listed.
fn restores(office: &Office, reader: &Reader) -> Result<Restored, Broken> {
    let vault = reader.repository.vault();
    let run = &reader.process.run;
    let found = vault.manifests(run, Scope::All, Copies::Both, &reader.signers);
    let found = found.map_err(|error| Broken { law: "K1 list", found: error.to_string() })?;
    let mut numbers = BTreeMap::new();
    for stored in &found.manifests {
        let id = stored.place.id;
        let info = open_manifest(&reader.unlocked.keyset, &stored.manifest);
        let info = info.map_err(|error| Broken { law: "K1 open", found: error.to_string() })?;
        let number: usize = info.tags[0].parse().unwrap();
        let tree = Arc::clone(&office.known.attempts[number].tree);
        restore_one(reader, &info.root(), &tree)
            .map_err(|found| Broken { law: "K1", found: format!("attempt {number}: {found}") })?;
        numbers.insert(id, number);
    }
    for attempt in &office.known.attempts {
        if let Some((_, id)) = attempt.acknowledged {
            demand(
                "K1",
                (!(numbers.contains_key(&id))).then(|| format!("snapshot {id} is not listed")),
            )?;
        }
    }
    let mut half = Vec::new();
    for finding in &found.findings {
        let ChainFinding::BadTwin { name, fault: Fault::Missing } = finding else {
            return Err(Broken { law: "K8 finding", found: finding.to_string() });
        };
        let hex = name.as_str().rsplit('-').next().unwrap();
        let acknowledged = office.known.attempts.iter().filter_map(|tried| tried.acknowledged);
        let is_promised = acknowledged.into_iter().any(|(_, id)| id.to_string() == hex);
        demand("K4 twin", is_promised.then(|| finding.to_string()))?;
        let id = numbers.keys().find(|id| id.to_string() == hex).copied();
        half.push(id.ok_or_else(|| Broken { law: "K2", found: finding.to_string() })?);
    }
    Ok(Restored { half })
}

/// Where the tree of an attempt begins; an error if it is not listed.
pub fn root_of(office: &Office, reader: &Reader, attempt: usize) -> Result<Ref, String> {
    let (_, id) = office.known.attempts[attempt].acknowledged.ok_or("not acknowledged")?;
    let vault = reader.repository.vault();
    let manifest = vault.read_manifest(&reader.process.run, &id).map_err(text)?;
    Ok(open_manifest(&reader.unlocked.keyset, &manifest).map_err(text)?.root())
}

/// Restores a tree into memory and compares it with the model.
pub fn restore_one(reader: &Reader, root: &Ref, tree: &Tree) -> Result<(), String> {
    let target = MemoryTarget::new();
    restore_to(reader, root, &target)?;
    tree.difference(&target.standings().things()).map_or(Ok(()), Err)
}

/// `restore`: all of a tree; an error if anything of it was not restored.
pub fn restore_to(reader: &Reader, root: &Ref, target: &dyn Target) -> Result<(), String> {
    restore_as(reader, root, target, Overwrite::IfChanged)
}

pub fn restore_as(
    reader: &Reader,
    root: &Ref,
    target: &dyn Target,
    overwrite: Overwrite,
) -> Result<(), String> {
    let options = Options {
        selection: Selection::new(lifeboat::path::SnapshotPath::root(), &[], &[]).unwrap(),
        overwrite,
        replaced: Replaced::Dropped,
        delete: Delete::Nothing,
        owners: Owners::ByNumber,
        rights: Rights::All,
        verify: Verify::No,
        threads_count: 1,
    };
    let (run, source) = (&reader.process.run, &reader.repository);
    let report = restore::execute::execute(run, (source, root), target, &options).map_err(text)?;
    let whole = report.failed_count == 0
        && report.lost_nodes_count == 0
        && report.problems_count == 0
        && report.asked_count == report.restored_count + report.kept_count;
    if whole {
        return Ok(());
    }
    let problems: Vec<String> = reader.process.problems().iter().map(text).collect();
    Err(format!("{report:?} {problems:?}"))
}

/// K8: everything restores, so check says OK; of half written manifests it tells, and of no more.
fn checks(reader: &Reader, half: &[SnapshotId]) -> Result<(), Broken> {
    let report = check(reader, &reader.unlocked.keyset).map_err(broken("K3 check"))?;
    let mut report = report;
    report.bad.retain(|bad| !is_cut_short(bad));
    let mut report_without = report.clone();
    report_without.bad.retain(|bad| {
        let is_half = bad.kind == Kind::Manifest && bad.class == Class::Healable;
        !(is_half && half.iter().any(|id| bad.name.ends_with(&id.to_string())))
    });
    let found = || format!("{report_without:?}");
    let is_whole = report_without.verdict() == Verdict::Ok && report_without.is_complete;
    demand("K8", (!is_whole).then(found))?;
    let is_ok = report.verdict() == Verdict::Ok;
    demand("K8", (is_ok != half.is_empty()).then(|| format!("{report:?}")))
}

/// What an operation that was cut short leaves behind for good, and nothing is lost by: a small
/// record without its later copies, or a pack that only its own table tells of.
fn is_cut_short(bad: &BadLocation) -> bool {
    let is_record = matches!(
        bad.kind,
        Kind::Config
            | Kind::Slot
            | Kind::Keyring
            | Kind::Recipients
            | Kind::Machine
            | Kind::Custody
    );
    let is_missing = is_record && bad.why == "this copy is missing";
    let is_unindexed = bad.kind == Kind::Index && bad.name == "index/";
    bad.class == Class::Healable && (is_missing || is_unindexed)
}

pub fn check(reader: &Reader, keyset: &RestoreKeyset) -> Result<Report, String> {
    let options = verify::Options {
        depth: verify::Depth::Data(Subset::All),
        snapshots: Vec::new(),
        threads_count: 1,
    };
    // A recorder of its own: what check tells is judged by its report.
    let run = lifeboat::run::Run::new(
        reader.process.run.id,
        Arc::new(lifeboat::run::monitor::Silent),
        Arc::clone(&reader.process.run.clock),
        reader.process.run.seed,
    );
    let trust = verify::trust_of(keyset);
    verify::check(&run, &reader.repository, (keyset, &trust), &options).map_err(text)
}

/// Who has had a chance to finish what was left half done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writers {
    None,
    Backups,
}

/// K8: what a crash left half done is not told as more than that, and not for longer than until
/// the next command that writes the like.
fn problems_are_none(office: &Office, reader: &Reader, writers: Writers) -> Result<(), Broken> {
    for problem in reader.process.problems() {
        demand(
            "K8 false alarm",
            (!(is_half_done(office, &problem, writers))).then(|| problem.to_string()),
        )?;
    }
    Ok(())
}

fn is_half_done(office: &Office, problem: &Problem, writers: Writers) -> bool {
    let starts = |start: &str| problem.subject.starts_with(start.as_bytes());
    let is_left = match writers {
        // Of an `init` that never finished.
        Writers::None if ["config", "keyring/", "recipients/"].into_iter().any(starts) => {
            office.half_slots
        }
        Writers::None if starts("machines/") || starts("custody/") => true,
        _ => starts("slots/") && office.half_slots,
    };
    is_left && problem.message == "this copy is missing"
}
