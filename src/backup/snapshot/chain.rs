//! The chain that a backup continues, and what is looked at before it begins.

use crate::backup::error::BackupError;
use crate::backup::parent::ParentTree;
use crate::backup::parent::lost;
use crate::backup::parent::lost::Seen;
use crate::backup::snapshot::Comparison;
use crate::backup::snapshot::Request;
use crate::backup::snapshot::shrink::Size;
use crate::crypto::sealed::content::DomainKeys;
use crate::crypto::sealed::keyset::AgentKeyset;
use crate::format::object::Ref;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::repository::cache::Cache;
use crate::repository::cache::CacheKey;
use crate::repository::error::RepositoryError;
use crate::repository::keys::complete;
use crate::repository::open::Repository;
use crate::run::Run;
use crate::vault::error::VaultError;
use crate::vault::names::Chain as ChainName;
use crate::vault::names::Place;
use crate::vault::session::Session;
use crate::vault::session::SessionRequest;

/// The chain that a backup continues.
pub(super) struct Chain {
    pub(super) source: SourceId,
    pub(super) newest: Option<Place>,
    pub(super) cache_key: CacheKey,
    pub(super) cache: Option<Cache>,
}

impl Chain {
    pub(super) fn parent(&self, comparison: &Comparison) -> Option<ParentTree> {
        match comparison {
            Comparison::Nothing => None,
            Comparison::Given(given) => Some(given.tree.clone()),
            Comparison::Newest => self.cache.as_ref().map(|cache| ParentTree {
                root: cache.head.root.clone(),
                started: cache.head.started,
                decayed: cache.head.decayed.clone(),
            }),
        }
    }

    pub(super) fn root_before<'a>(&'a self, comparison: &'a Comparison) -> Option<&'a Ref> {
        match comparison {
            Comparison::Given(given) => Some(&given.tree.root),
            _ => self.cache.as_ref().map(|cache| &cache.head.root),
        }
    }

    /// How much the snapshot before this one holds, as far as it is known.
    pub(super) fn size_before(&self, comparison: &Comparison) -> Option<Size> {
        if let Comparison::Given(given) = comparison {
            return Some(given.size);
        }
        let head = &self.cache.as_ref()?.head;
        Some(Size { files_count: head.files_count, content_bytes: head.content_bytes })
    }

    /// The snapshot whose objects the session relies on.
    pub(super) fn relied_on(&self, comparison: &Comparison) -> Option<SnapshotId> {
        match comparison {
            Comparison::Given(given) => Some(given.snapshot),
            _ => self.cache.as_ref().and(self.newest).map(|place| place.id),
        }
    }
}

/// What this machine knows of a chain by itself.
struct Remembered {
    name: ChainName,
    key: CacheKey,
    cache: Option<Cache>,
}

fn remembered((agent, domain): (&AgentKeyset, &DomainKeys), request: &Request<'_>) -> Remembered {
    let source = domain.source_id(request.dataset);
    let name = ChainName { machine: agent.machine, source };
    let key = CacheKey {
        repository: agent.repository,
        machine: agent.machine,
        source,
        key: domain.local_cache().clone(),
    };
    let cache = match request.cache.map(|folder| Cache::open(folder, &key)) {
        None | Some(Ok(None)) => None,
        Some(Ok(Some(cache))) => Some(cache),
        Some(Err(error)) => {
            tracing::warn!(%error, "the local cache is not used");
            None
        }
    };
    Remembered { name, key, cache }
}

impl Remembered {
    /// The newest snapshot, if nobody else made one meanwhile.
    fn newest(&self) -> Option<Place> {
        let head = &self.cache.as_ref()?.head;
        Some(Place { chain: self.name, seq: head.seq, id: head.snapshot })
    }

    /// What the session would rely on then.
    fn relied_on(&self, comparison: &Comparison) -> Option<SnapshotId> {
        match comparison {
            Comparison::Given(given) => Some(given.snapshot),
            _ => self.newest().map(|place| place.id),
        }
    }

    /// The chain as it is: its newest snapshot, and whether that has a manifest.
    fn of(self, found: Option<(Place, bool)>, comparison: &Comparison) -> Chain {
        let newest = found.map(|(place, _)| place);
        // A session relies on one snapshot: nodes of another one must not be taken for stored.
        let relied_on = match comparison {
            Comparison::Given(given) => Some(given.snapshot),
            _ => newest.map(|place| place.id),
        };
        let cache = self.cache.filter(|cache| relied_on == Some(cache.head.snapshot));
        // What a removed snapshot reached is gone once its manifest is.
        let cache = cache.filter(|_| found.is_none_or(|(_, has_manifest)| has_manifest));
        Chain { source: self.name.source, newest, cache_key: self.key, cache }
    }
}

