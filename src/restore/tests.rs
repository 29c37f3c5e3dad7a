use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::Mutex;

use crate::clock::SystemClock;
use crate::crypto::blind::StoreKeys;
use crate::crypto::sealed::content::DomainKeys;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::map::decode_map_branch;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::format::object::SealedObject;
use crate::ids::Digest;
use crate::ids::DomainId;
use crate::ids::RepositoryId;
use crate::ids::RunId;
use crate::ids::Sid;
use crate::meta::Extra;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::meta::Xattr;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::seal::Opener;
use crate::repository::seal::SealKeys;
use crate::repository::seal::Sealer;
use crate::repository::seal::UnsealError;
use crate::repository::tree::NodeSink;
use crate::repository::tree::NodeSource;
use crate::repository::tree::TreeSizes;
use crate::repository::tree::map::MapWriter;
use crate::repository::tree::writer::Item;
use crate::repository::tree::writer::TreeWriter;
use crate::restore::Delete;
use crate::restore::ObjectSource;
use crate::restore::Options;
use crate::restore::Overwrite;
use crate::restore::Owners;
use crate::restore::Replaced;
use crate::restore::Report;
use crate::restore::RestoreError;
use crate::restore::Rights;
use crate::restore::Verify;
use crate::restore::execute::execute;
use crate::restore::select::Selection;
use crate::run::Run;
use crate::run::monitor::Recorder;
use crate::secret::Secret32;
use crate::target::TargetErrorKind;
use crate::target::fault::FaultTarget;
use crate::target::unix::FolderTarget;
use crate::units::FileTime;

fn keys() -> SealKeys {
    let repository = RepositoryId::new([1; 16]);
    SealKeys {
        domain: DomainKeys::derive(DomainId::new([2; 16]), 1, &Secret32::new([3; 32])),
        store: StoreKeys::new(repository, vec![(1, Secret32::new([4; 32]))]).unwrap(),
        level: 3,
    }
}

/// Objects in memory, and the entries of one snapshot.
struct Memory {
    sealer: Mutex<Sealer>,
    objects: HashMap<Sid, SealedObject>,
    entries: Vec<Entry>,
}

impl NodeSink for Memory {
    fn put(&mut self, object: SealedObject) -> Result<(), RepositoryError> {
        self.objects.insert(object.sid, object);
        Ok(())
    }

    fn reuse(&mut self, _node: &Ref) -> Result<(), RepositoryError> {
        Ok(())
    }
}

impl NodeSource for Memory {
    fn node(
        &self,
        _run: &Run,
        node: &Ref,
        kind: ObjectKind,
    ) -> Result<(Vec<u8>, Vec<Sid>), RepositoryError> {
        let store = keys().store;
        let mut opener = Opener::new(store.repository()).unwrap();
        let lost = RepositoryError::Unseal { sid: node.sid, error: UnsealError::Tag };
        let object = self.objects.get(&node.sid).ok_or(lost)?;
        let opened = opener.open_node(&object.bytes, node, (kind, &store));
        let (raw, sids) =
            opened.map_err(|error| RepositoryError::Unseal { sid: node.sid, error })?;
        Ok((raw.to_vec(), sids))
    }
}

impl ObjectSource for Memory {
    fn data(&self, _run: &Run, node: &Ref, kind: ObjectKind) -> Result<Vec<u8>, RepositoryError> {
        let lost = RepositoryError::Unseal { sid: node.sid, error: UnsealError::Tag };
        let object = self.objects.get(&node.sid).ok_or(lost)?;
        let mut opener = Opener::new(keys().store.repository()).unwrap();
        let opened = opener.open_data(&object.bytes, node, kind);
        Ok(opened.map_err(|error| RepositoryError::Unseal { sid: node.sid, error })?.to_vec())
    }
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::new(*blake3::hash(bytes).as_bytes())
}

fn path(text: &str) -> SnapshotPath {
    SnapshotPath::from_user(text.as_bytes()).unwrap()
}

impl Memory {
    fn new() -> Self {
        let sealer = Mutex::new(Sealer::new(&keys()).unwrap());
        let mut memory = Self { sealer, objects: HashMap::new(), entries: Vec::new() };
        memory.add("", Meta::plain(Kind::Directory, 0), Content::None);
        memory
    }

