//! Room that a repository keeps back, so that removing works on a full medium.

use crate::cli::context::Context;
use crate::cli::settings::place;
use crate::storage::StorageErrorKind;
use crate::storage::folder::reserve::Reserve;
use crate::storage::open;
use crate::storage::open::Location;
use crate::vault::error::VaultError;
use crate::vault::gc::GcError;

fn location(context: &Context) -> Option<Location> {
    let place = context.settings.repository().ok()?;
    place::location::location(place, &context.environment).ok()
}

/// Keeps it back from here on. Where there is no room for it, the next prune tries again.
pub fn keep(context: &Context) {
    let Some(location) = location(context) else { return };
    if let Err(error) = open::keep_reserves(&context.run, &location) {
        tracing::warn!(%error, "no room is kept back");
    }
}

/// Whether a medium that was full has room now.
fn is_spent(context: &Context, reserve: Reserve) -> bool {
    let Some(location) = location(context) else { return false };
    match open::spend_reserve(&context.run, &location, reserve) {
        Ok(is_spent) => is_spent,
        Err(error) => {
            tracing::warn!(%error, "the room that is kept back could not be given up");
            false
        }
    }
}

fn is_full(error: &VaultError) -> bool {
    matches!(error, VaultError::Storage(error) if error.kind == StorageErrorKind::Full)
}

/// Whether snapshots could not be removed for want of room, and there is some now.
pub fn for_removal(context: &Context, error: &VaultError) -> bool {
    is_full(error) && is_spent(context, Reserve::Removal)
}

/// Whether a prune ended for want of room.
#[must_use]
pub fn is_wanting(error: &GcError) -> bool {
    matches!(error, GcError::Vault(error) if is_full(error))
}

/// The same, and there is some now.
pub fn for_prune(context: &Context, error: &GcError) -> bool {
    is_wanting(error) && is_spent(context, Reserve::Prune)
}
