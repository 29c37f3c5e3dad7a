//! Several streams as one source, read one after another.

use std::collections::BTreeMap;

use crate::meta::Meta;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::source::Content;
use crate::source::Found;
use crate::source::ReadError;
use crate::source::Reader;
use crate::source::Source;
use crate::source::SourceError;

use super::StreamSource;

/// Files of a snapshot, each filled from a stream of its own. After one that failed no other is
/// begun: there will be no snapshot.
#[derive(Debug)]
pub struct Streams {
    streams: BTreeMap<SnapshotPath, StreamSource>,
}

impl Streams {
    /// # Errors
    /// When two have the same path.
    pub fn new(all: Vec<StreamSource>) -> Result<Self, SourceError> {
        let mut streams = BTreeMap::new();
        for stream in all {
            let path = stream.path.clone();
            if let Some(twin) = streams.insert(path, stream) {
                let detail = "two streams have this name".to_owned();
                return Err(SourceError::Missing { path: twin.path.to_string(), detail });
            }
        }
        Ok(Self { streams })
    }

    /// Whether one has been begun and was not good.
    fn has_failed(&self, run: &Run) -> bool {
        self.streams.values().any(|stream| {
            let is_over = stream.lock().progress.is_over();
            is_over && stream.finish(run).is_err()
        })
    }
}

impl Source for Streams {
    fn walk<'a>(
        &'a self,
        run: &Run,
    ) -> Result<Box<dyn Iterator<Item = Result<Found, SourceError>> + 'a>, SourceError> {
        let mut all: BTreeMap<SnapshotPath, Found> = BTreeMap::new();
        for stream in self.streams.values() {
            for found in stream.walk(run)? {
                let found = found?;
                all.entry(found.path.clone()).or_insert(found);
            }
        }
        Ok(Box::new(all.into_values().map(Ok)))
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(StreamsReader { streams: self, open: None })
    }

    /// The error of the first that is not good.
    fn finish(&self, run: &Run) -> Result<(), SourceError> {
        let begun = |stream: &&StreamSource| stream.lock().progress.has_started;
        for stream in self.streams.values().filter(begun) {
            stream.finish(run)?;
        }
        // Those that were not begun, if any.
        self.streams.values().try_for_each(|stream| stream.finish(run))
    }
}

struct StreamsReader<'a> {
    streams: &'a Streams,
    open: Option<Box<dyn Reader + 'a>>,
}

impl Reader for StreamsReader<'_> {
    fn attributes(&mut self, _run: &Run, found: &Found) -> Result<Meta, ReadError> {
        Ok(found.meta.clone())
    }

    fn open<'a>(
        &'a mut self,
        run: &Run,
        found: &Found,
    ) -> Result<Box<dyn Content + 'a>, ReadError> {
        let Some(stream) = self.streams.streams.get(&found.path) else {
            return Err(ReadError::Vanished);
        };
        if self.streams.has_failed(run) {
            return Err(ReadError::Failed("not read, for another one failed".to_owned()));
        }
        self.open.insert(stream.reader()).open(run, found)
    }
}
