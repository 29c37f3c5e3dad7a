//! From a source to a committed snapshot.

pub mod attach;
mod chain;
pub mod shrink;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::backup::Cutting;
use crate::backup::error::BackupError;
use crate::backup::parent::ParentTree;
use crate::backup::parent::lost;
use crate::backup::parent::lost::Packs;
use crate::backup::parent::lost::Seen;
use crate::backup::pipeline;
use crate::backup::pipeline::Pipeline;
use crate::backup::pipeline::Plan;
use crate::backup::pipeline::TreeReport;
use crate::backup::remember;
use crate::backup::remember::Memory;
use crate::backup::remember::TreeSink;
use crate::backup::snapshot::attach::Attachments;
use crate::backup::snapshot::chain::Chain;
use crate::backup::snapshot::chain::Opened;
use crate::backup::snapshot::shrink::Shrink;
use crate::backup::snapshot::shrink::Shrinking;
use crate::backup::snapshot::shrink::Size;
use crate::chunk::CHUNKER_ID;
use crate::crypto::sealed::content::DomainKeys;
use crate::crypto::sealed::keyset::AgentKeyset;
use crate::format::frame::padme;
use crate::format::manifest::ManifestPublic;
use crate::format::manifest::SignedManifest;
use crate::format::object::Ref;
use crate::format::object::SealedObject;
use crate::format::snapshot::SnapshotCounts;
use crate::format::snapshot::SnapshotInfo;
use crate::ids::KeyId;
use crate::ids::SessionId;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::repository::ObjectSink;
use crate::repository::Stored;
use crate::repository::error::RepositoryError;
use crate::repository::manifest::seal_manifest;
use crate::repository::open::CachedNodes;
use crate::repository::open::Repository;
use crate::repository::seal::SealKeys;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::run::monitor::Monitor;
use crate::run::monitor::Phase;
use crate::run::monitor::Problem;
use crate::source::Source;
use crate::units::Timestamp;
use crate::vault::error::VaultError;
use crate::vault::names::Chain as ChainName;
use crate::vault::names::Place;
use crate::vault::session::Session;

/// How often a backup that was overtaken becomes the next of its chain instead.
const COMMITS_MAX: u32 = 16;

/// What happens when nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchanged {
    /// A snapshot is made all the same: it says that there was a backup.
    Commit,
    /// No snapshot is made.
    Skip,
}

/// Which parent changes are found against.
#[derive(Debug, Clone)]
pub enum Comparison {
    /// The newest snapshot of the same chain, as remembered here.
    Newest,
    /// None: everything is read again.
    Nothing,
    /// One that somebody chose and opened.
    Given(Box<Given>),
}

/// A snapshot of this machine to compare with.
#[derive(Debug, Clone)]
pub struct Given {
    pub snapshot: SnapshotId,
    pub tree: ParentTree,
    pub size: Size,
}

/// A backup to be made.
pub struct Request<'a> {
    pub source: &'a dyn Source,
    /// Text that names the dataset on this machine: the same text, the same chain.
    pub dataset: &'a [u8],
    /// Host, paths, tags, platform, program and excludes are kept; the rest is filled in.
    pub info: &'a dyn Fn(&Ref) -> SnapshotInfo,
    pub cutting: Cutting,
    /// zstd level.
    pub level: i32,
    pub workers_count: usize,
    /// Where the machine remembers its newest snapshots.
    pub cache: Option<&'a Path>,
    pub unchanged: Unchanged,
    pub comparison: Comparison,
    pub shrink: Shrink,
    pub attachments: &'a dyn Attachments,
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Request")
    }
}

/// What was done, and what was recorded at the source.
type Made<'a> = (&'a BackupReport, &'a [Ref]);

/// What a backup did.
#[derive(Debug, Clone)]
pub struct BackupReport {
    /// The new snapshot; `None` if it was skipped because nothing changed.
    pub snapshot: Option<Place>,
    pub parent: Option<Place>,
    pub tree: TreeReport,
    pub problems_count: u64,
    /// Sealed bytes that the vault did not have.
    pub stored_bytes: u64,
    pub started: Timestamp,
    pub finished: Timestamp,
    pub shrinking: Shrinking,
}

/// Counts what the manifest tells of its run.
#[derive(Debug, Default)]
struct Tally {
    problems: AtomicU64,
    stored_bytes: AtomicU64,
}

impl Monitor for Tally {
    fn count(&self, what: Count, n: u64) {
        if what == Count::BytesStored {
            self.stored_bytes.fetch_add(n, Ordering::Relaxed);
        }
    }

