//! `drill plan`: what a month asks for, and draws of the rest.

pub mod document;

use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::said::Tell as _;
use crate::cli::language::table::continuity::plan as texts;
use crate::cli::open;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::cli::verb::continuity::facts;
use crate::cli::verb::continuity::load;
use crate::cli::verb::continuity::status::below;
use crate::cli::verb::drill::ledger;
use crate::cli::verb::drill::plan::document::Draw;
use crate::cli::verb::drill::plan::document::Pool;
use crate::continuity::programme;
use crate::continuity::programme::Deferred;
use crate::continuity::programme::Month;
use crate::continuity::programme::Programme;
use crate::evidence::bundle::draws::ROOT_AGE_MS;
use crate::evidence::entry::Entry;
use crate::evidence::entry::Kind;
use crate::evidence::ledger::Draft;
use crate::evidence::ledger::Ledger;
use crate::evidence::ledger::Signer;
use crate::evidence::tree::sha256;
use crate::units::Timestamp;

/// Say what a month asks for: datasets whose coverage ends, and the pool that the rest is drawn
/// from.
///
/// A draw takes two steps. `--freeze` puts the pool into the ledger; then the chair says a word,
/// and `--word` draws: from the ledger as it was a day ago, the plan, the pool and the word.
/// Anybody who has the bundle can draw again.
///
/// Exit codes: 0 done; 2 the plan has mistakes; 13 refused: no pool was frozen, the month was drawn
/// already, or the ledger is younger than a day; 23 the ledger does not verify.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// The month; without it the present one.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<Month>,
    /// Put the pool of the month into the ledger.
    #[arg(long, conflicts_with_all = ["word", "defer"])]
    pub freeze: bool,
    /// Draw from the frozen pool, with this word of the chair.
    #[arg(long, value_name = "WORD", conflicts_with = "defer")]
    pub word: Option<String>,
    /// How many are drawn beside those that are due.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub count: usize,
    /// Put off a dataset that is due or was drawn: it comes first next time.
    #[arg(long, value_name = "DATASET", requires = "reason")]
    pub defer: Option<String>,
    /// Why it is put off.
    #[arg(long, value_name = "TEXT", requires = "defer")]
    pub reason: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    period: String,
    plan_sha256: String,
    pool_hash: String,
    due: Vec<DueLine>,
    also: Vec<String>,
    pool: Vec<document::Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    draw: Option<Draw>,
}

#[derive(Serialize)]
struct DueLine {
    dataset: String,
    why: String,
}

/// A month's programme, and the pool as a document.
struct Planned {
    month: Month,
    programme: Programme,
    pool: Pool,
}

pub fn run(context: &Context, args: &PlanArgs) -> Result<Ended, Failure> {
    let office = load::load(context)?;
    let plan = office.plan()?;
    let found = facts::gather(context, &office)?;
    let (mut ledger, writer) = opened(context, args)?;
    let month = match args.period {
        Some(month) => month,
        None => Month::of(plan.calendar.date(found.facts.now)),
    };
    let programme = programme::of(plan, &found.facts, month, &deferred(&ledger)?);
    let due = programme.due.iter().map(|it| it.0.clone()).collect();
    let plan_hash = sha256(office.text.as_bytes()).to_string();
    let pool = Pool::new((&month.to_string(), &plan_hash), &programme.pool, due);
    let planned = Planned { month, programme, pool };
    let mut draw = None;
    if let Some(dataset) = &args.defer {
        let is_known = plan.services.values().any(|it| it.datasets.contains_key(dataset));
        if !is_known {
            let dataset = crate::path::escape(dataset.as_bytes());
            let message = texts::NO_DATASET.with("dataset", dataset);
            return Err(Failure::usage(message, texts::NAME_DATASET));
        }
        let document = json!({
            "schema": Kind::Deferred.schema(), "period": month.to_string(), "dataset": dataset,
            "reason": args.reason,
        });
        let subject = format!("{month}.{dataset}");
        append(context, (&mut ledger, &writer), (Kind::Deferred, &subject), document)?;
    } else if args.freeze {
        not_drawn(&ledger, month)?;
        let document = serde_json::to_value(&planned.pool).unwrap_or(Value::Null);
        append(context, (&mut ledger, &writer), (Kind::Pool, &month.to_string()), document)?;
    } else if let Some(word) = &args.word {
        not_drawn(&ledger, month)?;
        let drawn = frozen(context, &ledger, &planned)?.draw_with(word, args.count);
        let document = serde_json::to_value(&drawn).unwrap_or(Value::Null);
        append(context, (&mut ledger, &writer), (Kind::Draw, &month.to_string()), document)?;
        draw = Some(drawn);
    }
    tell(context, planned, draw)?;
    Ok(Ended::done())
}

/// The ledger of the repository that is named; it is founded if something is to be added.
fn opened(context: &Context, args: &PlanArgs) -> Result<(Ledger, Signer), Failure> {
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let adds = args.freeze || args.word.is_some() || args.defer.is_some();
    let ledger = if adds {
        ledger::founded(context, &storage, &unlocked)?
    } else {
        let access = ledger::access(context, &storage, &unlocked)?;
        Ledger::open(&context.run, Arc::clone(&storage), access)?
    };
    Ok((ledger, ledger::office(&unlocked)))
}