    fn add(&mut self, at: &str, meta: Meta, content: Content) {
        let mtime = FileTime { secs: 1_000, nanos: 5 };
        self.entries.push(Entry { path: path(at), meta: Meta { mtime, ..meta }, content });
    }

    fn seal(&mut self, kind: ObjectKind, raw: &[u8]) -> Arc<Ref> {
        let (node, object) = self.sealer.lock().unwrap().seal_data(kind, raw).unwrap();
        self.objects.insert(object.sid, object);
        Arc::new(node)
    }

    fn small(&mut self, at: &str, bytes: &[u8]) {
        let bundle = self.seal(ObjectKind::Bundle, &[b"before", bytes, b"after"].concat());
        let len = u32::try_from(bytes.len()).unwrap();
        let content = Content::Slice { bundle, offset: 6, len, digest: digest(bytes) };
        self.add(at, Meta::plain(Kind::File, u64::from(len)), content);
    }

    /// Two chunks with a hole between them; answers the content and the second chunk's sid.
    fn big(&mut self, at: &str) -> (Vec<u8>, Sid) {
        let (first, second) = (vec![1; 300_000], vec![2; 300_000]);
        let whole = [&first[..], &[0; 4096], &second].concat();
        let chunks = [first, second].map(|raw| Extent::Chunk {
            digest: digest(&raw),
            chunk: self.seal(ObjectKind::Chunk, &raw),
        });
        let Extent::Chunk { chunk, .. } = &chunks[1] else { panic!() };
        let sid = chunk.sid;
        let [first, second] = chunks;
        let mut hasher = crate::chunk::digest::ContentHasher::default();
        hasher.update(&whole[..300_000]);
        hasher.hole(4096);
        hasher.update(&whole[304_096..]);
        let extents = vec![first, Extent::Hole { len_bytes: 4096 }, second];
        let content = Content::Extents { extents, digest: hasher.finish() };
        self.add(at, Meta::plain(Kind::File, whole.len() as u64), content);
        (whole, sid)
    }

    fn linked(&mut self, at: &str, kind: Kind, to: &str) {
        let hard_link = (kind == Kind::HardLink).then(|| path(to));
        let extra = Extra { link: to.as_bytes().to_vec(), hard_link, ..Extra::default() };
        let meta = Meta { extra: Some(Box::new(extra)), ..Meta::plain(kind, 0) };
        self.add(at, meta, Content::None);
    }

    fn root(&mut self) -> Ref {
        self.root_of(TreeSizes::DEFAULT)
    }

    fn root_of(&mut self, sizes: TreeSizes) -> Ref {
        self.entries.sort_by(|a, b| a.path.cmp(&b.path));
        let mut sealer = Sealer::new(&keys()).unwrap();
        let entries = self.entries.clone();
        let mut writer = TreeWriter::new(&mut sealer, self, sizes);
        for entry in entries {
            writer.push(Item { entry, kept: None }).unwrap();
        }
        writer.finish().unwrap()
    }
}

fn options() -> Options {
    Options {
        selection: Selection::new(SnapshotPath::root(), &[], &[]).unwrap(),
        overwrite: Overwrite::Always,
        replaced: Replaced::Dropped,
        delete: Delete::Nothing,
        owners: Owners::Own,
        rights: Rights::Careful,
        verify: Verify::ReadAgain,
        threads_count: 2,
    }
}

struct Place {
    temp: tempfile::TempDir,
    heard: Arc<Recorder>,
    run: Run,
}

impl Place {
    fn new() -> Self {
        let heard = Arc::new(Recorder::default());
        let monitor = Arc::<Recorder>::clone(&heard);
        let run = Run::new(RunId::new([0; 16]), monitor, Arc::new(SystemClock::new()), 1);
        Self { temp: tempfile::tempdir().unwrap(), heard, run }
    }

    fn target(&self) -> FolderTarget {
        FolderTarget::open(&self.temp.path().join("root"), 1).unwrap()
    }

