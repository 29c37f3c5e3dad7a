//! `config generate`: a file to start from.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::daemon as texts;

#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// What the machine is.
    #[arg(long = "for", value_name = "MACHINE")]
    pub machine: Machine,
    /// Write to a new file, not to standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Machine {
    /// One person's files onto a disk that is plugged in.
    Laptop,
    /// A small office: a server, a NAS, another site.
    Office,
    /// One server with databases.
    Server,
}

#[derive(Serialize)]
struct Generated {
    path: String,
}

/// The files of `config/`.
#[must_use]
pub const fn text(machine: Machine, language: Language) -> &'static str {
    match (machine, language) {
        (Machine::Laptop, Language::En) => include_str!("../../../../config/laptop.toml"),
        (Machine::Office, Language::En) => include_str!("../../../../config/office.toml"),
        (Machine::Server, Language::En) => include_str!("../../../../config/server.toml"),
        (Machine::Laptop, Language::Vi) => include_str!("../../../../config/vi/laptop.toml"),
        (Machine::Office, Language::Vi) => include_str!("../../../../config/vi/office.toml"),
        (Machine::Server, Language::Vi) => include_str!("../../../../config/vi/server.toml"),
    }
}

pub fn run(context: &Context, args: &GenerateArgs) -> Result<Ended, Failure> {
    let text = text(args.machine, context.output.language());
    let Some(path) = &args.output else {
        if context.output.is_json() {
            #[derive(Serialize)]
            struct Text<'t> {
                text: &'t str,
            }
            context.output.json("result", Some("config"), &Text { text })?;
        } else {
            context.output.raw(text.as_bytes())?;
        }
        return Ok(Ended::done());
    };
    write(path, text).map_err(|error| {
        let message = texts::NOT_WRITTEN.with("path", shown(path));
        Failure::new(Exit::Failed, message.with("detail", Said::heard(error)), texts::OTHER_FILE)
    })?;
    let generated = Generated { path: shown(path) };
    context.output.report("config", &generated, || texts::WRITTEN.with("path", shown(path)))?;
    Ok(Ended::done())
}

/// Never over another file.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn shown(path: &Path) -> String {
    crate::path::escape(path.as_os_str().as_encoded_bytes())
}
