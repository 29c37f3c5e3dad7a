//! A file that is cut into chunks.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::TrySendError;

use crate::backup::error::BackupError;
use crate::backup::worker::Worker;
use crate::chunk::digest::ContentHasher;
use crate::chunk::digest::digest;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::ids::Digest;
use crate::repository::tree::map::MapReader;
use crate::repository::tree::map::MapWriter;
use crate::run::monitor::Count;
use crate::source;
use crate::source::ReadError;

/// A chunk for whichever worker is free.
pub(super) struct SealJob {
    raw: Vec<u8>,
    reply: Sender<Sealed>,
    number: u64,
}

pub(super) type Sealed = (u64, Result<Ref, BackupError>);

impl SealJob {
    pub(super) fn execute(self, worker: &mut Worker<'_>) {
        let sealed = worker.seal(ObjectKind::Chunk, &self.raw);
        // Nobody waits any more when the file's own worker failed.
        let _reader_gone = self.reply.send((self.number, sealed));
    }
}

/// What was read of a large file.
pub(super) struct LargeFile {
    pub(super) content: Content,
    pub(super) size_bytes: u64,
    /// Why reading ended before the end of the file.
    pub(super) failed: Option<ReadError>,
}

/// What was read of a file and not cut yet. Its bytes are kept from file to file, so that they are
/// zeroed once.
#[derive(Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
    filled: usize,
}

impl Window {
    fn begin(&mut self, chunk_max_bytes: usize, head: &[u8]) {
        let capacity = (chunk_max_bytes + chunk_max_bytes / 4).max(head.len());
        if self.bytes.len() < capacity {
            self.bytes.resize(capacity, 0);
        }
        self.bytes[..head.len()].copy_from_slice(head);
        self.filled = head.len();
    }

    /// Reads on, at most `left` bytes, which is counted down; 0 means the end.
    fn read(
        &mut self,
        content: &mut dyn source::Content,
        left: &mut u64,
    ) -> Result<usize, ReadError> {
        let room = self.bytes.len() - self.filled;
        let room = room.min(usize::try_from(*left).unwrap_or(usize::MAX));
        if room == 0 {
            return Ok(0);
        }
        let read = content.read(&mut self.bytes[self.filled..self.filled + room])?;
        self.filled += read;
        *left -= read as u64;
        Ok(read)
    }

    fn keep_from(&mut self, start: usize) {
        self.bytes.copy_within(start..self.filled, 0);
        self.filled -= start;
    }
}

/// What a chunk is of its file.
#[derive(Debug, Clone, Copy)]
enum Share {
    WholeFile,
    /// The last of several, as far as the reader knows.
    End,
    Part,
}

enum Part {
    Ready(Extent),
    Waiting { number: u64, digest: Digest },
}

/// One large file on its way.
struct Reading<'w, 'a> {
    worker: &'w mut Worker<'a>,
    hasher: ContentHasher,
    map: MapWriter,
    known: HashMap<Digest, Arc<Ref>>,
    parts: VecDeque<Part>,
    done: HashMap<u64, Ref>,
    next_number: u64,
    reply: (Sender<Sealed>, Receiver<Sealed>),
}

/// Reads `content` to its end. `head` is what was read of it already.
pub(super) fn store(
    worker: &mut Worker<'_>,
    content: &mut dyn source::Content,
    head: &[u8],
    parent: Option<&Entry>,
) -> Result<LargeFile, BackupError> {
    let known = known_chunks(worker, parent);
    let mut reading = Reading {
        worker,
        hasher: ContentHasher::default(),
        map: MapWriter::default(),
        known,
        parts: VecDeque::new(),
        done: HashMap::new(),
        next_number: 0,
        reply: crossbeam_channel::unbounded(),
    };
    let mut window = std::mem::take(&mut reading.worker.window);
    window.begin(reading.worker.cutter.sizes().max_bytes as usize, head);
    let read = reading.read_all(content, &mut window);
    reading.worker.window = window;
    let failed = read?;
    reading.settle()?;
    let size_bytes = reading.hasher.len_bytes();
    let digest = reading.hasher.finish();
    let content = reading.worker.finish_map(reading.map, digest)?;
    let content = if size_bytes == 0 { Content::None } else { content };
    Ok(LargeFile { content, size_bytes, failed })
}

/// Digests of the chunks that the parent's entry has.
fn known_chunks(worker: &Worker<'_>, parent: Option<&Entry>) -> HashMap<Digest, Arc<Ref>> {
    let mut known = HashMap::new();
    let mut add = |extent: &Extent| {
        if let Extent::Chunk { chunk, digest } = extent {
            known.insert(*digest, Arc::clone(chunk));
        }
    };
    match parent.map(|entry| &entry.content) {
        Some(Content::Extents { extents, .. }) => extents.iter().for_each(&mut add),
        Some(Content::Map { root, .. }) => {
            // A map that cannot be read only costs: its chunks are sealed again.
            let extents = MapReader::new(worker.run, worker.nodes, root);
            extents.take_while(Result::is_ok).flatten().for_each(|extent| add(&extent));
        }
        _ => {}
    }
    known
}

