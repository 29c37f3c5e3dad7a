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

pub(super) fn find(
    run: &Run,
    repository: &Repository,
    keys: (&AgentKeyset, &DomainKeys),
    request: &Request<'_>,
) -> Result<Chain, BackupError> {
    let (agent, domain) = keys;
    let source = domain.source_id(request.dataset);
    let name = ChainName { machine: agent.machine, source };
    let found = repository.vault().head_and_manifest(run, &name).map_err(RepositoryError::from)?;
    let newest = found.map(|(place, _)| place);
    let cache_key = CacheKey {
        repository: agent.repository,
        machine: agent.machine,
        source,
        key: domain.local_cache().clone(),
    };
    let cache = match request.cache.map(|folder| Cache::open(folder, &cache_key)) {
        None | Some(Ok(None)) => None,
        Some(Ok(Some(cache))) => Some(cache),
        Some(Err(error)) => {
            tracing::warn!(%error, "the local cache is not used");
            None
        }
    };
    // A session relies on one snapshot: nodes of another one must not be taken for stored.
    let relied_on = match &request.comparison {
        Comparison::Given(given) => Some(given.snapshot),
        _ => newest.map(|place| place.id),
    };
    let cache = cache.filter(|cache| relied_on == Some(cache.head.snapshot));
    // What a removed snapshot reached is gone once its manifest is.
    let cache = cache.filter(|_| found.is_none_or(|(_, has_manifest)| has_manifest));
    Ok(Chain { source, newest, cache_key, cache })
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
    let opened = || {
        let mut chain = find(run, repository, keys, request)?;
        let newest = chain.newest;
        let (seen, session) = vault.both(
            || lost::see(run, vault, newest.as_ref()),
            || open_session(run, repository, keys.0, (&mut chain, request)),
        );
        Ok(Opened { session: session?, seen: seen?, chain })
    };
    vault.both(complete, opened).1
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
