//! `storage`: whether a storage keeps its promises.

use clap::Args;
use clap::Subcommand;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::storage as texts;
use crate::cli::language::text::Text;
use crate::cli::open;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::run::monitor::Severity;
use crate::storage::probe::Check;
use crate::storage::probe::Extent;
use crate::storage::probe::Finding;
use crate::storage::probe::Outcome;
use crate::storage::probe::ProbeError;
use crate::storage::probe::Probed;
use crate::storage::probe::probe;
use crate::units::Bytes;

/// See what a storage is worth.
#[derive(Debug, Args)]
pub struct StorageArgs {
    #[command(subcommand)]
    pub verb: StorageVerb,
}

#[derive(Debug, Subcommand)]
pub enum StorageVerb {
    /// Try on the storage itself what backups rely on, and say what does not hold.
    ///
    /// It works on small blobs of its own, `probe/...`, beside what is there, and takes them away
    /// again. It also measures how fast the storage is. Exit code 3 if something is lacking that
    /// backups can do without, 1 if they cannot.
    Test,
}

#[derive(Serialize)]
struct Line<'a> {
    check: &'static str,
    /// Whether nothing is lacking.
    holds: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_off_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    up_bytes_per_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    down_bytes_per_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    round_trip_us: Option<u64>,
}

pub fn run(context: &Context, args: &StorageArgs) -> Result<Ended, Failure> {
    let StorageVerb::Test = &args.verb;
    let probed = tried(context, Extent::All)?;
    if context.output.is_json() {
        for finding in &probed.findings {
            context.output.json("result", Some("storage"), &line(finding))?;
        }
    } else {
        table(context, &probed)?;
    }
    tell_lacks(context, &probed);
    refuse_if_unfit(&probed)?;
    Ok(Ended::done())
}

/// What a new repository needs of a storage over a network, whose server nobody here knows.
///
/// # Errors
/// When backups cannot do without what does not hold (1), or the storage fails (15).
pub fn prove(context: &Context) -> Result<(), Failure> {
    let probed = tried(context, Extent::Promises)?;
    tell_lacks(context, &probed);
    refuse_if_unfit(&probed)
}

fn tried(context: &Context, extent: Extent) -> Result<Probed, Failure> {
    let storage = open::bare(context)?;
    probe(&context.run, &storage, extent).map_err(|error| match error {
        ProbeError::Stopped(why) => why.into(),
        ProbeError::Storage(error) => error.into(),
    })
}

fn refuse_if_unfit(probed: &Probed) -> Result<(), Failure> {
    if probed.is_fit() {
        return Ok(());
    }
    Err(Failure::new(Exit::Failed, texts::UNFIT, texts::CHOOSE_ANOTHER).meaning(texts::NOT_USED))
}

/// One problem for each lack, with its price.
fn tell_lacks(context: &Context, probed: &Probed) {
    for finding in probed.findings.iter().filter(|finding| !finding.outcome.is_good()) {
        let (title, cost) = words(finding.check);
        // A user who cannot delete is what a careful administrator wants of a writer.
        if finding.outcome == Outcome::Denied {
            context.output.note(texts::WRITER_ONLY);
            continue;
        }
        // Somebody may well have chosen so.
        if matches!(finding.outcome, Outcome::Unguarded(_)) {
            context.output.note(texts::LACKS.with("found", found(finding)).with("cost", cost));
            continue;
        }
        let said = texts::LACKS.with("found", found(finding)).with("cost", cost);
        context.problem(Severity::Problem, title, said);
    }
    if !probed.left.is_empty() {
        let count = probed.left.len();
        context.output.note(texts::LEFT.with("count", count));
    }
}

