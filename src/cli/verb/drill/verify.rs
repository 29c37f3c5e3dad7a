//! `drill verify-evidence`: an inspection without repository, key, configuration or network.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::drill as texts;
use crate::cli::output::Output;
use crate::cli::verb::drill::files;
use crate::cli::verb::drill::plan::document::Repeats;
use crate::evidence::bundle::Bundle;
use crate::evidence::bundle::finding::Class;
use crate::evidence::bundle::finding::Finding;
use crate::evidence::bundle::inspect::Report;
use crate::evidence::bundle::inspect::Verdict;
use crate::evidence::bundle::inspect::inspect;
use crate::evidence::bundle::witness::PrintedCode;
use crate::evidence::bundle::witness::Witness;
use crate::evidence::keys::Anchor;
use crate::path::escape;

/// Check the evidence of drills, offline and without any key.
///
/// Says VALID, INVALID (something was altered, forged or does not follow) or RECORD MISSING
/// (something that was there, or should be, is not), and lists what it found. Give what stands on
/// paper: without the fingerprint anybody's ledger is valid, without a code a cut end does not
/// show.
///
/// Exit codes: 0 valid; 2 that is no bundle; 23 invalid, or a record is missing.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The folder that `drill bundle` wrote.
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// Fingerprint of the office's key, from paper: 64 digits, or a code of 20 characters.
    #[arg(long, value_name = "FINGERPRINT", value_parser = anchor)]
    pub fingerprint: Option<Anchor>,
    /// A code of 20 characters from the minutes of a drill; may be given several times. `CODE@N`
    /// where it is printed that it covers N entries.
    #[arg(long, value_name = "CODE", value_parser = printed)]
    pub code: Vec<PrintedCode>,
    /// A checkpoint that was sent out, as a file; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Vec<PathBuf>,
}

fn anchor(text: &str) -> Result<Anchor, String> {
    let wrong = || "expected 64 hexadecimal digits, or a code of 20 letters and digits".to_owned();
    Anchor::parse(text).ok_or_else(wrong)
}

fn printed(text: &str) -> Result<PrintedCode, String> {
    let wrong = || "expected 20 letters and digits such as 01234-56789-ABCDE-FGHJK, or CODE@N";
    PrintedCode::parse(text).ok_or_else(|| wrong().to_owned())
}

#[derive(Serialize)]
struct Found {
    class: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Inspected {
    verdict: &'static str,
    entries_count: u64,
    documents_count: u64,
    drills_count: u64,
    findings_count: u64,
    last_time: Option<String>,
    code: Option<String>,
    fingerprint: Option<String>,
}

pub fn run(context: &Context, args: &VerifyArgs) -> Result<Ended, Failure> {
    inspect_files(&context.output, args)
}

/// Inspects a bundle and tells of it.
///
/// # Errors
/// When its files cannot be read, or are no bundle (2).
pub fn inspect_files(output: &Output, args: &VerifyArgs) -> Result<Ended, Failure> {
    let files = files::read(&args.bundle)?;
    let bundle = Bundle::from_files(files);
    if bundle.origin.is_empty() && bundle.entries.is_empty() && bundle.documents.is_empty() {
        let path = escape(args.bundle.as_os_str().as_encoded_bytes());
        let message = texts::NO_BUNDLE.with("path", path);
        return Err(Failure::usage(message, texts::NAME_A_BUNDLE));
    }
    let notes = args.checkpoint.iter().map(|path| files::read_one(path));
    let witness = Witness {
        anchor: args.fingerprint.clone(),
        codes: args.code.clone(),
        notes: notes.collect::<Result<_, _>>()?,
    };
    let report = inspect(&bundle, &witness, &Repeats);
    tell(output, &report)?;
    let exit = if report.verdict == Verdict::Valid { Exit::Done } else { Exit::Evidence };
    Ok(Ended { exit, ..Ended::done() })
}

/// The verdict in JSON.
#[must_use]
pub const fn name_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "valid",
        Verdict::RecordMissing => "record_missing",
        Verdict::Invalid => "invalid",
    }
}

fn tell(output: &Output, report: &Report) -> Result<(), Failure> {
    for finding in &report.findings {
        tell_finding(output, finding)?;
    }
    if report.more_count > 0 {
        output.warn(texts::MORE.with("count", report.more_count));
    }
    let last_time = report.last_time.and_then(|time| time.text());
    let inspected = Inspected {
        verdict: name_of(report.verdict),
        entries_count: report.entries_count,
        documents_count: report.documents_count,
        drills_count: report.drills_count,
        findings_count: report.findings.len() as u64 + report.more_count,
        last_time: last_time.clone(),
        code: report.code().map(|code| code.to_string()),
        fingerprint: report.fingerprint.map(|print| print.to_string()),
    };
    let text = match report.verdict {
        Verdict::Valid => texts::VALID,
        Verdict::RecordMissing => texts::RECORD_MISSING,
        Verdict::Invalid => texts::INVALID,
    };
    output.result("evidence", &inspected, || {
        text.with("entries", inspected.entries_count)
            .with("documents", inspected.documents_count)
            .with("drills", inspected.drills_count)
            .with("time", last_time.unwrap_or_else(|| "-".to_owned()))
    })?;
    tell_marks(output, report)
}

fn tell_finding(output: &Output, finding: &Finding) -> Result<(), Failure> {
    let (class, text) = match finding.class() {
        Class::Invalid => ("invalid", texts::IS_INVALID),
        Class::Missing => ("missing", texts::IS_MISSING),
        Class::Note => ("note", texts::IS_NOTED),
    };
    let message = escape(finding.to_string().as_bytes());
    let found = Found { class, message };
    let said = || text.with("what", Said::heard(&found.message));
    output.result("finding", &found, said)
}

/// What is to be compared with paper. It is part of the JSON line of whoever calls this.
pub fn tell_marks(output: &Output, report: &Report) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(());
    }
    if let Some(print) = report.fingerprint {
        output.raw(
            format!("{}\n", told(output, texts::FINGERPRINT.with("print", print.to_string())))
                .as_bytes(),
        )?;
    }
    if let Some(checkpoint) = &report.checkpoint {
        let said = texts::CODE.with("code", checkpoint.code().to_string());
        let said = said.with("size", checkpoint.size);
        output.raw(format!("{}\n", told(output, said)).as_bytes())?;
    }
    Ok(())
}

fn told(output: &Output, said: Said) -> String {
    said.told_in(output.language())
}
