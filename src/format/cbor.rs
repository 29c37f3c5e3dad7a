//! Ids, secrets and times in CBOR: byte strings of fixed length, and integers.

use minicbor::Decode;
use minicbor::Decoder;
use minicbor::Encode;
use minicbor::Encoder;
use minicbor::decode;
use minicbor::encode;

use crate::ids::DomainId;
use crate::ids::KeyId;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::ids::Sid;
use crate::ids::SlotId;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::secret::Secret32;
use crate::units::Timestamp;

macro_rules! id_in_cbor {
    ($($id:ident),*) => {$(
        impl<C> Encode<C> for $id {
            fn encode<W: encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                e.bytes(self.as_bytes())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $id {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                Self::from_slice(d.bytes()?).ok_or_else(|| decode::Error::message("length of id"))
            }
        }
    )*};
}

id_in_cbor!(DomainId, KeyId, MachineId, RepositoryId, Sid, SlotId, SnapshotId, SourceId);

impl<C> Encode<C> for Secret32 {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(self.expose())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Secret32 {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = d.bytes()?.try_into();
        bytes.map(Self::new).map_err(|_| decode::Error::message("length of secret"))
    }
}

impl<C> Encode<C> for Timestamp {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.i64(self.unix_ms)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Timestamp {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.i64().map(Self::from_unix_ms)
    }
}