pub(super) fn find(
    run: &Run,
    repository: &Repository,
    keys: (&AgentKeyset, &DomainKeys),
    request: &Request<'_>,
) -> Result<Chain, BackupError> {
    let remembered = remembered(keys, request);
    let found = repository.vault().head_and_manifest(run, &remembered.name);
    Ok(remembered.of(found.map_err(RepositoryError::from)?, &request.comparison))
}

/// What a backup begins with.
pub(super) struct Opened {
    pub(super) chain: Chain,
    pub(super) session: Session,
    pub(super) seen: Seen,
}

/// Finds the chain, opens a session, and looks which packs there are. Copies of records that are
/// missing are written beside.
pub(super) fn open(
    run: &Run,
    repository: &Repository,
    keys: (&AgentKeyset, &DomainKeys),
    request: &Request<'_>,
) -> Result<Opened, BackupError> {
    let vault = repository.vault();
    let complete = || {
        if let Err(error) = complete::lasting_records(run, vault.storage()) {
            tracing::warn!(%error, "missing copies of records could not be written");
        }
    };
    let opened = || match vault.storage().is_far() {
        true => open_guessing(run, repository, keys, request),
        false => {
            let chain = find(run, repository, keys, request)?;
            open_found(run, repository, (keys.0, chain), request)
        }
    };
    vault.both(complete, opened).1
}

fn open_found(
    run: &Run,
    repository: &Repository,
    (agent, mut chain): (&AgentKeyset, Chain),
    request: &Request<'_>,
) -> Result<Opened, BackupError> {
    let (vault, newest) = (repository.vault(), chain.newest);
    let (seen, session) = vault.both(
        || lost::see(run, vault, newest.as_ref()),
        || open_session(run, repository, agent, (&mut chain, request)),
    );
    Ok(Opened { session: session?, seen: seen?, chain })
}

/// Opens the session while the chain is looked at, on what this machine remembers of it: mostly
/// that is right, and else the session is closed and another one opened.
fn open_guessing(
    run: &Run,
    repository: &Repository,
    keys: (&AgentKeyset, &DomainKeys),
    request: &Request<'_>,
) -> Result<Opened, BackupError> {
    let (vault, remembered) = (repository.vault(), remembered(keys, request));
    let (name, newest) = (remembered.name, remembered.newest());
    let parent = remembered.relied_on(&request.comparison);
    let asked = SessionRequest { machine: name.machine, source: name.source, parent };
    let begin = || {
        let see = || lost::see(run, vault, newest.as_ref());
        vault.both(see, || vault.open_session(run, asked))
    };
    let (found, (seen, session)) = vault.both(|| vault.head_and_manifest(run, &name), begin);
    let chain = remembered.of(found.map_err(RepositoryError::from)?, &request.comparison);
    // What was seen matters only to whoever compares.
    let is_seen = chain.newest == newest || chain.root_before(&request.comparison).is_none();
    let is_right = is_seen && chain.relied_on(&request.comparison) == parent;
    match session {
        Ok(session) if is_right => Ok(Opened { chain, session, seen: seen? }),
        Ok(session) => {
            session.suspend(run).map_err(RepositoryError::from)?;
            open_found(run, repository, (keys.0, chain), request)
        }
        Err(VaultError::ParentGone { .. }) => open_found(run, repository, (keys.0, chain), request),
        Err(error) => Err(RepositoryError::from(error).into()),
    }
}

/// Opens a session on the snapshot that the chain remembers, or on none if that one is about to go.
fn open_session(
    run: &Run,
    repository: &Repository,
    agent: &AgentKeyset,
    (chain, request): (&mut Chain, &Request<'_>),
) -> Result<Session, BackupError> {
    loop {
        let parent = chain.relied_on(&request.comparison);
        let asked = SessionRequest { machine: agent.machine, source: chain.source, parent };
        match repository.vault().open_session(run, asked) {
            Ok(session) => return Ok(session),
            Err(VaultError::ParentGone { .. })
                if matches!(request.comparison, Comparison::Newest) && chain.cache.is_some() =>
            {
                chain.cache = None;
            }
            Err(error) => return Err(RepositoryError::from(error).into()),
        }
    }
}
