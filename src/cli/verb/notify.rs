//! `notify`: whether anybody would be told.

mod provoke;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::Subcommand;
use serde::Serialize;

use crate::catalogue::Catalogue;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::daemon::telling as texts;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::config::Config;
use crate::config::tell::Channel;
use crate::disk::unix::RealDisk;
use crate::notify::message::File;
use crate::notify::send::Patience;
use crate::notify::send::Way;
use crate::notify::send::send;
use crate::notify::voice;
use crate::run::monitor::Severity;
use crate::source::host::host_name;

/// The catalogue's name in the state folder.
const CATALOGUE: &str = "catalogue.sqlite";

/// See whether messages arrive.
#[derive(Debug, Args)]
pub struct NotifyArgs {
    #[command(subcommand)]
    pub verb: NotifyVerb,
}

#[derive(Debug, Subcommand)]
pub enum NotifyVerb {
    /// Send a test message to each channel, and tell what answered.
    ///
    /// Exit code 15 if one of them does not take it. What arrived is on record, so that
    /// `config validate` does not call the channel untested.
    Test {
        /// One channel only.
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
    },
    /// Fail on purpose, and see afterwards that every channel which hears of failed jobs was told.
    ///
    /// The job `alarm:test` of the daemon does it by its schedule, `[alarm_test]`: first it fails
    /// (exit code 11), which is an alarm like any other; a minute later, and again until half an
    /// hour has passed, it looks whether each channel has taken it, and puts that into the ledger.
    /// Exit codes: 0 every channel was told in time; 1 one was not; 11 not all of them yet.
    Provoke,
}

#[derive(Serialize)]
struct Tested {
    channel: String,
    kind: &'static str,
    arrived: bool,
    /// What the other side said, or why there is nothing.
    answer: String,
}

pub fn run(context: &Context, args: &NotifyArgs) -> Result<Ended, Failure> {
    let channel = match &args.verb {
        NotifyVerb::Test { channel } => channel,
        NotifyVerb::Provoke => return provoke::run(context),
    };
    let loaded = context.configuration()?;
    let config = loaded.config()?;
    let all = test(context, config, channel.as_deref())?;
    record(context, config, &all);
    if context.output.is_json() {
        for tested in &all {
            context.output.json("result", Some("notify"), tested)?;
        }
    } else {
        table(context, &all)?;
    }
    let count = all.iter().filter(|tested| !tested.arrived).count();
    if count > 0 {
        let message = texts::SOME_FAILED.with("count", count).with("total", all.len());
        return Err(Failure::new(Exit::Storage, message, texts::SEE_ANSWERS));
    }
    Ok(Ended::done())
}

fn test(context: &Context, config: &Config, only: Option<&str>) -> Result<Vec<Tested>, Failure> {
    if config.channels.is_empty() {
        return Err(Failure::usage(texts::NONE, texts::ADD_CHANNEL));
    }
    if let Some(name) = only {
        channels(config, &[name.to_owned()])?;
    }
    let host = String::from_utf8_lossy(&host_name()).into_owned();
    let voice = voice(config, host);
    let way = way(context);
    let mut tested = Vec::new();
    for (name, channel) in config.channels.iter().filter(|(n, _)| only.is_none_or(|o| o == *n)) {
        context.run.check()?;
        let message = voice.test(name, context.run.clock.now());
        let answer = send(channel, &message, &way);
        tested.push(Tested {
            channel: name.clone(),
            kind: channel.kind(),
            arrived: answer.is_ok(),
            answer: answer.unwrap_or_else(|error| error.to_string()),
        });
    }
    Ok(tested)
}

/// Channels of these names.
///
/// # Errors
/// When the configuration has no such channel (2).
pub fn channels<'c>(
    config: &'c Config,
    names: &[String],
) -> Result<Vec<(&'c String, &'c Channel)>, Failure> {
    let of = |name: &String| {
        config.channels.get_key_value(name).ok_or_else(|| {
            let all = config.channels.keys().map(Said::plain).collect();
            let name = crate::path::escape(name.as_bytes());
            let message = texts::NO_CHANNEL.with("name", name).with("channels", Said::list(all));
            Failure::usage(message, texts::NAME_CHANNEL)
        })
    };
    names.iter().map(of).collect()
}

