//! `key recovery`: the key on paper that opens everything when all else is lost.

use std::ffi::OsString;
use std::io::BufRead;
use std::io::IsTerminal;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::Subcommand;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keys;
use crate::cli::language::table::options;
use crate::cli::local;
use crate::cli::open;
use crate::cli::secrets::printed_by;
use crate::cli::secrets::read_bounded;
use crate::cli::settings::argv;
use crate::cli::verb::key::NewSecretArgs;
use crate::cli::verb::key::shares::ShareCounts;
use crate::cli::verb::key::sheet::Sheet;
use crate::cli::verb::key::slots::new_slot;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sealed::shares::Share;
use crate::repository::keys::recovery;
use crate::repository::keys::recovery::sheet;
use crate::repository::keys::recovery::words;
use crate::storage::Storage;

/// Most bytes of a file with one share.
const SHARE_FILE_BYTES_MAX: usize = 16 * 1024;

#[derive(Debug, Args)]
pub struct RecoveryArgs {
    #[command(subcommand)]
    pub verb: RecoveryVerb,
}

#[derive(Debug, Subcommand)]
pub enum RecoveryVerb {
    /// Print the recovery key in shares.
    Create {
        /// N shares of which any K rebuild the key.
        #[arg(long, value_name = "K/N", default_value = "2/3")]
        shares: ShareCounts,
        /// Folder for sheets, in place of the terminal: for each share a page to print (HTML) and
        /// its words as text.
        #[arg(long, value_name = "FOLDER")]
        output: Option<PathBuf>,
        /// File for the sheets, in place of the terminal: a page of A4 for each share (PDF). It
        /// must not exist.
        #[arg(long, value_name = "FILE")]
        pdf: Option<PathBuf>,
    },
    /// Type the shares back, to prove that the paper is right.
    Check(ShareSource),
    /// Rebuild access from the storage and shares alone, with a new passphrase.
    Use {
        #[command(flatten)]
        source: ShareSource,
        #[command(flatten)]
        new: NewSecretArgs,
    },
}

/// Where shares are read from.
#[derive(Debug, Clone, Args)]
pub struct ShareSource {
    /// A file with the words of one share. Without any, and without a command, they are read from
    /// standard input, one share a line.
    #[arg(long, value_name = "FILE")]
    pub share_file: Vec<PathBuf>,
    /// A command that prints the words of one share; no shell is asked.
    #[arg(long, value_name = "COMMAND")]
    pub share_command: Vec<OsString>,
}

#[derive(Serialize)]
struct ShareLine<'a> {
    index: u8,
    needed_count: u8,
    total_count: u8,
    set: String,
    words: &'a str,
}

#[derive(Serialize)]
struct PdfLine {
    pdf_file: String,
    total_count: u64,
}

#[derive(Serialize)]
struct Checked {
    checked: String,
    share_indices: Vec<u8>,
}

#[derive(Serialize)]
struct Regained {
    slot_id: String,
}

pub fn run(context: &Context, args: &RecoveryArgs) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    match &args.verb {
        RecoveryVerb::Create { shares, output, pdf } => {
            let unlocked = open::unlock(context, &storage)?;
            let paper = Paper { counts: *shares, folder: output.as_deref(), pdf: pdf.as_deref() };
            create(context, &storage, &unlocked.keyset, paper)?;
        }
        RecoveryVerb::Check(source) => {
            let record = recovery::check(&context.run, &storage, &typed(context, source)?)?;
            let checked =
                Checked { checked: record.checked.to_rfc3339(), share_indices: record.indices };
            context.output.report("custody_check", &checked, || keys::PROTECTED)?;
        }
        RecoveryVerb::Use { source, new } => {
            let shares = typed(context, source)?;
            let slot = new_slot(context, new)?;
            let unlocked = recovery::use_shares(&context.run, &storage, &shares, &slot)?;
            let regained = Regained { slot_id: unlocked.slot.to_string() };
            let id = unlocked.slot.short();
            context.output.report("slot", &regained, || keys::SLOT_ADDED.with("id", id))?;
        }
    }
    Ok(Ended::done())
}

/// How a set is handed out: as sheets in a folder, as a PDF, or without either to the terminal.
#[derive(Debug, Clone, Copy)]
pub struct Paper<'a> {
    pub counts: ShareCounts,
    pub folder: Option<&'a Path>,
    pub pdf: Option<&'a Path>,
}

