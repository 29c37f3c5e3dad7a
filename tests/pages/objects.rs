//! Frames, objects, and the nodes of trees and maps.

use std::sync::Arc;

use lifeboat::chunk::digest::ContentHasher;
use lifeboat::chunk::digest::digest;
use lifeboat::crypto::blind;
use lifeboat::format::branch::Branch;
use lifeboat::format::branch::BranchChild;
use lifeboat::format::branch::decode_branch;
use lifeboat::format::branch::encode_branch;
use lifeboat::format::entry::Content;
use lifeboat::format::entry::Entry;
use lifeboat::format::entry::Extent;
use lifeboat::format::frame::Codec;
use lifeboat::format::frame::FrameHead;
use lifeboat::format::frame::padme;
use lifeboat::format::leaf::NodeBody;
use lifeboat::format::leaf::decode::decode_leaf;
use lifeboat::format::leaf::encode::encode_leaf;
use lifeboat::format::map::MapBranch;
use lifeboat::format::map::decode_map;
use lifeboat::format::map::decode_map_branch;
use lifeboat::format::map::encode_map;
use lifeboat::format::map::encode_map_branch;
use lifeboat::format::node_refs;
use lifeboat::format::object::ObjectKind;
use lifeboat::format::object::Ref;
use lifeboat::format::object::SealedObject;
use lifeboat::ids::Sid;
use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::path::SnapshotPath;
use lifeboat::units::FileTime;

use super::Example;
use super::values;

const BUNDLE_RAW: &[u8] = b"hello\nHi\n";

/// A bundle of two small files.
pub fn bundle() -> (Ref, SealedObject) {
    values::sealer().seal_data(ObjectKind::Bundle, BUNDLE_RAW).unwrap()
}

fn frame(codec: Codec, raw_len: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = FrameHead { kind: ObjectKind::Bundle, codec, raw_len }.encode().to_vec();
    frame.extend_from_slice(payload);
    frame.resize(padme(frame.len()), 0);
    frame
}

fn frames() -> Vec<Example> {
    let packed = zstd::bulk::compress(&[b'a'; 1000], 3).unwrap();
    let read_plain = |bytes: &[u8]| {
        let (head, rest) = FrameHead::decode(bytes).unwrap();
        assert_eq!((head.codec, head.raw_len), (Codec::None, 9));
        assert_eq!(bytes.len(), padme(8 + 9));
        assert_eq!(rest.split_at(9), (BUNDLE_RAW, &[0; 1][..]));
    };
    let read_zstd = |bytes: &[u8]| {
        let (head, rest) = FrameHead::decode(bytes).unwrap();
        assert_eq!((head.codec, head.raw_len), (Codec::Zstd, 1000));
        let payload_len = zstd::zstd_safe::find_frame_compressed_size(rest).unwrap();
        assert!(rest[payload_len..].iter().all(|&byte| byte == 0));
        assert_eq!(bytes.len(), padme(8 + payload_len));
        assert_eq!(zstd::bulk::decompress(&rest[..payload_len], 1000).unwrap(), [b'a'; 1000]);
    };
    vec![
        Example::same("frame", frame(Codec::None, 9, BUNDLE_RAW), read_plain),
        Example::random("frame-zstd", frame(Codec::Zstd, 1000, &packed), read_zstd),
    ]
}

fn bundle_example() -> Example {
    let (reference, object) = bundle();
    Example::same("bundle", object.bytes, move |bytes| {
        assert_eq!(blind::sid_of(bytes), reference.sid);
        let mut opener = values::opener();
        let opened = opener.open_data(bytes, &reference, ObjectKind::Bundle).unwrap();
        assert_eq!(opened, BUNDLE_RAW);
    })
}

fn meta(kind: Kind, size_bytes: u64) -> Meta {
    Meta {
        mtime: FileTime { secs: 1_700_000_000, nanos: 5 },
        ctime: FileTime { secs: 1_700_000_001, nanos: 6 },
        inode: 9,
        ..Meta::plain(kind, size_bytes)
    }
}

fn path(text: &str) -> SnapshotPath {
    SnapshotPath::from_stored(text.as_bytes()).unwrap()
}

/// A folder and the two files of the bundle.
fn entries() -> Vec<Entry> {
    let bundle = values::shared(bundle().0);
    let slice = |offset: u32, len: u32| {
        let bytes = &BUNDLE_RAW[offset as usize..(offset + len) as usize];
        Content::Slice { bundle: Arc::clone(&bundle), offset, len, digest: digest(bytes) }
    };
    let of = |name, kind, size, content| {
        let meta = meta(kind, size);
        Entry { path: path(name), meta, content }
    };
    vec![
        of("d", Kind::Directory, 0, Content::None),
        of("d\0a", Kind::File, 6, slice(0, 6)),
        of("d\0b", Kind::File, 3, slice(6, 3)),
    ]
}

