//! Readers that hold back until the walk has come as far as it can.

use std::sync::Condvar;
use std::sync::Mutex;

use crate::backup::pipeline::WINDOW_ENTRIES_MAX;
use crate::backup::tests::World;
use crate::backup::tests::noise;
use crate::meta::Meta;
use crate::run::Run;
use crate::source::Content;
use crate::source::Found;
use crate::source::ReadError;
use crate::source::Reader;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::memory::MemorySource;

/// A source whose files are opened only once so many entries were found, or all of them.
struct Late<'a> {
    source: &'a MemorySource,
    /// Those whose names end so.
    suffix: &'static str,
    entries_count: usize,
    found_count: Mutex<usize>,
    more: Condvar,
}

impl Late<'_> {
    fn count(&self, up_to: usize) {
        let mut count = self.found_count.lock().unwrap();
        *count = up_to.max(*count);
        self.more.notify_all();
    }
}

impl Source for Late<'_> {
    fn walk<'a>(
        &'a self,
        run: &Run,
    ) -> Result<Box<dyn Iterator<Item = Result<Found, SourceError>> + 'a>, SourceError> {
        let walk = self.source.walk(run)?.zip(1..).map(|(found, number)| {
            self.count(number);
            found
        });
        let end = std::iter::from_fn(|| {
            self.count(usize::MAX);
            None
        });
        Ok(Box::new(walk.chain(end)))
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(LateReader { late: self, reader: self.source.reader() })
    }

    fn finish(&self, run: &Run) -> Result<(), SourceError> {
        self.source.finish(run)
    }
}

struct LateReader<'a> {
    late: &'a Late<'a>,
    reader: Box<dyn Reader + 'a>,
}

impl Reader for LateReader<'_> {
    fn attributes(&mut self, run: &Run, found: &Found) -> Result<Meta, ReadError> {
        self.reader.attributes(run, found)
    }

    fn open<'a>(
        &'a mut self,
        run: &Run,
        found: &Found,
    ) -> Result<Box<dyn Content + 'a>, ReadError> {
        if found.path.to_slashed().ends_with(self.late.suffix.as_bytes()) {
            let count = self.late.found_count.lock().unwrap();
            let is_early = |count: &mut usize| *count < self.late.entries_count;
            drop(self.late.more.wait_while(count, is_early).unwrap());
        }
        self.reader.open(run, found)
    }
}

/// Backs up; files of this suffix are opened once so many entries were found.
fn backup_late(world: &mut World, suffix: &'static str, entries_count: usize) -> super::Done {
    let source = std::mem::take(&mut world.source);
    let found_count = Mutex::new(0);
    let late = Late { source: &source, suffix, entries_count, found_count, more: Condvar::new() };
    let done = world.backup_of(&late);
    world.source = source;
    done
}

#[test]
fn a_small_file_and_a_long_one_before_very_many_others_are_no_hindrance() {
    let mut world = World::new();
    world.source.put("a", b"small", 5);
    world.source.put("b", &noise(1, 400_000), 5);
    for n in 0..17_000 {
        world.source.put(&format!("c{n}"), b"", 5);
    }
    world.backup();
    // Both are read again while all that comes behind them stays as it was.
    world.source.put("a", b"other", 6);
    world.source.put("b", &noise(2, 400_000), 6);
    let done = backup_late(&mut world, "b", WINDOW_ENTRIES_MAX);
    assert_eq!((done.report.files_changed, done.report.files_unchanged), (2, 17_000));
    assert_eq!(done.kept["/a"].1, b"other");
}
