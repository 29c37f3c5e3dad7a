//! Tombstones, signed by an administrator.

use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sign::Purpose;
use crate::format::tombstone::REASON_BYTES_MAX;
use crate::format::tombstone::SignedTombstone;
use crate::format::tombstone::Tombstone;
use crate::units::Timestamp;
use crate::vault::names::Place;

/// The removal of one snapshot. A reason that is too long is cut.
#[must_use]
pub fn tombstone(
    keys: &RestoreKeyset,
    place: &Place,
    time: Timestamp,
    reason: &str,
) -> SignedTombstone {
    let end = reason.floor_char_boundary(REASON_BYTES_MAX);
    let tombstone = Tombstone {
        repository: keys.repository,
        machine: place.chain.machine,
        source: place.chain.source,
        seq: place.seq,
        snapshot: place.id,
        time,
        signer: keys.admin.verifying_key().key_id(),
        reason: reason.get(..end).unwrap_or_default().to_owned(),
    };
    let signature = keys.admin.sign(Purpose::Tombstone, &tombstone.unsigned());
    SignedTombstone { tombstone, signature }
}
