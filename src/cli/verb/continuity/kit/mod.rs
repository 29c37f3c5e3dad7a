//! `continuity kit`: a folder that brings an office back together with storage and shares.

pub mod check;
pub mod content;

use std::io;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::continuity::kit as texts;
use crate::cli::open;
use crate::cli::verb::continuity::kit::content::File;
use crate::cli::verb::continuity::ledgers::KIT;
use crate::cli::verb::continuity::ledgers::KIT_PROGRAM;
use crate::cli::verb::continuity::ledgers::KIT_SUMS;
use crate::cli::verb::drill::ledger;
use crate::evidence::entry::Kind;
use crate::evidence::ledger::Draft;
use crate::evidence::ledger::Ledger;
use crate::evidence::ledger::Signer;
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
    /// Put the list's hash into the ledger of the repository, signed with the office's key: so it
    /// is known which kit is the newest, and that its list is the one that was made.
    #[arg(long, conflicts_with = "check")]
    pub sign: bool,
}

/// A kit as it was made, or found.
#[derive(Serialize)]
pub struct Kit {
    path: String,
    files_count: usize,
    /// Write it down: it says that the list is the one that was made.
    pub sums_sha256: String,
    pub is_this_program: bool,
    /// Of the program in it; none if it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program_sha256: Option<String>,
    /// Code of the ledger that has the hash of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger_code: Option<String>,
    /// Missing, or not as the list has it.
    pub bad: Vec<String>,
    /// What lies in it and is not in the list.
    strays: Vec<String>,
}

pub fn run(context: &Context, args: &KitArgs) -> Result<Ended, Failure> {
    match (args.check, args.sign) {
        (true, _) => check::check(context, &args.folder),
        (false, true) => make(context, &args.folder, Some(Desk::open(context)?)),
        (false, false) => make(context, &args.folder, None),
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Failure + '_ {
    move |error| {
        let path = escape(path.as_os_str().as_encoded_bytes());
        let message = texts::NOT_WRITTEN.with("path", path).with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, texts::NAME_FOLDER)
    }
}

/// The ledger that a list is put into.
struct Desk {
    ledger: Ledger,
    writer: Signer,
}

impl Desk {
    /// Before anything is written: a kit that cannot be signed is not made.
    fn open(context: &Context) -> Result<Self, Failure> {
        let storage = open::storage(context)?;
        let unlocked = open::unlock(context, &storage)?;
        let ledger = ledger::founded(context, &storage, &unlocked)?;
        Ok(Self { ledger, writer: ledger::office(&unlocked) })
    }

    /// Tells the code of the ledger that has it.
    fn sign(mut self, context: &Context, kit: &Kit, program: &str) -> Result<String, Failure> {
        let document = json!({
            "schema": Kind::Custody.schema(), KIT_SUMS: kit.sums_sha256,
            KIT_PROGRAM: program, "version": env!("CARGO_PKG_VERSION"),
        });
        let draft = Draft::new(Kind::Custody, KIT, document);
        self.ledger.append(&context.run, &self.writer, &draft)?;
        let (checkpoint, _) = self.ledger.put_checkpoint(&self.writer)?;
        Ok(checkpoint.code().to_string())
    }
}

fn make(context: &Context, folder: &Path, desk: Option<Desk>) -> Result<Ended, Failure> {
    let files = content::of(context)?;
    let program = files.iter().find(|file| file.name == PROGRAM);
    if program.is_some_and(|file| content::needs_libraries(&file.bytes)) {
        context.output.warn(texts::NEEDS_LIBRARIES);
    }
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
    let mut kit = Kit {
        path: escape(folder.as_os_str().as_encoded_bytes()),
        files_count: files.len(),
        sums_sha256: sha256(sums.as_bytes()).to_string(),
        is_this_program: true,
        program_sha256: None,
        ledger_code: None,
        bad: Vec::new(),
        strays: Vec::new(),
    };
    let program = files.iter().find(|file| file.name == PROGRAM);
    kit.program_sha256 = program.map(|file| sha256(&file.bytes).to_string());
    if let (Some(desk), Some(program)) = (desk, &kit.program_sha256) {
        kit.ledger_code = Some(desk.sign(context, &kit, program)?);
    }
    context.output.report("kit", &kit, || {
        texts::MADE
            .with("path", kit.path.as_str())
            .with("count", kit.files_count)
            .with("hash", kit.sums_sha256.as_str())
    })?;
    if let Some(code) = &kit.ledger_code {
        context.output.note(texts::SIGNED.with("code", code.as_str()));
    }
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
