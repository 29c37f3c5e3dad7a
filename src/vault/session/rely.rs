//! Whether all that a snapshot relies on is there, and is not about to go.

use crate::ids::PackId;
use crate::run::Run;
use crate::storage::StorageErrorKind;
use crate::storage::together;
use crate::vault::chains::ChainNames;
use crate::vault::chains::Scope;
use crate::vault::error::VaultError;
use crate::vault::gc::condemned::Condemned;
use crate::vault::load;
use crate::vault::locations::Locations;
use crate::vault::names;
use crate::vault::session::Open;
use crate::vault::session::Session;

impl Session {
    /// Looks at what is condemned, and then at what is present: whoever deletes removes the packs
    /// first. What lies elsewhere by now is relied on there.
    pub(in crate::vault) fn rely(&self, run: &Run) -> Result<(), VaultError> {
        let condemned = Condemned::read(run, &self.vault)?;
        let doomed = condemned.packs();
        let packs = self.relied_packs();
        let first_doomed = packs.iter().find(|(id, _)| doomed.contains(id)).map(|(id, _)| *id);
        let (parent, gone) = together::both(
            &*self.vault.storage,
            || self.look_at_parent(&condemned),
            || match first_doomed {
                Some(id) => Ok(Some(id)),
                None => self.first_gone(&packs),
            },
        );
        parent?;
        let Some(gone) = gone? else { return Ok(()) };
        let locations = load::load(run, &self.vault)?;
        let held = rely_on(&locations, &mut self.open());
        self.vault.replace_locations(locations);
        let gone = held.err().map(|()| gone);
        // What was listed is looked at once more, each by itself.
        let relied: Vec<_> = self.open().relied.iter().map(|(id, len)| (*id, *len)).collect();
        let gone = match gone {
            Some(id) => Some(id),
            None => self.first_gone(&relied)?,
        };
        match gone {
            None => Ok(()),
            Some(id) => Err(VaultError::Gone { name: names::pack(&id)? }),
        }
    }

    /// An error if the parent's manifest is about to go, or is gone.
    fn look_at_parent(&self, condemned: &Condemned) -> Result<(), VaultError> {
        let Some(id) = self.request.parent else { return Ok(()) };
        if condemned.gives_up(&id) {
            return Err(VaultError::ParentGone { id });
        }
        let stands = match self.parent.get() {
            Some(place) => self.vault.has_a_copy(place)?,
            None => {
                let scope = Scope::One(self.chain());
                let names = ChainNames::of_manifests(&*self.vault.storage, scope)?;
                names.manifest(&id).is_some()
            }
        };
        stands.then_some(()).ok_or(VaultError::ParentGone { id })
    }

    /// The first of these that is not there with its length.
    fn first_gone(&self, packs: &[(PackId, u64)]) -> Result<Option<PackId>, VaultError> {
        let look = |(id, len_bytes): &(PackId, u64)| match self.is_there(id, *len_bytes) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Ok(*id)),
            Err(error) => Err(Err(error)),
        };
        match together::each(&*self.vault.storage, packs, look) {
            Ok(_) => Ok(None),
            Err(Ok(gone)) => Ok(Some(gone)),
            Err(Err(error)) => Err(error),
        }
    }

    fn is_there(&self, id: &PackId, len_bytes: u64) -> Result<bool, VaultError> {
        match self.vault.storage.stat(&names::pack(id)?) {
            Ok(stat) => Ok(stat.len_bytes == len_bytes),
            Err(error) if error.kind == StorageErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Finds every object of the session anew, and relies on the packs that have it now.
fn rely_on(locations: &Locations, open: &mut Open) -> Result<(), ()> {
    let mut relied = std::collections::BTreeMap::new();
    for prefix in open.put.iter().chain(&open.known) {
        if !locations.offers(prefix) {
            return Err(());
        }
        let rows = locations.find_prefix(*prefix).filter(|row| locations.is_usable(row.pack));
        let packs = rows.filter_map(|row| locations.pack(row.pack));
        relied.extend(packs.map(|pack| (pack.id, pack.len_bytes)));
    }
    open.relied = relied;
    // Its own packs are among them as far as they are needed.
    open.is_found_anew = true;
    Ok(())
}