pub fn leaf_object() -> (Ref, SealedObject) {
    values::sealer().seal_node(ObjectKind::Leaf, &encode_leaf(&entries())).unwrap()
}

fn leaves() -> Vec<Example> {
    let body = encode_leaf(&entries());
    let sids = body.children.clone();
    let (reference, object) = leaf_object();
    let refs = node_refs::split(&object.bytes).unwrap().sealed_refs.to_vec();
    let raw = body.raw.clone();
    let children = sids.clone();
    vec![
        Example::same("leaf", body.raw, move |bytes| {
            assert_eq!(decode_leaf(bytes, &sids).unwrap(), entries());
        }),
        Example::same("node-refs", refs, |bytes| {
            let place = blind::Place {
                kind: node_refs::NODE_REFS_KIND,
                repository: values::REPOSITORY,
                name: b"",
            };
            let opened = blind::open_box(&values::store_key(), place, bytes).unwrap();
            assert_eq!(node_refs::decode_children(&opened).unwrap(), [bundle().0.sid]);
        }),
        // The leaf may be compressed, and a compressor may change its mind.
        Example::random("leaf-object", object.bytes, move |bytes| {
            let reference = Ref { sid: blind::sid_of(bytes), ..reference.clone() };
            let expected = (ObjectKind::Leaf, &values::store_keys());
            let mut opener = values::opener();
            let (found, sids) = opener.open_node(bytes, &reference, expected).unwrap();
            assert_eq!((found, sids), (raw.as_slice(), children.clone()));
        }),
    ]
}

/// Ids and keys that stand for those of other objects.
fn stand_in(byte: u8, raw_len: u32) -> Arc<Ref> {
    let key = lifeboat::secret::ObjectKey::new([byte + 1; 32]);
    Arc::new(Ref { sid: Sid::new([byte; 32]), key, raw_len })
}

fn children(body: &NodeBody) -> Vec<Sid> {
    body.children.clone()
}

fn branch() -> Example {
    let child = |name, byte| BranchChild {
        first: path(name),
        node: stand_in(byte, 300),
        entries_count: 200,
    };
    let branch = Branch { level: 1, children: vec![child("d", 0xc0), child("d\0x", 0xc2)] };
    let body = encode_branch(&branch);
    let sids = children(&body);
    Example::same("branch", body.raw, move |bytes| {
        assert_eq!(decode_branch(bytes, &sids).unwrap(), branch);
    })
}

fn maps() -> Vec<Example> {
    let chunk = |byte| Extent::Chunk { chunk: stand_in(byte, 262_144), digest: digest(&[byte]) };
    let extents = vec![chunk(0xc4), Extent::Hole { len_bytes: 4096 }, chunk(0xc6), chunk(0xc4)];
    let map = encode_map(&extents);
    let sids = children(&map);
    let branch = MapBranch { level: 1, children: vec![(stand_in(0xc8, 200), 790_528)] };
    let upper = encode_map_branch(&branch);
    let upper_sids = children(&upper);
    vec![
        Example::same("map", map.raw, move |bytes| {
            assert_eq!(decode_map(bytes, &sids).unwrap(), extents);
        }),
        Example::same("map-branch", upper.raw, move |bytes| {
            assert_eq!(decode_map_branch(bytes, &upper_sids).unwrap(), branch);
        }),
    ]
}

/// The digest of a file of `hi`, a hole of 4096 bytes, and `!`.
fn sparse_digest() -> Example {
    let mut hasher = ContentHasher::default();
    hasher.update(b"hi");
    hasher.hole(4096);
    hasher.update(b"!");
    let made = hasher.finish();
    Example::same("digest-with-hole", made.as_bytes().to_vec(), move |bytes| {
        let mut hashed = b"hi!".to_vec();
        for number in [2_u64, 4096, 1] {
            hashed.extend_from_slice(&number.to_le_bytes());
        }
        assert_eq!(digest(&hashed).as_bytes(), bytes);
    })
}

pub fn examples() -> Vec<Example> {
    let mut all = frames();
    all.push(bundle_example());
    all.extend(leaves());
    all.push(branch());
    all.extend(maps());
    all.push(sparse_digest());
    all
}
