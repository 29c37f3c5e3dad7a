//! Frames, sealed objects, packs and index files.

use std::cell::RefCell;

use lifeboat::crypto::aead::OneTimeAead;
use lifeboat::crypto::aead::Reference;
use lifeboat::crypto::blind;
use lifeboat::crypto::blind::StoreKeys;
use lifeboat::format::frame::FRAME_HEAD_BYTES;
use lifeboat::format::frame::FrameHead;
use lifeboat::format::frame::padme;
use lifeboat::format::index;
use lifeboat::format::node_refs;
use lifeboat::format::object::FORMAT_VERSION;
use lifeboat::format::object::FRAME_RAW_BYTES_MAX;
use lifeboat::format::object::OBJECT_BYTES_MAX;
use lifeboat::format::object::ObjectKind;
use lifeboat::format::object::Ref;
use lifeboat::format::object::SUITE;
use lifeboat::format::pack;
use lifeboat::format::pack::PACK_OBJECTS_COUNT_MAX;
use lifeboat::format::pack::Trailer;
use lifeboat::ids::RepositoryId;
use lifeboat::repository::seal::Opener;
use lifeboat::secret::ObjectKey;
use lifeboat::secret::Secret32;

use super::Seen;
use super::choice;
use super::told;

pub fn frame(input: &[u8]) -> Seen {
    let len = input.len();
    let padded = padme(len);
    assert!(padded >= len && padded <= len + len / 8 + 1, "{len} padded to {padded}");
    assert_eq!(padme(padded), padded);
    match FrameHead::decode(input) {
        Ok((head, payload)) => {
            assert_eq!(head.encode()[..], input[..FRAME_HEAD_BYTES]);
            assert_eq!(payload, &input[FRAME_HEAD_BYTES..]);
            assert!(head.raw_len as usize <= FRAME_RAW_BYTES_MAX);
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

const REPOSITORY: RepositoryId = RepositoryId::new([1; 16]);
const KEY: [u8; 32] = [2; 32];

thread_local! {
    static OPENER: RefCell<Opener> = RefCell::new(Opener::new(REPOSITORY).expect("an opener"));
}

fn store() -> StoreKeys {
    StoreKeys::new(REPOSITORY, vec![(7, Secret32::new([3; 32]))]).expect("one generation")
}

/// format | suite | kind | length of kids | kids, as `doc/format.md` has it.
fn associated_data(kind: ObjectKind, kids: &[u8]) -> Vec<u8> {
    let kids_len = u8::try_from(kids.len()).expect("a hash");
    let mut data = vec![FORMAT_VERSION, SUITE, kind as u8, kids_len];
    data.extend_from_slice(kids);
    data
}

/// A frame as a hostile writer with all keys would seal it: everything but its content is right.
/// Input: kind, whether to seal it, raw length u32, frame.
pub fn object(input: &[u8]) -> Seen {
    let Some((&[kind, seal, a, b, c, d], frame)) = input.split_first_chunk::<6>() else {
        return Seen::Refused;
    };
    let Some(kind) = ObjectKind::from_u8(kind % 8) else { return Seen::Refused };
    let mut bytes = Vec::new();
    let mut kids = Vec::new();
    if kind.is_node() {
        let place =
            blind::Place { kind: node_refs::NODE_REFS_KIND, repository: REPOSITORY, name: b"" };
        let sids = [4; 64];
        let refs = blind::seal_box_deterministic(&Secret32::new([3; 32]), place, &sids);
        bytes.extend_from_slice(&7_u32.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(refs.len()).expect("short").to_le_bytes());
        bytes.extend_from_slice(&refs);
        kids = blind::hash(&sids).to_vec();
    }
    let start = if seal % 4 == 0 { 0 } else { bytes.len() };
    if start == 0 {
        // Unsealed: the input stands where head, refs and body should.
        bytes = frame.to_vec();
    } else {
        bytes.extend_from_slice(frame);
    }
    if seal % 4 != 0 || !kind.is_node() {
        Reference::seal(&KEY, &associated_data(kind, &kids), &mut bytes, start);
    }
    let raw_len = u32::from_le_bytes([a, b, c, d]);
    let reference = Ref { sid: blind::sid_of(&bytes), key: ObjectKey::new(KEY), raw_len };
    OPENER.with_borrow_mut(|opener| {
        let opened = if kind.is_node() {
            opener.open_node(&bytes, &reference, (kind, &store())).map(|(raw, _)| raw)
        } else {
            opener.open_data(&bytes, &reference, kind)
        };
        match opened {
            Ok(raw) => {
                assert_eq!(raw.len(), raw_len as usize);
                assert!(raw.len() <= FRAME_RAW_BYTES_MAX);
                Seen::Accepted
            }
            Err(error) => told(&error),
        }
    })
}

/// Input: 0 and a node's bytes, or 1 and a list of sids.
pub fn node_refs(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 2);
    if which == 0 {
        return match node_refs::split(rest) {
            Ok(parts) => {
                assert_eq!(node_refs::join(parts).expect("a node"), rest);
                Seen::Accepted
            }
            Err(error) => told(&error),
        };
    }
    match node_refs::decode_children(rest) {
        Ok(children) => {
            assert_eq!(node_refs::encode_children(&children), rest);
            assert!(children.len() <= node_refs::CHILDREN_COUNT_MAX);
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

/// Input: 0 and a table, or 1 and a pack's last bytes.
pub fn pack(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 2);
    if which == 0 {
        return match pack::decode_rows(rest) {
            Ok(rows) => {
                assert!((1..=PACK_OBJECTS_COUNT_MAX).contains(&rows.len()));
                assert!(rows.iter().all(|row| row.len_bytes as usize <= OBJECT_BYTES_MAX));
                let mut again = Vec::new();
                pack::encode_rows(&mut again, &rows);
                assert_eq!(again, rest);
                Seen::Accepted
            }
            Err(error) => told(&error),
        };
    }
    match Trailer::decode(rest) {
        Ok(trailer) => {
            assert!(rest.ends_with(&trailer.encode()));
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}

/// Input: 0 and an index file, or 1 and its body.
pub fn index(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 2);
    if which == 0 {
        return match index::split(rest) {
            Ok((generation, body)) => {
                assert_eq!(index::join(generation, body), rest);
                Seen::Accepted
            }
            Err(error) => told(&error),
        };
    }
    match index::decode_tables(rest) {
        Ok(tables) => {
            assert_eq!(index::encode_tables(&tables).expect("as many rows as were read"), rest);
            // Sums of lengths do not overflow.
            assert!(tables.iter().all(|table| table.pack_len_bytes() > 0));
            Seen::Accepted
        }
        Err(error) => told(&error),
    }
}
