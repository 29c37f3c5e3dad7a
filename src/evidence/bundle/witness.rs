//! What is known of a ledger from elsewhere: paper, mail, another storage.

use std::collections::BTreeMap;

use crate::evidence::bundle::finding::CheckpointFault;
use crate::evidence::bundle::finding::Finding;
use crate::evidence::chain::Chain;
use crate::evidence::checkpoint::Code;
use crate::evidence::checkpoint::SignedCheckpoint;
use crate::evidence::keys::Anchor;
use crate::evidence::keys::Right;
use crate::evidence::tree::sha256;

/// What is known from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Witness {
    pub anchor: Option<Anchor>,
    pub codes: Vec<PrintedCode>,
    /// Checkpoints, as they were sent.
    pub notes: Vec<Vec<u8>>,
}

/// A code as it stands on paper, and of how many entries if that stands there too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintedCode {
    pub code: Code,
    pub size: Option<u64>,
}

impl PrintedCode {
    /// `CODE` or `CODE@SIZE`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (code, size) = match text.split_once('@') {
            Some((code, size)) => (code, Some(size.trim().parse().ok().filter(|n| *n > 0)?)),
            None => (text, None),
        };
        Some(Self { code: Code::parse(code).ok()?, size })
    }
}

/// How a note in a bundle is called, or nothing if it came from elsewhere.
type Named = Option<u64>;

/// Compares what is known with what the entries say.
pub(super) fn compare(
    (chain, mended): (&Chain, &BTreeMap<u64, (String, u64)>),
    kept: impl IntoIterator<Item = (u64, Vec<u8>)>,
    witness: &Witness,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &witness.anchor {
        None => findings.push(Finding::NoAnchor),
        Some(anchor) if chain.keys().is_anchored(anchor) => {}
        Some(_) => findings.push(Finding::OtherLedger),
    }
    if witness.codes.is_empty() && witness.notes.is_empty() {
        findings.push(Finding::NoWitness);
    }
    let kept = kept.into_iter().map(|(size, note)| (Some(size), note));
    let sent = witness.notes.iter().map(|note| (None, note.clone()));
    for (named, note) in kept.chain(sent) {
        findings.extend(checkpoint(chain, named, &note).map(|found| known(found, mended, &note)));
    }
    for printed in &witness.codes {
        findings.extend(code(chain, printed));
    }
    findings
}

/// A checkpoint for which no signature holds says nothing; where the ledger names its very bytes as
/// damaged, that is known. One that holds and does not fit is never that.
fn known(found: Finding, mended: &BTreeMap<u64, (String, u64)>, note: &[u8]) -> Finding {
    let Finding::Checkpoint { why, .. } = &found else { return found };
    if *why == CheckpointFault::Misfit {
        return found;
    }
    let hash = sha256(note).to_string();
    let entry = mended.iter().find(|(_, (known, _))| *known == hash);
    entry.map_or(found, |(size, (_, seq))| Finding::Mended { size: *size, seq: *seq })
}

fn checkpoint(chain: &Chain, named: Named, note: &[u8]) -> Option<Finding> {
    let wrong = |size, why| Some(Finding::Checkpoint { size, why });
    let Ok(signed) = SignedCheckpoint::decode(note) else {
        return wrong(named.unwrap_or(0), CheckpointFault::NotACheckpoint);
    };
    let (size, root) = (signed.checkpoint.size, signed.checkpoint.root);
    if named.is_some_and(|named| named != size) {
        return wrong(size, CheckpointFault::NotACheckpoint);
    }
    if signed.checkpoint.origin != chain.origin() {
        return wrong(size, CheckpointFault::OtherOrigin);
    }
    let mut writers = chain.keys().all().iter().filter(|held| held.may(Right::Write));
    if !writers.any(|held| signed.is_signed_by(&held.key)) {
        return wrong(size, CheckpointFault::Unsigned);
    }
    if size > chain.last_seq() {
        return Some(Finding::Cut { size, last: chain.last_seq() });
    }
    // Behind a gap there is no tree to compare with; the gap is told.
    let found = chain.tree().root(size)?;
    if found == root { None } else { wrong(size, CheckpointFault::Misfit) }
}

fn code(chain: &Chain, printed: &PrintedCode) -> Option<Finding> {
    let code = printed.code.clone();
    let is_of = |size: u64| chain.tree().root(size).is_some_and(|root| Code::of(&root) == code);
    match printed.size {
        Some(size) if size > chain.last_seq() => {
            Some(Finding::Cut { size, last: chain.last_seq() })
        }
        Some(size) if size > chain.tree().size() || is_of(size) => None,
        Some(size) => Some(Finding::Code { code, size }),
        None if (1..=chain.tree().size()).any(is_of) => None,
        None => Some(Finding::CodeUnknown { code }),
    }
}
