//! The inspection of a bundle: number, link, time and signature of each entry, each document, each
//! drill, and all of it against what is known from elsewhere.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::crypto::sign::VerifyingKey;
use crate::evidence::bundle::Bundle;
use crate::evidence::bundle::draws::Around;
use crate::evidence::bundle::finding::Class;
use crate::evidence::bundle::finding::DocumentFault;
use crate::evidence::bundle::finding::Finding;
use crate::evidence::bundle::plans;
use crate::evidence::bundle::plans::Seen;
use crate::evidence::bundle::proof::Inclusion;
use crate::evidence::bundle::witness;
use crate::evidence::bundle::witness::Witness;
use crate::evidence::canonical;
use crate::evidence::canonical::DOCUMENT_BYTES_MAX;
use crate::evidence::chain::Break;
use crate::evidence::chain::Chain;
use crate::evidence::checkpoint::Checkpoint;
use crate::evidence::checkpoint::Code;
use crate::evidence::checkpoint::SignedCheckpoint;
use crate::evidence::document;
use crate::evidence::drill;
use crate::evidence::drill::Step;
use crate::evidence::entry::Entry;
use crate::evidence::entry::Kind;
use crate::evidence::entry::LedgerTime;
use crate::evidence::keys;
use crate::evidence::ledger::CHECKPOINT;
use crate::evidence::ledger::MENDED_HASH;
use crate::evidence::ledger::MENDED_SIZE;
use crate::evidence::ledger::is_of_drill;
use crate::evidence::signed::Signed;
use crate::ids::LedgerHash;

/// Most findings that are listed; what comes after is counted.
const FINDINGS_MAX: usize = 10_000;

/// What the whole is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Valid,
    RecordMissing,
    Invalid,
}

/// Repeats a draw of items for a drill.
pub trait Draws: Sync {
    /// Whether the draw comes out as its document says; none if this cannot be told.
    fn is_as_drawn(&self, draw: &Value) -> Option<bool>;
}

/// Tells of no draw.
#[derive(Debug, Clone, Copy)]
pub struct NoDraws;

impl Draws for NoDraws {
    fn is_as_drawn(&self, _: &Value) -> Option<bool> {
        None
    }
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Report {
    pub findings: Vec<Finding>,
    /// Beyond those listed.
    pub more_count: u64,
    pub entries_count: u64,
    pub documents_count: u64,
    pub drills_count: u64,
    /// SHA-256 of the key that founded the ledger.
    pub fingerprint: Option<LedgerHash>,
    /// Of the last entry.
    pub last_time: Option<LedgerTime>,
    /// Of all entries, if none is missing.
    pub checkpoint: Option<Checkpoint>,
    pub verdict: Verdict,
}

impl Report {
    /// The code of all entries, as it stands on paper if it was printed now.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.checkpoint.as_ref().map(Checkpoint::code)
    }
}

/// Inspects a bundle.
#[must_use]
pub fn inspect(bundle: &Bundle, witness: &Witness, draws: &dyn Draws) -> Report {
    let mut findings = Vec::new();
    let unreadable = bundle.unreadable.iter().cloned();
    findings.extend(unreadable.map(|name| Finding::Unreadable { name }));
    findings.extend(bundle.halves.iter().cloned().map(|name| Finding::FileMissing { name }));
    let (chain, jobs) = walk(bundle, &mut findings);
    let judged = judge_all(bundle, (&chain, &jobs));
    let mut values = BTreeMap::new();
    // Drills of which a document cannot be believed: what it does not say concludes nothing.
    let mut unread = BTreeSet::new();
    for (job, judged) in jobs.iter().zip(judged) {
        findings.extend(judged.findings);
        match (&job.entry, judged.value) {
            (Some(entry), Some(value)) => {
                values.insert(job.seq, (entry, value));
            }
            (Some(entry), None) => {
                unread.insert(entry.subject.clone());
            }
            (None, _) => {}
        }
    }
    let is_whole = !findings.iter().any(leaves_holes);
    let entries = jobs.iter().filter_map(|job| Some((job.seq, job.entry.as_ref()?))).collect();
    let around = Around { tree: chain.tree(), entries, values: &values, is_whole };
    findings.extend(around.judge(draws));
    let drills = drills((&values, is_whole), &mut findings);
    if let Some(head) = chain.last_time() {
        let read = drills.iter().filter(|(drill, _)| !unread.contains(*drill));
        findings.extend(plans::judge(read, head));
    }
    findings.extend(suspects(&chain, &jobs));
    let kept = bundle.checkpoints.iter().map(|(size, note)| (*size, note.clone()));
    findings.extend(witness::compare((&chain, &mended(&values)), kept, witness));
    findings.extend(proofs(bundle));
    findings.extend(strays(bundle, &jobs));
    report((bundle, &chain), findings, drills.len())
}

