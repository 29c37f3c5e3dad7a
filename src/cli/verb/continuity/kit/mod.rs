//! `continuity kit`: a folder that brings an office back together with storage and shares.

pub mod check;
pub mod content;

use std::io;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::continuity::kit as texts;
use crate::cli::verb::continuity::kit::content::File;
use crate::evidence::tree::sha256;
use crate::path::escape;

/// The list of all others with their SHA-256, as `sha256sum -c` reads it.
const SUMS: &str = "SHA256SUMS";
/// The program within a kit.
pub const PROGRAM: &str = "lifeboat";

/// Make a recovery kit: this program, the configuration and the plan (without a secret), what is
/// where, the description of the format, the runbook and a list of checksums.
///
/// Two copies, in two places, made anew each month and with each version. With a storage and the
/// shares of the recovery key a kit brings everything back; without them it opens nothing.
///
/// Exit codes: 0 made, or as it was made; 2 the plan or the configuration has mistakes; 3 whole,
/// but of another version than this program, or with files that are not in the list; 13 refused:
/// the configuration may hold a secret; 20 a file is missing or not as it was made.
#[derive(Debug, Clone, Args)]
pub struct KitArgs {
    /// The folder; it must not exist, unless it is to be checked.
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Check a kit: every file against the list, and the program against this one.
    #[arg(long)]
    pub check: bool,
}

#[derive(Serialize)]
struct Kit {
    path: String,
    files_count: usize,
    /// Write it down: it says that the list is the one that was made.
    sums_sha256: String,
    is_this_program: bool,
    bad: Vec<String>,
    /// What lies in it and is not in the list.
    strays: Vec<String>,
}

pub fn run(context: &Context, args: &KitArgs) -> Result<Ended, Failure> {
    if args.check { check::check(context, &args.folder) } else { make(context, &args.folder) }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Failure + '_ {
    move |error| {
        let path = escape(path.as_os_str().as_encoded_bytes());
        let message = texts::NOT_WRITTEN.with("path", path).with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, texts::NAME_FOLDER)
    }
}

fn make(context: &Context, folder: &Path) -> Result<Ended, Failure> {
    let files = content::of(context)?;
    folders().create(folder).map_err(failed(folder))?;
    let mut sums = String::new();
    for file in &files {
        let path = folder.join(file.name);
        write(&path, file).map_err(failed(&path))?;
        // What is written is read again: the list is of what is there.
        let bytes = std::fs::read(&path).map_err(failed(&path))?;
        sums.push_str(&format!("{}  {}\n", sha256(&bytes), file.name));
    }
    let path = folder.join(SUMS);
    let list = File { name: SUMS, bytes: sums.clone().into_bytes(), mode: content::Mode::Plain };
    write(&path, &list).map_err(failed(&path))?;
    let kit = Kit {
        path: escape(folder.as_os_str().as_encoded_bytes()),
        files_count: files.len(),
        sums_sha256: sha256(sums.as_bytes()).to_string(),
        is_this_program: true,
        bad: Vec::new(),
        strays: Vec::new(),
    };
    context.output.report("kit", &kit, || {
        texts::MADE
            .with("path", kit.path.as_str())
            .with("count", kit.files_count)
            .with("hash", kit.sums_sha256.as_str())
    })?;
    Ok(Ended::done())
}

/// Names, telephones and what else the configuration tells are for those who hold the kit.
fn folders() -> std::fs::DirBuilder {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

fn write(path: &Path, file: &File) -> io::Result<()> {
    use std::io::Write as _;
    if let Some(parent) = path.parent() {
        folders().recursive(true).create(parent)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, file.mode.bits());
    let mut written = options.open(path)?;
    written.write_all(&file.bytes)?;
    written.sync_all()
}