fn append(
    context: &Context,
    (ledger, writer): (&mut Ledger, &Signer),
    (kind, subject): (Kind, &str),
    document: Value,
) -> Result<(), Failure> {
    ledger.append(&context.run, writer, &Draft::new(kind, subject, document))?;
    ledger.put_checkpoint(writer)?;
    Ok(())
}

/// What was put off, by the ledger.
fn deferred(ledger: &Ledger) -> Result<Vec<Deferred>, Failure> {
    let mut all = Vec::new();
    let entries = ledger.entries().iter().map(|stored| &stored.entry);
    for entry in entries.filter(|entry| entry.kind == Kind::Deferred) {
        let document = ledger.document(entry.document)?;
        if let Some(dataset) = document.get("dataset").and_then(Value::as_str) {
            all.push(Deferred { dataset: dataset.to_owned(), at: entry.time.at });
        }
    }
    Ok(all)
}

/// A pool that was frozen, and the root that it is drawn by.
struct Frozen {
    pool: Pool,
    root: String,
    root_size: u64,
}

impl Frozen {
    fn draw_with(&self, word: &str, count: usize) -> Draw {
        self.pool.draw((&self.root, self.root_size), word, count)
    }
}

/// A period is drawn once: who may repeat it chooses the result.
fn not_drawn(ledger: &Ledger, month: Month) -> Result<(), Failure> {
    let period = month.to_string();
    let is_draw = |entry: &Entry| entry.kind == Kind::Draw && entry.subject == period;
    match ledger.entries().iter().find(|stored| is_draw(&stored.entry)) {
        None => Ok(()),
        Some(stored) => {
            let message =
                texts::DRAWN_ALREADY.with("period", period.as_str()).with("seq", stored.entry.seq);
            Err(Failure::new(Exit::Refused, message, texts::DRAW_STANDS))
        }
    }
}

/// The last pool of the month, which was not drawn from.
fn frozen(context: &Context, ledger: &Ledger, planned: &Planned) -> Result<Frozen, Failure> {
    let refused = |message: Said| Failure::new(Exit::Refused, message, texts::FREEZE_FIRST);
    let period = planned.month.to_string();
    let is_pool = |entry: &Entry| entry.kind == Kind::Pool && entry.subject == period;
    let pool = ledger.entries().iter().rev().find(|stored| is_pool(&stored.entry));
    let pool = pool.map(|stored| stored.entry.document);
    let none = || refused(texts::NO_POOL.with("period", period.as_str()));
    let document = ledger.document(pool.ok_or_else(none)?)?;
    let pool: Pool = serde_json::from_value(document).map_err(|_| none())?;
    if pool.plan != planned.pool.plan {
        return Err(refused(texts::OTHER_PLAN.with("period", period.as_str())));
    }
    let until = Timestamp::from_unix_ms(context.run.clock.now().unix_ms - ROOT_AGE_MS);
    let old = ledger.entries().iter().filter(|it| it.entry.time.at <= until);
    let checkpoint = old.map(|it| it.entry.seq).max().and_then(|seq| ledger.checkpoint_at(seq));
    let Some(checkpoint) = checkpoint else {
        return Err(Failure::new(Exit::Refused, texts::YOUNG, texts::DRAW_TOMORROW));
    };
    Ok(Frozen { pool, root: checkpoint.root.to_string(), root_size: checkpoint.size })
}

fn tell(context: &Context, planned: Planned, draw: Option<Draw>) -> Result<(), Failure> {
    let language = context.output.language();
    let Planned { month, programme, pool } = planned;
    let told = |said: &crate::continuity::said::Said, language| said.told_in(below(language));
    let english = crate::cli::language::Language::En;
    let line = |(dataset, why): &(String, crate::continuity::said::Said)| DueLine {
        dataset: dataset.clone(),
        why: told(why, english),
    };
    let shown = Shown {
        period: month.to_string(),
        plan_sha256: pool.plan.clone(),
        pool_hash: pool.pool_hash.clone(),
        due: programme.due.iter().map(line).collect(),
        also: programme.also.iter().map(|said| told(said, english)).collect(),
        pool: pool.pool,
        draw,
    };
    context.output.result("programme", &shown, || {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (dataset, why) in &programme.due {
            rows.push(vec![dataset.clone(), String::new(), told(why, language)]);
        }
        for item in &shown.pool {
            let drawn = shown.draw.as_ref().map(|draw| draw.drawn.contains(&item.dataset));
            let why = match drawn {
                Some(true) => texts::DRAWN,
                Some(false) => texts::NOT_DRAWN,
                None => texts::IN_POOL,
            };
            let why = why.words(language).to_owned();
            rows.push(vec![item.dataset.clone(), item.weight.to_string(), why]);
        }
        let columns = [
            (texts::DATASET.words(language), Align::Left),
            (texts::WEIGHT.words(language), Align::Right),
            (texts::WHY.words(language), Align::Left),
        ];
        let mut lines = vec![render(&columns, &rows)];
        lines.extend(programme.also.iter().map(|said| told(said, language)));
        if let Some(draw) = &shown.draw {
            let said = texts::SEED
                .with("seed", draw.seed.as_str())
                .with("root", draw.root.as_str())
                .with("size", draw.root_size)
                .with("pool", draw.pool_hash.as_str())
                .with("word", draw.word.as_str());
            lines.push(said.said().told_in(language));
        }
        lines.join("\n")
    })
}
