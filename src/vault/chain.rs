//! Manifests and the chains they form.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::crypto::blind;
use crate::format::manifest::MANIFEST_BYTES_MAX;
use crate::format::manifest::SignedManifest;
use crate::format::tombstone::SignedTombstone;
use crate::format::tombstone::TOMBSTONE_BYTES_MAX;
use crate::ids::MachineId;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::BlobName;
use crate::storage::StorageErrorKind;
use crate::vault::Vault;
use crate::vault::error::VaultError;
use crate::vault::names::MANIFEST_PREFIXES;
use crate::vault::names::ManifestName;
use crate::vault::names::TOMBSTONE_PREFIX;

/// Names of all manifests, of one chain or of all, from both prefixes, each once, in order.
pub fn names(
    vault: &Vault,
    chain: Option<(MachineId, SourceId)>,
) -> Result<Vec<ManifestName>, VaultError> {
    Ok(places(vault, chain)?.into_keys().collect())
}

/// Manifests and under which prefixes each stands.
fn places(
    vault: &Vault,
    chain: Option<(MachineId, SourceId)>,
) -> Result<BTreeMap<ManifestName, BTreeSet<usize>>, VaultError> {
    let mut found: BTreeMap<ManifestName, BTreeSet<usize>> = BTreeMap::new();
    for (number, prefix) in MANIFEST_PREFIXES.iter().enumerate() {
        let folder = match chain {
            Some((machine, source)) => format!("{prefix}/{machine}/{source}/"),
            None => format!("{prefix}/"),
        };
        for listed in vault.storage().list(&folder)? {
            if let Some(name) = ManifestName::parse(&listed.name, prefix) {
                found.entry(name).or_default().insert(number);
            }
        }
    }
    Ok(found)
}

/// Whether a manifest stands in storage under either prefix, or was removed by a tombstone.
pub fn check_present(vault: &Vault, name: &ManifestName) -> Result<(), VaultError> {
    for prefix in MANIFEST_PREFIXES {
        match vault.storage().stat(&name.under(prefix)?) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind == StorageErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    if tombstones(vault)?.iter().any(|stone| stone.tombstone.snapshot == name.snapshot) {
        return Ok(());
    }
    Err(VaultError::ParentGone { snapshot: name.snapshot })
}

/// All tombstones that can be read. Their signatures are not verified here.
pub fn tombstones(vault: &Vault) -> Result<Vec<SignedTombstone>, VaultError> {
    let mut stones = Vec::new();
    for listed in vault.storage().list(TOMBSTONE_PREFIX)? {
        let bytes = vault.storage().read(&listed.name, TOMBSTONE_BYTES_MAX)?;
        if let Ok(stone) = SignedTombstone::decode(&bytes) {
            stones.push(stone);
        }
    }
    Ok(stones)
}

/// A finding about manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// One of the two copies is missing or bad; the other one is good.
    Twin { name: BlobName, why: String },
    /// No copy is good.
    Lost { name: ManifestName, why: String },
    /// The chain says there was one, and nothing says who removed it.
    Gap { machine: MachineId, source: SourceId, seq: u64 },
    /// Two manifests with one sequence number: a cloned machine.
    Fork { machine: MachineId, source: SourceId, seq: u64 },
    /// A manifest names another predecessor than the one that stands before it.
    WrongPrevious { name: ManifestName },
}

/// All manifests that could be read, and what is wrong with the rest.
#[derive(Debug, Default)]
pub struct Manifests {
    pub good: BTreeMap<ManifestName, SignedManifest>,
    pub findings: Vec<Finding>,
}

fn read_copy(
    vault: &Vault,
    name: &ManifestName,
    prefix: &str,
) -> Result<Result<SignedManifest, String>, VaultError> {
    let blob = name.under(prefix)?;
    let bytes = match vault.storage().read(&blob, MANIFEST_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) => match error.kind {
            StorageErrorKind::NotFound | StorageErrorKind::Length => {
                return Ok(Err(error.detail));
            }
            _ => return Err(error.into()),
        },
    };
    if SnapshotId::new(blind::hash(&bytes)) != name.snapshot {
        return Ok(Err("its hash is not its name".to_owned()));
    }
    let manifest = match SignedManifest::decode(bytes) {
        Ok(manifest) => manifest,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let public = &manifest.public;
    let placed = (public.machine, public.source, public.seq);
    if placed != (name.machine, name.source, name.seq)
        || public.repository != vault.keys().repository()
    {
        return Ok(Err("it stands in the wrong place".to_owned()));
    }
    Ok(Ok(manifest))
}