    fn restore(&self, memory: &mut Memory, options: &Options) -> Report {
        let root = memory.root();
        let report = execute(&self.run, (memory, &root), &self.target(), options).unwrap();
        let done = report.restored_count + report.kept_count + report.failed_count;
        assert_eq!(report.asked_count, done);
        assert_eq!(report.problems_count, self.heard.recorded().problems.len() as u64);
        report
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.temp.path().join("root").join(name)
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.at(name)).ok()
    }
}

fn some_tree() -> (Memory, Vec<u8>) {
    let mut memory = Memory::new();
    memory.add("d", Meta::plain(Kind::Directory, 0), Content::None);
    memory.small("d/a", b"alpha");
    memory.small("d/b", b"beta");
    memory.add("d/empty", Meta::plain(Kind::File, 0), Content::None);
    memory.linked("d/hard", Kind::HardLink, "d/a");
    memory.linked("link", Kind::Symlink, "../outside");
    let (whole, _) = memory.big("big");
    (memory, whole)
}

#[test]
fn a_tree_comes_back_whole_and_a_second_run_keeps_it() {
    let (mut memory, whole) = some_tree();
    let place = Place::new();
    let report = place.restore(&mut memory, &options());
    assert_eq!((report.restored_count, report.problems_count), (8, 0));
    assert_eq!(report.verified_count, 4);
    assert_eq!(place.read("d/a").unwrap(), b"alpha");
    assert_eq!(place.read("d/empty").unwrap(), b"");
    assert!(place.read("big").unwrap() == whole);
    let stat = |name| std::fs::symlink_metadata(place.at(name)).unwrap();
    assert_eq!(stat("d/a").ino(), stat("d/hard").ino());
    for name in ["d", "d/a", "big", "link"] {
        assert_eq!((stat(name).mtime(), stat(name).mtime_nsec()), (1_000, 5), "{name}");
    }
    assert!(stat("link").is_symlink());
    let again = place.restore(&mut memory, &options());
    // "d/a" has two names, so it is written anew, and so is its link; folders are always set.
    assert_eq!((again.problems_count, again.failed_count), (0, 0));
    assert!(again.kept_count >= 3);
}

#[test]
fn names_of_one_file_stay_together_when_the_first_of_them_is_left_out() {
    let mut memory = Memory::new();
    memory.add("d", Meta::plain(Kind::Directory, 0), Content::None);
    memory.add("e", Meta::plain(Kind::Directory, 0), Content::None);
    memory.small("d/a", b"alpha");
    memory.linked("e/one", Kind::HardLink, "d/a");
    memory.linked("e/two", Kind::HardLink, "d/a");
    let selection = Selection::new(path("e"), &[], &[]).unwrap();
    let place = Place::new();
    for _ in 0..2 {
        let options = Options { selection: selection.clone(), ..options() };
        let report = place.restore(&mut memory, &options);
        assert_eq!((report.failed_count, report.problems_count), (0, 0));
        assert_eq!(place.read("one").unwrap(), b"alpha");
        let stat = |name| std::fs::metadata(place.at(name)).unwrap();
        assert_eq!(stat("one").ino(), stat("two").ino());
        assert_eq!((stat("one").nlink(), stat("one").mtime()), (2, 1_000));
    }
}

#[test]
fn what_was_cut_short_at_the_source_is_told_and_the_root_has_a_name() {
    let mut memory = Memory::new();
    let nonsense = Xattr { name: b"nonsense".to_vec(), value: vec![1] };
    let extra = Extra { xattrs: vec![nonsense], ..Extra::default() };
    memory.entries[0].meta.extra = Some(Box::new(extra));
    let cut = Meta { flags: Flags::TRUNCATED, ..Meta::plain(Kind::File, 0) };
    memory.add("cut", cut, Content::None);
    let place = Place::new();
    let report = place.restore(&mut memory, &options());
    assert_eq!((report.restored_count, report.problems_count), (2, 2));
    let problems = place.heard.recorded().problems;
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(told[0].starts_with("cut: is only its beginning"), "{told:?}");
    assert!(told[1].starts_with("/: cannot set nonsense"), "{told:?}");
}

