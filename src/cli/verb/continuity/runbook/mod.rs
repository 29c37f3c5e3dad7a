//! `continuity runbook`: booklets on paper, and the commands that stand in them.

pub mod booklet;
pub mod command;
pub mod proven;
pub mod scenario;
pub mod steps;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::continuity::runbook as texts;
use crate::cli::language::text::Text;
use crate::cli::verb::continuity::load;
use crate::cli::verb::continuity::load::Office;
use crate::cli::verb::continuity::runbook::booklet::Drawn;
use crate::cli::verb::continuity::runbook::proven::Proven;
use crate::cli::verb::continuity::runbook::scenario::Scenario;
use crate::cli::verb::drill::list::report::keep_new;
use crate::evidence::tree::sha256;
use crate::report;
use crate::report::runbook::Runbook;

/// Digits of the plan's hash that stand at the foot of each page.
const HASH_CHARS: usize = 12;

/// Print the recovery runbook: a booklet for each scenario, with every command, what must be seen
/// and what to do if it is not.
///
/// It is made for somebody who has never done it, with the server dead. Print it again when the
/// plan changes, and every month.
#[derive(Debug, Clone, Args)]
pub struct RunbookArgs {
    /// Language of the booklets; without it that of messages.
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<Tongue>,
    /// The PDF to write; it must not exist.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Only these scenarios; with commas.
    #[arg(long, value_name = "SCENARIO", value_delimiter = ',')]
    pub scenario: Vec<Scenario>,
}

/// A language of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Tongue {
    Vi,
    En,
}

#[derive(Serialize)]
struct Made {
    path: String,
    language: &'static str,
    booklets: Vec<BookletLine>,
}

#[derive(Serialize)]
struct BookletLine {
    scenario: &'static str,
    commands: Vec<CommandLine>,
}

/// A command as it is printed.
#[derive(Serialize)]
struct CommandLine {
    line: String,
    /// What its output has to hold; none: nothing is said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sign: Option<String>,
    expected: String,
    otherwise: String,
}

/// A runbook, and the commands that stand in it.
pub struct Printed {
    pub pdf: Zeroizing<Vec<u8>>,
    booklets: Vec<BookletLine>,
}

pub fn run(context: &Context, args: &RunbookArgs) -> Result<Ended, Failure> {
    let office = load::load(context)?;
    office.plan()?;
    let language = match args.language {
        Some(Tongue::Vi) => Language::Vi,
        Some(Tongue::En) => Language::En,
        None => context.output.language(),
    };
    let proven = proven::proven(context)?;
    let scenarios = if args.scenario.is_empty() { &Scenario::ALL[..] } else { &args.scenario };
    let printed = print(context, (&office, &proven), language, scenarios)?;
    keep_new(&args.output, &printed.pdf)?;
    let path = crate::path::escape(args.output.as_os_str().as_encoded_bytes());
    let told = documents(language).tag();
    let made = Made { path: path.clone(), language: told, booklets: printed.booklets };
    context.output.report("runbook", &made, || texts::WRITTEN.with("path", path))?;
    Ok(Ended::done())
}

/// Booklets of every scenario that the office has a storage for.
///
/// # Errors
/// When the plan has mistakes (2), or a page cannot be made.
pub fn made(
    context: &Context,
    office: &Office,
    proven: &BTreeMap<String, Proven>,
    language: Language,
) -> Result<Printed, Failure> {
    let (config, plan) = (office.configuration.config()?, office.plan()?);
    let all = Scenario::ALL.into_iter();
    let possible: Vec<Scenario> = all.filter(|it| it.storages(config, plan).is_ok()).collect();
    print(context, (office, proven), language, &possible)
}

fn print(
    context: &Context,
    (office, proven): (&Office, &BTreeMap<String, Proven>),
    language: Language,
    scenarios: &[Scenario],
) -> Result<Printed, Failure> {
    let (config, plan) = (office.configuration.config()?, office.plan()?);
    let drawn = Drawn { office, config, plan, proven, language };
    let (mut booklets, mut lines) = (Vec::new(), Vec::new());
    for scenario in scenarios {
        let (booklet, commands) = drawn.booklet(*scenario).map_err(|why| {
            let message = texts::NO_PLACE.with("scenario", scenario.name());
            Failure::usage(message.with("why", Said::from(why)), texts::CHANGE_PLAN)
        })?;
        booklets.push(booklet);
        let commands = commands.into_iter().map(|it| CommandLine {
            line: it.shown.line,
            sign: it.sign,
            expected: it.shown.expected,
            otherwise: it.shown.otherwise,
        });
        lines.push(BookletLine { scenario: scenario.name(), commands: commands.collect() });
    }
    let hash = sha256(office.text.as_bytes()).to_string();
    let made = context.run.clock.now();
    let footer = texts::FOOTER
        .with("org", plan.org.name.as_str())
        .with("date", drawn.day(made))
        .with("hash", hash.get(..HASH_CHARS).unwrap_or_default())
        .with("program", concat!("lifeboat ", env!("CARGO_PKG_VERSION")));
    let words = |text: Text| text.words(language).to_owned();
    let runbook = Runbook {
        language: documents(language),
        title: words(texts::TITLE),
        made,
        heads: [words(texts::HEAD_TYPE), words(texts::HEAD_SEE), words(texts::HEAD_ELSE)],
        footer: footer.told_in(language),
        booklets,
    };
    let pdf = report::runbook::pdf(&runbook).map_err(|error| {
        let message = texts::NOT_MADE.with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, texts::CHANGE_PLAN)
    })?;
    Ok(Printed { pdf, booklets: lines })
}

const fn documents(language: Language) -> report::Language {
    match language {
        Language::Vi => report::Language::Vi,
        Language::En => report::Language::En,
    }
}
