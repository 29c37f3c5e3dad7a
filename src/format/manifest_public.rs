//! The public part of a manifest: a CBOR map from 0 to 16, every field present, shortest forms.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use minicbor::Decoder;
use minicbor::Encoder;
use minicbor::decode::Error as DecodeError;

use crate::format::manifest::CAPSULES_COUNT_MAX;
use crate::format::manifest::ManifestPublic;
use crate::format::manifest::RECIPIENTS_COUNT_MAX;
use crate::format::object::FORMAT_VERSION;
use crate::format::wire::FormatError;
use crate::ids::DomainId;
use crate::ids::KeyId;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::ids::SessionId;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::units::Timestamp;

const WHAT: &str = "manifest's public part";
const FIELDS_COUNT: u64 = 17;

pub(in crate::format) fn encode(public: &ManifestPublic) -> Result<Vec<u8>, FormatError> {
    check(public)?;
    let mut encoder = Encoder::new(Vec::new());
    let wrong = FormatError::Invalid { what: WHAT, why: "it cannot be encoded" };
    write(&mut encoder, public).map_err(|_never| wrong)?;
    Ok(encoder.into_writer())
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write(e: &mut Encoder<Vec<u8>>, public: &ManifestPublic) -> Written {
    e.map(FIELDS_COUNT)?.u8(0)?.u8(FORMAT_VERSION)?;
    e.u8(1)?.bytes(public.repository.as_bytes())?;
    e.u8(2)?.bytes(public.machine.as_bytes())?;
    e.u8(3)?.bytes(public.source.as_bytes())?;
    e.u8(4)?.u64(public.seq)?;
    e.u8(5)?.bytes(public.prev.as_ref().map_or(&[][..], |prev| &prev.as_bytes()[..]))?;
    e.u8(6)?.bytes(public.session.as_bytes())?;
    e.u8(7)?.i64(public.time.unix_ms)?;
    e.u8(8)?.bytes(public.root.as_bytes())?;
    e.u8(9)?.array(public.capsules.len() as u64)?;
    for capsule in &public.capsules {
        e.bytes(capsule.as_bytes())?;
    }
    e.u8(10)?.u64(public.raw_bytes_padded)?.u8(11)?.u64(public.entries_padded)?;
    e.u8(12)?.bytes(public.domain.as_bytes())?.u8(13)?.u32(public.domain_generation)?;
    e.u8(14)?.u32(public.chunker)?.u8(15)?.array(public.recipients.len() as u64)?;
    for recipient in &public.recipients {
        e.bytes(recipient.as_bytes())?;
    }
    e.u8(16)?.bytes(public.signer.as_bytes())?;
    Ok(())
}

pub(in crate::format) fn decode(bytes: &[u8]) -> Result<ManifestPublic, FormatError> {
    let wrong = |why| FormatError::Invalid { what: WHAT, why };
    let mut decoder = Decoder::new(bytes);
    let public = read(&mut decoder).map_err(|_| wrong("an unknown field or a wrong form"))?;
    // One value has one form: longer integers, other orders and trailing bytes all differ here.
    if encode(&public)? != bytes {
        return Err(wrong("it is not in its only form"));
    }
    Ok(public)
}

fn read(d: &mut Decoder<'_>) -> Result<ManifestPublic, DecodeError> {
    if d.map()? != Some(FIELDS_COUNT) {
        return Err(DecodeError::message("number of fields"));
    }
    field(d, 0)?;
    if d.u8()? != FORMAT_VERSION {
        return Err(DecodeError::message("format"));
    }
    Ok(ManifestPublic {
        repository: id(d, 1, RepositoryId::from_slice)?,
        machine: id(d, 2, MachineId::from_slice)?,
        source: id(d, 3, SourceId::from_slice)?,
        seq: field(d, 4)?.u64()?,
        prev: match field(d, 5)?.bytes()? {
            [] => None,
            prev => Some(SnapshotId::from_slice(prev).ok_or_else(length)?),
        },
        session: id(d, 6, SessionId::from_slice)?,
        time: Timestamp::from_unix_ms(field(d, 7)?.i64()?),
        root: id(d, 8, Sid::from_slice)?,
        capsules: ids(field(d, 9)?, CAPSULES_COUNT_MAX, Sid::from_slice)?,
        raw_bytes_padded: field(d, 10)?.u64()?,
        entries_padded: field(d, 11)?.u64()?,
        domain: id(d, 12, DomainId::from_slice)?,
        domain_generation: field(d, 13)?.u32()?,
        chunker: field(d, 14)?.u32()?,
        recipients: ids(field(d, 15)?, RECIPIENTS_COUNT_MAX, KeyId::from_slice)?,
        signer: id(d, 16, KeyId::from_slice)?,
    })
}

fn length() -> DecodeError {
    DecodeError::message("length of an id")
}

/// The decoder behind the number of the field expected next.
fn field<'d, 'b>(d: &'d mut Decoder<'b>, number: u8) -> Result<&'d mut Decoder<'b>, DecodeError> {
    if d.u8()? == number { Ok(d) } else { Err(DecodeError::message("order of fields")) }
}

fn id<T>(
    d: &mut Decoder<'_>,
    number: u8,
    from_slice: impl Fn(&[u8]) -> Option<T>,
) -> Result<T, DecodeError> {
    from_slice(field(d, number)?.bytes()?).ok_or_else(length)
}

fn ids<T>(
    d: &mut Decoder<'_>,
    max: usize,
    from_slice: impl Fn(&[u8]) -> Option<T>,
) -> Result<Vec<T>, DecodeError> {
    let count = d.array()?.filter(|&count| count <= max as u64);
    let count = count.ok_or_else(|| DecodeError::message("length of a list"))?;
    (0..count).map(|_| from_slice(d.bytes()?).ok_or_else(length)).collect()
}

/// The ranges of the values.
fn check(public: &ManifestPublic) -> Result<(), FormatError> {
    let over = |found: usize, max: usize| FormatError::Limit {
        what: WHAT,
        found: found as u64,
        max: max as u64,
    };
    if public.capsules.len() > CAPSULES_COUNT_MAX {
        return Err(over(public.capsules.len(), CAPSULES_COUNT_MAX));
    }
    if public.recipients.len() > RECIPIENTS_COUNT_MAX {
        return Err(over(public.recipients.len(), RECIPIENTS_COUNT_MAX));
    }
    if (public.seq == 1) != public.prev.is_none() || public.seq == 0 {
        let why = "the first of a chain is 1 and alone has none before it";
        return Err(FormatError::Invalid { what: WHAT, why });
    }
    Ok(())
}
