//! `lifeboat-verify`: what an auditor takes along. It can inspect a bundle and nothing else.

use std::ffi::OsString;
use std::sync::Arc;

use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::language::Language;
use crate::cli::output::Format;
use crate::cli::output::Level;
use crate::cli::output::Output;
use crate::cli::output::watch::Watch;
use crate::cli::start::conclude;
use crate::cli::start::guarded;
use crate::cli::start::not_parsed;
use crate::cli::verb::drill::verify;
use crate::cli::verb::drill::verify::VerifyArgs;
use crate::clock::SystemClock;

/// Check the evidence of drills, offline and without any key. As `lifeboat drill verify-evidence`.
#[derive(Debug, Parser)]
#[command(name = "lifeboat-verify", version)]
pub struct Verifier {
    #[command(flatten)]
    pub args: VerifyArgs,
    /// Print JSON, one object a line.
    #[arg(long)]
    pub json: bool,
    /// Language: `en` or `vi`.
    #[arg(long, value_name = "LANGUAGE", value_parser = language, default_value = "en")]
    pub lang: Language,
}

fn language(text: &str) -> Result<Language, String> {
    Language::named(text.as_ref()).ok_or_else(|| "expected `en` or `vi`".to_owned())
}

/// Inspects what the process was started with.
#[must_use]
pub fn main() -> Exit {
    let (args, clock) = (std::env::args_os().collect::<Vec<OsString>>(), SystemClock::new());
    let verifier = match Verifier::try_parse_from(&args) {
        Ok(verifier) => verifier,
        Err(error) => return not_parsed(&args, &error, &clock),
    };
    let format = if verifier.json { Format::Json } else { Format::Human };
    let output = Output::new(format, Level::Normal).speaking(Some(verifier.lang));
    let output = Arc::new(output);
    let ended = guarded(|| verify::inspect_files(&output, &verifier.args));
    conclude(ended, &Watch::new(Arc::clone(&output)), &output, &clock)
}