/// Sends documents, and names the channels that took them. One that does not is a problem; they
/// stay where they are.
pub fn deliver(
    context: &Context,
    (config, channels): (&Config, &[(&String, &Channel)]),
    (title, paths): (&str, &[PathBuf]),
) -> Vec<String> {
    let mut taken = Vec::new();
    if channels.is_empty() || paths.is_empty() {
        return taken;
    }
    let read = |path: &PathBuf| {
        let content = std::fs::read(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok::<File, std::io::Error>(File { name, bytes_count: content.len(), content })
    };
    let host = String::from_utf8_lossy(&host_name()).into_owned();
    let voice = voice(config, host);
    let way = way(context);
    for (name, channel) in channels {
        let files: Result<Vec<File>, String> =
            paths.iter().map(read).collect::<Result<_, _>>().map_err(|error| error.to_string());
        let sent = files.and_then(|files| {
            let message = voice.documents(title, files, context.run.clock.now());
            send(channel, &message, &way).map_err(|error| error.to_string())
        });
        match sent {
            Ok(_) => {
                context.output.note(texts::DELIVERED.with("channel", name.as_str()));
                taken.push((*name).clone());
            }
            Err(error) => {
                let subject = texts::DOCUMENTS_FOR.with("channel", name.as_str());
                context.problem(Severity::Problem, subject, Said::heard(error));
            }
        }
    }
    taken
}

/// How messages go out of this process.
#[must_use]
pub fn way(context: &Context) -> Way {
    Way {
        outside: Arc::new(context.environment.clone()),
        hidden: context.environment.own_names(),
        clock: Arc::clone(&context.run.clock),
        patience: Patience::usual(),
    }
}

/// Only where the daemon has a catalogue; without one there is nothing that would read it.
fn record(context: &Context, config: &Config, all: &[Tested]) {
    let path = config.state_dir.join(CATALOGUE);
    if !path.is_file() {
        return;
    }
    if let Err(error) = note(context, &path, all) {
        context.output.warn(texts::NOT_ON_RECORD.with("detail", Said::heard(error)));
    }
}

fn note(
    context: &Context,
    path: &Path,
    all: &[Tested],
) -> Result<(), crate::catalogue::CatalogueError> {
    let now = context.run.clock.now();
    let (mut catalogue, _) = Catalogue::open(path, &RealDisk, now)?;
    for tested in all {
        let failure = (!tested.arrived).then_some(&*tested.answer);
        catalogue.channel_tested(&tested.channel, failure, now.unix_ms)?;
    }
    Ok(())
}

/// Names of channels that have taken a message, as far as the catalogue can be read.
#[must_use]
pub fn proven(context: &Context, config: &Config) -> Vec<String> {
    let path = config.state_dir.join(CATALOGUE);
    if !path.is_file() {
        return Vec::new();
    }
    let opened = Catalogue::open(&path, &RealDisk, context.run.clock.now());
    let rows = opened.and_then(|(catalogue, _)| catalogue.channels()).unwrap_or_default();
    rows.into_iter().filter(|row| row.good_ms.is_some()).map(|row| row.name).collect()
}

fn table(context: &Context, all: &[Tested]) -> Result<(), Failure> {
    let language = context.output.language();
    let columns = [
        (texts::CHANNEL.words(language), Align::Left),
        (texts::KIND.words(language), Align::Left),
        (texts::ANSWER.words(language), Align::Left),
    ];
    let row = |tested: &Tested| {
        let said = if tested.arrived {
            texts::ARRIVED.with("answer", &*tested.answer)
        } else {
            texts::NOT_ARRIVED.with("detail", Said::heard(&tested.answer))
        };
        vec![tested.channel.clone(), tested.kind.to_owned(), said.told_in(language)]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    context.output.result("notify", &(), || render(&columns, &rows))
}
