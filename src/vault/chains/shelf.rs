//! Reading manifests and tombstones. No key is needed for it.

use std::collections::BTreeSet;

use crate::crypto::blind;
use crate::format::manifest::MANIFEST_BYTES_MAX;
use crate::format::manifest::SignedManifest;
use crate::format::tombstone::SignedTombstone;
use crate::format::tombstone::TOMBSTONE_BYTES_MAX;
use crate::ids::RepositoryId;
use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::storage::StorageErrorKind;
use crate::storage::together;
use crate::vault::Inner;
use crate::vault::chains::ChainFinding;
use crate::vault::chains::ChainNames;
use crate::vault::chains::Copies;
use crate::vault::chains::Manifests;
use crate::vault::chains::StoredManifest;
use crate::vault::chains::Verifier;
use crate::vault::chains::gaps;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::load::whole_or_error;
use crate::vault::names::Chain;
use crate::vault::names::MANIFESTS;
use crate::vault::names::Place;
use crate::vault::names::TOMBSTONES;

/// What is asked of one manifest.
#[derive(Clone, Copy)]
struct Reading<'a> {
    place: &'a Place,
    listed: &'a [bool; 2],
    copies: Copies,
    verifier: &'a dyn Verifier,
}

/// Where manifests are read: no key is needed for it.
#[derive(Clone, Copy)]
pub(in crate::vault) struct Shelf<'a> {
    pub storage: &'a dyn Storage,
    pub repository: RepositoryId,
}

impl Inner {
    pub(in crate::vault) fn shelf(&self) -> Shelf<'_> {
        Shelf { storage: &*self.storage, repository: self.keys.repository() }
    }

    /// Whether a manifest is there, in one copy at least.
    pub(in crate::vault) fn has_a_copy(&self, place: &Place) -> Result<bool, VaultError> {
        let is_there = |prefix: &&str| match self.storage.stat(&place.name(prefix)?) {
            Ok(_) => Ok::<_, VaultError>(true),
            Err(error) if error.kind == StorageErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        };
        let there = together::each(&*self.storage, &MANIFESTS, is_there)?;
        Ok(there.contains(&true))
    }

    /// The first good copy of a manifest.
    pub(in crate::vault) fn read_manifest_at(
        &self,
        place: &Place,
    ) -> Result<Option<SignedManifest>, VaultError> {
        self.shelf().read_manifest_at(place)
    }
}

