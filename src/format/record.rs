//! What small records share: a head that tells what they are, a body in CBOR, a checksum.
//!
//! ```text
//! "LIFEBOAT" | kind u8 | version u8 | body | BLAKE3(all before) 32 bytes
//! ```
//! The body is deterministic CBOR (RFC 8949, 4.2.1): arrays of fixed length, shortest integers. A
//! reader encodes what it has read again and refuses a body that does not come out the same, so an
//! unknown field, a longer form or a trailing byte never passes unseen.

use minicbor::Decode;
use minicbor::Encode;
use zeroize::Zeroizing;

use crate::ids::KeyId;

/// First bytes of every small record.
pub const MAGIC: &[u8; 8] = b"LIFEBOAT";
/// Most bytes of a small record.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;

const HEAD_BYTES: usize = MAGIC.len() + 2;
const CHECKSUM_BYTES: usize = 32;

/// A small record: its code, version and limit in one place.
pub trait Record: Sized + Encode<()> + for<'b> Decode<'b, ()> {
    /// Code in the head.
    const KIND: u8;
    /// Version that this program writes, and the newest that it reads.
    const VERSION: u8 = 1;
    /// What people call it.
    const NOUN: &'static str;

    /// A version in the record that is newer than this program knows, beside its own.
    fn newer(&self) -> Option<u8> {
        None
    }

    /// Whether the values lie in their ranges; else which does not.
    fn check(&self) -> Result<(), &'static str>;
}

/// Bytes that are not the record expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("not a {noun}: it does not begin as a record of lifeboat")]
    Foreign { noun: &'static str },
    #[error("not a {noun}: record kind {expected} is expected, found {found}")]
    OtherKind { noun: &'static str, expected: u8, found: u8 },
    #[error("{noun} of version {found}, this program reads up to {known}")]
    Newer { noun: &'static str, known: u8, found: u8 },
    #[error("{noun} has {found_bytes} bytes, at most {RECORD_BYTES_MAX} are expected")]
    Long { noun: &'static str, found_bytes: usize },
    #[error("{noun} is damaged (checksum differs)")]
    Damaged { noun: &'static str },
    #[error("{noun} has an unknown field or a wrong form")]
    Malformed { noun: &'static str },
    #[error("{noun} lies under a name that is not its own")]
    Misplaced { noun: &'static str },
    #[error("{noun} is not signed by anyone who may")]
    Unsigned { noun: &'static str },
    #[error("{noun}: {field} is out of range")]
    OutOfRange { noun: &'static str, field: &'static str },
}

/// The bytes of a record.
#[must_use]
pub fn encode<R: Record>(record: &R) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(1024));
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[R::KIND, R::VERSION]);
    out.extend_from_slice(&to_cbor(record));
    let checksum = blake3::hash(&out);
    out.extend_from_slice(checksum.as_bytes());
    out
}

/// Reads a record: head, checksum, body, ranges, in this order.
pub fn decode<R: Record>(bytes: &[u8]) -> Result<R, RecordError> {
    let noun = R::NOUN;
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(RecordError::Long { noun, found_bytes: bytes.len() });
    }
    let Some((magic, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(RecordError::Foreign { noun });
    };
    if magic != MAGIC {
        return Err(RecordError::Foreign { noun });
    }
    let (Some(&[found, version]), Some((checked, checksum))) =
        (rest.first_chunk::<2>(), bytes.split_last_chunk::<CHECKSUM_BYTES>())
    else {
        return Err(RecordError::Damaged { noun });
    };
    let intact = blake3::hash(checked).as_bytes() == checksum;
    if !intact {
        return Err(RecordError::Damaged { noun });
    }
    if found != R::KIND {
        return Err(RecordError::OtherKind { noun, expected: R::KIND, found });
    }
    if version > R::VERSION {
        return Err(RecordError::Newer { noun, known: R::VERSION, found: version });
    }
    let body = checked.get(HEAD_BYTES..).filter(|_| version == R::VERSION);
    let record: R = body.and_then(from_cbor).ok_or(RecordError::Malformed { noun })?;
    in_range(record)
}

fn in_range<R: Record>(record: R) -> Result<R, RecordError> {
    let noun = R::NOUN;
    if let Some(found) = record.newer() {
        return Err(RecordError::Newer { noun, known: R::VERSION, found });
    }
    record.check().map_err(|field| RecordError::OutOfRange { noun, field })?;
    Ok(record)
}

/// Deterministic CBOR of a value.
#[must_use]
#[expect(clippy::expect_used, reason = "writing to memory does not fail")]
pub fn to_cbor<T: Encode<()>>(value: &T) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(minicbor::to_vec(value).expect("writing to memory does not fail"))
}

/// The value, if the bytes are exactly what [`to_cbor`] makes of it.
pub fn from_cbor<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Option<T> {
    let value: T = minicbor::decode(bytes).ok()?;
    (to_cbor(&value).as_slice() == bytes).then_some(value)
}

/// A record that somebody vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Signed {
    /// Kind and version of the record, then its body in CBOR: exactly what is signed.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub payload: Vec<u8>,
    /// Whose signature this is.
    #[n(1)]
    pub signer: KeyId,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// A record that is kept signed: [`encode_signed`] and [`decode_signed`] take it.
pub trait SignedRecord: Record {}

/// What is to be signed of a record.
#[must_use]
pub fn payload<R: SignedRecord>(record: &R) -> Vec<u8> {
    let mut out = vec![R::KIND, R::VERSION];
    out.extend_from_slice(&to_cbor(record));
    out
}

/// The bytes of a signed record.
#[must_use]
pub fn encode_signed<R: SignedRecord>(signed: &Signed) -> Vec<u8> {
    let mut out = Vec::with_capacity(signed.payload.len() + 256);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[R::KIND, R::VERSION]);
    out.extend_from_slice(&to_cbor(signed));
    let checksum = blake3::hash(&out);
    out.extend_from_slice(checksum.as_bytes());
    out
}

/// Reads a signed record; the signature is for the caller to verify, over [`Signed::payload`].
pub fn decode_signed<R: SignedRecord>(bytes: &[u8]) -> Result<(R, Signed), RecordError> {
    let noun = R::NOUN;
    let Envelope::<R> { signed, .. } = decode(bytes)?;
    let (head, body) =
        signed.payload.split_first_chunk::<2>().ok_or(RecordError::Malformed { noun })?;
    if *head != [R::KIND, R::VERSION] {
        return Err(RecordError::Malformed { noun });
    }
    let record: R = from_cbor(body).ok_or(RecordError::Malformed { noun })?;
    Ok((in_range(record)?, signed))
}

/// [`Signed`] with the head of the record inside.
struct Envelope<R> {
    signed: Signed,
    inner: std::marker::PhantomData<R>,
}

impl<R> Encode<()> for Envelope<R> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut (),
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.signed.encode(e, ctx)
    }
}

impl<'b, R> Decode<'b, ()> for Envelope<R> {
    fn decode(
        d: &mut minicbor::Decoder<'b>,
        ctx: &mut (),
    ) -> Result<Self, minicbor::decode::Error> {
        Ok(Self { signed: Signed::decode(d, ctx)?, inner: std::marker::PhantomData })
    }
}

impl<R: SignedRecord> Record for Envelope<R> {
    const KIND: u8 = R::KIND;
    const VERSION: u8 = R::VERSION;
    const NOUN: &'static str = R::NOUN;

    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}
