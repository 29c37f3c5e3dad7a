//! What a crash may leave of a simulated disk.
//!
//! The ways to lose are those of reliable-storage research: see T. S. Pillai and others, "All file
//! systems are not created equal" (OSDI 2014).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::disk::sim::image::Change;
use crate::disk::sim::image::Image;
use crate::disk::sim::image::NodeId;
use crate::run::seed::Choices;

/// The unit in which a write may be torn.
pub const SECTOR_BYTES: usize = 512;

/// What a sync covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Content(NodeId),
    Names(NodeId),
    All,
}

impl Scope {
    fn covers(self, change: &Change) -> bool {
        match (self, change) {
            (Self::All, _) => true,
            (Self::Content(node), Change::Content { node: of, .. }) => node == *of,
            (Self::Names(folder), Change::Make { place, .. } | Change::Remove { place, .. }) => {
                folder == place.folder
            }
            (Self::Names(folder), Change::Rename { from, to, .. }) => {
                folder == from.folder || folder == to.folder
            }
            _ => false,
        }
    }
}

/// One thing that happened to the disk.
#[derive(Debug, Clone)]
pub enum Step {
    Change(Change),
    Sync(Scope),
    /// A sync failed: what it covered will never reach the medium.
    Lose(Scope),
}

/// How the changes that were not synced fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashKind {
    NothingLost,
    AllLost,
    OneLost(usize),
    OneKept(usize),
    /// The last content is there to this length; the rest is cut off, or zeros.
    TornCut(usize),
    TornZeros(usize),
    /// One content has its length and zeros.
    LengthOnly(usize),
    /// All names, no content; all content, no names.
    ContentLost,
    NamesLost,
    /// A subset by the `n`-th draw of the seed.
    Random(usize),
}

/// A moment and a way to crash. Printed, it names the failing case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrashPoint {
    /// Steps taken before; compare with `SimDisk::step_count`.
    pub step_count: usize,
    pub kind: CrashKind,
}

/// How many crashes were tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CrashCounts {
    pub states: u64,
    /// Those shown to the visitor; equal images are shown once for each step count.
    pub distinct: u64,
}

/// Everything that happened to a disk since it was made.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub start: Image,
    pub steps: Vec<Step>,
}

impl History {
    /// Shows every image that a crash after any step may leave, with `random_count` random subsets
    /// by `seed` where there are many. Equal images are shown once for each step count, because
    /// what was promised by then differs.
    pub fn visit_crashes(
        &self,
        seed: u64,
        random_count: usize,
        visit: &mut dyn FnMut(CrashPoint, &Image),
    ) -> CrashCounts {
        self.visit_crashes_from(0, seed, random_count, visit)
    }

    /// The same, but only for crashes after `first_step` steps or more.
    pub fn visit_crashes_from(
        &self,
        first_step: usize,
        seed: u64,
        random_count: usize,
        visit: &mut dyn FnMut(CrashPoint, &Image),
    ) -> CrashCounts {
        let mut choices = Choices::new(seed, "disk::sim");
        let mut counts = CrashCounts::default();
        let mut durable = self.start.clone();
        let mut pending: Vec<Change> = Vec::new();
        for step_count in 0..=self.steps.len() {
            let mut seen = BTreeSet::new();
            let kinds =
                if step_count < first_step { Vec::new() } else { kinds(&pending, random_count) };
            for kind in kinds {
                let image = crashed(&durable, &pending, kind, &mut choices);
                counts.states += 1;
                if seen.insert(image.digest()) {
                    counts.distinct += 1;
                    visit(CrashPoint { step_count, kind }, &image);
                }
            }
            match self.steps.get(step_count) {
                Some(Step::Change(change)) => pending.push(change.clone()),
                Some(Step::Sync(scope)) => {
                    for change in pending.extract_if(.., |change| scope.covers(change)) {
                        durable.apply(&change);
                    }
                }
                Some(Step::Lose(scope)) => pending.retain(|change| !scope.covers(change)),
                None => {}
            }
        }
        counts
    }
}

/// The ways to crash that differ for these changes.
fn kinds(pending: &[Change], random_count: usize) -> Vec<CrashKind> {
    let mut kinds = vec![CrashKind::NothingLost];
    if pending.is_empty() {
        return kinds;
    }
    kinds.extend([CrashKind::AllLost, CrashKind::ContentLost, CrashKind::NamesLost]);
    for (at, change) in pending.iter().enumerate() {
        kinds.extend([CrashKind::OneLost(at), CrashKind::OneKept(at)]);
        if matches!(change, Change::Content { .. }) {
            kinds.push(CrashKind::LengthOnly(at));
        }
    }
    if let Some(Change::Content { content, .. }) = pending.iter().rev().find(|c| is_content(c)) {
        for len in (0..content.len()).step_by(SECTOR_BYTES) {
            kinds.extend([CrashKind::TornCut(len), CrashKind::TornZeros(len)]);
        }
    }
    if pending.len() > 2 {
        kinds.extend((0..random_count).map(CrashKind::Random));
    }
    kinds
}

fn crashed(durable: &Image, pending: &[Change], kind: CrashKind, choices: &mut Choices) -> Image {
    let last_content = pending.iter().rposition(is_content);
    let mut image = durable.clone();
    for (at, change) in pending.iter().enumerate() {
        let is_last = Some(at) == last_content;
        let survives = match kind {
            CrashKind::AllLost => None,
            CrashKind::OneLost(lost) if lost == at => None,
            CrashKind::OneKept(kept) if kept != at => None,
            CrashKind::TornCut(len) if is_last => torn(change, len, Rest::Cut),
            CrashKind::TornZeros(len) if is_last => torn(change, len, Rest::Zeros),
            CrashKind::LengthOnly(hit) if hit == at => torn(change, 0, Rest::Zeros),
            CrashKind::ContentLost if is_content(change) => None,
            CrashKind::NamesLost if !is_content(change) => None,
            CrashKind::Random(_) if choices.below(2) == 0 => None,
            _ => Some(change.clone()),
        };
        if let Some(change) = survives {
            image.apply(&change);
        }
    }
    image
}

#[derive(Clone, Copy)]
enum Rest {
    Cut,
    Zeros,
}

fn torn(change: &Change, len: usize, rest: Rest) -> Option<Change> {
    let Change::Content { node, content, modified } = change else { return None };
    let full = content.len();
    let mut torn: Vec<u8> = content.iter().take(len).copied().collect();
    if matches!(rest, Rest::Zeros) {
        torn.resize(full, 0);
    }
    Some(Change::Content { node: *node, content: Arc::from(torn), modified: *modified })
}

fn is_content(change: &Change) -> bool {
    matches!(change, Change::Content { .. })
}
