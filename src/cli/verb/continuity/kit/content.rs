//! What lies in a kit.

use std::fmt::Write as _;

use elf::ElfBytes;
use elf::abi::PT_INTERP;
use elf::endian::AnyEndian;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::continuity::kit as texts;
use crate::cli::settings::configured;
use crate::cli::settings::place::address;
use crate::cli::verb::continuity::kit::PROGRAM;
use crate::cli::verb::continuity::load;
use crate::cli::verb::continuity::load::Office;
use crate::cli::verb::continuity::runbook;
use crate::cli::verb::continuity::runbook::proven;
use crate::cli::verb::continuity::runbook::proven::Proven;
use crate::config::Config;
use crate::config::plan::Plan;
use crate::config::plan::Role;

/// Pages that describe the format: with them the data can be read without this program.
const FORMAT: &[(&str, &str)] = &[
    ("format/format.md", include_str!("../../../../../doc/format.md")),
    ("format/format/capsule.md", include_str!("../../../../../doc/format/capsule.md")),
    ("format/format/keys.md", include_str!("../../../../../doc/format/keys.md")),
    ("format/format/tree.md", include_str!("../../../../../doc/format/tree.md")),
    ("format/format/vault.md", include_str!("../../../../../doc/format/vault.md")),
];

/// What every kit has.
pub const NAMES: [&str; 6] =
    [PROGRAM, "lifeboat.toml", "plan.toml", "INDEX.txt", "runbook-vi.pdf", "runbook-en.pdf"];

/// A file of a kit.
pub struct File {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Plain,
    Program,
}

impl Mode {
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Plain => 0o600,
            Self::Program => 0o700,
        }
    }
}

/// Whether a name of the list stays within the kit.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    name.split('/').all(is_part)
}

/// Pages that a kit of this version has beside [`NAMES`].
pub fn pages() -> impl Iterator<Item = &'static str> {
    FORMAT.iter().map(|(name, _)| *name)
}

/// The file is copied as it is: with the arguments of a program that prints a secret, one of which
/// may be a secret itself.
fn without_arguments(office: &Office) -> Result<(), Failure> {
    let keys = &office.configuration.found.arguments;
    if keys.is_empty() {
        return Ok(());
    }
    let message = texts::ARGUMENTS.with("keys", keys.join(", "));
    Err(Failure::new(Exit::Refused, message, texts::HIDE_ARGUMENTS))
}

/// Everything.
///
/// # Errors
/// When the plan or the configuration has mistakes (2) or may hold a secret (13), or the program
/// cannot read itself.
pub fn of(context: &Context) -> Result<Vec<File>, Failure> {
    let office = load::load(context)?;
    let plan = office.plan()?;
    let config = office.configuration.config()?;
    without_arguments(&office)?;
    let proven = proven::proven(context)?;
    let plain = |name, bytes| File { name, bytes, mode: Mode::Plain };
    let configuration = configured::text_of(&office.configuration.path, |detail| {
        Failure::new(Exit::Failed, texts::UNREADABLE.with("detail", detail), texts::NAME_FOLDER)
    })?;
    let mut files = vec![
        File { name: PROGRAM, bytes: program()?, mode: Mode::Program },
        plain("lifeboat.toml", configuration.into_bytes()),
        plain("plan.toml", office.text.clone().into_bytes()),
        plain("INDEX.txt", index(&office, (config, plan, &proven)).into_bytes()),
    ];
    for (name, language) in [("runbook-vi.pdf", Language::Vi), ("runbook-en.pdf", Language::En)] {
        let made = runbook::made(context, &office, &proven, language)?;
        files.push(plain(name, made.pdf.to_vec()));
    }
    for (name, text) in FORMAT {
        files.push(plain(name, text.as_bytes().to_vec()));
    }
    Ok(files)
}

/// Whether a program needs libraries of the system that it is started on. One for a system that is
/// not known here is taken to have all that it needs.
pub fn needs_libraries(program: &[u8]) -> bool {
    let parsed = ElfBytes::<AnyEndian>::minimal_parse(program);
    let segments = parsed.ok().and_then(|program| program.segments());
    segments.is_some_and(|all| all.iter().any(|it| it.p_type == PT_INTERP))
}

/// This program's own bytes.
fn program() -> Result<Vec<u8>, Failure> {
    let read = std::env::current_exe().and_then(std::fs::read);
    read.map_err(|error| {
        let message = texts::UNREADABLE.with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, texts::NAME_FOLDER)
    })
}

type Known<'k> = (&'k Config, &'k Plan, &'k std::collections::BTreeMap<String, Proven>);

/// What is where, in words that need no program.
fn index(office: &Office, (config, plan, proven): Known<'_>) -> String {
    let mut text = format!("{}\n{}\n\n", plan.org.name, office.shown_path());
    for (name, storage) in &config.storages {
        let place = plan.storages.get(name).map_or("?", |it| it.failure_domain.as_str());
        let _written = writeln!(text, "[storage.{name}] {} ({place})", address(storage));
    }
    for (id, service) in &plan.services {
        let _written = writeln!(text, "\n{}. {} ({id})", service.order, service.name);
        for dataset in service.datasets.keys() {
            let holders: Vec<String> = config.holders(dataset).into_iter().collect();
            let star = proven.get(dataset).map_or("-", |it| it.short.as_str());
            let holders = holders.join(", ");
            let _written = writeln!(text, "   {dataset}: {holders}; ● {star}");
        }
    }
    text.push('\n');
    for person in plan.people.values().filter(|it| it.roles.contains(&Role::ShareHolder)) {
        let _written = writeln!(text, "k: {} {}", person.name, person.phones.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_whether_it_needs_libraries() {
        // As tests are built on Linux.
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(needs_libraries(&own));
        for not_known in [&b""[..], b"MZ", &own[..40]] {
            assert!(!needs_libraries(not_known));
        }
        // The same without the entry that names who loads its libraries.
        let header = ElfBytes::<AnyEndian>::minimal_parse(&own).unwrap().ehdr;
        let start = usize::try_from(header.e_phoff).unwrap();
        let size = usize::from(header.e_phentsize);
        let mut alone = own;
        for number in 0..usize::from(header.e_phnum) {
            let at = start + number * size;
            if alone[at..at + 4] == PT_INTERP.to_le_bytes() {
                alone[at..at + 4].fill(0);
            }
        }
        assert!(!needs_libraries(&alone));
    }
}
