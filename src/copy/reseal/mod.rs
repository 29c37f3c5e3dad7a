//! Snapshots into another repository: opened, compared, and sealed anew under its keys.
//!
//! The machine that copies signs. A chain of the source becomes a chain of that machine, whose
//! source id is derived from the chain's name; numbers stay the same, and so do host, paths, times
//! and counts in the sealed part. A number that cannot come gets a tombstone, so that none is
//! missing.

mod learn;
mod objects;
mod tree;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::copy::Doing;
use crate::copy::error::CopyError;
use crate::copy::reseal::objects::Objects;
use crate::copy::verbatim::CopyReport;
use crate::crypto::blind;
use crate::crypto::random_bytes;
use crate::crypto::sealed::content::DomainKeys;
use crate::crypto::sealed::keyset::AgentKeyset;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::format::manifest::ManifestPublic;
use crate::format::manifest::SignedManifest;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::format::snapshot::SnapshotInfo;
use crate::ids::KeyId;
use crate::ids::SnapshotId;
use crate::repository::error::RepositoryError;
use crate::repository::forget::tombstone;
use crate::repository::keys::complete;
use crate::repository::manifest::open_manifest;
use crate::repository::manifest::seal_manifest;
use crate::repository::open::Repository;
use crate::repository::seal::SealKeys;
use crate::repository::tree::TreeSizes;
use crate::run::Run;
use crate::run::monitor::Held;
use crate::run::monitor::Phase;
use crate::run::monitor::Problem;
use crate::vault::chains::Copies;
use crate::vault::chains::Scope;
use crate::vault::chains::StoredManifest;
use crate::vault::chains::Verifier;
use crate::vault::error::VaultError;
use crate::vault::names::Chain;
use crate::vault::names::Place;
use crate::vault::session::Session;
use crate::vault::session::SessionRequest;
use crate::vault::session::adopt::Adoption;

/// Why a number of a chain is empty at the target.
const REMOVED: &str = "copy: it was removed where it comes from";
const LOST: &str = "copy: something that it needs is lost where it comes from";
const NOT_CHOSEN: &str = "copy: it was not chosen";

/// One of the two repositories, with what opens it.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub repository: &'a Repository,
    pub keyset: &'a RestoreKeyset,
    pub signers: &'a dyn Verifier,
}

/// Where snapshots are sealed anew.
#[derive(Clone, Copy)]
pub struct Resealing<'a> {
    pub source: Side<'a>,
    pub target: Side<'a>,
    /// This machine at the target: it signs.
    pub agent: &'a AgentKeyset,
    pub sizes: TreeSizes,
    /// zstd level.
    pub level: i32,
    /// Only these are copied, if they are named.
    pub chosen: Option<&'a BTreeSet<SnapshotId>>,
    /// Words of a snapshot as they stand after all notes.
    pub words: &'a BTreeMap<SnapshotId, Vec<String>>,
    pub doing: Doing,
}

