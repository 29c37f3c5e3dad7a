//! `man`: the manual pages, made from the same source as `--help`.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::Inline;
use clap_mangen::roff::Roff;
use clap_mangen::roff::bold;
use serde::Serialize;

use crate::cli::args::Cli;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::environment::VARIABLES;
use crate::cli::exit::Exit;
use crate::cli::exit::TABLE;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::read;
use crate::cli::start::verifier::Verifier;

/// Write the manual pages into a folder.
///
/// One page a verb, `lifeboat.1`, which also lists variables and exit codes, and
/// `lifeboat-verify.1` of the auditor's program.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Folder for the pages; it is made if it is missing.
    pub dir: PathBuf,
}

#[derive(Serialize)]
struct Written {
    pages_count: usize,
}

pub fn run(context: &Context, args: &ManArgs) -> Result<Ended, Failure> {
    let mut root = Cli::command();
    root.build();
    std::fs::create_dir_all(&args.dir).map_err(|error| failed(&args.dir, &error))?;
    let mut main_page = render(&Man::new(root.clone()))?;
    variables(&mut main_page)?;
    codes(&mut main_page)?;
    write(&args.dir.join("lifeboat.1"), &main_page)?;
    let mut verifier = render(&Man::new(Verifier::command()))?;
    environment(&mut verifier, ["It reads no variables.".into()])?;
    codes(&mut verifier)?;
    write(&args.dir.join("lifeboat-verify.1"), &verifier)?;
    let pages_count = 2 + verbs(&args.dir, "lifeboat", &root)?;
    let written = Written { pages_count };
    context.output.result("man", &written, || read::PAGES.with("count", pages_count))?;
    Ok(Ended::done())
}

/// Pages of the verbs beneath `command`; how many.
fn verbs(dir: &Path, prefix: &str, command: &clap::Command) -> Result<usize, Failure> {
    let mut pages_count = 0;
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        let name = format!("{prefix}-{}", verb.get_name());
        let titled = verb.clone().display_name(name.clone());
        let mut page = render(&Man::new(titled))?;
        see_main(&mut page)?;
        codes(&mut page)?;
        write(&dir.join(format!("{name}.1")), &page)?;
        pages_count += 1 + verbs(dir, &name, verb)?;
    }
    Ok(pages_count)
}

fn render(page: &Man) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    page.render(&mut bytes)?;
    Ok(bytes)
}

/// A verb reads the variables of the program.
fn see_main(page: &mut Vec<u8>) -> Result<(), Failure> {
    environment(page, ["The variables that ".into(), bold("lifeboat"), "(1) lists.".into()])
}

fn environment(page: &mut Vec<u8>, text: impl IntoIterator<Item = Inline>) -> Result<(), Failure> {
    let mut roff = Roff::new();
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text(text.into_iter().collect::<Vec<_>>());
    roff.to_writer(page)?;
    Ok(())
}

fn variables(page: &mut Vec<u8>) -> Result<(), Failure> {
    let mut roff = Roff::new();
    roff.control("SH", ["ENVIRONMENT"]);
    for (name, meaning) in VARIABLES {
        roff.control("TP", []);
        roff.text([bold(*name)]);
        roff.text([(*meaning).into()]);
    }
    roff.to_writer(page)?;
    Ok(())
}

fn codes(page: &mut Vec<u8>) -> Result<(), Failure> {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (exit, meaning) in TABLE {
        roff.control("TP", []);
        roff.text([bold(exit.code().to_string())]);
        roff.text([(*meaning).into()]);
    }
    roff.to_writer(page)?;
    Ok(())
}

/// Pages are made anew each time, so a page of an earlier version is overwritten.
fn write(path: &Path, page: &[u8]) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .map_err(|error| failed(path, &error))?;
    file.write_all(page).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let shown = crate::path::escape(path.as_os_str().as_encoded_bytes());
    let message = read::PAGES_FAILED.with("path", shown).with("detail", Said::heard(error));
    Failure::new(Exit::Failed, message, read::NAME_WRITABLE)
}
