//! The open stream.

use std::io::Read;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;
use crossbeam_channel::Sender;

use crate::meta::Meta;
use crate::run::Run;
use crate::source::Content;
use crate::source::DataRange;
use crate::source::ReadError;

use super::StreamSource;

/// Bytes read at once, and blocks read ahead.
const BLOCK_BYTES: usize = 256 * 1024;
const BLOCKS_AHEAD: usize = 4;
/// Between two looks at the run's switch and the command while no bytes come.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What the thread that reads ahead sends; [`Block::End`] comes last unless it died.
pub(super) enum Block {
    Bytes(Vec<u8>),
    End,
    Failed(String),
}

/// Starts the thread. It ends with the stream, or at the first bytes that nobody takes.
pub(super) fn read_ahead(reader: Box<dyn Read + Send>) -> Result<Receiver<Block>, String> {
    let (sender, blocks) = crossbeam_channel::bounded(BLOCKS_AHEAD);
    let builder = std::thread::Builder::new().name("stream".to_owned());
    // Not joined: nothing can wake it from a terminal that says nothing.
    let started = builder.spawn(move || send_all(reader, &sender));
    started.map(|_detached| blocks).map_err(|error| format!("cannot read: {error}"))
}

fn send_all(mut reader: Box<dyn Read + Send>, sender: &Sender<Block>) {
    loop {
        let mut bytes = vec![0; BLOCK_BYTES];
        let block = match reader.read(&mut bytes) {
            Ok(0) => Block::End,
            Ok(len) => {
                bytes.truncate(len);
                Block::Bytes(bytes)
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => Block::Failed(format!("cannot read: {error}")),
        };
        let is_last = !matches!(block, Block::Bytes(_));
        if sender.send(block).is_err() || is_last {
            return;
        }
    }
}

pub(super) struct StreamContent<'a> {
    source: &'a StreamSource,
    run: Run,
    blocks: Receiver<Block>,
    block: Vec<u8>,
    /// Bytes of `block` that were given.
    given: usize,
    has_ended: bool,
    /// Its size is what was given so far.
    meta: Meta,
}

impl<'a> StreamContent<'a> {
    pub(super) fn new(
        source: &'a StreamSource,
        run: &Run,
        blocks: Receiver<Block>,
        meta: Meta,
    ) -> Self {
        let run = run.clone();
        Self { source, run, blocks, block: Vec::new(), given: 0, has_ended: false, meta }
    }

    /// Takes the next block; an empty one at the end.
    fn next_block(&mut self) -> Result<Vec<u8>, String> {
        loop {
            self.run.check().map_err(|stopped| stopped.to_string())?;
            match self.blocks.recv_timeout(LOOK_EVERY) {
                Ok(Block::Bytes(bytes)) => {
                    self.source.lock().progress.tail.push(&bytes);
                    return Ok(bytes);
                }
                Ok(Block::End) => {
                    self.source.lock().progress.has_ended = true;
                    return Ok(Vec::new());
                }
                Ok(Block::Failed(detail)) => return Err(detail),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err("the thread that reads it has died".to_owned());
                }
                // Something else may hold the command's output open for ever.
                Err(RecvTimeoutError::Timeout) => {
                    let command = &mut self.source.lock().progress.command;
                    if command.as_mut().is_some_and(super::Command::has_failed) {
                        return Err("the command has failed".to_owned());
                    }
                }
            }
        }
    }
}

impl Content for StreamContent<'_> {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, ReadError> {
        let mut filled = 0;
        while filled < into.len() && !self.has_ended {
            if self.given == self.block.len() {
                self.block = self.next_block().map_err(|detail| self.source.fail(detail))?;
                self.given = 0;
                self.has_ended = self.block.is_empty();
            }
            let rest = self.block.get(self.given..).unwrap_or_default();
            let place = into.get_mut(filled..).unwrap_or_default();
            let len = rest.len().min(place.len());
            for (to, from) in place.iter_mut().zip(rest) {
                *to = *from;
            }
            self.given += len;
            filled += len;
        }
        self.meta.size_bytes += filled as u64;
        Ok(filled)
    }

    fn seek_data(&mut self, _offset: u64) -> Result<Option<DataRange>, ReadError> {
        Err(ReadError::Failed("a stream cannot be sought in".to_owned()))
    }

    fn may_have_holes(&self) -> bool {
        false
    }

    fn changed(&mut self) -> bool {
        false
    }
}
