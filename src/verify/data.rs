//! Objects: whether they are there, and whether their bytes are right.

use std::collections::BTreeSet;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use crate::chunk::digest::digest;
use crate::crypto::blind;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::repository::error::RepositoryError;
use crate::repository::open::Repository;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::run::monitor::Problem;
use crate::vault::whole::Presence;
use crate::vault::whole::WholePack;

use super::Report;
use super::Subset;
use super::needs::Need;
use super::needs::Needs;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Looks for everything that is needed, by the index and the listing.
pub(super) fn look_for_objects(
    run: &Run,
    repository: &Repository,
    needs: &Needs,
    report: &mut Report,
) -> Result<(), RepositoryError> {
    report.objects_count = (needs.nodes.len() + needs.data.len()) as u64;
    let mut sids: Vec<&Sid> = needs.data.keys().collect();
    sids.sort_unstable();
    for sid in needs.nodes.keys().chain(sids) {
        run.check()?;
        match repository.vault().presence(run, sid)? {
            Presence::Whole => {}
            Presence::OneCopy => {
                report.healable_objects.insert(*sid);
            }
            Presence::Missing => {
                report.lost_objects.insert(*sid);
            }
        }
    }
    report.lost_objects.extend(&needs.contradictions);
    Ok(())
}

fn choose(run: &Run, packs: Vec<(PackId, u64)>, subset: Subset) -> Vec<PackId> {
    let count = packs.len();
    let day = usize::try_from(run.clock.now().unix_ms / DAY_MS).unwrap_or(0);
    let ids = |packs: Vec<(PackId, u64)>| packs.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    // A window that moves on by its own length each day reads everything in turn.
    let window = |packs: Vec<(PackId, u64)>, len: usize| {
        let start = day.wrapping_mul(len) % count.max(1);
        ids(packs.into_iter().cycle().skip(start).take(len.min(count)).collect())
    };
    match subset {
        Subset::All => ids(packs),
        Subset::Part { n, t } => {
            let (n, t) = (n.saturating_sub(1) as usize, t.max(1) as usize);
            ids(packs
                .into_iter()
                .enumerate()
                .filter(|(at, _)| at % t == n)
                .map(|(_, p)| p)
                .collect())
        }
        Subset::Share(share) => {
            let len = (0..=count).find(|len| *len as f64 >= share * count as f64);
            window(packs, len.unwrap_or(count))
        }
        Subset::Bytes(bytes) => {
            let mut left = bytes;
            let take = packs.iter().take_while(|(_, len)| {
                let more = left > 0;
                left = left.saturating_sub(*len);
                more
            });
            let len = take.count();
            window(packs, len)
        }
    }
}

/// What the threads find together.
#[derive(Default)]
struct Findings {
    /// Objects of which a good copy was read, and of which a bad one was.
    good: HashSet<Sid>,
    bad: BTreeSet<Sid>,
    bad_packs: Vec<(PackId, String)>,
    bytes_read: u64,
    packs_read: u64,
    unreferenced: u64,
    failed: Option<RepositoryError>,
}

