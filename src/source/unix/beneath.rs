//! Folders opened beneath a folder, never through a link.

use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::ResolveFlags;
use rustix::io::Errno;

/// Longest path given to one call, below the kernel's 4096.
const STEP_BYTES_MAX: usize = 3800;
/// `openat2` answers EAGAIN when something was renamed meanwhile; after so many tries the walk goes
/// by single names.
const TRIES_MAX: u32 = 16;

/// Opens folders beneath a folder; remembers whether the kernel knows `openat2`.
#[derive(Debug, Default)]
pub(super) struct Opener {
    openat2_missing: AtomicBool,
}

impl Opener {
    /// Opens the folder that `stored` (names joined with NUL) names beneath `top`.
    pub(super) fn open(
        &self,
        top: &impl AsFd,
        stored: &[u8],
        flags: OFlags,
    ) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let place = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if stored.is_empty() {
            return rustix::fs::openat(top, c".", flags, Mode::empty());
        }
        let mut at: Option<OwnedFd> = None;
        let mut rest = stored;
        loop {
            let (step, left) = split(rest);
            let how = if left.is_empty() { flags } else { place };
            let next = match &at {
                Some(at) => self.step(at, step, how)?,
                None => self.step(top, step, how)?,
            };
            if left.is_empty() {
                return Ok(next);
            }
            at = Some(next);
            rest = left;
        }
    }

    fn step(&self, top: &impl AsFd, stored: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let slashed: Vec<u8> = stored.iter().map(|&b| if b == 0 { b'/' } else { b }).collect();
        let mut tries = 0;
        while !self.openat2_missing.load(Ordering::Relaxed) && tries < TRIES_MAX {
            match rustix::fs::openat2(top, &*slashed, flags, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) => tries += 1,
                // A sandbox may forbid the call: EPERM. The walk by names tells the real reason.
                Err(Errno::NOSYS | Errno::PERM) => {
                    self.openat2_missing.store(true, Ordering::Relaxed);
                }
                other => return other,
            }
        }
        by_names(top, stored, flags)
    }
}

/// One folder after the other, for kernels without `openat2`.
fn by_names(top: &impl AsFd, stored: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let place = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut names = stored.split(|&b| b == 0).peekable();
    let mut at = rustix::fs::openat(top, c".", place, Mode::empty())?;
    while let Some(name) = names.next() {
        let how = if names.peek().is_some() { place } else { flags };
        at = rustix::fs::openat(&at, name, how, Mode::empty())?;
    }
    Ok(at)
}

/// Cuts `stored` at a name's end so that the first part is short enough for one call.
fn split(stored: &[u8]) -> (&[u8], &[u8]) {
    if stored.len() <= STEP_BYTES_MAX {
        return (stored, &[]);
    }
    let head = stored.get(..STEP_BYTES_MAX).unwrap_or(stored);
    let Some(cut) = head.iter().rposition(|&b| b == 0) else { return (stored, &[]) };
    match (stored.get(..cut), stored.get(cut + 1..)) {
        (Some(step), Some(rest)) => (step, rest),
        _ => (stored, &[]),
    }
}