/// Makes a set of shares and hands it out.
///
/// # Errors
/// When the recovery key is no longer at hand, or the folder cannot be written.
pub fn create(
    context: &Context,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
    paper: Paper<'_>,
) -> Result<(), Failure> {
    let Paper { counts: ShareCounts { needed, total }, folder, pdf } = paper;
    let made = recovery::create(&context.run, storage, keyset, (needed, total))?;
    let (now, language) = (context.run.clock.now(), context.output.language());
    let sheets = Sheet { shares: &made, made: now, language };
    if let Some(path) = pdf {
        keep_pdf(context, &sheets, path)?;
    }
    for share in &made.shares {
        let text = sheets.text(share);
        if let Some(folder) = folder {
            let name = format!("share-{}-{}", sheet::set_name(share), share.index);
            keep(&folder.join(format!("{name}.txt")), text.as_bytes())?;
            keep(&folder.join(format!("{name}.html")), sheets.page(share).as_bytes())?;
            continue;
        }
        if pdf.is_some() {
            continue;
        }
        let words = words::encode(share);
        let line = ShareLine {
            index: share.index,
            needed_count: share.k,
            total_count: share.n,
            set: sheet::set_name(share),
            words: &words,
        };
        context.output.result("share", &line, || {
            let drawn = sheet::qr_terminal(share);
            let drawn = drawn.as_ref().map_or("", |drawn| drawn.as_str());
            format!("{}\n{drawn}\n", text.as_str())
        })?;
    }
    if let Some(folder) = folder {
        let folder = crate::path::escape(folder.as_os_str().as_encoded_bytes());
        context.output.note(keys::SHEETS_MADE.with("total", total).with("folder", folder));
    }
    context.output.note(keys::SHARES_MADE.with("total", total).with("needed", needed));
    Ok(())
}

/// The PDF, in a file that did not exist; nothing of it is left behind if that fails.
fn keep_pdf(context: &Context, sheets: &Sheet<'_>, path: &Path) -> Result<(), Failure> {
    let shown = crate::path::escape(path.as_os_str().as_encoded_bytes());
    let failed = |error: std::io::Error| {
        let message =
            keys::SHEET_FILE.with("path", shown.as_str()).with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, keys::NAME_PDF)
    };
    let mut file = local::private_file(path).map_err(failed)?;
    let written = sheets
        .paper()
        .and_then(|bytes| file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed));
    if let Err(failure) = written {
        let _half_written = std::fs::remove_file(path);
        return Err(failure);
    }
    let total_count = sheets.shares.shares.len() as u64;
    let line = PdfLine { pdf_file: path.display().to_string(), total_count };
    context.output.report("share_sheets", &line, || {
        keys::PDF_MADE.with("total", total_count).with("path", shown.as_str())
    })
}

fn keep(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let path = crate::path::escape(path.as_os_str().as_encoded_bytes());
        let message = keys::SHEET_FILE.with("path", path).with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, keys::NAME_SHEET_FOLDER)
    };
    let mut file = local::private_file(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

/// The shares from files and commands, or one a line from standard input; an empty line ends them.
///
/// # Errors
/// When a file or command gives none (2), or words are no share (12).
pub fn typed(context: &Context, source: &ShareSource) -> Result<Vec<Share>, Failure> {
    let mut texts = Vec::new();
    for path in &source.share_file {
        let bytes = read_bounded(path, SHARE_FILE_BYTES_MAX).map_err(|error| {
            let path = crate::path::escape(path.as_os_str().as_encoded_bytes());
            let message = keys::SHARE_FILE.with("path", path).with("detail", Said::heard(error));
            Failure::usage(message, keys::NAME_SHARE_FILE)
        })?;
        texts.push(zeroize::Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()));
    }
    for command in &source.share_command {
        let argv = argv(command, "--share-command");
        let argv = argv.map_err(|said| Failure::usage(said, options::CORRECT_OPTION))?;
        let bytes = printed_by(&argv)?;
        texts.push(zeroize::Zeroizing::new(String::from_utf8_lossy(&bytes).trim().to_owned()));
    }
    if texts.is_empty() {
        if std::io::stdin().is_terminal() {
            context.output.note(keys::TYPE_SHARES);
        }
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if line.trim().is_empty() {
                break;
            }
            texts.push(zeroize::Zeroizing::new(line));
        }
    }
    let decode = |(at, text): (usize, &zeroize::Zeroizing<String>)| {
        words::decode(at + 1, text).map_err(|error| {
            let message = keys::BAD_SHARE.with("detail", Said::heard(error));
            Failure::new(Exit::WrongKey, message, keys::COMPARE_WORDS)
        })
    };
    texts.iter().enumerate().map(decode).collect()
}
