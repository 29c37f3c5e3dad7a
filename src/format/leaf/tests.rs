//! Leaves round trip, and strangers' bytes are refused without a panic.

use std::sync::Arc;

use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prelude::proptest;

use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::object::Ref;
use crate::format::wire::FormatError;
use crate::ids::Digest;
use crate::ids::Sid;
use crate::meta::Extra;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::meta::Xattr;
use crate::path::SnapshotPath;
use crate::secret::ObjectKey;
use crate::units::FileTime;

use super::LEAF_PATH_BYTES_MAX;
use super::decode::decode_leaf;
use super::encode::encode_leaf;

fn child(number: u8, raw_len: u32) -> Arc<Ref> {
    let (sid, key) = (Sid::new([number; 32]), ObjectKey::new([number ^ 0xff; 32]));
    Arc::new(Ref { sid, key, raw_len })
}

fn entry(path: &str, kind: Kind, size: u64, content: Content) -> Entry {
    let path = SnapshotPath::from_user(path.as_bytes()).unwrap();
    Entry { path, meta: Meta::plain(kind, size), content }
}

fn sample() -> Vec<Entry> {
    let bundle = child(1, 100);
    let digest = Digest::new([5; 32]);
    let slice = |offset, len| Content::Slice { bundle: Arc::clone(&bundle), offset, len, digest };
    let extents = vec![
        Extent::Chunk { chunk: child(2, 7), digest },
        Extent::Hole { len_bytes: 1 << 40 },
        Extent::Chunk { chunk: child(2, 7), digest },
    ];
    let mut link = entry("d/link", Kind::Symlink, 0, Content::None);
    link.meta.extra = Some(Box::new(Extra { link: b"../x".to_vec(), ..Extra::default() }));
    let mut hard = entry("d/zhard", Kind::HardLink, 10, Content::None);
    let target = SnapshotPath::from_user(b"d/a").unwrap();
    hard.meta.extra = Some(Box::new(Extra { hard_link: Some(target), ..Extra::default() }));
    hard.meta.links_count = 2;
    let mut odd = entry("e", Kind::CharDevice, 0, Content::None);
    let xattrs = vec![Xattr { name: b"user.x".to_vec(), value: vec![0, 255] }];
    odd.meta.extra = Some(Box::new(Extra { rdev: (1, 3), xattrs, ..Extra::default() }));
    odd.meta.flags = Flags::CHANGED;
    odd.meta.mtime = FileTime { secs: i64::MIN, nanos: 999_999_999 };
    odd.meta.inode = u64::MAX;
    vec![
        entry("", Kind::Directory, 0, Content::None),
        entry("d", Kind::Directory, 0, Content::None),
        entry("d/a", Kind::File, 10, slice(0, 10)),
        entry("d/b", Kind::File, 20, slice(10, 20)),
        entry("d/big", Kind::File, 14 + (1 << 40), Content::Extents { extents, digest }),
        entry("d/empty", Kind::File, 0, Content::None),
        entry("d/huge", Kind::File, 1 << 42, Content::Map { root: child(3, 9), digest }),
        link,
        entry("d/past", Kind::File, 5, slice(3, 5)),
        hard,
        odd,
    ]
}

#[test]
fn every_kind_of_entry_round_trips() {
    let entries = sample();
    let body = encode_leaf(&entries);
    assert_eq!(decode_leaf(&body.raw, &body.children).unwrap(), entries);
    assert_eq!(encode_leaf(&entries), body);
}

#[test]
fn an_empty_leaf_round_trips() {
    let body = encode_leaf(&[]);
    assert_eq!(decode_leaf(&body.raw, &[]).unwrap(), []);
}

#[test]
fn cut_at_every_length_is_an_error() {
    let body = encode_leaf(&sample());
    for len in 0..body.raw.len() {
        assert!(decode_leaf(&body.raw[..len], &body.children).is_err(), "cut at {len}");
    }
}

#[test]
fn what_decodes_after_a_flip_encodes_to_the_same_bytes_or_is_refused() {
    let body = encode_leaf(&sample());
    for bit in 0..body.raw.len() * 8 {
        let mut bad = body.raw.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        if let Ok(entries) = decode_leaf(&bad, &body.children) {
            assert_ne!(entries, sample(), "bit {bit} makes no difference");
        }
    }
}

#[test]
fn twins_and_disorder_are_refused() {
    let mut entries = sample();
    entries.swap(2, 3);
    let body = encode_leaf(&entries);
    assert!(decode_leaf(&body.raw, &body.children).is_err());
    let twice = vec![entries[0].clone(), entries[0].clone()];
    assert!(decode_leaf(&encode_leaf(&twice).raw, &[]).is_err());
}

#[test]
fn a_slice_outside_its_bundle_is_refused() {
    let digest = Digest::new([5; 32]);
    let content = Content::Slice { bundle: child(1, 100), offset: 95, len: 10, digest };
    let body = encode_leaf(&[entry("a", Kind::File, 10, content)]);
    assert!(decode_leaf(&body.raw, &body.children).is_err());
}

fn names() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::btree_set(proptest::collection::vec(1..=255_u8, 1..20), 0..60)
        .prop_map(|names| names.into_iter().filter(|name| !name.contains(&b'/')).collect())
}

proptest! {
    #[test]
    fn any_names_times_and_numbers_round_trip(
        names in names(),
        secs in any::<i64>(),
        nanos in 0..1_000_000_000_u32,
        numbers in any::<(u32, u32, u32, u64, u64)>(),
    ) {
        let mut entries = Vec::new();
        for (at, name) in (0_u64..).zip(names) {
            let Ok(path) = SnapshotPath::root().join(&name) else { continue };
            let mut meta = Meta::plain(Kind::Fifo, 0);
            meta.mtime = FileTime { secs: secs.wrapping_mul(at.cast_signed()), nanos };
            (meta.mode, meta.uid, meta.gid) = (numbers.0, numbers.1, numbers.2);
            meta.inode = numbers.3.wrapping_mul(at);
            meta.device = numbers.4;
            entries.push(Entry { path, meta, content: Content::None });
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let body = encode_leaf(&entries);
        assert_eq!(decode_leaf(&body.raw, &body.children).unwrap(), entries);
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut raw = vec![1, 3, 0];
        raw.extend_from_slice(&bytes);
        let _refused_or_not = decode_leaf(&raw, &[]);
    }
}

/// Paths share what is equal, so their length is no measure of what they ask for.
#[test]
fn a_small_leaf_cannot_ask_for_much_memory() {
    let deep = vec![vec![b'a'; 250]; 130].join(&0);
    let entries = |count: u32| -> Vec<Entry> {
        let path = |n: u32| [&deep[..], &[0], format!("{n:05}").as_bytes()].concat();
        (0..count)
            .map(|n| Entry {
                path: SnapshotPath::from_stored(&path(n)).unwrap(),
                meta: Meta::plain(Kind::Fifo, 0),
                content: Content::None,
            })
            .collect()
    };
    let most = u32::try_from(LEAF_PATH_BYTES_MAX / (deep.len() + 6)).unwrap();
    let good = encode_leaf(&entries(most));
    assert!(good.raw.len() < 200_000, "{} bytes", good.raw.len());
    assert!(decode_leaf(&good.raw, &[]).is_ok());
    let bad = decode_leaf(&encode_leaf(&entries(most + 1)).raw, &[]);
    assert!(matches!(bad, Err(FormatError::Limit { what: "leaf's paths", .. })), "{bad:?}");
}