/// Reads packs whole, hashes them and their objects, opens what is needed and compares digests.
pub(super) fn read_packs(
    run: &Run,
    repository: &Repository,
    (needs, subset, threads): (&Needs, Subset, usize),
    report: &mut Report,
) -> Result<(), RepositoryError> {
    let all = repository.vault().packs(run)?;
    report.packs_count = all.len() as u64;
    let chosen = choose(run, all, subset);
    report.is_complete = chosen.len() as u64 == report.packs_count;
    let next = AtomicUsize::new(0);
    let findings = Mutex::new(Findings::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(id) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = one_pack(run, repository, (id, needs), &findings) {
                        lock(&findings).failed.get_or_insert(error);
                        next.store(usize::MAX / 2, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let found = findings.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = found.failed {
        return Err(error);
    }
    report.packs_read_count = found.packs_read;
    report.bytes_read = found.bytes_read;
    report.unreferenced_packs_count = found.unreferenced;
    for (pack, why) in found.bad_packs {
        run.problem(&Problem::damage(format!("pack {pack}"), why.clone()));
        report.bad_packs.insert(pack, why);
    }
    for sid in found.bad {
        let needed = needs.nodes.contains_key(&sid) || needs.data.contains_key(&sid);
        if !needed {
            continue;
        }
        if found.good.contains(&sid) {
            report.healable_objects.insert(sid);
        } else if report.is_complete || !is_good_elsewhere(run, repository, needs, &sid)? {
            report.lost_objects.insert(sid);
        }
    }
    if report.is_complete {
        let wanted = needs.nodes.keys().chain(needs.data.keys());
        report.lost_objects.extend(wanted.filter(|sid| !found.good.contains(*sid)));
    }
    report.healable_objects.retain(|sid| !report.lost_objects.contains(sid));
    Ok(())
}

fn lock(findings: &Mutex<Findings>) -> std::sync::MutexGuard<'_, Findings> {
    findings.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A subset was read and a copy in it is bad: another one may lie in a pack that was not read.
fn is_good_elsewhere(
    run: &Run,
    repository: &Repository,
    needs: &Needs,
    sid: &Sid,
) -> Result<bool, RepositoryError> {
    match repository.vault().read_object(run, sid) {
        Ok(bytes) => Ok(needs.data.get(sid).is_none_or(|need| is_right(repository, need, &bytes))),
        Err(crate::vault::error::VaultError::Stopped(stopped)) => Err(stopped.into()),
        Err(_) => Ok(false),
    }
}

fn one_pack(
    run: &Run,
    repository: &Repository,
    (id, needs): (&PackId, &Needs),
    findings: &Mutex<Findings>,
) -> Result<(), RepositoryError> {
    let pack = match repository.vault().read_pack(run, id)? {
        Ok(pack) => pack,
        Err(fault) => {
            lock(findings).bad_packs.push((*id, fault.to_string()));
            return Ok(());
        }
    };
    let mut good = Vec::new();
    let mut bad = Vec::new();
    let mut is_needed = false;
    for object in &pack.objects {
        run.check()?;
        let need = needs.data.get(&object.sid);
        is_needed |= need.is_some() || needs.nodes.contains_key(&object.sid);
        let bytes = pack.bytes.get(object.range.clone()).unwrap_or_default();
        let right = blind::sid_of(bytes) == object.sid
            && need.is_none_or(|need| is_right(repository, need, bytes));
        if right {
            good.push(object.sid)
        } else {
            bad.push(object.sid)
        }
        run.count(Count::BytesDone, bytes.len() as u64);
    }
    note(findings, (id, &pack), (good, bad, is_needed));
    Ok(())
}

fn note(
    findings: &Mutex<Findings>,
    (id, pack): (&PackId, &WholePack),
    (good, bad, is_needed): (Vec<Sid>, Vec<Sid>, bool),
) {
    let mut found = lock(findings);
    found.packs_read += 1;
    found.bytes_read += pack.bytes.len() as u64;
    if !is_needed {
        found.unreferenced += 1;
    }
    if let Some(fault) = &pack.fault {
        found.bad_packs.push((*id, format!("{fault}; {} of its objects are bad", bad.len())));
    } else if !bad.is_empty() {
        found.bad_packs.push((*id, format!("{} of its objects do not open", bad.len())));
    }
    found.good.extend(good);
    found.bad.extend(bad);
}

/// Opens an object and compares the digest of every part that some file has in it.
fn is_right(repository: &Repository, need: &Need, bytes: &[u8]) -> bool {
    let right = |raw: &[u8]| {
        need.parts.iter().all(|part| {
            let start = part.offset as usize;
            let bytes = raw.get(start..start.saturating_add(part.len as usize));
            bytes.is_some_and(|bytes| digest(bytes) == part.digest)
        })
    };
    repository.look_at_data(bytes, &need.object, need.kind, right).unwrap_or(false)
}
