//! Objects that will be read soon: over a long way those that lie beside each other come together.
//!
//! Whoever walks a tree says which objects follow. The first that is asked for brings those behind
//! it along, in one request; whoever wants one of them meanwhile waits for that. What is not as its
//! name says, or did not come, is read by itself, where every copy is tried and told of.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::crypto::blind;
use crate::ids::Sid;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::locations::Row;
use crate::vault::read::GAP_BYTES_MAX;
use crate::vault::read::order;

/// Most bytes that one request brings along: several of them are under way at once.
const TOGETHER_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Bytes that have come and nobody has asked for yet. Beyond that the oldest are forgotten: they
/// are read again by whoever wants them.
const HERE_BYTES_MAX: usize = 24 * 1024 * 1024;
/// Objects that were announced and not read yet: more than the nodes below one branch.
const ANNOUNCED_MAX: usize = 16 * 1024;

/// Number of the pack, bytes from its start.
type Spot = (u32, u32);

#[derive(Debug)]
enum State {
    Announced,
    /// Somebody reads it just now.
    Coming,
    Here(Vec<u8>),
}

#[derive(Debug)]
struct Object {
    sid: Sid,
    len_bytes: u32,
    state: State,
}

#[derive(Debug, Default)]
struct Objects {
    by_spot: BTreeMap<Spot, Object>,
    spots: HashMap<Sid, Spot>,
    /// In the order in which they were announced, those that were read since included.
    announced: VecDeque<Sid>,
    /// In the order in which they came, those that were asked for since included.
    came: VecDeque<Sid>,
    here_bytes: usize,
}

/// What was announced, and what has come of it.
#[derive(Debug, Default)]
pub(in crate::vault) struct Soon {
    objects: Mutex<Objects>,
    changed: Condvar,
}

impl Vault {
    /// Announces that these objects will be read soon, in this order or another. Loads the index if
    /// the storage is far, else it does nothing.
    pub fn soon(&self, run: &Run, sids: &[Sid]) {
        if !self.inner.storage.is_far() || sids.is_empty() {
            return;
        }
        let found = self.inner.with_locations(run, |locations| {
            let first = |sid: &Sid| {
                let row = locations.find(sid).min_by_key(|row| order(locations, row))?;
                Some((*sid, row))
            };
            sids.iter().filter_map(first).collect::<Vec<(Sid, Row)>>()
        });
        // That it cannot be loaded is told to whoever reads.
        let Ok(found) = found else { return };
        let mut objects = self.inner.soon.lock();
        for (sid, row) in found {
            objects.announce(sid, &row);
        }
    }
}

impl Objects {
    fn announce(&mut self, sid: Sid, row: &Row) {
        let spot = (row.pack, row.offset);
        if self.spots.contains_key(&sid) || self.by_spot.contains_key(&spot) {
            return;
        }
        self.spots.insert(sid, spot);
        let object = Object { sid, len_bytes: row.len_bytes(), state: State::Announced };
        self.by_spot.insert(spot, object);
        self.announced.push_back(sid);
        while self.announced.len() > ANNOUNCED_MAX {
            let Some(oldest) = self.announced.pop_front() else { break };
            if self.state_of(&oldest).is_some_and(|state| matches!(state, State::Announced)) {
                self.remove(&oldest);
            }
        }
    }

    fn state_of(&self, sid: &Sid) -> Option<&State> {
        Some(&self.by_spot.get(self.spots.get(sid)?)?.state)
    }

    fn remove(&mut self, sid: &Sid) -> Option<Object> {
        let object = self.by_spot.remove(&self.spots.remove(sid)?)?;
        if let State::Here(bytes) = &object.state {
            self.here_bytes -= bytes.len();
        }
        Some(object)
    }

    /// The object at `spot` and those behind it that come along, with their lengths.
    fn span_from(&mut self, (pack, start): Spot) -> Vec<(Sid, Spot, u32)> {
        let mut span: Vec<(Sid, Spot, u32)> = Vec::new();
        let mut end = u64::from(start);
        for (spot, object) in self.by_spot.range_mut((pack, start)..=(pack, u32::MAX)) {
            let (from, len) = (u64::from(spot.1), u64::from(object.len_bytes));
            let is_near = from <= end.saturating_add(GAP_BYTES_MAX);
            let is_small = span.is_empty() || from + len - u64::from(start) <= TOGETHER_BYTES_MAX;
            if !is_near || !is_small || !matches!(object.state, State::Announced) {
                break;
            }
            end = end.max(from + len);
            object.state = State::Coming;
            span.push((object.sid, *spot, object.len_bytes));
        }
        span
    }

