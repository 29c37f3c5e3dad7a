//! Slot: a keyset wrapped under a passphrase or key file. Kept twice.

use minicbor::Decode;
use minicbor::Encode;

use crate::format::record::Record;
use crate::ids::RepositoryId;
use crate::ids::SlotId;
use crate::units::Timestamp;

/// Folder of slots; a copy is named `slots/<id>`, its twin `slots/<id>.1`.
pub const SLOTS: &str = "slots/";
/// Most bytes of a slot's label.
pub const SLOT_LABEL_BYTES_MAX: usize = 128;

/// How the slot's key is made of what the user gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum SlotKind {
    /// Argon2id (RFC 9106) of a passphrase.
    #[n(1)]
    Passphrase {
        #[n(0)]
        memory_kib: u32,
        #[n(1)]
        passes: u32,
        #[n(2)]
        lanes: u32,
        #[cbor(n(3), with = "minicbor::bytes")]
        salt: [u8; 32],
    },
    /// Keyed hash of a file of random bytes.
    #[n(2)]
    KeyFile {
        #[cbor(n(0), with = "minicbor::bytes")]
        salt: [u8; 32],
    },
}

/// What everybody may read of a slot; all of it is bound to the sealed part.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SlotPublic {
    #[n(0)]
    pub repository: RepositoryId,
    #[n(1)]
    pub slot: SlotId,
    #[n(2)]
    pub created: Timestamp,
    /// For people, such as `office safe`; not secret.
    #[n(3)]
    pub label: String,
    #[n(4)]
    pub kind: SlotKind,
}

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SlotRecord {
    #[n(0)]
    pub public: SlotPublic,
    /// Salt, commitment, ciphertext and tag of the keyset.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

impl Record for SlotRecord {
    const KIND: u8 = 2;
    const NOUN: &'static str = "slot";

    fn check(&self) -> Result<(), &'static str> {
        if self.public.label.len() > SLOT_LABEL_BYTES_MAX { Err("label") } else { Ok(()) }
    }
}
