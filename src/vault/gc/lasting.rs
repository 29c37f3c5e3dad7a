//! What has to last: all that is there and not about to go.

use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::probe::FOLDER;
use crate::vault::Vault;
use crate::vault::error::VaultError;
use crate::vault::gc::condemned::Condemned;
use crate::vault::names;
use crate::vault::names::MANIFESTS;
use crate::vault::names::Place;

impl Vault {
    /// Names of all blobs that are not condemned, nor of a session, a probe or the quarantine.
    pub fn lasting(&self, run: &Run) -> Result<Vec<BlobName>, VaultError> {
        let condemned = Condemned::read(run, &self.inner)?;
        let packs = condemned.packs();
        let is_going = |name: &BlobName| {
            let of_pack = names::parse_pack(name).is_some_and(|pack| packs.contains(&pack));
            let mut places = MANIFESTS.iter().filter_map(|prefix| Place::parse(prefix, name));
            of_pack || places.any(|place| condemned.gives_up(&place.id))
        };
        let passing = [names::SESSIONS, names::CONDEMNED, names::QUARANTINE, FOLDER];
        let is_passing = |name: &BlobName| passing.iter().any(|it| name.as_str().starts_with(it));
        let listed = self.inner.storage.list("")?.into_iter().map(|listed| listed.name);
        Ok(listed.filter(|name| !is_passing(name) && !is_going(name)).collect())
    }
}
