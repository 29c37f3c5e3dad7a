//! From a storage to a bundle. Nothing is verified here: what is wrong with a ledger is for the
//! inspection to say, and it must be possible to inspect a ledger that is wrong.

use std::sync::Arc;

use crate::evidence::bundle::Bundle;
use crate::evidence::bundle::proof::Inclusion;
use crate::evidence::checkpoint;
use crate::evidence::checkpoint::CHECKPOINT_BYTES_MAX;
use crate::evidence::checkpoint::SignedCheckpoint;
use crate::evidence::document;
use crate::evidence::document::STORED_BYTES_MAX;
use crate::evidence::entry::ENTRY_BYTES_MAX;
use crate::evidence::entry::Entry;
use crate::evidence::entry::Kind;
use crate::evidence::error::EvidenceError;
use crate::evidence::ledger::Access;
use crate::evidence::signed::SIGNED_OVERHEAD_BYTES;
use crate::evidence::signed::Signed;
use crate::evidence::tree;
use crate::evidence::tree::Tree;
use crate::format::ledger::LEDGER;
use crate::format::ledger::LedgerName;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::Storage;
use crate::storage::StorageErrorKind;

/// Reads all that lies below `ledger/`, opens the documents, and proves each record against the
/// last checkpoint. A blob that cannot be read or opened is a problem and left out.
///
/// # Errors
/// When the storage cannot be listed, or documents are sealed to keys that are not at hand.
pub fn export(
    run: &Run,
    storage: &Arc<dyn Storage>,
    access: &Access,
) -> Result<Bundle, EvidenceError> {
    let origin = checkpoint::origin(access.repository);
    let mut bundle = Bundle { origin, ..Bundle::default() };
    let mut names: Vec<_> = storage.list(LEDGER)?.into_iter().map(|listed| listed.name).collect();
    names.sort_unstable();
    for name in names {
        run.check()?;
        let Some(of) = LedgerName::parse(name.as_str()) else {
            run.problem(&Problem::new(name.as_str(), "the name belongs to nothing that is known"));
            continue;
        };
        let bytes_max = match of {
            LedgerName::Entry(_) => (ENTRY_BYTES_MAX + SIGNED_OVERHEAD_BYTES) as u64,
            LedgerName::Document(_) => STORED_BYTES_MAX,
            LedgerName::Checkpoint(_) => CHECKPOINT_BYTES_MAX as u64,
        };
        let bytes = match storage.read(&name, bytes_max) {
            Ok(bytes) => bytes,
            Err(error) if error.kind == StorageErrorKind::Length => {
                run.problem(&Problem::damage(name.as_str(), error.to_string()));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        match of {
            LedgerName::Entry(seq) => match Signed::decode(&bytes) {
                Some(signed) => {
                    bundle.entries.insert(seq, signed);
                }
                None => run.problem(&Problem::damage(name.as_str(), "it is no signed text")),
            },
            LedgerName::Document(hash) => {
                match document::open((access.repository, hash), &bytes, &access.secrets) {
                    Ok(signed) => {
                        bundle.documents.insert(hash, signed);
                    }
                    Err(error @ EvidenceError::NotARecipient { .. }) => return Err(error),
                    Err(error) => run.problem(&Problem::damage(name.as_str(), error.to_string())),
                }
            }
            LedgerName::Checkpoint(size) => {
                bundle.checkpoints.insert(size, bytes);
            }
        }
    }
    prove(&mut bundle);
    Ok(bundle)
}

/// The way of each record, restore and word to the last checkpoint that covers it.
pub fn prove(bundle: &mut Bundle) {
    let mut tree = Tree::default();
    for (seq, signed) in &bundle.entries {
        if *seq != tree.size() + 1 {
            break;
        }
        tree.push(tree::leaf(&signed.bytes));
    }
    let last = bundle.checkpoints.values().rev().find_map(|note| {
        let checkpoint = SignedCheckpoint::decode(note).ok()?.checkpoint;
        (tree.root(checkpoint.size)? == checkpoint.root).then_some(checkpoint)
    });
    let Some(last) = last else { return };
    for (seq, signed) in bundle.entries.range(..=last.size) {
        let kind = Entry::decode(&signed.bytes).map(|entry| entry.kind);
        let is_shown =
            matches!(kind, Ok(Kind::Record | Kind::Restore | Kind::Signature | Kind::Refusal));
        if let Some(path) = tree.inclusion(seq - 1, last.size).filter(|_| is_shown) {
            let proof = Inclusion { seq: *seq, size: last.size, root: last.root, path };
            bundle.proofs.insert(*seq, proof.encode().into_bytes());
        }
    }
}