impl Reading<'_, '_> {
    fn read_all(
        &mut self,
        content: &mut dyn source::Content,
        window: &mut Window,
    ) -> Result<Option<ReadError>, BackupError> {
        if window.filled > 0 || !content.may_have_holes() {
            return self.read_range(content, window, None);
        }
        let mut at = 0;
        loop {
            let range = match content.seek_data(at) {
                Ok(Some(range)) => range,
                Ok(None) => break,
                Err(error) => return Ok(Some(error)),
            };
            self.hole(range.offset.saturating_sub(at))?;
            let before = self.hasher.len_bytes();
            if let Some(error) = self.read_range(content, window, Some(range.len_bytes))? {
                return Ok(Some(error));
            }
            let read = self.hasher.len_bytes() - before;
            at = range.offset + read;
            if read < range.len_bytes {
                return Ok(None);
            }
        }
        self.hole(content.meta().size_bytes.saturating_sub(at))?;
        Ok(None)
    }

    fn hole(&mut self, len_bytes: u64) -> Result<(), BackupError> {
        if len_bytes > 0 {
            self.hasher.hole(len_bytes);
            self.parts.push_back(Part::Ready(Extent::Hole { len_bytes }));
            self.flush()?;
        }
        Ok(())
    }

    /// Reads `limit` bytes, or to the end of the file, cutting as it goes.
    fn read_range(
        &mut self,
        content: &mut dyn source::Content,
        window: &mut Window,
        limit: Option<u64>,
    ) -> Result<Option<ReadError>, BackupError> {
        let max = self.worker.cutter.sizes().max_bytes as usize;
        let mut left = limit.unwrap_or(u64::MAX);
        let mut failed = None;
        let mut ended = false;
        loop {
            while window.filled < max && !ended {
                match window.read(content, &mut left) {
                    Ok(0) => ended = true,
                    Ok(_) => {}
                    Err(error) => {
                        failed = Some(error);
                        ended = true;
                    }
                }
            }
            let filled = window.filled;
            let mut start = 0;
            while start < filled && (ended || filled - start >= max) {
                let len = self.worker.cutter.cut(&window.bytes[start..filled]);
                let is_end = ended && start + len == filled;
                let is_first = limit.is_none() && self.hasher.len_bytes() == 0;
                let share = match (is_first, is_end) {
                    (true, true) => Share::WholeFile,
                    (false, true) => Share::End,
                    (_, false) => Share::Part,
                };
                self.chunk(&window.bytes[start..start + len], share)?;
                start += len;
            }
            window.keep_from(start);
            if ended && window.filled == 0 {
                return Ok(failed);
            }
        }
    }

    /// Takes the next chunk. One that is the whole file is hashed once for both digests.
    fn chunk(&mut self, raw: &[u8], share: Share) -> Result<(), BackupError> {
        self.worker.run.check()?;
        self.worker.run.count(Count::BytesDone, raw.len() as u64);
        let digest = match share {
            Share::WholeFile => self.hasher.only(raw),
            Share::End | Share::Part => {
                self.hasher.update(raw);
                digest(raw)
            }
        };
        if let Some(chunk) = self.known.get(&digest) {
            let chunk = Arc::clone(chunk);
            self.worker.run.count(Count::ObjectsKnown, 1);
            self.parts.push_back(Part::Ready(Extent::Chunk { chunk, digest }));
            return self.flush();
        }
        let number = self.next_number;
        self.next_number += 1;
        self.parts.push_back(Part::Waiting { number, digest });
        // Only a chunk that another worker can take while this one reads on is worth a copy.
        let passes_on = matches!(share, Share::Part);
        let free = self.worker.seal_jobs.as_ref().filter(|jobs| passes_on && !jobs.is_full());
        let rejected = free.and_then(|jobs| {
            let job = SealJob { raw: raw.to_vec(), reply: self.reply.0.clone(), number };
            jobs.try_send(job).err()
        });
        match rejected {
            Some(TrySendError::Full(job) | TrySendError::Disconnected(job)) => {
                job.execute(self.worker);
            }
            None if free.is_some() => {}
            None => {
                let sealed = self.worker.seal(ObjectKind::Chunk, raw)?;
                self.done.insert(number, sealed);
            }
        }
        self.collect()?;
        self.flush()
    }

    /// Takes what other workers have sealed.
    fn collect(&mut self) -> Result<(), BackupError> {
        while let Ok((number, sealed)) = self.reply.1.try_recv() {
            self.done.insert(number, sealed?);
        }
        Ok(())
    }

    /// Moves finished parts to the map, in order.
    fn flush(&mut self) -> Result<(), BackupError> {
        while let Some(part) = self.parts.pop_front() {
            let extent = match part {
                Part::Ready(extent) => extent,
                Part::Waiting { number, digest } => match self.done.remove(&number) {
                    Some(sealed) => {
                        let chunk = Arc::new(sealed);
                        self.known.insert(digest, Arc::clone(&chunk));
                        Extent::Chunk { chunk, digest }
                    }
                    None => {
                        self.parts.push_front(Part::Waiting { number, digest });
                        return Ok(());
                    }
                },
            };
            self.worker.push_extent(&mut self.map, extent)?;
        }
        Ok(())
    }

    /// Waits for the last chunks, sealing whatever is queued meanwhile.
    fn settle(&mut self) -> Result<(), BackupError> {
        loop {
            self.collect()?;
            self.flush()?;
            if self.parts.is_empty() {
                return Ok(());
            }
            let queue = self.worker.seal_queue.clone();
            crossbeam_channel::select! {
                recv(queue) -> job => if let Ok(job) = job { job.execute(self.worker) },
                recv(self.reply.1) -> sealed => {
                    let (number, sealed) = sealed.map_err(|_| BackupError::WorkerGone)?;
                    self.done.insert(number, sealed?);
                }
            }
        }
    }
}
