//! Sealed data objects from one vault to another, in the order in which they lie.

use std::collections::BTreeSet;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;

use crate::copy::Ends;
use crate::copy::error::CopyError;
use crate::copy::walk::elsewhere;
use crate::format::object::ObjectKind;
use crate::format::object::SealedObject;
use crate::ids::Sid;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::vault::Position;
use crate::vault::error::VaultError;
use crate::vault::session::Session;

/// Objects that are read with one look at the index.
const OBJECTS_TOGETHER: usize = 4096;
/// Objects between the thread that reads and hashes and the one that hands over.
const OBJECTS_WAITING: usize = 16;

/// Hands over these objects. Each has the hash that it is named by; those that neither side has
/// whole are put to `bad`.
pub(super) fn transfer(
    run: &Run,
    (ends, session): (Ends<'_>, &Session),
    sids: &[Sid],
    bad: &mut BTreeSet<Sid>,
) -> Result<(), CopyError> {
    let mut placed = Vec::with_capacity(sids.len());
    for sid in sids {
        let known = match ends.source.stored(run, sid)? {
            Some(known) => Some(known),
            None => ends.target.stored(run, sid)?,
        };
        match known {
            Some(known) => placed.push((known.position, *sid, known.kind)),
            None => {
                bad.insert(*sid);
            }
        }
    }
    placed.sort_unstable_by_key(|(position, ..)| *position);
    let (send, queue) = crossbeam_channel::bounded(OBJECTS_WAITING);
    std::thread::scope(|scope| {
        let putting = scope.spawn(move || put_all(session, &queue));
        let read = read_all(run, ends, &placed, &send, bad);
        drop(send);
        // Why it cannot be put says more than that nobody takes any more.
        putting.join().map_err(|_| CopyError::WorkerGone)??;
        read
    })
}

fn put_all(session: &Session, queue: &Receiver<SealedObject>) -> Result<(), VaultError> {
    queue.iter().try_for_each(|object| session.put(object).map(drop))
}

fn read_all(
    run: &Run,
    ends: Ends<'_>,
    placed: &[(Position, Sid, ObjectKind)],
    send: &Sender<SealedObject>,
    bad: &mut BTreeSet<Sid>,
) -> Result<(), CopyError> {
    for part in placed.chunks(OBJECTS_TOGETHER) {
        let sids: Vec<Sid> = part.iter().map(|(_, sid, _)| *sid).collect();
        let mut failed = None;
        ends.source.read_objects(run, &sids, &mut |number, read| {
            let (Some((_, sid, kind)), None) = (part.get(number), &failed) else { return };
            match elsewhere(run, ends, sid, read) {
                Ok(Some(bytes)) => {
                    run.count(Count::BytesDone, bytes.len() as u64);
                    let object = SealedObject { sid: *sid, kind: *kind, bytes };
                    if send.send(object).is_err() {
                        failed = Some(CopyError::WorkerGone);
                    }
                }
                Ok(None) => {
                    bad.insert(*sid);
                }
                Err(error) => failed = Some(error),
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
    }
    Ok(())
}
