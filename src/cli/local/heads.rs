//! The newest snapshots that this machine has made, so that it notices when one is gone.
//!
//! One small file a chain in the folder of local state: the newest snapshot, then those before it
//! that went missing without a tombstone. They are no secrets. Somebody who knows why a snapshot
//! is gone may remove its line.

use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::failure::Failure;
use crate::cli::local;
use crate::cli::local::Local;
use crate::cli::local::failed;
use crate::cli::secrets::read_bounded;
use crate::ids::RepositoryId;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::together;
use crate::vault::Vault;
use crate::vault::names::Place;

const EXTENSION: &str = "head";
/// Most bytes of a file: several hundred snapshots.
const FILE_BYTES_MAX: usize = 64 * 1024;
/// Missing snapshots of a chain that are kept in mind.
const MISSING_MAX: usize = 100;

/// What is remembered of one repository in one place: twins have one id, and a twin may well lack
/// what was not copied yet.
#[derive(Debug)]
pub struct Heads {
    folder: PathBuf,
    /// Digits that tell the place from others.
    place: String,
}

impl Heads {
    /// `location` is what the storage says of itself.
    #[must_use]
    pub fn new(local: &Local, repository: RepositoryId, location: &str) -> Self {
        let place = std::fs::canonicalize(location).unwrap_or_else(|_| location.into());
        let hash = blake3::hash(place.as_os_str().as_encoded_bytes()).to_hex();
        let place = hash.get(..16).unwrap_or_default().to_owned();
        Self { folder: local.folder(repository), place }
    }

    fn is_own(&self, path: &Path) -> bool {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        path.extension().is_some_and(|extension| extension == EXTENSION)
            && stem.is_some_and(|stem| stem.ends_with(&self.place))
    }

    /// Every snapshot that is remembered, the missing ones too.
    ///
    /// # Errors
    /// When there is local state that cannot be read.
    pub fn all(&self) -> Result<Vec<Place>, Failure> {
        let listed = match std::fs::read_dir(&self.folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.folder, &error)),
        };
        let mut all = Vec::new();
        for item in listed {
            let path = item.map_err(|error| failed(&self.folder, &error))?.path();
            if self.is_own(&path) {
                all.extend(read(&path)?);
            }
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    /// Reports every remembered snapshot that is not in the repository any more.
    ///
    /// # Errors
    /// When local state or the storage cannot be read.
    pub fn look_for(&self, run: &Run, vault: &Vault) -> Result<(), Failure> {
        look_for(run, vault, &self.all()?)
    }

    /// Keeps a new snapshot in mind, and the one before it only if that is gone. `followed` stood
    /// when the new one was made.
    ///
    /// # Errors
    /// When local state cannot be written.
    pub fn remember(
        &self,
        run: &Run,
        vault: &Vault,
        (newest, followed): (&Place, Option<&Place>),
    ) -> Result<(), Failure> {
        let (chain, place) = (newest.chain, &self.place);
        let name = format!("{}-{}-{place}.{EXTENSION}", chain.machine, chain.source);
        let path = self.folder.join(name);
        let mut kept = vec![*newest];
        for place in read(&path)? {
            let is_sure = place == *newest || Some(&place) == followed;
            if !is_sure && !vault.stands(run, &place)? {
                kept.push(place);
            }
        }
        kept.truncate(MISSING_MAX);
        let lines: String = kept.iter().map(|place| format!("{place}\n")).collect();
        local::make_private_folder(&self.folder).map_err(|error| failed(&self.folder, &error))?;
        let written = local::write_private(&path, &[lines.as_bytes()]);
        written.map_err(|error| failed(&path, &error))
    }
}

/// Reports each of these snapshots that is not in the repository.
///
/// # Errors
/// When the storage cannot be read.
pub fn look_for(run: &Run, vault: &Vault, places: &[Place]) -> Result<(), Failure> {
    let stand = together::each(&**vault.storage(), places, |place| vault.stands(run, place))?;
    for (place, _) in places.iter().zip(stand).filter(|(_, stands)| !stands) {
        let message = "this machine made it, and it is gone without a tombstone: removed, or the \
                       whole storage was set back";
        run.problem(&Problem::damage(place.to_string(), message));
    }
    Ok(())
}

/// Places of one file; a line that is none is passed over.
fn read(path: &Path) -> Result<Vec<Place>, Failure> {
    match read_bounded(path, FILE_BYTES_MAX) {
        Ok(bytes) => {
            Ok(String::from_utf8_lossy(&bytes).lines().filter_map(Place::from_text).collect())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(path, &error)),
    }
}
