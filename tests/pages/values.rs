//! The values of all examples, as the page `doc/format.md` lists them.

use std::sync::Arc;

use lifeboat::crypto::blind::StoreKeys;
use lifeboat::crypto::sealed::content::DomainKeys;
use lifeboat::crypto::sealed::hpke::KemSecret;
use lifeboat::crypto::sealed::hpke::Suite;
use lifeboat::crypto::sign::Purpose;
use lifeboat::crypto::sign::SigningKey;
use lifeboat::format::object::Ref;
use lifeboat::format::record;
use lifeboat::format::record::Signed;
use lifeboat::format::record::SignedRecord;
use lifeboat::ids::CondemnedId;
use lifeboat::ids::DomainId;
use lifeboat::ids::MachineId;
use lifeboat::ids::RepairId;
use lifeboat::ids::RepositoryId;
use lifeboat::ids::SessionId;
use lifeboat::ids::SlotId;
use lifeboat::ids::SourceId;
use lifeboat::repository::seal::Opener;
use lifeboat::repository::seal::SealKeys;
use lifeboat::repository::seal::Sealer;
use lifeboat::secret::Secret32;
use lifeboat::units::Timestamp;

pub const REPOSITORY: RepositoryId = RepositoryId::new([0x11; 16]);
pub const MACHINE: MachineId = MachineId::new([0x22; 16]);
pub const SOURCE: SourceId = SourceId::new([0x33; 16]);
pub const DOMAIN: DomainId = DomainId::new([0x44; 16]);
pub const SLOT: SlotId = SlotId::new([0x55; 16]);
pub const SESSION: SessionId = SessionId::new([0x66; 16]);
pub const CONDEMNED: CondemnedId = CondemnedId::new([0x77; 16]);
pub const REPAIR: RepairId = RepairId::new([0x88; 16]);
pub const TIME: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);
pub const SALT: [u8; 32] = [0xa5; 32];
pub const PASSPHRASE: &[u8] = b"correct horse";

pub fn store_key() -> Secret32 {
    Secret32::new([0xa1; 32])
}

pub fn store_keys() -> StoreKeys {
    StoreKeys::new(REPOSITORY, vec![(1, store_key())]).unwrap()
}

pub fn domain_secret() -> Secret32 {
    Secret32::new([0xa2; 32])
}

pub fn restore() -> KemSecret {
    KemSecret::new(Suite::X25519, Secret32::new([0xa3; 32]))
}

pub fn recovery() -> KemSecret {
    KemSecret::new(Suite::X25519, Secret32::new([0xa4; 32]))
}

pub fn root() -> SigningKey {
    SigningKey::from_seed(&Secret32::new([1; 32]))
}

pub fn admin() -> SigningKey {
    SigningKey::from_seed(&Secret32::new([2; 32]))
}

pub fn machine() -> SigningKey {
    SigningKey::from_seed(&Secret32::new([3; 32]))
}

pub fn sealer() -> Sealer {
    let domain = DomainKeys::derive(DOMAIN, 1, &domain_secret());
    Sealer::new(&SealKeys { domain, store: store_keys(), level: 3 }).unwrap()
}

pub fn opener() -> Opener {
    Opener::new(REPOSITORY).unwrap()
}

/// A signed record as it stands in a file.
pub fn signed<R: SignedRecord>(record: &R, purpose: Purpose, key: &SigningKey) -> Vec<u8> {
    let payload = record::payload(record);
    let signature = key.sign(purpose, &payload);
    let signer = key.verifying_key().key_id();
    record::encode_signed::<R>(&Signed { payload, signer, signature })
}

/// Reads a signed record and verifies its signature.
#[track_caller]
pub fn assert_signed<R: SignedRecord + PartialEq + std::fmt::Debug>(
    bytes: &[u8],
    expected: &R,
    (purpose, key): (Purpose, &SigningKey),
) {
    let (found, signed) = record::decode_signed::<R>(bytes).unwrap();
    assert_eq!(found, *expected);
    let public = key.verifying_key();
    assert_eq!(signed.signer, public.key_id());
    public.verify(purpose, &signed.payload, &signed.signature).unwrap();
}

/// A reference to what the example of this name holds, shared.
pub fn shared(reference: Ref) -> Arc<Ref> {
    Arc::new(reference)
}
