//! What a keeper can say about everything in storage without a key to content.
//!
//! What it is: a census of all names, and a look at every record, pack and object: with the store
//! key as far as the graph of nodes goes, with no key at all as far as names and hashes go.
//! Never: writes, heals or removes; opens content; takes what it has not read for good.
//! Invariants: manifests are listed before anything else, so that a backup at work is not taken
//! for damage; a bad location is named once, with its class; what is nobody's is reported as
//! unknown, not as damage.
//! Start reading at: [`Scrub`], then `report`.

pub mod census;
pub mod graph;
pub mod objects;
pub mod packs;
mod records;
pub mod report;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::crypto::sign::VerifyingKey;
use crate::ids::PackId;
use crate::ids::RepositoryId;
use crate::ids::Sid;
use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::vault::Vault;
use crate::vault::chains::ChainFinding;
use crate::vault::chains::Copies;
use crate::vault::chains::StoredManifest;
use crate::vault::chains::shelf::Shelf;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::names::MANIFESTS;
use crate::vault::names::NOTES;
use crate::vault::names::Place;
use crate::vault::notes::NoteFinding;
use crate::vault::notes::StoredNote;
use crate::vault::scrub::census::Census;
use crate::vault::scrub::objects::Copy;
use crate::vault::scrub::records::Signers;
use crate::vault::scrub::report::BadLocation;
use crate::vault::scrub::report::Class;
use crate::vault::scrub::report::Kind;
use crate::vault::scrub::report::LostFile;
use crate::vault::scrub::report::Part;
use crate::vault::scrub::report::Report;
use crate::vault::scrub::report::Trouble;

/// Whom to believe.
#[derive(Debug, Clone)]
pub struct Trust {
    pub repository: RepositoryId,
    /// The root key: of a keyset at hand, else the one that the config names.
    pub root: VerifyingKey,
    /// Administrators known beside those of the recipients list.
    pub admins: Vec<VerifyingKey>,
    /// The oldest recipients list that may be the newest one, where a keyset pins it.
    pub recipients_version_min: u32,
    /// Newest snapshots that this machine remembers.
    pub heads: Vec<Place>,
}

/// Which packs are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Subset {
    All,
    /// The n-th of t parts, 1 to t.
    Part {
        n: u32,
        t: u32,
    },
    /// About this share of all packs, 0 to 1: another one every day.
    Share(f64),
    /// Packs of about so many bytes together: others every day.
    Bytes(u64),
}

/// What was looked for and not found, to be looked for again at the end: a backup may have been
/// about to write it.
#[derive(Debug)]
struct Absent {
    name: BlobName,
    location: BadLocation,
}

/// A look at a whole storage.
pub struct Scrub<'a> {
    run: &'a Run,
    storage: Arc<dyn Storage>,
    /// With the store key; without it names and hashes are all there is.
    vault: Option<&'a Vault>,
    trust: &'a Trust,
    census: Census,
    absent: Vec<Absent>,
    signers: Signers,
    /// Copies of objects that were read and are bad.
    bad_copies: BTreeMap<Copy, Fault>,
    /// Objects whose bytes are as they were written and that are no use all the same.
    useless: BTreeSet<Sid>,
    /// Packs that are about to go: one that is gone while we look is none that is missing.
    condemned: BTreeSet<PackId>,
    /// Index files that are bad, and packs whose tables nothing can tell.
    bad_tables: Vec<(BlobName, Fault)>,
    pub report: Report,
}

/// Every name of a storage at one time; no key is needed to look.
#[derive(Debug)]
pub struct Listing(Census);

impl Listing {
    /// Lists manifests, then everything.
    pub fn take(run: &Run, storage: &dyn Storage) -> Result<Self, VaultError> {
        Census::take(run, storage).map(Self)
    }
}

