//! Manifests: the only commit point of a snapshot.
//!
//! ```text
//! "LBMANI" 0 version u8 | public length u32 | public | sealed length u32 | sealed | signature 64
//! ```
//! `public` is a CBOR map with numbered fields (see [`ManifestPublic`]). The signature covers every
//! byte before it. Who may sign is not decided here.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::manifest_public;
use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::ids::DomainId;
use crate::ids::KeyId;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::ids::SessionId;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::units::Timestamp;

pub const MANIFEST_MAGIC: &[u8; 8] = b"LBMANI\0\x01";
/// Most bytes of a manifest.
pub const MANIFEST_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Most recipients of a snapshot.
pub const RECIPIENTS_COUNT_MAX: usize = 16;
/// Most capsules of a snapshot.
pub const CAPSULES_COUNT_MAX: usize = 1024;
/// Most bytes of one recipient's envelope.
pub const ENVELOPE_BYTES_MAX: usize = 8 * 1024;
pub const SIGNATURE_BYTES: usize = 64;

/// What anyone may read of a snapshot: enough to keep it whole, no name and no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestPublic {
    pub repository: RepositoryId,
    pub machine: MachineId,
    pub source: SourceId,
    /// Place in the chain of this machine and source; the first is 1.
    pub seq: u64,
    /// The manifest before; none for the first.
    pub prev: Option<SnapshotId>,
    pub session: SessionId,
    pub time: Timestamp,
    /// Top of the tree of entries.
    pub root: Sid,
    pub capsules: Vec<Sid>,
    /// Bytes of all files, padded by Padmé.
    pub raw_bytes_padded: u64,
    /// Number of entries, padded by Padmé.
    pub entries_padded: u64,
    pub domain: DomainId,
    pub domain_generation: u32,
    /// Which cutting made the chunks.
    pub chunker: u32,
    /// Whose keys open the sealed part, in the order of its envelopes.
    pub recipients: Vec<KeyId>,
    /// Who signed.
    pub signer: KeyId,
}

/// A manifest, decoded as far as anyone may: the sealed part and the signature as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedManifest {
    pub public: ManifestPublic,
    bytes: Vec<u8>,
    /// Where the sealed part begins and ends.
    sealed: std::ops::Range<usize>,
}

impl SignedManifest {
    /// Reads the bytes of a manifest.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, FormatError> {
        let found = bytes.len() as u64;
        if found > MANIFEST_BYTES_MAX {
            return Err(FormatError::Limit { what: "manifest", found, max: MANIFEST_BYTES_MAX });
        }
        let mut reader = Reader::new("manifest", &bytes);
        if reader.array::<8>()? != *MANIFEST_MAGIC {
            return Err(reader.invalid("it does not begin as a manifest of version 1"));
        }
        let public = manifest_public::decode(length_prefixed(&mut reader)?)?;
        let sealed_len = length_prefixed(&mut reader)?.len();
        let end = bytes.len().checked_sub(reader.left());
        let start = end.and_then(|end| end.checked_sub(sealed_len));
        let (Some(start), Some(end)) = (start, end) else {
            return Err(reader.invalid("lengths"));
        };
        reader.array::<SIGNATURE_BYTES>()?;
        reader.finish()?;
        Ok(Self { public, bytes, sealed: start..end })
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What only recipients open: see [`SealedPart`].
    #[must_use]
    pub fn sealed(&self) -> &[u8] {
        self.bytes.get(self.sealed.clone()).unwrap_or_default()
    }

    /// What is signed, without the context of the signature.
    #[must_use]
    pub fn signed_part(&self) -> &[u8] {
        self.bytes.split_last_chunk::<SIGNATURE_BYTES>().map_or(&[], |(signed, _)| signed)
    }

    #[must_use]
    pub fn signature(&self) -> &[u8; SIGNATURE_BYTES] {
        self.bytes.last_chunk().unwrap_or(&[0; SIGNATURE_BYTES])
    }
}

fn length_prefixed<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], FormatError> {
    let len = usize::try_from(reader.u32()?).map_err(|_| reader.invalid("length of a part"))?;
    reader.bytes(len)
}

fn push_part(out: &mut Vec<u8>, part: &[u8]) -> Result<(), FormatError> {
    let (found, max) = (part.len() as u64, MANIFEST_BYTES_MAX);
    let len = u32::try_from(found).ok().filter(|len| u64::from(*len) <= max);
    let len = len.ok_or(FormatError::Limit { what: "manifest", found, max })?;
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(part);
    Ok(())
}

/// The public part alone: what envelopes and the box of the sealed part are bound to.
pub fn encode_public(public: &ManifestPublic) -> Result<Vec<u8>, FormatError> {
    manifest_public::encode(public)
}

/// What is to be signed: a manifest without its signature.
pub fn unsigned(public: &ManifestPublic, sealed: &[u8]) -> Result<Vec<u8>, FormatError> {
    let mut out = MANIFEST_MAGIC.to_vec();
    push_part(&mut out, &encode_public(public)?)?;
    push_part(&mut out, sealed)?;
    Ok(out)
}

