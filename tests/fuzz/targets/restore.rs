//! The plan of a restore of a hostile snapshot. It only looks, and never outside the target.

use std::sync::Arc;

use lifeboat::clock::ManualClock;
use lifeboat::format::branch::Branch;
use lifeboat::format::branch::BranchChild;
use lifeboat::format::branch::encode_branch;
use lifeboat::format::leaf::decode::decode_leaf;
use lifeboat::format::object::ObjectKind;
use lifeboat::format::object::Ref;
use lifeboat::ids::RunId;
use lifeboat::ids::Sid;
use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::path::SnapshotPath;
use lifeboat::repository::error::RepositoryError;
use lifeboat::repository::tree::NodeSource;
use lifeboat::restore::Delete;
use lifeboat::restore::ObjectSource;
use lifeboat::restore::Options;
use lifeboat::restore::Overwrite;
use lifeboat::restore::Owners;
use lifeboat::restore::Replaced;
use lifeboat::restore::Rights;
use lifeboat::restore::Verify;
use lifeboat::restore::execute;
use lifeboat::restore::select::Selection;
use lifeboat::run::Run;
use lifeboat::run::monitor::Silent;
use lifeboat::secret::ObjectKey;
use lifeboat::target::Attributes;
use lifeboat::target::Lack;
use lifeboat::target::Made;
use lifeboat::target::Naming;
use lifeboat::target::NewFile;
use lifeboat::target::OldFile;
use lifeboat::target::Placing;
use lifeboat::target::Settled;
use lifeboat::target::Special;
use lifeboat::target::Standing;
use lifeboat::target::Target;
use lifeboat::target::TargetError;
use lifeboat::target::Writer;
use lifeboat::units::FileTime;
use lifeboat::units::Timestamp;

use super::Seen;
use super::choice;
use super::tree;

fn reference(number: u8) -> Ref {
    Ref { sid: Sid::new([number; 32]), key: ObjectKey::new([number; 32]), raw_len: 0 }
}

/// A root with one leaf, whose bytes are a stranger's.
struct Hostile<'a> {
    first: SnapshotPath,
    raw: &'a [u8],
    sids: Vec<Sid>,
}

impl NodeSource for Hostile<'_> {
    fn node(
        &self,
        _run: &Run,
        _node: &Ref,
        kind: ObjectKind,
    ) -> Result<(Vec<u8>, Vec<Sid>), RepositoryError> {
        if kind == ObjectKind::Leaf {
            return Ok((self.raw.to_vec(), self.sids.clone()));
        }
        let node = Arc::new(reference(1));
        let child = BranchChild { first: self.first.clone(), node, entries_count: 1 };
        let body = encode_branch(&Branch { level: 1, children: vec![child] });
        Ok((body.raw, body.children))
    }
}

impl ObjectSource for Hostile<'_> {
    fn data(&self, _: &Run, _: &Ref, _: ObjectKind) -> Result<Vec<u8>, RepositoryError> {
        panic!("a plan reads no content")
    }
}

/// Something stands under every other name; nothing may be changed.
struct OnlyLooks;

const CHANGES: &str = "a plan changes nothing";

impl Target for OnlyLooks {
    fn standing(&self) -> Standing {
        Standing { privileged: true, fresh: false }
    }

    fn writer(&self) -> Box<dyn Writer + '_> {
        Box::new(Self)
    }

    fn owner_ids(&self, _: &[u8], _: &[u8]) -> (Option<u32>, Option<u32>) {
        (None, None)
    }

    fn sync(&self) -> Result<(), TargetError> {
        panic!("{CHANGES}")
    }
}

impl Writer for OnlyLooks {
    fn look(&mut self, path: &SnapshotPath) -> Result<Option<Meta>, TargetError> {
        for name in path.components() {
            assert!(!matches!(name, b"" | b"." | b".."), "{path}");
            assert!(!name.contains(&b'/') && !name.contains(&0), "{path}");
        }
        let sum = path.as_stored().iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        let kinds = [Kind::File, Kind::Directory, Kind::Symlink, Kind::Fifo];
        let kind = kinds.get(usize::from(sum % 8));
        Ok(kind.map(|kind| Meta::plain(*kind, u64::from(sum))))
    }

    fn list(&mut self, _: &SnapshotPath) -> Result<Vec<Vec<u8>>, TargetError> {
        Ok(Vec::new())
    }

    fn create_folder(&mut self, _: &SnapshotPath) -> Result<Made, TargetError> {
        panic!("{CHANGES}")
    }

    fn create_file(
        &mut self,
        _: &SnapshotPath,
        _: Naming,
    ) -> Result<Box<dyn NewFile>, TargetError> {
        panic!("{CHANGES}")
    }

    fn open_file(&mut self, _: &SnapshotPath) -> Result<Box<dyn OldFile>, TargetError> {
        panic!("a plan reads no content")
    }

    fn create_special(
        &mut self,
        _: &SnapshotPath,
        _: Special<'_>,
        _: &Attributes<'_>,
        _: Placing,
    ) -> Result<Vec<Lack>, TargetError> {
        panic!("{CHANGES}")
    }

    fn create_link(
        &mut self,
        _: &SnapshotPath,
        _: &SnapshotPath,
        _: Placing,
    ) -> Result<(), TargetError> {
        panic!("{CHANGES}")
    }

    fn set_attributes(
        &mut self,
        _: &SnapshotPath,
        _: Kind,
        _: &Attributes<'_>,
    ) -> Result<Vec<Lack>, TargetError> {
        panic!("{CHANGES}")
    }

    fn settle(&mut self, _: &SnapshotPath, _: FileTime) -> Result<Settled, TargetError> {
        panic!("{CHANGES}")
    }

    fn remove(&mut self, _: &SnapshotPath, _: Kind) -> Result<(), TargetError> {
        panic!("{CHANGES}")
    }
}

/// Input: how to overwrite, then a leaf as in the target `leaf`.
pub fn plan(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 8);
    let modes = [Overwrite::Always, Overwrite::IfChanged, Overwrite::IfNewer, Overwrite::Never];
    let (sids, raw) = tree::split(rest);
    let entries = decode_leaf(raw, &sids).unwrap_or_default();
    let first = entries.first().map_or_else(SnapshotPath::root, |entry| entry.path.clone());
    // Half of all plans are of the folder of the last entry.
    let last = entries.last().and_then(|entry| entry.path.parent()).filter(|_| which >= 4);
    let within = last.unwrap_or_default();
    let wanted = entries.iter().filter(|entry| entry.path.is_within(&within)).count();
    let options = Options {
        selection: Selection::new(within.clone(), &[], &[]).expect("no pattern"),
        overwrite: modes[usize::from(which % 4)],
        replaced: Replaced::Dropped,
        delete: Delete::Nothing,
        owners: Owners::ByNumber,
        rights: Rights::All,
        verify: Verify::No,
        threads_count: 1,
    };
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(0)));
    let run = Run::new(RunId::new([1; 16]), Arc::new(Silent), clock, 1);
    let source = Hostile { first, raw, sids };
    let mut steps = 0;
    let done = execute::plan(&run, (&source, &reference(2)), &OnlyLooks, &options, &mut |step| {
        assert!(step.path.is_within(&within));
        steps += 1;
    });
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(steps, wanted, "entries that a plan does not name");
    if entries.is_empty() { Seen::Refused } else { Seen::Accepted }
}