impl<'a> Scrub<'a> {
    /// Lists manifests, then everything; looks at every small record.
    pub fn begin(
        run: &'a Run,
        (storage, vault): (&Arc<dyn Storage>, Option<&'a Vault>),
        trust: &'a Trust,
    ) -> Result<Self, VaultError> {
        let listing = Listing::take(run, &**storage)?;
        Self::of(run, (storage, vault), (listing, trust))
    }

    /// As [`Self::begin`], of what was listed before.
    pub fn of(
        run: &'a Run,
        (storage, vault): (&Arc<dyn Storage>, Option<&'a Vault>),
        (Listing(census), trust): (Listing, &'a Trust),
    ) -> Result<Self, VaultError> {
        let mut scrub = Self {
            run,
            storage: Arc::clone(storage),
            vault,
            trust,
            census,
            absent: Vec::new(),
            signers: Signers::default(),
            bad_copies: BTreeMap::new(),
            useless: BTreeSet::new(),
            condemned: BTreeSet::new(),
            bad_tables: Vec::new(),
            report: Report::default(),
        };
        scrub.report.unknown = scrub.census.unknown.iter().map(ToString::to_string).collect();
        scrub.report.quarantined_count = scrub.census.quarantined_count;
        scrub.report.quarantined_bytes = scrub.census.quarantined_bytes;
        scrub.report.packs_count = scrub.census.packs.len() as u64;
        scrub.look_at_records()?;
        scrub.look_at_sessions()?;
        scrub.look_at_condemned()?;
        Ok(scrub)
    }

    fn bad(&mut self, name: &str, (kind, part): (Kind, Part), class: Class, why: String) {
        let name = name.to_owned();
        self.report.bad.insert(BadLocation { name, kind, part, class, why });
    }

    /// As [`Self::bad`] for a whole blob that is missing, unless it turns up until the end.
    fn missing(&mut self, name: &BlobName, kind: Kind, class: Class, why: &str) {
        let (text, why) = (name.to_string(), why.to_owned());
        let location = BadLocation { name: text, kind, part: Part::Whole, class, why };
        self.absent.push(Absent { name: name.clone(), location });
    }

    /// Reads both copies of every manifest. A lost one is a lost snapshot.
    pub fn manifests(&mut self) -> Result<Vec<StoredManifest>, VaultError> {
        let shelf = Shelf { storage: &*self.storage, repository: self.trust.repository };
        let found = shelf.manifests(self.run, &self.census.chains, Copies::Both, &self.signers)?;
        for finding in found.findings {
            self.chain_finding(&finding)?;
        }
        for head in &self.trust.heads {
            if !self.census.chains.holds(head) {
                let message = "this machine made it, and it is gone without a tombstone: removed, \
                               or the whole storage was set back";
                let subject = head.to_string();
                let message = message.to_owned();
                self.report.troubles.insert(Trouble { subject, class: Class::Lost, message });
                self.report.lost_manifests.insert(*head);
            }
        }
        self.report.snapshots_count = found.manifests.len() as u64;
        Ok(found.manifests)
    }

    /// Reads both copies of every note. Those of snapshots that nobody knows are left over from
    /// something that was removed; those behind a tombstone stay as long as it can be undone.
    pub fn notes(&mut self) -> Result<Vec<StoredNote>, VaultError> {
        let mut names = std::mem::take(&mut self.census.notes);
        let gone = names.split_off(|snapshot| self.census.chains.holds(snapshot))?;
        self.report.leftover_notes.extend(gone.iter().map(ToString::to_string));
        let shelf = Shelf { storage: &*self.storage, repository: self.trust.repository };
        let found = shelf.notes(self.run, &names, (Copies::Both, &self.signers))?;
        for finding in found.findings {
            let what = (Kind::Note, Part::Whole);
            let why = finding.to_string();
            match &finding {
                NoteFinding::BadTwin { name, fault: Fault::Missing } => {
                    self.missing(name, Kind::Note, Class::Healable, &why);
                }
                NoteFinding::BadTwin { name, .. } => {
                    self.bad(name.as_str(), what, Class::Healable, why);
                }
                NoteFinding::Lost { place, .. } => {
                    for prefix in NOTES {
                        let name = place.name(prefix)?;
                        self.bad(name.as_str(), what, Class::Lost, why.clone());
                    }
                }
                NoteFinding::Gap { .. }
                | NoteFinding::OtherPrev { .. }
                | NoteFinding::Stranger { .. } => {
                    let (subject, message) = (finding.subject(), why);
                    self.report.troubles.insert(Trouble { subject, class: Class::Lost, message });
                }
            }
        }
        self.report.notes_count = found.notes.len() as u64;
        Ok(found.notes)
    }

    /// A note that is signed and does not open with its snapshot's key.
    pub fn note_does_not_open(&mut self, stored: &StoredNote, why: &str) {
        let (subject, message) = (format!("note {}", stored.place), why.to_owned());
        self.report.troubles.insert(Trouble { subject, class: Class::Lost, message });
    }

    fn chain_finding(&mut self, finding: &ChainFinding) -> Result<(), VaultError> {
        match finding {
            ChainFinding::BadTwin { name, fault: Fault::Missing } => {
                self.missing(name, Kind::Manifest, Class::Healable, &finding.to_string());
            }
            ChainFinding::BadTwin { name, .. } => {
                let what = (Kind::Manifest, Part::Whole);
                self.bad(name.as_str(), what, Class::Healable, finding.to_string());
            }
            ChainFinding::LostManifest { place, fault } => {
                for prefix in MANIFESTS {
                    let name = place.name(prefix)?;
                    let what = (Kind::Manifest, Part::Whole);
                    self.bad(name.as_str(), what, Class::Lost, fault.to_string());
                }
                self.report.lost_files.insert(LostFile::all_of(place.id, &finding.to_string()));
                // One that nobody may have signed is as it was written.
                if !matches!(fault, Fault::Signature { .. }) {
                    self.report.lost_manifests.insert(*place);
                }
            }
            ChainFinding::BadTombstone { name, fault } => {
                let what = (Kind::Tombstone, Part::Whole);
                self.bad(name.as_str(), what, Class::Lost, fault.to_string());
            }
            ChainFinding::Gap { .. }
            | ChainFinding::Fork { .. }
            | ChainFinding::OtherPrev { .. }
            | ChainFinding::Stranger { .. } => {
                let class = if finding.is_healable() { Class::Healable } else { Class::Lost };
                let (subject, message) = (finding.subject(), finding.to_string());
                self.report.troubles.insert(Trouble { subject, class, message });
                if let ChainFinding::Gap { chain, first_seq, last_seq } = finding {
                    self.report.gaps.insert((*chain, *first_seq, *last_seq));
                }
            }
        }
        Ok(())
    }

    /// Looks again for what was missing, and ends the look.
    pub fn finish(mut self) -> Result<Report, VaultError> {
        for Absent { name, location } in std::mem::take(&mut self.absent) {
            self.run.check()?;
            if !is_in(&*self.storage, &name)? {
                self.report.bad.insert(location);
            }
        }
        Ok(self.report)
    }
}

fn is_in(storage: &dyn Storage, name: &BlobName) -> Result<bool, VaultError> {
    match storage.stat(name) {
        Ok(_) => Ok(true),
        Err(error) if error.kind == crate::storage::StorageErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}
