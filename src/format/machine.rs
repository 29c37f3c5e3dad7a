//! Machine: an enrolled writer. Signed by an administrator; each change is a new version.

use minicbor::Decode;
use minicbor::Encode;

use crate::format::record::Record;
use crate::format::record::SignedRecord;
use crate::ids::DomainId;
use crate::ids::KeyId;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::units::Timestamp;

/// Folder of machines: `machines/<machine id>/<version>.<copy>`.
pub const MACHINES: &str = "machines/";
/// Copies of a machine record.
pub const MACHINE_COPIES: u8 = 2;
/// Most bytes of the sealed label.
pub const MACHINE_LABEL_BYTES_MAX: usize = 512;

/// Most sources of a machine that is revoked.
pub const HEADS_MAX: usize = 512;

/// Whether snapshots of the machine are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum MachineState {
    #[n(1)]
    Active,
    #[n(2)]
    Revoked,
}

/// One version of a machine's enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct MachineRecord {
    #[n(0)]
    pub repository: RepositoryId,
    #[n(1)]
    pub machine: MachineId,
    #[n(2)]
    pub version: u32,
    /// When this version was made.
    #[n(3)]
    pub created: Timestamp,
    #[n(4)]
    pub state: MachineState,
    /// Public key of the machine's signatures (Ed25519).
    #[cbor(n(5), with = "minicbor::bytes")]
    pub signing: [u8; 32],
    #[n(6)]
    pub domain: DomainId,
    /// Generation of the store key that seals the label.
    #[n(7)]
    pub label_generation: u32,
    /// The machine's name, sealed: it is nobody's business but the office's.
    #[cbor(n(8), with = "minicbor::bytes")]
    pub label: Vec<u8>,
    /// There if and only if the machine is revoked.
    #[n(9)]
    pub suspicion: Option<Suspicion>,
}

/// From when on a machine's snapshots are not trusted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Suspicion {
    /// For people; what counts are the heads.
    #[n(0)]
    pub since: Timestamp,
    /// The newest snapshot of each source before that, by rising source. What is none of these and
    /// before none of these is suspect.
    #[n(1)]
    pub heads: Vec<TrustedHead>,
}

/// The newest snapshot of a source that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TrustedHead {
    #[n(0)]
    pub source: SourceId,
    #[n(1)]
    pub seq: u64,
    #[n(2)]
    pub snapshot: SnapshotId,
}

impl Suspicion {
    fn check(&self) -> Result<(), &'static str> {
        let rising = self.heads.windows(2).all(|pair| match pair {
            [one, two] => one.source < two.source,
            _ => false,
        });
        if self.heads.len() <= HEADS_MAX && rising { Ok(()) } else { Err("trusted snapshots") }
    }
}

impl Record for MachineRecord {
    const KIND: u8 = 8;
    const NOUN: &'static str = "machine record";

    fn check(&self) -> Result<(), &'static str> {
        if self.label.len() > MACHINE_LABEL_BYTES_MAX {
            return Err("label");
        }
        if (self.state == MachineState::Revoked) != self.suspicion.is_some() {
            return Err("state");
        }
        self.suspicion.as_ref().map_or(Ok(()), Suspicion::check)?;
        if self.version == 0 { Err("version") } else { Ok(()) }
    }
}

impl SignedRecord for MachineRecord {}

/// Folder of custody records.
pub const CUSTODY: &str = "custody/";
/// Copies of a custody record.
pub const CUSTODY_COPIES: u8 = 2;
/// Most shares of a set.
const SHARES_MAX: u8 = 16;

/// Proof that the shares of the recovery key were typed back. Signed by an administrator.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CustodyRecord {
    #[n(0)]
    pub repository: RepositoryId,
    #[n(1)]
    pub checked: Timestamp,
    /// The recovery key that the shares rebuilt.
    #[n(2)]
    pub recovery: KeyId,
    #[n(3)]
    pub k: u8,
    #[n(4)]
    pub n: u8,
    /// Which shares were typed, in rising order.
    #[n(5)]
    pub indices: Vec<u8>,
}

impl Record for CustodyRecord {
    const KIND: u8 = 9;
    const NOUN: &'static str = "custody record";

    fn check(&self) -> Result<(), &'static str> {
        let bounded = self.n <= SHARES_MAX && self.indices.len() <= usize::from(SHARES_MAX);
        if bounded && self.k <= self.n { Ok(()) } else { Err("shares") }
    }
}

impl SignedRecord for CustodyRecord {}
