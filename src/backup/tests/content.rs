use crate::backup::Cutting;
use crate::backup::error::BackupError;
use crate::backup::tests::CHUNK_MAX;
use crate::backup::tests::SMALL_BYTES;
use crate::backup::tests::World;
use crate::backup::tests::noise;
use crate::chunk::ChunkSizes;
use crate::format::config::Parameters;
use crate::format::entry::Content;
use crate::format::entry::Extent;
use crate::format::entry::INLINE_EXTENTS_MAX;
use crate::format::object::ObjectKind;
use crate::repository::tree::TreeSizes;
use crate::source::memory::Fault;

fn lengths(content: &Content) -> Vec<u64> {
    match content {
        Content::Extents { extents, .. } => extents.iter().map(Extent::len_bytes).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn sizes_are_those_that_the_config_says() {
    let sizes = Cutting::DEFAULT;
    assert_eq!((sizes.small_file_bytes, sizes.bundle_bytes), (64 << 10, 1 << 20));
    assert_eq!(sizes.tree, TreeSizes::DEFAULT);
    let parameters = Parameters {
        small_file_bytes: 1000,
        bundle_bytes: 4000,
        chunk_bytes_min: 64,
        chunk_bytes_avg: 256,
        chunk_bytes_max: 1024,
        node_bytes_min: 2000,
        node_bytes_avg: 2000,
        node_bytes_max: 3000,
        ..Parameters::DEFAULT
    };
    let sizes = Cutting::of(&parameters);
    assert_eq!((sizes.small_file_bytes, sizes.bundle_bytes), (1000, 4000));
    assert_eq!(sizes.chunks, ChunkSizes { min_bytes: 64, avg_bytes: 256, max_bytes: 1024 });
    assert_eq!((sizes.tree.leaf_min, sizes.tree.leaf_max), (2000, 3000));
    assert_eq!(sizes.tree.leaf_cut_bits, 0);
}

#[test]
fn sizes_at_every_limit() {
    let sizes = [
        0,
        1,
        SMALL_BYTES - 1,
        SMALL_BYTES,
        SMALL_BYTES + 1,
        CHUNK_MAX - 1,
        CHUNK_MAX,
        CHUNK_MAX + 1,
        2 * CHUNK_MAX - 1,
        2 * CHUNK_MAX,
        2 * CHUNK_MAX + 1,
        CHUNK_MAX * INLINE_EXTENTS_MAX,
        CHUNK_MAX * INLINE_EXTENTS_MAX + 1,
    ];
    let mut world = World::new();
    for size in sizes {
        world.source.put(&format!("zeros/{size}"), &vec![0; size], 5);
        world.source.put(&format!("noise/{size}"), &noise(size as u64, size), 5);
    }
    let done = world.backup();
    for size in sizes {
        assert_eq!(done.kept[&format!("/noise/{size}")].1, noise(size as u64, size));
        let (entry, bytes) = &done.kept[&format!("/zeros/{size}")];
        assert_eq!(*bytes, vec![0; size]);
        match &entry.content {
            Content::None => assert_eq!(size, 0),
            Content::Slice { len, .. } => {
                assert!(size < SMALL_BYTES && *len as usize == size, "{size}");
            }
            Content::Map { .. } => assert_eq!(size, CHUNK_MAX * INLINE_EXTENTS_MAX + 1),
            Content::Extents { extents, .. } => {
                assert!(size >= SMALL_BYTES);
                assert_eq!(extents.len(), size.div_ceil(CHUNK_MAX), "{size}");
            }
        }
    }
    assert_eq!(done.messages(), [""; 0]);
}

#[test]
fn the_number_of_workers_changes_nothing() {
    let mut roots = Vec::new();
    for workers_count in [1, 2, 4] {
        let mut world = World { workers_count, ..World::new() };
        for n in 0..200_u64 {
            let len = usize::try_from(n * n % 3000).unwrap();
            world.source.put(&format!("d{}/f{n}", n % 7), &noise(n, len), 5);
        }
        world.source.put("huge", &noise(1, 200_000), 5);
        let first = world.backup().report.root;
        // As on a new disk, where every time stamp is another one, with a few changes.
        for n in 0..200_u64 {
            let len = usize::try_from(n * n % 3000).unwrap();
            let seed = if n % 5 == 0 { n + 1000 } else { n };
            world.source.put(&format!("d{}/f{n}", n % 7), &noise(seed, len), 6);
        }
        let second = world.backup().report.root;
        roots.push((first, second, world.vault.sids()));
    }
    assert_eq!(roots[0], roots[1]);
    assert_eq!(roots[0], roots[2]);
}

#[test]
fn an_interrupted_run_makes_no_object_in_vain() {
    let world = || {
        let world = World::new();
        for n in 0..120_u64 {
            world.source.put(&format!("d{}/f{n:03}", n / 20), &noise(n, 400), 5);
        }
        world.source.put("d2/large", &noise(7, 50_000), 5);
        world
    };
    let mut whole = world();
    let wanted = whole.backup();
    for stop_at in ["d0/f000", "d2/f055", "d2/large", "d5/f119"] {
        let mut world = world();
        world.source.set_fault(stop_at, Some(Fault::Stop));
        let (report, _) = world.try_backup(&world.source);
        assert!(matches!(report, Err(BackupError::Stopped(_))), "{stop_at}: {report:?}");
        let kept = world.vault.sids();
        assert!(kept.is_subset(&whole.vault.sids()), "{stop_at}");
        world.source.set_fault(stop_at, None);
        let done = world.backup();
        assert_eq!(done.report.root, wanted.report.root);
        assert_eq!(world.vault.sids(), whole.vault.sids());
        assert_eq!(done.new.len(), whole.vault.sids().len() - kept.len());
    }
}

#[test]
fn holes_are_kept_as_holes() {
    let mut world = World::new();
    let data = noise(3, 500);
    let source = &world.source;
    source.put_sparse("middle", 100_000, &[(0, &data), (90_000, &data)]);
    source.put_sparse("ends", 100_000, &[(50_000, &data)]);
    source.put_sparse("nothing", 100_000, &[]);
    source.put_sparse("last", 100_000, &[(99_500, &data)]);
    source.put_sparse("tiny", 600, &[(100, &data)]);
    let done = world.backup();
    let content = |path: &str| done.entry(path).content.clone();
    assert_eq!(lengths(&content("/nothing")), [100_000]);
    let holes = |path: &str| -> Vec<u64> {
        let Content::Extents { extents, .. } = content(path) else { panic!("no extents") };
        let holes = extents.iter().filter(|extent| matches!(extent, Extent::Hole { .. }));
        holes.map(Extent::len_bytes).collect()
    };
    assert_eq!(holes("/middle"), [89_500, 9_500]);
    assert_eq!(holes("/ends"), [50_000, 49_500]);
    assert_eq!(holes("/last"), [99_500]);
    let mut wanted = vec![0; 100_000];
    wanted[50_000..50_500].copy_from_slice(&data);
    assert_eq!(done.kept["/ends"].1, wanted);
    assert_eq!(done.kept["/tiny"].1[100..], data);
    assert_eq!(done.messages(), [""; 0]);
}

#[test]
fn a_huge_file_has_a_map_and_shares_its_chunks() {
    let mut world = World::new();
    let mut bytes = noise(11, 300_000);
    world.source.put("huge", &bytes, 5);
    let first = world.backup();
    let chunks = first.new_of(ObjectKind::Chunk);
    assert!(matches!(first.entry("/huge").content, Content::Map { .. }));
    assert!(chunks > 4 * INLINE_EXTENTS_MAX, "{chunks}");

    bytes.splice(150_000..150_000, *b"put in");
    world.source.put("huge", &bytes, 6);
    let edited = world.backup();
    assert_eq!(edited.kept["/huge"].1, bytes);
    assert!((1..=4).contains(&edited.new_of(ObjectKind::Chunk)));
    assert!(edited.new_of(ObjectKind::Map) < first.new_of(ObjectKind::Map));

    world.source.put("huge", &bytes, 7);
    let touched = world.backup();
    assert_eq!(touched.entry("/huge").content, edited.entry("/huge").content);
    assert_eq!(touched.new_of(ObjectKind::Chunk) + touched.new_of(ObjectKind::Map), 0);
}

#[test]
fn equal_large_files_share_everything() {
    let mut world = World::new();
    world.source.put("a", &noise(1, 40_000), 5);
    let first = world.backup();
    world.source.put("b", &noise(1, 40_000), 6);
    let second = world.backup();
    assert_eq!(second.new_of(ObjectKind::Chunk), 0);
    assert_eq!(second.entry("/b").content, first.entry("/a").content);
}