fn report((bundle, chain): (&Bundle, &Chain), mut findings: Vec<Finding>, drills: usize) -> Report {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.class()));
    let verdict = match findings.first().map(Finding::class) {
        Some(Class::Invalid) => Verdict::Invalid,
        Some(Class::Missing) => Verdict::RecordMissing,
        Some(Class::Note) | None => Verdict::Valid,
    };
    let more_count = findings.len().saturating_sub(FINDINGS_MAX) as u64;
    findings.truncate(FINDINGS_MAX);
    let size = chain.tree().size();
    let root = chain.tree().root(size).filter(|_| size > 0 && size == chain.last_seq());
    let origin = || chain.origin().to_owned();
    Report {
        findings,
        more_count,
        entries_count: bundle.entries.len() as u64,
        documents_count: bundle.documents.len() as u64,
        drills_count: drills as u64,
        fingerprint: chain.keys().founder().map(keys::fingerprint),
        last_time: chain.last_time(),
        checkpoint: root.map(|root| Checkpoint { origin: origin(), size, root }),
        verdict,
    }
}

/// What is left to look at of one entry, which needs none of the others.
struct Job<'a> {
    seq: u64,
    file: &'a Signed,
    entry: Option<Entry>,
    signer: Option<VerifyingKey>,
}

/// What was found out about one entry.
#[derive(Default)]
struct Judged {
    findings: Vec<Finding>,
    value: Option<Value>,
}

/// In their order: numbers, links, times, keys.
fn walk<'a>(bundle: &'a Bundle, findings: &mut Vec<Finding>) -> (Chain, Vec<Job<'a>>) {
    let mut chain = Chain::new(bundle.origin.clone());
    let mut jobs = Vec::with_capacity(bundle.entries.len());
    if bundle.entries.is_empty() {
        findings.push(Finding::Empty);
    }
    for (seq, file) in &bundle.entries {
        let from = chain.last_seq() + 1;
        if *seq > from {
            findings.push(Finding::Gap { from, to: seq - 1 });
        }
        let key_document = key_document(bundle, file);
        let taken = chain.take(*seq, file, key_document);
        findings.extend(taken.breaks.into_iter().map(|why| Finding::Entry { seq: *seq, why }));
        jobs.push(Job { seq: *seq, file, entry: taken.entry, signer: taken.signer });
    }
    (chain, jobs)
}

fn key_document<'a>(bundle: &'a Bundle, file: &Signed) -> Option<&'a Signed> {
    const KEY: &[u8] = b"\"kind\":\"key\"";
    file.bytes.windows(KEY.len()).find(|part| *part == KEY)?;
    let entry = Entry::decode(&file.bytes).ok().filter(|entry| entry.kind == Kind::Key)?;
    bundle.documents.get(&entry.document)
}

