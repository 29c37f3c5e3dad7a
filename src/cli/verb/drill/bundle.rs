//! `drill bundle`: the evidence as files for an inspection.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::drill as texts;
use crate::cli::open;
use crate::cli::verb::drill::files;
use crate::cli::verb::drill::ledger;
use crate::cli::verb::drill::plan::document::Repeats;
use crate::evidence::bundle::Bundle;
use crate::evidence::bundle::export::export;
use crate::evidence::bundle::export::prove;
use crate::evidence::bundle::inspect::Verdict;
use crate::evidence::bundle::inspect::inspect;
use crate::evidence::bundle::readme;
use crate::evidence::bundle::witness::Witness;
use crate::evidence::ledger::Signer;
use crate::path::escape;

/// Write the ledger of drills as files that an auditor can check without this program.
///
/// Entries, documents in clear, signatures, keys, a signed checkpoint, proofs, and how to check
/// them by hand (README.txt). It takes the passphrase; `drill verify-evidence` does not. What is
/// wrong with the ledger stays in: it is for the inspection to find.
///
/// Exit codes: 0 written; 3 written, but something of the ledger could not be read; 23 written, and
/// it does not verify.
#[derive(Debug, Args)]
pub struct BundleArgs {
    /// Folder for the files; it must not exist.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
}

#[derive(Serialize)]
struct Written {
    path: String,
    entries_count: usize,
    documents_count: usize,
    /// For comparing with paper.
    code: Option<String>,
    fingerprint: Option<String>,
    verdict: &'static str,
}

pub fn run(context: &Context, args: &BundleArgs) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let access = ledger::access(context, &storage, &unlocked)?;
    let mut bundle = export(&context.run, &Arc::clone(&storage), &access)?;
    if bundle.entries.is_empty() {
        return Err(Failure::new(Exit::Failed, texts::NO_LEDGER, texts::HOLD_A_DRILL));
    }
    add_checkpoint(&mut bundle, &ledger::office(&unlocked));
    let report = inspect(&bundle, &Witness::default(), &Repeats);
    let all = bundle.files().into_iter().chain(readme::files(&bundle));
    files::write(&args.out, all)?;
    let written = Written {
        path: escape(args.out.as_os_str().as_encoded_bytes()),
        entries_count: bundle.entries.len(),
        documents_count: bundle.documents.len(),
        code: report.code().map(|code| code.to_string()),
        fingerprint: report.fingerprint.map(|print| print.to_string()),
        verdict: super::verify::name_of(report.verdict),
    };
    context.output.report("bundle", &written, || {
        texts::WRITTEN
            .with("path", written.path.clone())
            .with("entries", written.entries_count)
            .with("documents", written.documents_count)
    })?;
    super::verify::tell_marks(&context.output, &report)?;
    if report.verdict != Verdict::Valid {
        context.output.warn(texts::BUNDLE_NOT_VALID);
        return Ok(Ended { exit: Exit::Evidence, ..Ended::done() });
    }
    Ok(Ended::done())
}

/// A checkpoint of all that is in the bundle, so that nothing can be taken from its end.
fn add_checkpoint(bundle: &mut Bundle, office: &Signer) {
    let report = inspect(bundle, &Witness::default(), &Repeats);
    if let Some(checkpoint) = report.checkpoint.filter(|_| report.verdict == Verdict::Valid) {
        let note = checkpoint.sign(&office.key).into_bytes();
        bundle.checkpoints.entry(checkpoint.size).or_insert(note);
        prove(bundle);
    }
}
