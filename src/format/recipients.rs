//! Recipients list: whom snapshots are sealed to, and who may sign what. Signed by root, numbered;
//! it never goes back.

use minicbor::Decode;
use minicbor::Encode;

use crate::format::keyring::RECIPIENTS_MAX;
use crate::format::record::Record;
use crate::format::record::SignedRecord;
use crate::ids::RepositoryId;
use crate::units::Timestamp;

/// Folder of recipients lists.
pub const RECIPIENTS: &str = "recipients/";
/// Copies of a recipients list.
pub const RECIPIENTS_COPIES: u8 = 2;
/// Most administrators.
pub const ADMINS_MAX: usize = 64;
/// Most bytes of an administrator's name.
pub const ADMIN_NAME_BYTES_MAX: usize = 128;
/// Most bytes of a recipient's public key: X-Wing has 1216.
pub const KEM_PUBLIC_BYTES_MAX: usize = 2048;

/// What a recipient is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    #[n(1)]
    Restore,
    #[n(2)]
    Recovery,
    #[n(3)]
    Drill,
}

/// One recipient.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecipientEntry {
    #[n(0)]
    pub role: Role,
    /// Suite of the key.
    #[n(1)]
    pub suite: u8,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub public: Vec<u8>,
}

impl RecipientEntry {
    pub(in crate::format) fn check(&self) -> Result<(), &'static str> {
        if self.public.len() > KEM_PUBLIC_BYTES_MAX { Err("recipient's key") } else { Ok(()) }
    }
}

/// One administrator: may enrol machines and sign keyrings.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AdminEntry {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub public: [u8; 32],
    #[n(1)]
    pub name: String,
}

/// One version of the list.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecipientsRecord {
    #[n(0)]
    pub repository: RepositoryId,
    #[n(1)]
    pub version: u32,
    #[n(2)]
    pub created: Timestamp,
    #[n(3)]
    pub recipients: Vec<RecipientEntry>,
    #[n(4)]
    pub admins: Vec<AdminEntry>,
}

impl Record for RecipientsRecord {
    const KIND: u8 = 7;
    const NOUN: &'static str = "recipients list";

    fn check(&self) -> Result<(), &'static str> {
        let has = |role| self.recipients.iter().any(|entry| entry.role == role);
        if self.recipients.len() > RECIPIENTS_MAX || !has(Role::Restore) || !has(Role::Recovery) {
            return Err("recipients (one for restore and one for recovery at least)");
        }
        let named = |admin: &AdminEntry| admin.name.len() <= ADMIN_NAME_BYTES_MAX;
        if !(1..=ADMINS_MAX).contains(&self.admins.len()) || !self.admins.iter().all(named) {
            return Err("administrators");
        }
        self.recipients.iter().try_for_each(RecipientEntry::check)
    }
}

impl SignedRecord for RecipientsRecord {}