/// Adds the signature over what [`unsigned`] gave.
pub fn sign(
    mut unsigned: Vec<u8>,
    signature: &[u8; SIGNATURE_BYTES],
) -> Result<SignedManifest, FormatError> {
    unsigned.extend_from_slice(signature);
    SignedManifest::decode(unsigned)
}

/// The sealed part: who can open it, and what they open.
///
/// ```text
/// count u8 | count times: key id 16 | length u32 | envelope | length u32 | box
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPart {
    /// The snapshot key, sealed to each recipient by HPKE.
    pub envelopes: Vec<(KeyId, Vec<u8>)>,
    /// What lies under the snapshot key.
    pub content: Vec<u8>,
}

impl SealedPart {
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        let what = "manifest's sealed part";
        let (found, max) = (self.envelopes.len() as u64, RECIPIENTS_COUNT_MAX as u64);
        let count = u8::try_from(found).ok().filter(|count| u64::from(*count) <= max);
        let count = count.ok_or(FormatError::Limit { what, found, max })?;
        let mut out = vec![count];
        for (key, envelope) in &self.envelopes {
            out.extend_from_slice(key.as_bytes());
            push_part(&mut out, envelope)?;
        }
        push_part(&mut out, &self.content)?;
        Ok(out)
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let what = "manifest's sealed part";
        let mut reader = Reader::new(what, bytes);
        let found = reader.u8()?;
        if usize::from(found) > RECIPIENTS_COUNT_MAX {
            let (found, max) = (u64::from(found), RECIPIENTS_COUNT_MAX as u64);
            return Err(FormatError::Limit { what, found, max });
        }
        let mut envelopes = Vec::new();
        for _ in 0..found {
            let key = KeyId::new(reader.array()?);
            let envelope = length_prefixed(&mut reader)?;
            if envelope.len() > ENVELOPE_BYTES_MAX {
                let (found, max) = (envelope.len() as u64, ENVELOPE_BYTES_MAX as u64);
                return Err(FormatError::Limit { what, found, max });
            }
            envelopes.push((key, envelope.to_vec()));
        }
        let content = length_prefixed(&mut reader)?.to_vec();
        reader.finish()?;
        Ok(Self { envelopes, content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(in crate::format) fn public() -> ManifestPublic {
        ManifestPublic {
            repository: RepositoryId::new([1; 16]),
            machine: MachineId::new([2; 16]),
            source: SourceId::new([3; 16]),
            seq: 2,
            prev: Some(SnapshotId::new([4; 32])),
            session: SessionId::new([5; 16]),
            time: Timestamp::from_unix_ms(1_700_000_000_000),
            root: Sid::new([6; 32]),
            capsules: vec![Sid::new([7; 32])],
            raw_bytes_padded: 4096,
            entries_padded: 10,
            domain: DomainId::new([8; 16]),
            domain_generation: 1,
            chunker: 1,
            recipients: vec![KeyId::new([9; 16]), KeyId::new([10; 16])],
            signer: KeyId::new([11; 16]),
        }
    }

    #[test]
    fn manifests_round_trip_and_every_cut_is_refused() {
        let unsigned = unsigned(&public(), b"sealed").unwrap();
        let manifest = sign(unsigned.clone(), &[12; 64]).unwrap();
        assert_eq!(manifest.public, public());
        assert_eq!(manifest.sealed(), b"sealed");
        assert_eq!(manifest.signed_part(), unsigned);
        assert_eq!(manifest.signature(), &[12; 64]);
        let bytes = manifest.as_bytes().to_vec();
        for cut in 0..bytes.len() {
            assert!(SignedManifest::decode(bytes[..cut].to_vec()).is_err(), "{cut}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(SignedManifest::decode(longer).is_err());
    }

    #[test]
    fn no_prev_and_empty_lists_round_trip() {
        let first = ManifestPublic { seq: 1, prev: None, capsules: vec![], ..public() };
        let manifest = sign(unsigned(&first, b"").unwrap(), &[0; 64]).unwrap();
        assert_eq!(manifest.public, first);
    }

    #[test]
    fn sealed_parts_round_trip_and_every_cut_is_refused() {
        let envelopes = vec![(KeyId::new([1; 16]), b"one".to_vec()), (KeyId::new([2; 16]), vec![])];
        let part = SealedPart { envelopes, content: b"content".to_vec() };
        let bytes = part.encode().unwrap();
        assert_eq!(SealedPart::decode(&bytes).unwrap(), part);
        for cut in 0..bytes.len() {
            assert!(SealedPart::decode(&bytes[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn foreign_public_parts_are_refused() {
        let bytes = encode_public(&public()).unwrap();
        assert!(manifest_public::decode(&bytes).is_ok());
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            if let Ok(decoded) = manifest_public::decode(&other) {
                assert_eq!(encode_public(&decoded).unwrap(), other, "bit {bit}");
            }
        }
    }
}
