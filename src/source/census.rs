//! A second reading of a folder: what it holds, without what is in its files; and of mail, without
//! a word of it.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

use crate::capsule::CapsuleError;
use crate::capsule::folder::Counter;
use crate::capsule::folder::FolderTruth;
use crate::capsule::format::HEAD_BYTES;
use crate::capsule::mail;
use crate::capsule::mail::MailTruth;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::source::Content;
use crate::source::Found;
use crate::source::Reader;
use crate::source::Source;
use crate::source::SourceError;

/// Folders of a store in which each file is a message.
const MAILDIR: [&[u8]; 2] = [b"cur", b"new"];
/// Key of the only store of a file.
const ONE: &str = "file";

/// What is read of a folder.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// What lies directly beneath it is counted apart.
    pub base: &'a SnapshotPath,
    /// Beneath these is mail.
    pub mail: &'a [SnapshotPath],
}

/// Walks everything that `source` gives, looks into a sample of its files and reads its mail. Its
/// problems are not told: whoever backs up meets the same ones.
///
/// # Errors
/// When the source as a whole cannot be read, or the run is stopped.
pub fn folder(
    run: &Run,
    source: &dyn Source,
    scope: Scope<'_>,
) -> Result<FolderTruth, SourceError> {
    let run = &run.unwatched();
    let mut counter = Counter::new(scope.base.clone());
    let mut letters = mail::Counter::new(run.clock.now().unix_ms / 1000);
    let mut posts = source.reader();
    for found in source.walk(run)? {
        run.check()?;
        let found = found?;
        if found.meta.kind == Kind::File && scope.mail.iter().any(|it| found.path.is_within(it)) {
            // One that cannot be read is not counted, and is missed by nobody.
            let _read = post(run, &mut *posts, &found, &mut letters);
        }
        // Kept only while it is in the sample.
        let kept = (found.meta.kind == Kind::File).then(|| found.clone());
        counter.add(&found.path, &found.meta, kept);
    }
    let (mut truth, chosen) = counter.finish();
    truth.mail = letters.finish();
    let mut reader = source.reader();
    let mut head = vec![0; HEAD_BYTES];
    for one in &chosen {
        run.check()?;
        let Some(found) = &one.found else { continue };
        let len = read_head(run, &mut *reader, found, &mut head);
        truth.look(one, head.get(..len).unwrap_or_default());
    }
    Ok(truth)
}

/// As others read.
struct Bytes<'a>(Box<dyn Content + 'a>);

impl Read for Bytes<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(io::Error::other)
    }
}

/// Reads a file if it is one of messages, or a message of a folder of them.
fn post(
    run: &Run,
    reader: &mut dyn Reader,
    found: &Found,
    letters: &mut mail::Counter,
) -> io::Result<()> {
    let folder = found.path.parent().unwrap_or_default();
    let is_message = folder.name().is_some_and(|name| MAILDIR.contains(&name));
    let Ok(content) = reader.open(run, found) else { return Ok(()) };
    let mut content = Bytes(content);
    if is_message {
        let store = folder.parent().unwrap_or_default();
        return letters.message(&mail::key(&store.to_slashed()), content);
    }
    let mut begin = Vec::new();
    content.by_ref().take(mail::BEGIN.len() as u64).read_to_end(&mut begin)?;
    if begin != mail::BEGIN {
        return Ok(());
    }
    letters.mailbox(&mail::key(&found.path.to_slashed()), begin.as_slice().chain(content))
}

/// A file of messages that is no part of a folder.
///
/// # Errors
/// When it cannot be read.
pub fn mailbox(run: &Run, path: &Path) -> Result<MailTruth, CapsuleError> {
    let mut letters = mail::Counter::new(run.clock.now().unix_ms / 1000);
    let read = File::open(path).and_then(|file| letters.mailbox(ONE, file));
    read.map_err(|error| CapsuleError::Read {
        what: "the file of messages".to_owned(),
        detail: error.to_string(),
    })?;
    Ok(letters.finish())
}

/// The first bytes of a file; none if it cannot be read.
fn read_head(run: &Run, reader: &mut dyn Reader, found: &Found, head: &mut [u8]) -> usize {
    let Ok(mut content) = reader.open(run, found) else { return 0 };
    let mut filled = 0;
    while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match content.read(rest) {
            Ok(len @ 1..) => filled += len,
            Ok(0) | Err(_) => break,
        }
    }
    filled
}