/// Copies every snapshot that the target lacks, or of those the chosen ones, the oldest of a chain
/// first.
///
/// # Errors
/// When one of the storages fails, others commit for too long, or the run is stopped. What was sent
/// is reused then.
pub fn copy(run: &Run, resealing: Resealing<'_>) -> Result<CopyReport, CopyError> {
    run.phase(Phase::Planning);
    let (source, target) = (resealing.source, resealing.target);
    if resealing.doing == Doing::Copy {
        // What a copy that was interrupted has left.
        complete::lasting_records(run, target.repository.vault().storage())?;
        target.repository.vault().complete_manifests(run)?;
    }
    let found =
        source.repository.vault().manifests(run, Scope::All, Copies::First, source.signers)?;
    crate::copy::verbatim::tell(run, &found);
    let there = target.repository.vault().manifests(
        &run.unwatched(),
        Scope::All,
        Copies::First,
        target.signers,
    )?;
    let domain = domain_keys(resealing.agent);
    let mut chains: BTreeMap<Chain, Vec<Number<'_>>> = BTreeMap::new();
    for stored in &found.manifests {
        let numbers = chains.entry(stored.place.chain).or_default();
        numbers.push(Number { seq: stored.place.seq, stored: Some(stored) });
    }
    for signed in &found.tombstones {
        let place = crate::copy::extras::place_of(signed);
        let numbers = chains.entry(place.chain).or_default();
        numbers.push(Number { seq: place.seq, stored: None });
    }
    let mut report =
        CopyReport { snapshots_count: found.manifests.len() as u64, ..CopyReport::default() };
    for (chain, mut numbers) in chains {
        // Of two with one number, a snapshot stands before a tombstone.
        numbers.sort_by_key(|number| (number.seq, number.stored.is_none()));
        let name =
            Chain { machine: resealing.agent.machine, source: own_source(&domain, &chain, source) };
        let mut copier = ChainCopier {
            run,
            resealing,
            keys: SealKeys {
                domain: domain.clone(),
                store: resealing.agent.store.clone(),
                level: resealing.level,
            },
            chain: name,
            standing: BTreeMap::new(),
            closed: BTreeMap::new(),
            report: &mut report,
        };
        for stored in there.manifests.iter().filter(|it| it.place.chain == name) {
            copier.standing.insert(stored.place.seq, stored.clone());
        }
        for signed in &there.tombstones {
            let place = crate::copy::extras::place_of(signed);
            if place.chain == name {
                let closed = match signed.tombstone.reason.as_str() {
                    REMOVED | LOST | NOT_CHOSEN => Closed::ByCopy(place.id),
                    _ => Closed::ByOthers(place.id),
                };
                let known = copier.closed.entry(place.seq).or_insert(closed);
                *known = closed.max(*known);
            }
        }
        copier.all(&numbers)?;
        let newest = numbers.iter().rev().find(|number| number.stored.is_some());
        if let Some(newest) = newest {
            let is_there = copier.standing.contains_key(&newest.seq);
            copier.report.datasets.push((chain, is_there));
        }
    }
    Ok(report)
}

pub(super) fn domain_keys(agent: &AgentKeyset) -> DomainKeys {
    let secret = &agent.domain;
    DomainKeys::derive(secret.domain, secret.generation, &secret.secret)
}

/// The id of a chain's copies; tells a stranger nothing.
fn own_source(domain: &DomainKeys, chain: &Chain, source: Side<'_>) -> crate::ids::SourceId {
    let mut name = b"copy of ".to_vec();
    name.extend_from_slice(source.keyset.repository.as_bytes());
    name.extend_from_slice(chain.machine.as_bytes());
    name.extend_from_slice(chain.source.as_bytes());
    domain.source_id(&name)
}

/// A number at the target that has a tombstone, and the id that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closed {
    /// It could not come. Once it can, it does.
    ByCopy(SnapshotId),
    /// It was removed there: it does not come back.
    ByOthers(SnapshotId),
}

impl Closed {
    const fn id(self) -> SnapshotId {
        match self {
            Self::ByCopy(id) | Self::ByOthers(id) => id,
        }
    }
}

/// One number of a chain: a snapshot, or one that was removed.
#[derive(Clone, Copy)]
struct Number<'a> {
    seq: u64,
    stored: Option<&'a StoredManifest>,
}

struct ChainCopier<'a> {
    run: &'a Run,
    resealing: Resealing<'a>,
    keys: SealKeys,
    /// At the target.
    chain: Chain,
    standing: BTreeMap<u64, StoredManifest>,
    closed: BTreeMap<u64, Closed>,
    report: &'a mut CopyReport,
}