    fn problem(&self, _problem: &Problem) {
        self.problems.fetch_add(1, Ordering::Relaxed);
    }

    fn phase(&self, _phase: Phase) {}
}

/// A snapshot is made all the same: it may be what the user wants, and it costs nothing to keep.
fn report_shrinking(
    run: &Run,
    chain: &Chain,
    request: &Request<'_>,
    tree: &TreeReport,
) -> Shrinking {
    let now = Size { files_count: tree.files_count, content_bytes: tree.content_bytes };
    let before = chain.size_before(&request.comparison);
    let alarm = before.and_then(|before| shrink::alarm(before, now, request.shrink));
    let Some(message) = alarm else { return Shrinking::Usual };
    run.problem(&Problem::new("source", message));
    Shrinking::TooMuch
}

/// Whether a backup would read anything, and what: nothing is written.
pub fn plan(
    run: &Run,
    repository: &Repository,
    agent: &AgentKeyset,
    request: &Request<'_>,
) -> Result<Plan, BackupError> {
    let keys = seal_keys(agent, request.level);
    let chain = chain::find(run, repository, (agent, &keys.domain), request)?;
    let parent = chain.parent(&request.comparison);
    let nodes = CachedNodes { repository, cache: chain.cache.as_ref() };
    let pipeline = Pipeline {
        source: request.source,
        parent: parent.as_ref(),
        nodes: &nodes,
        objects: &NoObjects,
        keys: &keys,
        cutting: request.cutting,
        workers_count: request.workers_count,
    };
    pipeline::plan(run, &pipeline)
}

/// Stands where nothing is ever put.
struct NoObjects;

impl ObjectSink for NoObjects {
    fn put(&self, _object: SealedObject) -> Result<Stored, RepositoryError> {
        Ok(Stored::Known)
    }
}

fn seal_keys(agent: &AgentKeyset, level: i32) -> SealKeys {
    let secret = &agent.domain;
    SealKeys {
        domain: DomainKeys::derive(secret.domain, secret.generation, &secret.secret)
            .with_sources(agent.sources.as_ref()),
        store: agent.store.clone(),
        level,
    }
}

/// Makes a snapshot. On an error nothing is committed, and what was sent is kept for the next run.
pub fn execute(
    run: &Run,
    repository: &Repository,
    agent: &AgentKeyset,
    request: &Request<'_>,
) -> Result<BackupReport, BackupError> {
    let tally = Arc::new(Tally::default());
    let run = &run.also(Arc::clone(&tally) as Arc<dyn Monitor>);
    let started = run.clock.now();
    let keys = seal_keys(agent, request.level);
    let Opened { chain, mut session, seen } =
        chain::open(run, repository, (agent, &keys.domain), request)?;
    run.phase(Phase::BackingUp);
    let place = request.cache.map(|folder| (folder, &chain.cache_key));
    let mut memory = Memory::new(chain.cache.as_ref(), place);
    let began = request.attachments.before(run);
    let tree = began.map_err(BackupError::from).and_then(|()| {
        write_tree(run, (repository, seen), (&keys, &chain, &session), request, &mut memory)
    });
    let tree = tree.and_then(|(tree, packs)| {
        request.source.finish(run)?;
        Ok((tree, packs, attach::seal(run, (&keys, &session), request.attachments)?))
    });
    let (tree, packs, capsules) = match tree {
        Ok(made) => made,
        Err(error) => {
            memory.abandon();
            // The first error is the one to tell; what can still be kept is kept.
            if let Err(second) = session.suspend(run) {
                tracing::warn!(error = %second, "what was sent could not be kept");
            }
            return Err(error);
        }
    };
    let shrinking = report_shrinking(run, &chain, request, &tree);
    let mut report = BackupReport {
        shrinking,
        snapshot: None,
        parent: chain.newest,
        tree,
        problems_count: tally.problems.load(Ordering::Relaxed),
        stored_bytes: tally.stored_bytes.load(Ordering::Relaxed),
        started,
        finished: run.clock.now(),
    };
    let root_before = chain.root_before(&request.comparison);
    if request.unchanged == Unchanged::Skip && root_before == Some(&report.tree.root) {
        memory.abandon();
        session.suspend(run).map_err(RepositoryError::from)?;
        return Ok(report);
    }
    // Told to stop before the only commit point: nothing is committed.
    if let Err(stopped) = run.check() {
        memory.abandon();
        session.suspend(run).map_err(RepositoryError::from)?;
        return Err(stopped.into());
    }
    let made = (&report, &capsules[..]);
    let committed = commit(run, repository, (agent, request), (&chain, made, &mut session));
    let (manifest, committed) = match committed {
        Ok(committed) => committed,
        Err(error) => {
            memory.abandon();
            return Err(error);
        }
    };
    let head = remember::head(&manifest, &report, [packs, session.written_packs()]);
    memory.finish(&head);
    let chain_name = ChainName { machine: agent.machine, source: chain.source };
    report.snapshot = Some(Place { chain: chain_name, seq: head.seq, id: committed });
    run.phase(Phase::Finished);
    Ok(report)
}

