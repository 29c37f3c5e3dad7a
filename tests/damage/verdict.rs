//! What the program says of a damaged repository, in the oracle's words.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use lifeboat::clock::ManualClock;
use lifeboat::crypto::sealed::keyset::RestoreKeyset;
use lifeboat::repository::keys::unlock::unlock;
use lifeboat::repository::open::Repository;
use lifeboat::run::Run;
use lifeboat::run::monitor::Recorder;
use lifeboat::storage::Storage;
use lifeboat::storage::memory::MemoryStorage;
use lifeboat::units::Timestamp;
use lifeboat::vault::Vault;
use lifeboat::vault::names::Place;
use lifeboat::vault::scrub::Subset;
use lifeboat::vault::scrub::Trust;
use lifeboat::vault::scrub::report::Class;
use lifeboat::vault::scrub::report::LostPart;
use lifeboat::vault::scrub::report::Part;
use lifeboat::vault::scrub::report::Report;
use lifeboat::vault::scrub::report::Verdict;
use lifeboat::verify;
use lifeboat::verify::Depth;
use lifeboat::verify::Options;

use crate::damage::harm::to_memory;
use crate::damage::oracle::Blobs;
use crate::damage::oracle::Expected;
use crate::damage::oracle::Losses;
use crate::damage::oracle::Oracle;
use crate::damage::reader::Hash;
use crate::damage::scene;
use crate::support::hex;

/// An opened repository.
pub struct Opened {
    pub run: Run,
    pub keyset: RestoreKeyset,
    pub repository: Repository,
}

/// Opens as every command does: passphrase, then vault.
pub fn open(storage: &Arc<dyn Storage>) -> Result<Opened, String> {
    let run = scene::run(Arc::new(Recorder::default()));
    let keyset = unlock(&run, storage, &scene::secret()).map_err(|it| it.to_string())?.keyset;
    let (keys, options) = (keyset.store.clone(), scene::vault_options());
    let vault = Vault::open(&run, Arc::clone(storage), keys, options);
    let repository = Repository::new(vault.map_err(|it| it.to_string())?);
    Ok(Opened { run, keyset, repository })
}

pub fn storage_of(blobs: &Blobs) -> Arc<dyn Storage> {
    let clock = ManualClock::new(Timestamp::from_unix_ms(1_800_000_000_000));
    Arc::new(MemoryStorage::from_blobs(Arc::new(clock), to_memory(blobs)))
}

pub fn trust(keyset: &RestoreKeyset, heads: &[Place]) -> Trust {
    Trust {
        repository: keyset.repository,
        root: keyset.root_public,
        admins: vec![keyset.admin.verifying_key()],
        recipients_version_min: 0,
        heads: heads.to_vec(),
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Why it could not be opened or checked at all.
    pub refused: Option<String>,
    pub is_ok: bool,
    /// Blobs, and whether something is lost by them.
    pub named: BTreeMap<String, bool>,
    /// Bad copies of objects, and whether the object is lost.
    pub copies: BTreeMap<(String, usize), bool>,
    pub lost: BTreeSet<Hash>,
    pub losses: Losses,
    pub gaps: BTreeSet<String>,
    /// Everything that was said, for people.
    pub told: Vec<String>,
}

/// Checks every byte.
pub fn check(oracle: &Oracle, storage: &Arc<dyn Storage>, heads: &[Place]) -> Found {
    let opened = match open(storage) {
        Ok(opened) => opened,
        Err(error) => return Found { refused: Some(error), ..Found::default() },
    };
    let options =
        Options { depth: Depth::Data(Subset::All), snapshots: Vec::new(), threads_count: 1 };
    let trust = trust(&opened.keyset, heads);
    match verify::check(&opened.run, &opened.repository, (&opened.keyset, &trust), &options) {
        Ok(report) => found(oracle, &report),
        Err(error) => Found { refused: Some(error.to_string()), ..Found::default() },
    }
}

fn found(oracle: &Oracle, report: &Report) -> Found {
    let mut found = Found { is_ok: report.verdict() == Verdict::Ok, ..Found::default() };
    for bad in &report.bad {
        let is_lost = bad.class == Class::Lost;
        found.told.push(format!("{bad:?}"));
        *found.named.entry(bad.name.clone()).or_default() |= is_lost;
        if let Part::Object { offset, .. } = bad.part {
            found.copies.insert((bad.name.clone(), offset as usize), is_lost);
        }
    }
    for trouble in &report.troubles {
        found.told.push(format!("{trouble:?}"));
        if trouble.message.contains("missing without a tombstone") {
            found.gaps.insert(trouble.subject.clone());
        }
    }
    found.lost.extend(report.lost_objects.iter().map(|sid| *sid.as_bytes()));
    for lost in &report.lost_files {
        found.told.push(lost.to_string());
        let id = lost.snapshot.to_string();
        match &lost.what {
            LostPart::File { path, ranges } => {
                let path = String::from_utf8(path.to_slashed()).unwrap();
                found.losses.insert((id, Some(path)), ranges.clone());
            }
            LostPart::Entries { from, before } => {
                let before = before.as_ref().map(|path| path.as_stored());
                oracle.lose_between(&id, (from.as_stored(), before), &mut found.losses);
            }
            LostPart::Objects { .. } => panic!("a check with all keys counts objects"),
        }
    }
    found
}

/// Every difference between what must be said and what was.
pub fn compare(expected: &Expected, found: &Found) -> Vec<String> {
    let mut wrong = Vec::new();
    if expected.opens() != found.refused.is_none() {
        wrong.push(format!("opens: expected {}, found {:?}", expected.opens(), found.refused));
    }
    if !expected.opens() || found.refused.is_some() {
        return wrong;
    }
    if expected.is_ok != found.is_ok {
        let class = if found.is_ok { "undetected" } else { "false alarm" };
        wrong.push(format!("{class}: OK expected {}, found {}", expected.is_ok, found.is_ok));
    }
    for (name, is_lost) in &expected.named {
        match (found.named.get(name), is_lost) {
            (None, _) => wrong.push(format!("undetected: {name} is not named")),
            (Some(found), Some(expected)) if found != expected => {
                wrong.push(format!("wrong class: {name}: lost expected {expected}, found {found}"));
            }
            _ => {}
        }
    }
    for name in found.named.keys() {
        // A node whose second copy no table tells of is named by itself.
        let is_known = expected.named.contains_key(name)
            || expected.free.contains(name)
            || name.starts_with("packs/ (object");
        if !is_known {
            wrong.push(format!("false alarm: {name} is named"));
        }
    }
    let mut same = |what: &str, expected: String, found: String| {
        if expected != found {
            wrong.push(format!("{what}: expected {expected}, found {found}"));
        }
    };
    let show = |set: &BTreeSet<Hash>| {
        format!("{:?}", set.iter().map(|sid| hex(&sid[..4])).collect::<Vec<_>>())
    };
    same("lost objects", show(&expected.lost), show(&found.lost));
    let show = |copies: &BTreeMap<(String, usize), bool>| format!("{copies:?}");
    same("bad copies", show(&expected.copies), show(&found.copies));
    let show = |losses: &Losses| format!("{losses:?}");
    same("lost files", show(&expected.losses), show(&found.losses));
    let show = |chains: &BTreeSet<String>| format!("{chains:?}");
    same("gaps", show(&expected.gaps), show(&found.gaps));
    wrong
}