impl ChainCopier<'_> {
    fn all(&mut self, numbers: &[Number<'_>]) -> Result<(), CopyError> {
        let mut objects = None;
        let mut done = BTreeSet::new();
        let mut last_there: Option<&StoredManifest> = None;
        let chosen = numbers.iter().filter(|it| it.stored.is_some_and(|it| self.is_chosen(it)));
        // Of numbers behind the last that is chosen nothing is said.
        let last_seq = match self.resealing.chosen {
            Some(_) => chosen.map(|number| number.seq).max().unwrap_or(0),
            None => u64::MAX,
        };
        for number in numbers.iter().take_while(|number| number.seq <= last_seq) {
            self.run.check()?;
            let is_twice = !done.insert(number.seq);
            let Some(stored) = number.stored else {
                if !is_twice {
                    self.close(number.seq, REMOVED)?;
                }
                continue;
            };
            if is_twice {
                let message = "another snapshot has this number there: both were backed up to";
                self.run.problem(&Problem::new(stored.place.to_string(), message));
                self.report.unfinished_count += 1;
            } else if self.standing.contains_key(&number.seq) {
                self.report.known_count += 1;
                last_there = Some(stored);
            } else if matches!(self.closed.get(&number.seq), Some(Closed::ByOthers(_))) {
                self.report.removed_count += 1;
            } else if !self.is_chosen(stored) {
                self.close(number.seq, NOT_CHOSEN)?;
            } else if !self.source_vault().is_acknowledged(self.run, &stored.place)? {
                self.report.unfinished_count += 1;
                // What comes behind it in the chain waits for it.
                break;
            } else {
                if objects.is_none() {
                    objects = Some(self.objects(last_there)?);
                }
                if let Some(objects) = &mut objects {
                    self.one(stored, objects)?;
                }
            }
        }
        Ok(())
    }

    fn is_chosen(&self, stored: &StoredManifest) -> bool {
        self.resealing.chosen.is_none_or(|chosen| chosen.contains(&stored.place.id))
    }

    fn source_vault(&self) -> &crate::vault::Vault {
        self.resealing.source.repository.vault()
    }

    /// Nothing known yet, or what the last copy of this chain knew.
    fn objects(&self, last: Option<&StoredManifest>) -> Result<Objects, CopyError> {
        let mut objects = Objects::new(&self.resealing, &self.keys)?;
        let copy = last.and_then(|last| self.standing.get(&last.place.seq));
        if self.resealing.doing == Doing::Copy
            && let (Some(last), Some(copy)) = (last, copy)
            && let Ok(from) = open_manifest(self.resealing.source.keyset, &last.manifest)
            && let Ok(to) = open_manifest(self.resealing.target.keyset, &copy.manifest)
        {
            let (run, held) = self.run.holding();
            learn::learn(&run, &self.resealing, (&from.root(), &to.root()), &mut objects)?;
            self.tell(&held, last)?;
        }
        Ok(objects)
    }

    /// Tells what was wrong while a snapshot was read, unless it was removed meanwhile: then what
    /// it needs may go. Whether it stands.
    fn tell(&self, held: &Held, stored: &StoredManifest) -> Result<bool, CopyError> {
        let stands = self.source_vault().has_manifest(self.run, &stored.place)?;
        if stands {
            held.tell();
        } else {
            held.forget();
        }
        Ok(stands)
    }

    fn one(&mut self, stored: &StoredManifest, objects: &mut Objects) -> Result<(), CopyError> {
        let (run, held) = self.run.holding();
        let info = match open_manifest(self.resealing.source.keyset, &stored.manifest) {
            Ok(info) => info,
            Err(error) => return self.lost(stored, (&error, &held)),
        };
        if self.resealing.doing == Doing::Plan {
            self.report.copied_count += 1;
            self.report.bytes += info.counts.content_bytes;
            return Ok(());
        }
        let request =
            SessionRequest { machine: self.chain.machine, source: self.chain.source, parent: None };
        let vault = self.resealing.target.repository.vault();
        let mut session = vault.open_session(self.run, request)?;
        self.run.phase(Phase::Copying);
        let written = tree::write(&run, &self.resealing, (&session, &info.root()), objects);
        let written = written.and_then(|root| {
            let capsules = info.capsules(&stored.manifest.public.capsules).unwrap_or_default();
            Ok((root, self.capsules(&run, &capsules, &session, objects)?))
        });
        let (root, capsules) = match written {
            Ok(written) => written,
            Err(CopyError::Repository(error)) if is_loss(&error) => {
                session.suspend(self.run)?;
                return self.lost(stored, (&error, &held));
            }
            Err(error) => {
                held.tell();
                // The first error is the one to tell; what can still be kept is kept.
                drop(session.suspend(self.run));
                return Err(error);
            }
        };
        held.tell();
        let manifest = self.seal(stored, (&info, &root, &capsules), &session)?;
        let adopted = session
            .adopt(self.run, Adoption { manifests: &[&manifest], tombstones: &[], bases: &[] })?;
        let place = Place {
            chain: self.chain,
            seq: stored.place.seq,
            id: SnapshotId::new(blind::hash(manifest.as_bytes())),
        };
        if adopted.contains(&place.id) {
            let (count, bytes) = objects.take_counts();
            self.report.objects_count += count;
            self.report.bytes += bytes;
            self.report.copied_count += 1;
            self.report.copied.push(place);
            self.standing.insert(place.seq, StoredManifest { place, manifest });
        }
        Ok(())
    }

    /// What was recorded at the source, under the target's keys.
    fn capsules(
        &self,
        run: &Run,
        capsules: &[Ref],
        session: &Session,
        objects: &mut Objects,
    ) -> Result<Vec<Ref>, CopyError> {
        let mut own = Vec::with_capacity(capsules.len());
        for capsule in capsules {
            let wanted = [(Arc::new(capsule.clone()), ObjectKind::Capsule)];
            objects.bring(run, (&self.resealing, session), &wanted)?;
            let [(old, _)] = &wanted;
            let brought = objects.own(session, old)?;
            let missing = VaultError::UnknownObject { sid: capsule.sid };
            own.push((*brought.ok_or(RepositoryError::from(missing))?).clone());
        }
        Ok(own)
    }

    /// Tells that a snapshot cannot come, and closes its number.
    fn lost(
        &mut self,
        stored: &StoredManifest,
        (error, held): (&RepositoryError, &Held),
    ) -> Result<(), CopyError> {
        if !self.tell(held, stored)? {
            self.report.unfinished_count += 1;
            return self.close(stored.place.seq, REMOVED);
        }
        self.report.damaged_count += 1;
        let message = format!("it is not copied: {error}");
        self.run.problem(&Problem::damage(stored.place.to_string(), message));
        self.close(stored.place.seq, LOST)
    }

    /// A tombstone for a number that no snapshot comes to.
    fn close(&mut self, seq: u64, reason: &str) -> Result<(), CopyError> {
        if self.standing.contains_key(&seq) || self.closed.contains_key(&seq) {
            return Ok(());
        }
        self.report.tombstones_count += 1;
        if self.resealing.doing == Doing::Plan {
            return Ok(());
        }
        let id = SnapshotId::new(random_bytes().map_err(|_| RepositoryError::NoRandom)?);
        let place = Place { chain: self.chain, seq, id };
        let target = self.resealing.target;
        let signed = tombstone(target.keyset, &place, self.run.clock.now(), reason);
        target.repository.vault().bury(self.run, &[signed])?;
        self.closed.insert(seq, Closed::ByCopy(id));
        Ok(())
    }

    fn seal(
        &self,
        stored: &StoredManifest,
        (info, root, capsules): (&SnapshotInfo, &Ref, &[Ref]),
        session: &Session,
    ) -> Result<SignedManifest, CopyError> {
        let agent = self.resealing.agent;
        let (old, seq) = (&stored.manifest.public, stored.place.seq);
        let before = seq.saturating_sub(1);
        let standing = self.standing.get(&before).map(|stored| stored.place.id);
        let prev = standing.or_else(|| self.closed.get(&before).map(|closed| closed.id()));
        let public = ManifestPublic {
            repository: agent.repository,
            machine: agent.machine,
            source: self.chain.source,
            seq,
            // A number that is missing where it comes from is missing here too.
            prev: (seq > 1).then(|| prev.or(old.prev)).flatten(),
            session: session.id(),
            time: old.time,
            root: root.sid,
            capsules: capsules.iter().map(|it| it.sid).collect(),
            raw_bytes_padded: old.raw_bytes_padded,
            entries_padded: old.entries_padded,
            domain: agent.domain.domain,
            domain_generation: agent.domain.generation,
            chunker: old.chunker,
            recipients: Vec::new(),
            signer: KeyId::new([0; 16]),
        };
        let mut own = SnapshotInfo::new(root);
        own.host.clone_from(&info.host);
        own.paths.clone_from(&info.paths);
        own.tags.clone_from(self.resealing.words.get(&stored.place.id).unwrap_or(&info.tags));
        own.platform.clone_from(&info.platform);
        own.program.clone_from(&info.program);
        own.started = info.started;
        own.finished = info.finished;
        own.counts = info.counts;
        own.excludes.clone_from(&info.excludes);
        own.attach(capsules);
        Ok(seal_manifest(agent, public, &own)?)
    }
}

/// Whether something is lost, and not only away.
fn is_loss(error: &RepositoryError) -> bool {
    match error {
        RepositoryError::Unseal { .. }
        | RepositoryError::NodeInvalid { .. }
        | RepositoryError::NodeLevel { .. } => true,
        RepositoryError::Vault(error) => matches!(
            error,
            crate::vault::error::VaultError::UnknownObject { .. }
                | crate::vault::error::VaultError::LostObject { .. }
                | crate::vault::error::VaultError::Object { .. }
        ),
        _ => false,
    }
}