/// Signatures and documents, on all processors.
fn judge_all(bundle: &Bundle, (chain, jobs): (&Chain, &[Job<'_>])) -> Vec<Judged> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = jobs.len().div_ceil(threads).max(1);
    let judge_share = |share: &[Job<'_>]| -> Vec<Judged> {
        share.iter().map(|job| judge(bundle, chain, job)).collect()
    };
    std::thread::scope(|scope| {
        let shares: Vec<_> =
            jobs.chunks(share).map(|share| (share, scope.spawn(|| judge_share(share)))).collect();
        // A thread that could not finish leaves its share to this one.
        let joined = shares.into_iter();
        joined.flat_map(|(share, it)| it.join().unwrap_or_else(|_| judge_share(share))).collect()
    })
}

fn judge(bundle: &Bundle, chain: &Chain, job: &Job<'_>) -> Judged {
    let mut judged = Judged::default();
    let Some(entry) = &job.entry else { return judged };
    let seq = job.seq;
    if job.signer.is_some_and(|key| !job.file.is_signed_by(&key)) {
        let why = Break::Signature { holder: entry.actor.clone() };
        judged.findings.push(Finding::Entry { seq, why });
    }
    let Some(file) = bundle.documents.get(&entry.document) else {
        let hash = entry.document;
        judged.findings.push(Finding::DocumentMissing { seq, hash });
        return judged;
    };
    match document_of(chain, (seq, entry), file) {
        Ok(value) => judged.value = Some(value),
        Err(why) => judged.findings.push(Finding::Document { seq, why }),
    }
    judged
}

fn document_of(
    chain: &Chain,
    (seq, entry): (u64, &Entry),
    file: &Signed,
) -> Result<Value, DocumentFault> {
    if file.hash() != entry.document {
        return Err(DocumentFault::Altered);
    }
    let value = canonical::read(&file.bytes, DOCUMENT_BYTES_MAX);
    let value = value.map_err(DocumentFault::NotCanonical)?;
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let (found, expected) = (text("schema"), entry.kind.schema());
    if found != expected {
        let found = found.chars().take(80).collect();
        return Err(DocumentFault::Schema { found, expected });
    }
    // The walk has looked at who signed a document about a key: that decides what follows.
    if entry.kind != Kind::Key {
        let author = document::author(&value).unwrap_or_default().to_owned();
        let Some(held) = chain.keys().at(&author, seq) else {
            return Err(DocumentFault::UnknownAuthor { author });
        };
        if !file.is_signed_by(&held.key) {
            return Err(DocumentFault::Signature { author });
        }
        let is_word = matches!(entry.kind, Kind::Signature | Kind::Refusal);
        if is_word && !drill::role_named(text("role")).is_some_and(|role| held.may(role)) {
            return Err(DocumentFault::NoRight { author });
        }
    }
    Ok(value)
}

/// Whether what follows from an entry may be missing: then nothing is concluded from its absence.
const fn leaves_holes(finding: &Finding) -> bool {
    matches!(
        finding,
        Finding::Gap { .. }
            | Finding::DocumentMissing { .. }
            | Finding::FileMissing { .. }
            | Finding::Unreadable { .. }
            | Finding::Document { .. }
            | Finding::Entry { why: Break::NotAnEntry(_), .. }
    )
}

/// Every drill by its entries, and what programmes say of it.
fn drills(
    (values, is_whole): (&BTreeMap<u64, (&Entry, Value)>, bool),
    findings: &mut Vec<Finding>,
) -> BTreeMap<String, Seen> {
    let mut drills: BTreeMap<String, Seen> = BTreeMap::new();
    for (seq, (entry, value)) in values {
        match entry.kind {
            Kind::Programme => {
                for (drill, due) in plans::planned(value) {
                    drills.entry(drill).or_default().due = Some(due);
                }
            }
            kind if is_of_drill(kind) => {
                let seen = drills.entry(entry.subject.clone()).or_default();
                seen.last = Some(entry.time);
                seen.due = plans::due(value).or_else(|| seen.due.take());
                let (time, hash) = (entry.time, entry.document);
                let step = Step { seq: *seq, time, kind, hash, document: value };
                if let Err(why) = seen.state.apply(&step)
                    && is_whole
                {
                    let drill = entry.subject.clone();
                    findings.push(Finding::Step { drill, seq: *seq, why });
                }
            }
            _ => {}
        }
    }
    drills
}

/// Checkpoints that the ledger itself calls damaged: by size, what is there and which entry says
/// so.
fn mended(values: &BTreeMap<u64, (&Entry, Value)>) -> BTreeMap<u64, (String, u64)> {
    let of = |(seq, (entry, value)): (&u64, &(&Entry, Value))| {
        let is_it = entry.kind == Kind::Custody && entry.subject == CHECKPOINT;
        let size = value.get(MENDED_SIZE).and_then(Value::as_u64).filter(|size| size < seq);
        let hash = value.get(MENDED_HASH).and_then(Value::as_str).filter(|_| is_it);
        Some((size?, (hash?.to_owned(), *seq)))
    };
    values.iter().filter_map(of).collect()
}

/// What lost keys signed in the time that is in doubt.
fn suspects(chain: &Chain, jobs: &[Job<'_>]) -> Vec<Finding> {
    let lost = chain.keys().all().iter().filter_map(|held| Some((held, held.suspect_since?)));
    let of = |(held, since): (&keys::HeldKey, LedgerTime)| {
        let signed = jobs.iter().filter(|job| {
            let entry = job.entry.as_ref();
            job.signer == Some(held.key) && entry.is_some_and(|entry| entry.time.at >= since.at)
        });
        let mut numbers = signed.map(|job| job.seq);
        let from = numbers.next()?;
        let to = numbers.next_back().unwrap_or(from);
        Some(Finding::Suspect { holder: held.holder.clone(), from, to })
    };
    lost.filter_map(of).collect()
}

/// Each proof leads from its entry to a checkpoint that is in the bundle.
fn proofs(bundle: &Bundle) -> Vec<Finding> {
    let holds = |seq: u64, bytes: &[u8]| {
        let proof = Inclusion::decode(bytes).filter(|proof| proof.seq == seq)?;
        let note = bundle.checkpoints.get(&proof.size)?;
        let signed = SignedCheckpoint::decode(note).ok()?;
        match bundle.entries.get(&seq) {
            Some(entry) => Some(proof.holds(&entry.bytes, &signed.checkpoint)),
            // That it is missing is told already: the checkpoint covers it.
            None => Some(seq <= signed.checkpoint.size),
        }
    };
    let proofs = bundle.proofs.iter().filter(|(seq, bytes)| holds(**seq, bytes) != Some(true));
    proofs.map(|(seq, _)| Finding::Proof { seq: *seq }).collect()
}

fn strays(bundle: &Bundle, jobs: &[Job<'_>]) -> Vec<Finding> {
    let named: BTreeSet<LedgerHash> =
        jobs.iter().filter_map(|job| job.entry.as_ref()).map(|entry| entry.document).collect();
    let spare = bundle.documents.keys().filter(|hash| !named.contains(hash));
    let mut findings: Vec<_> = spare.map(|hash| Finding::NotNamed { hash: *hash }).collect();
    findings.extend(bundle.strays.iter().map(|name| Finding::Stray { name: name.clone() }));
    findings
}