impl Shelf<'_> {
    /// Reads the manifests of `names`, and says what is missing or bad.
    pub(in crate::vault) fn manifests(
        &self,
        run: &Run,
        names: &ChainNames,
        copies: Copies,
        verifier: &dyn Verifier,
    ) -> Result<Manifests, VaultError> {
        let mut found = Manifests::default();
        let mut removed = BTreeSet::new();
        let tombstones: Vec<Place> = names.tombstones.iter().copied().collect();
        let read = together::each(self.storage, &tombstones, |place| {
            run.check()?;
            let name = place.name(TOMBSTONES)?;
            let read = self.read_tombstone(&name, place, verifier)?;
            Ok::<_, VaultError>((*place, name, read))
        })?;
        for (place, name, read) in read {
            match read {
                Ok(tombstone) => {
                    removed.insert(place);
                    found.tombstones.push(tombstone);
                }
                Err(fault) => found.findings.push(ChainFinding::BadTombstone { name, fault }),
            }
        }
        // What was removed on purpose may be half gone already.
        let standing = names.manifests.iter().filter(|(place, _)| !removed.contains(place));
        let standing: Vec<_> = standing.collect();
        let read = together::each(self.storage, &standing, |(place, listed)| {
            run.check()?;
            self.read_copies(Reading { place, listed, copies, verifier })
        })?;
        for one in read {
            found.findings.extend(one.findings);
            found.manifests.extend(one.manifests);
        }
        let places: BTreeSet<Place> = names.manifests.keys().copied().collect();
        gaps::find(&places, &removed, &mut found);
        Ok(found)
    }

    /// One manifest, and what is wrong with its copies.
    fn read_copies(&self, asked: Reading<'_>) -> Result<Manifests, VaultError> {
        let Reading { place, listed, copies, verifier } = asked;
        let mut found = Manifests::default();
        let mut good = None;
        let mut bad = Vec::new();
        let mut names = Vec::new();
        for (prefix, is_listed) in MANIFESTS.into_iter().zip(listed) {
            let name = place.name(prefix)?;
            match is_listed {
                true => names.push(name),
                false => bad.push((name, Fault::Missing)),
            }
        }
        while !names.is_empty() && (good.is_none() || copies == Copies::Both) {
            let now: Vec<_> = match copies {
                Copies::First => names.drain(..1).collect(),
                Copies::Both => std::mem::take(&mut names),
            };
            let read = |name: &BlobName| self.read_manifest_copy(name, place);
            let read = together::each(self.storage, &now, read)?;
            for (name, read) in now.into_iter().zip(read) {
                match read {
                    Ok(manifest) => good = good.or(Some(manifest)),
                    Err(fault) => bad.push((name, fault)),
                }
            }
        }
        let refused = good.as_ref().and_then(|manifest| verifier.manifest(manifest).err());
        match (good, refused) {
            (_, Some(why)) => {
                let fault = Fault::Signature { why };
                found.findings.push(ChainFinding::LostManifest { place: *place, fault });
            }
            (Some(manifest), None) => {
                let twins = bad.into_iter();
                let twins = twins.map(|(name, fault)| ChainFinding::BadTwin { name, fault });
                found.findings.extend(twins);
                found.manifests.push(StoredManifest { place: *place, manifest });
            }
            (None, None) => {
                let fault = bad.into_iter().map(|(_, fault)| fault);
                let fault = fault.max_by_key(|fault| *fault != Fault::Missing);
                let fault = fault.unwrap_or(Fault::Missing);
                found.findings.push(ChainFinding::LostManifest { place: *place, fault });
            }
        }
        Ok(found)
    }

    /// The first good copy of a manifest.
    fn read_manifest_at(&self, place: &Place) -> Result<Option<SignedManifest>, VaultError> {
        for prefix in MANIFESTS {
            if let Ok(manifest) = self.read_manifest_copy(&place.name(prefix)?, place)? {
                return Ok(Some(manifest));
            }
        }
        Ok(None)
    }

    fn read_manifest_copy(
        &self,
        name: &BlobName,
        place: &Place,
    ) -> Result<Result<SignedManifest, Fault>, VaultError> {
        let read = self.storage.read(name, MANIFEST_BYTES_MAX);
        let bytes = match whole_or_error(read, MANIFEST_BYTES_MAX)? {
            Ok(bytes) => bytes,
            Err(fault) => return Ok(Err(fault)),
        };
        if blind::hash(&bytes) != *place.id.as_bytes() {
            return Ok(Err(Fault::Hash));
        }
        let manifest = match SignedManifest::decode(bytes) {
            Ok(manifest) => manifest,
            Err(error) => return Ok(Err(error.into())),
        };
        let public = &manifest.public;
        let fields = [
            ("repository", public.repository == self.repository),
            ("machine", public.machine == place.chain.machine),
            ("source", public.source == place.chain.source),
            ("seq", public.seq == place.seq),
        ];
        match fields.into_iter().find(|(_, is_equal)| !is_equal) {
            Some((field, _)) => Ok(Err(Fault::Misplaced { field })),
            None => Ok(Ok(manifest)),
        }
    }

    fn read_tombstone(
        &self,
        name: &BlobName,
        place: &Place,
        verifier: &dyn Verifier,
    ) -> Result<Result<SignedTombstone, Fault>, VaultError> {
        let read = self.storage.read(name, TOMBSTONE_BYTES_MAX);
        let bytes = match whole_or_error(read, TOMBSTONE_BYTES_MAX)? {
            Ok(bytes) => bytes,
            Err(fault) => return Ok(Err(fault)),
        };
        let signed = match SignedTombstone::decode(&bytes) {
            Ok(signed) => signed,
            Err(error) => return Ok(Err(error.into())),
        };
        let tombstone = &signed.tombstone;
        let chain = Chain { machine: tombstone.machine, source: tombstone.source };
        let found = Place { chain, seq: tombstone.seq, id: tombstone.snapshot };
        if found != *place || tombstone.repository != self.repository {
            return Ok(Err(Fault::Misplaced { field: "snapshot" }));
        }
        Ok(match verifier.tombstone(&signed) {
            Ok(()) => Ok(signed),
            Err(why) => Err(Fault::Signature { why }),
        })
    }
}