/// Commits as the next of the chain. Another backup of the same source may have become that since
/// this one began: then as the one after it.
fn commit(
    run: &Run,
    repository: &Repository,
    (agent, request): (&AgentKeyset, &Request<'_>),
    (chain, made, session): (&Chain, Made<'_>, &mut Session),
) -> Result<(SignedManifest, SnapshotId), BackupError> {
    let name = ChainName { machine: agent.machine, source: chain.source };
    let mut newest = chain.newest;
    let mut attempts_left = COMMITS_MAX;
    loop {
        let manifest = seal(agent, (chain.source, newest), request, (made, session.id()))?;
        attempts_left -= 1;
        match session.commit(run, &manifest) {
            Ok(committed) => return Ok((manifest, committed)),
            Err(VaultError::NotNext { .. }) if attempts_left > 0 => {
                newest = repository.vault().head(run, &name).map_err(RepositoryError::from)?;
            }
            Err(error) => return Err(RepositoryError::from(error).into()),
        }
    }
}

fn write_tree(
    run: &Run,
    (repository, seen): (&Repository, Seen),
    (keys, chain, session): (&SealKeys, &Chain, &Session),
    request: &Request<'_>,
    memory: &mut Memory<'_>,
) -> Result<(TreeReport, Packs), BackupError> {
    let mut parent = chain.parent(&request.comparison);
    if let Some(before) = chain.size_before(&request.comparison) {
        run.count(Count::BytesExpected, before.content_bytes);
    }
    let nodes = CachedNodes { repository, cache: chain.cache.as_ref() };
    let root = parent.as_ref().map(|parent| &parent.root);
    let looked = lost::look(run, &nodes, root, seen)?;
    let doubted = looked.lost.is_some().then(|| repository.vault());
    if let Some(parent) = &mut parent {
        parent.decayed.extend(looked.lost.into_iter().flatten());
    }
    let pipeline = Pipeline {
        source: request.source,
        parent: parent.as_ref(),
        nodes: &nodes,
        objects: session,
        keys,
        cutting: request.cutting,
        workers_count: request.workers_count,
    };
    let mut sink = TreeSink { run, session, memory, doubted };
    Ok((pipeline::execute(run, &pipeline, &mut sink)?, looked.packs))
}

fn seal(
    agent: &AgentKeyset,
    (source, newest): (SourceId, Option<Place>),
    request: &Request<'_>,
    ((report, capsules), session): (Made<'_>, SessionId),
) -> Result<SignedManifest, BackupError> {
    let tree = &report.tree;
    let padded = |n: u64| padme(usize::try_from(n).unwrap_or(usize::MAX)) as u64;
    let public = ManifestPublic {
        repository: agent.repository,
        machine: agent.machine,
        source,
        seq: newest.map_or(0, |name| name.seq) + 1,
        prev: newest.map(|name| name.id),
        session,
        time: report.started,
        root: tree.root.sid,
        capsules: capsules.iter().map(|it| it.sid).collect(),
        raw_bytes_padded: padded(tree.content_bytes),
        entries_padded: padded(tree.entries_count),
        domain: agent.domain.domain,
        domain_generation: agent.domain.generation,
        chunker: CHUNKER_ID.into(),
        recipients: Vec::new(),
        signer: KeyId::new([0; 16]),
    };
    let mut info = (request.info)(&tree.root);
    info.started = report.started;
    info.finished = report.finished;
    info.attach(capsules);
    info.counts = SnapshotCounts {
        entries: tree.entries_count,
        files: tree.files_count,
        content_bytes: tree.content_bytes,
        files_new: tree.files_new,
        files_changed: tree.files_changed,
        files_unchanged: tree.files_unchanged,
        problems: report.problems_count,
        flagged: tree.flagged_count,
        stored_bytes: report.stored_bytes,
    };
    Ok(seal_manifest(agent, public, &info)?)
}
