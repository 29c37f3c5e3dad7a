//! `key recovery`: the key on paper that opens everything when all else is lost.

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
use crate::cli::local;
use crate::cli::open;
use crate::cli::secrets::read_bounded;
use crate::cli::verb::key::NewSecretArgs;
use crate::cli::verb::key::shares::ShareCounts;
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
        /// Folder for sheets to print, in place of the terminal.
        #[arg(long, value_name = "FOLDER")]
        output: Option<PathBuf>,
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
#[derive(Debug, Args)]
pub struct ShareSource {
    /// A file with the words of one share; without any they are read from standard input, one
    /// share a line.
    #[arg(long, value_name = "FILE")]
    pub share_file: Vec<PathBuf>,
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
        RecoveryVerb::Create { shares, output } => {
            let unlocked = open::unlock(context, &storage)?;
            create(context, &storage, &unlocked.keyset, (*shares, output.as_deref()))?;
        }
        RecoveryVerb::Check(source) => {
            let record = recovery::check(&context.run, &storage, &typed(context, source)?)?;
            let checked =
                Checked { checked: record.checked.to_rfc3339(), share_indices: record.indices };
            context.output.report("custody_check", &checked, || {
                "these shares open the repository: it is protected against the loss of its \
                 passphrases"
                    .to_owned()
            })?;
        }
        RecoveryVerb::Use { source, new } => {
            let shares = typed(context, source)?;
            let slot = new_slot(context, new)?;
            let unlocked = recovery::use_shares(&context.run, &storage, &shares, &slot)?;
            let regained = Regained { slot_id: unlocked.slot.to_string() };
            context.output.report("slot", &regained, || {
                format!("slot {} opens the repository from now on", unlocked.slot.short())
            })?;
        }
    }
    Ok(Ended::done())
}

/// Makes a set of shares and hands it out: to the terminal, or as sheets in a folder.
///
/// # Errors
/// When the recovery key is no longer at hand, or the folder cannot be written.
pub fn create(
    context: &Context,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
    (counts, folder): (ShareCounts, Option<&Path>),
) -> Result<(), Failure> {
    let ShareCounts { needed, total } = counts;
    let made = recovery::create(&context.run, storage, keyset, (needed, total))?;
    for share in &made.shares {
        let text = sheet::text(&made, share);
        if let Some(folder) = folder {
            let name = format!("share-{}-{}.txt", sheet::set_name(share), share.index);
            keep(&folder.join(name), text.as_bytes())?;
            if let Some(drawn) = sheet::qr_svg(share) {
                let name = format!("share-{}-{}.svg", sheet::set_name(share), share.index);
                keep(&folder.join(name), drawn.as_bytes())?;
            }
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
    context.output.note(format_args!(
        "{total} shares made, any {needed} of them open everything. Print them, give them to \
         {total} people, then prove the paper with `lifeboat key recovery check`."
    ));
    Ok(())
}

fn keep(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let path = crate::path::escape(path.as_os_str().as_encoded_bytes());
        let message = format!("sheet `{path}`: {error}");
        Failure::new(Exit::Failed, message, "name a folder that exists and that you may write to")
    };
    let mut file = local::private_file(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

/// The shares from files, or one a line from standard input; an empty line ends them.
fn typed(context: &Context, source: &ShareSource) -> Result<Vec<Share>, Failure> {
    let mut texts = Vec::new();
    for path in &source.share_file {
        let bytes = read_bounded(path, SHARE_FILE_BYTES_MAX).map_err(|error| {
            let message = format!("share file `{}`: {error}", path.display());
            Failure::usage(message, "name a file with the words of one share")
        })?;
        texts.push(zeroize::Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()));
    }
    if texts.is_empty() {
        if std::io::stdin().is_terminal() {
            context.output.note("type the words of each share on one line; an empty line ends");
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
            Failure::new(Exit::WrongKey, error, "compare the words with the paper and type again")
        })
    };
    texts.iter().enumerate().map(decode).collect()
}