#[test]
fn lost_content_never_gets_a_final_name_and_the_rest_is_restored() {
    let mut memory = Memory::new();
    memory.small("a", b"alpha");
    memory.small("b", b"beta");
    let (whole, lost) = memory.big("big");
    memory.objects.remove(&lost);
    let root = memory.root();
    let Content::Slice { bundle, .. } = &memory.entries[1].content else { panic!() };
    memory.objects.remove(&bundle.sid.clone());
    let place = Place::new();
    let report = execute(&place.run, (&memory, &root), &place.target(), &options()).unwrap();
    assert_eq!((report.failed_count, report.restored_count), (2, 2));
    assert_eq!((place.read("a"), place.read("big")), (None, None));
    assert_eq!(place.read("b").unwrap(), b"beta");
    let remains = place.read("big.damaged").unwrap();
    assert!(remains[..304_096] == whole[..304_096] && remains[304_096..].iter().all(|&b| b == 0));
    let problems = place.heard.recorded().problems;
    assert!(problems.iter().any(|problem| problem.message.contains("304096-604096")));
}

/// The branch above a lost leaf says how much of the file it holds.
#[test]
fn a_lost_part_of_a_map_costs_no_more_than_itself() {
    let mut memory = Memory::new();
    let whole: Vec<u8> = (0..2000_u64).flat_map(|n| (n + 1).to_be_bytes()).collect();
    let chunks: Vec<_> = whole.chunks(8).map(|raw| memory.seal(ObjectKind::Chunk, raw)).collect();
    let mut sealer = Sealer::new(&keys()).unwrap();
    let mut map = MapWriter::default();
    for (chunk, raw) in chunks.into_iter().zip(whole.chunks(8)) {
        let digest = digest(raw);
        map.push(&mut sealer, &mut memory, Extent::Chunk { digest, chunk }).unwrap();
    }
    let content = map.finish(&mut sealer, &mut memory, digest(&whole)).unwrap();
    let Content::Map { root: map, .. } = content.clone() else { panic!("{content:?}") };
    memory.add("huge", Meta::plain(Kind::File, whole.len() as u64), content);
    let root = memory.root();
    let place = Place::new();
    let (raw, sids) = memory.node(&place.run, &map, ObjectKind::MapBranch).unwrap();
    let children = decode_map_branch(&raw, &sids).unwrap().children;
    assert!(children.len() >= 3);
    memory.objects.remove(&children[1].0.sid);
    let report = execute(&place.run, (&memory, &root), &place.target(), &options()).unwrap();
    assert_eq!(report.failed_count, 1);
    let start = usize::try_from(children[0].1).unwrap();
    let end = start + usize::try_from(children[1].1).unwrap();
    let mut expected = whole.clone();
    expected[start..end].fill(0);
    assert!(place.read("huge.damaged").unwrap() == expected);
    let problems = place.heard.recorded().problems;
    assert!(problems.iter().any(|it| it.message.contains(&format!("lost bytes {start}-{end}:"))));
}

/// Folders stand in the leaf before what is in them, so a lost leaf takes their entries along.
#[test]
fn what_lies_in_a_folder_whose_entry_is_lost_is_restored() {
    let mut memory = Memory::new();
    for folder in ["d", "d/e", "d/e/f"] {
        memory.add(folder, Meta::plain(Kind::Directory, 0), Content::None);
    }
    let names: Vec<String> = (0..200).map(|n| format!("d/e/f/{n:03}")).collect();
    names.iter().for_each(|name| memory.small(name, name.as_bytes()));
    let sizes = TreeSizes { leaf_min: 2048, leaf_max: 4096, ..TreeSizes::DEFAULT };
    let root = memory.root_of(sizes);
    let place = Place::new();
    let (_, leaves) = memory.node(&place.run, &root, ObjectKind::Branch).unwrap();
    assert!(leaves.len() > 3);
    memory.objects.remove(&leaves[0]);
    let report = execute(&place.run, (&memory, &root), &place.target(), &options()).unwrap();
    assert_eq!((report.lost_nodes_count, report.failed_count), (1, 0));
    let there = names.iter().filter(|name| place.read(name) == Some(name.as_bytes().to_vec()));
    assert_eq!(there.count() as u64, report.restored_count);
    assert!(report.restored_count > 100);
    let problems = place.heard.recorded().problems;
    let anew = problems.iter().filter(|problem| problem.message.contains("made anew"));
    assert_eq!(anew.count(), 3);
}