fn table(context: &Context, probed: &Probed) -> Result<(), Failure> {
    let language = context.output.language();
    let columns = [texts::CHECK, texts::RESULT, texts::FOUND];
    let columns = columns.map(|title| (title.words(language), Align::Left));
    let row = |finding: &Finding| {
        let (title, _) = words(finding.check);
        let result = match finding.outcome {
            Outcome::Holds | Outcome::Speed(_) | Outcome::Guarded(_) => texts::HOLDS,
            Outcome::Unguarded(_) => texts::UNGUARDED,
            Outcome::Broken(_) => texts::BROKEN,
            Outcome::Weak(_) | Outcome::ClockOff(_) => texts::WEAK,
            Outcome::Denied => texts::DENIED,
        };
        let said = found(finding).told_in(language);
        vec![title.words(language).to_owned(), result.words(language).to_owned(), said]
    };
    let rows: Vec<Vec<String>> = probed.findings.iter().map(row).collect();
    context.output.raw(format!("{}\n", render(&columns, &rows)).as_bytes())
}

fn found(finding: &Finding) -> Said {
    match &finding.outcome {
        Outcome::Holds | Outcome::Denied => Said::plain(""),
        Outcome::Broken(text)
        | Outcome::Weak(text)
        | Outcome::Guarded(text)
        | Outcome::Unguarded(text) => Said::heard(text),
        Outcome::ClockOff(ms) => {
            let seconds = ms.unsigned_abs() / 1000;
            if *ms > 0 { texts::AHEAD } else { texts::BEHIND }.with("seconds", seconds)
        }
        Outcome::Speed(speed) => texts::SPEED_IS
            .with("up", Bytes(speed.up_bytes_per_s))
            .with("down", Bytes(speed.down_bytes_per_s))
            .with("trip", format!("{:.1}", speed.round_trip.as_secs_f64() * 1000.0)),
    }
}

fn line(finding: &Finding) -> Line<'_> {
    let mut line = Line {
        check: name(finding.check),
        holds: finding.outcome.is_good(),
        found: None,
        clock_off_ms: None,
        up_bytes_per_s: None,
        down_bytes_per_s: None,
        round_trip_us: None,
    };
    match &finding.outcome {
        Outcome::Holds => {}
        Outcome::Denied => line.found = Some("denied"),
        Outcome::Broken(text)
        | Outcome::Weak(text)
        | Outcome::Guarded(text)
        | Outcome::Unguarded(text) => line.found = Some(text),
        Outcome::ClockOff(ms) => line.clock_off_ms = Some(*ms),
        Outcome::Speed(speed) => {
            line.up_bytes_per_s = Some(speed.up_bytes_per_s);
            line.down_bytes_per_s = Some(speed.down_bytes_per_s);
            line.round_trip_us = u64::try_from(speed.round_trip.as_micros()).ok();
        }
    }
    line
}

/// As programs know it.
const fn name(check: Check) -> &'static str {
    match check {
        Check::ReadBack => "read_back",
        Check::Range => "range",
        Check::NoReplace => "no_replace",
        Check::OneWinner => "one_winner",
        Check::Listing => "listing",
        Check::Missing => "missing",
        Check::Durable => "durable",
        Check::Delete => "delete",
        Check::Clock => "clock",
        Check::Speed => "speed",
        Check::Locked => "locked",
        Check::Private => "private",
    }
}

/// What is tried, and what it costs where it does not hold.
const fn words(check: Check) -> (Text, Text) {
    match check {
        Check::ReadBack => (texts::READ_BACK, texts::COSTS_ALL),
        Check::Range => (texts::RANGE, texts::COSTS_ALL),
        Check::NoReplace => (texts::NO_REPLACE, texts::COSTS_ALL),
        Check::OneWinner => (texts::ONE_WINNER, texts::COSTS_RACE),
        Check::Listing => (texts::LISTING, texts::COSTS_ALL),
        Check::Missing => (texts::MISSING, texts::COSTS_ALL),
        Check::Durable => (texts::DURABLE, texts::COSTS_NEWEST),
        Check::Delete => (texts::DELETE, texts::COSTS_SPACE),
        Check::Clock => (texts::CLOCK, texts::COSTS_CLOCK),
        Check::Speed => (texts::SPEED, texts::COSTS_TIME),
        Check::Locked => (texts::LOCKED, texts::COSTS_LOCK),
        Check::Private => (texts::PRIVATE, texts::COSTS_PRIVACY),
    }
}