    /// Takes what came; what did not is forgotten.
    fn take_in(&mut self, sid: Sid, bytes: Option<Vec<u8>>) {
        let Some(bytes) = bytes else {
            self.remove(&sid);
            return;
        };
        let object = self.spots.get(&sid).and_then(|spot| self.by_spot.get_mut(spot));
        let Some(object) = object else { return };
        self.here_bytes += bytes.len();
        object.state = State::Here(bytes);
        self.came.push_back(sid);
        while self.here_bytes > HERE_BYTES_MAX {
            let Some(oldest) = self.came.pop_front() else { break };
            if self.state_of(&oldest).is_some_and(|state| matches!(state, State::Here(_))) {
                self.remove(&oldest);
            }
        }
    }
}

/// Whoever reads a span, until all of it is taken in: nobody waits for ever for one that ended.
struct Reading<'s> {
    soon: &'s Soon,
    left: Vec<Sid>,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut objects = self.soon.lock();
        for sid in self.left.drain(..) {
            objects.take_in(sid, None);
        }
        self.soon.changed.notify_all();
    }
}

impl Soon {
    /// Forgets what was announced: packs may have other numbers from now on.
    pub(in crate::vault) fn forget(&self) {
        let mut objects = self.lock();
        let is_coming = |object: &Object| matches!(object.state, State::Coming);
        let gone = objects.by_spot.values().filter(|object| !is_coming(object));
        for sid in gone.map(|object| object.sid).collect::<Vec<_>>() {
            objects.remove(&sid);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of an object that was announced, with those behind it on the way; none if it was
    /// not, or cannot be had so. Each is given once.
    pub(in crate::vault) fn take(&self, run: &Run, vault: &Inner, sid: &Sid) -> Option<Vec<u8>> {
        let span = {
            let mut objects = self.lock();
            loop {
                match objects.state_of(sid)? {
                    State::Here(_) => {
                        return match objects.remove(sid)?.state {
                            State::Here(bytes) => Some(bytes),
                            State::Announced | State::Coming => None,
                        };
                    }
                    State::Announced => break,
                    State::Coming => {
                        objects =
                            self.changed.wait(objects).unwrap_or_else(PoisonError::into_inner);
                    }
                }
            }
            let spot = *objects.spots.get(sid)?;
            objects.span_from(spot)
        };
        let mut reading = Reading { soon: self, left: span.iter().map(|(sid, ..)| *sid).collect() };
        let mut parts = read_span(run, vault, &span)?;
        let mut objects = self.lock();
        reading.left.clear();
        let mut own = None;
        for ((found, ..), bytes) in span.iter().zip(parts.drain(..)) {
            if found == sid {
                objects.remove(found);
                own = bytes;
            } else {
                objects.take_in(*found, bytes);
            }
        }
        own
    }
}

/// Each object of a span, if it is what its name says.
fn read_span(run: &Run, vault: &Inner, span: &[(Sid, Spot, u32)]) -> Option<Vec<Option<Vec<u8>>>> {
    let (_, (pack, start), _) = *span.first()?;
    let end = span.iter().map(|(_, (_, from), len)| u64::from(*from) + u64::from(*len)).max()?;
    let mut bytes = vec![0; usize::try_from(end - u64::from(start)).ok()?];
    let name = vault.pack_name(run, pack).ok()?;
    vault.storage.read_range(&name, u64::from(start), &mut bytes).ok()?;
    run.count(Count::BytesRead, bytes.len() as u64);
    let part = |(sid, (_, from), len): &(Sid, Spot, u32)| {
        let from = usize::try_from(from - start).ok()?;
        let part = bytes.get(from..from.checked_add(usize::try_from(*len).ok()?)?)?;
        (blind::sid_of(part) == *sid).then(|| part.to_vec())
    };
    Some(span.iter().map(part).collect())
}