#[test]
fn planted_links_are_replaced_and_nothing_is_written_beside_the_target() {
    let (mut memory, _) = some_tree();
    for planted in ["d", "d/a", "big", "d/hard"] {
        let place = Place::new();
        let outside = place.temp.path().join("outside");
        std::fs::create_dir_all(&outside).unwrap();
        std::fs::create_dir_all(place.at(planted).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&outside, place.at(planted)).unwrap();
        let report = place.restore(&mut memory, &options());
        assert_eq!(report.problems_count, 0, "{planted}");
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0, "{planted}");
        assert_eq!(place.read("d/hard").unwrap(), b"alpha");
        // A mode that protects what stands there leaves the link and tells of what is beneath it.
        let place = Place::new();
        std::fs::create_dir_all(place.at(planted).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&outside, place.at(planted)).unwrap();
        let report =
            place.restore(&mut memory, &Options { overwrite: Overwrite::Never, ..options() });
        assert!(report.failed_count + report.kept_count > 0, "{planted}");
        assert!(std::fs::symlink_metadata(place.at(planted)).unwrap().is_symlink());
    }
}

#[test]
fn a_full_target_ends_the_run_at_every_step_and_the_next_run_finishes() {
    let (mut memory, whole) = some_tree();
    let root = memory.root();
    let mut steps = 0;
    loop {
        let place = Place::new();
        let target = FaultTarget::new(place.target(), steps, TargetErrorKind::Full);
        let ended = execute(&place.run, (&memory, &root), &target, &options());
        for (name, content) in [("d/a", &b"alpha"[..]), ("d/b", b"beta"), ("big", &whole)] {
            assert!(place.read(name).is_none_or(|found| found == content), "{steps} {name}");
        }
        if ended.is_ok() {
            break;
        }
        assert!(matches!(ended, Err(RestoreError::Target(_))));
        assert_eq!(place.restore(&mut memory, &options()).failed_count, 0);
        assert!(place.read("big").unwrap() == whole);
        steps += 1;
    }
    assert!(steps > 15);
}

#[test]
fn delete_removes_strangers_only_and_follows_nothing() {
    let (mut memory, _) = some_tree();
    let place = Place::new();
    place.restore(&mut memory, &options());
    let outside = place.temp.path().join("outside");
    std::fs::create_dir_all(outside.join("kept")).unwrap();
    std::fs::create_dir_all(place.at("d/x/y")).unwrap();
    std::os::unix::fs::symlink(&outside, place.at("d/x/y/l")).unwrap();
    std::fs::create_dir(place.at("a.damaged")).unwrap();
    std::fs::create_dir(place.at("big.damaged")).unwrap();
    let report = place.restore(&mut memory, &Options { delete: Delete::Strangers, ..options() });
    assert_eq!((report.removed_count, report.problems_count), (4, 0));
    assert!(outside.join("kept").exists() && place.at("big.damaged").exists());
    assert!(!place.at("d/x").exists() && !place.at("a.damaged").exists());
}

#[test]
fn parts_by_path_and_pattern_bring_their_folders_and_links_their_content() {
    let (mut memory, _) = some_tree();
    let select = |within: &str, includes: &[&str], excludes: &[&str]| {
        let texts = |list: &[&str]| list.iter().map(|&t| t.to_owned()).collect::<Vec<_>>();
        let (includes, excludes) = (texts(includes), texts(excludes));
        let selection = Selection::new(path(within), &includes, &excludes).unwrap();
        Options { selection, ..options() }
    };
    let place = Place::new();
    place.restore(&mut memory, &select("d", &[], &["a"]));
    assert_eq!(place.read("hard").unwrap(), b"alpha");
    assert!(place.read("b").is_some() && place.read("a").is_none());
    let place = Place::new();
    place.restore(&mut memory, &select("", &["b"], &[]));
    assert!(place.read("d/b").is_some() && place.read("big").is_none());
    let place = Place::new();
    place.restore(&mut memory, &select("d/b", &[], &[]));
    assert_eq!(place.read("b").unwrap(), b"beta");
    let root = memory.root();
    let nothing = execute(&place.run, (&memory, &root), &place.target(), &select("no", &[], &[]));
    assert!(matches!(nothing, Err(RestoreError::NothingSelected { .. })));
}