/// Reads one manifest, from whichever copy is good.
pub fn read(vault: &Vault, name: &ManifestName) -> Result<SignedManifest, VaultError> {
    for prefix in MANIFEST_PREFIXES {
        if let Ok(manifest) = read_copy(vault, name, prefix)? {
            return Ok(manifest);
        }
    }
    Err(VaultError::NoSnapshot { snapshot: name.snapshot })
}

/// Which copies are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// The first good one: enough to work.
    First,
    /// Both: to check.
    Both,
}

/// Reads all manifests and looks at their chains.
pub fn load(run: &Run, vault: &Vault, copies: Copies) -> Result<Manifests, VaultError> {
    let mut manifests = Manifests::default();
    for (name, present) in places(vault, None)? {
        run.check()?;
        let mut good = None;
        let mut bad = Vec::new();
        for (number, prefix) in MANIFEST_PREFIXES.iter().enumerate() {
            if good.is_some() && copies == Copies::First {
                break;
            }
            let found = if present.contains(&number) {
                read_copy(vault, &name, prefix)?
            } else {
                Err("missing".to_owned())
            };
            match found {
                Ok(manifest) => good = Some(manifest),
                Err(why) => bad.push((name.under(prefix)?, why)),
            }
        }
        match good {
            Some(manifest) => {
                manifests.good.insert(name, manifest);
                let twins = bad.into_iter().map(|(name, why)| Finding::Twin { name, why });
                manifests.findings.extend(twins);
            }
            None => {
                let why = bad.into_iter().map(|(_, why)| why).collect::<Vec<_>>().join("; ");
                manifests.findings.push(Finding::Lost { name, why });
            }
        }
    }
    let removed: BTreeSet<_> =
        tombstones(vault)?.iter().map(|stone| stone.tombstone.snapshot).collect();
    check_chains(&mut manifests, &removed);
    for finding in &manifests.findings {
        run.problem(&problem(finding));
    }
    Ok(manifests)
}

fn check_chains(manifests: &mut Manifests, removed: &BTreeSet<SnapshotId>) {
    type Chain = Vec<(u64, SnapshotId, Option<SnapshotId>)>;
    let mut chains: BTreeMap<(MachineId, SourceId), Chain> = BTreeMap::new();
    for (name, manifest) in &manifests.good {
        let chain = chains.entry((name.machine, name.source)).or_default();
        chain.push((name.seq, name.snapshot, manifest.public.prev));
    }
    let lost = manifests.findings.iter().filter_map(|finding| match finding {
        Finding::Lost { name, .. } => Some((name.machine, name.source, name.seq)),
        _ => None,
    });
    let lost = lost.collect::<BTreeSet<_>>();
    for ((machine, source), chain) in chains {
        let mut before: Option<(u64, SnapshotId)> = None;
        for (seq, snapshot, prev) in chain {
            let (before_seq, before_id) =
                before.map_or((0, None), |(seq, snapshot)| (seq, Some(snapshot)));
            if seq == before_seq {
                manifests.findings.push(Finding::Fork { machine, source, seq });
            } else if seq == before_seq + 1 {
                if prev != before_id {
                    let name = ManifestName { machine, source, seq, snapshot };
                    manifests.findings.push(Finding::WrongPrevious { name });
                }
            } else if !prev.is_some_and(|prev| removed.contains(&prev)) {
                for gap in before_seq + 1..seq {
                    if !lost.contains(&(machine, source, gap)) {
                        manifests.findings.push(Finding::Gap { machine, source, seq: gap });
                    }
                }
            }
            before = Some((seq, snapshot));
        }
    }
}

fn problem(finding: &Finding) -> Problem {
    match finding {
        Finding::Twin { name, why } => {
            let text = format!("one of two copies of the manifest is bad: {why}");
            Problem::damage(name.as_str().to_owned(), text)
        }
        Finding::Lost { name, why } => {
            let text = format!("the snapshot is lost: {why}");
            Problem::damage(format!("{}/{}", name.source, name.seq), text)
        }
        Finding::Gap { machine, source, seq } => {
            let text = "a manifest is missing and no tombstone says who removed it";
            Problem::damage(format!("{machine}/{source}/{seq}"), text)
        }
        Finding::Fork { machine, source, seq } => {
            let text = "two manifests have one sequence number: was the machine cloned?";
            Problem::damage(format!("{machine}/{source}/{seq}"), text)
        }
        Finding::WrongPrevious { name } => {
            let text = "the manifest names another predecessor than the one before it";
            Problem::damage(format!("{}/{}/{}", name.machine, name.source, name.seq), text)
        }
    }
}
