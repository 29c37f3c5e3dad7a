//! `continuity status`: every rule, its colour, why, and what the law says.

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::said::Tell as _;
use crate::cli::language::table::continuity as texts;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::cli::verb::continuity::facts;
use crate::cli::verb::continuity::load;
use crate::config;
use crate::config::plan::Plan;
use crate::continuity::fact::Facts;
use crate::continuity::legal::Answer;
use crate::continuity::legal::Clause;
use crate::continuity::legal::Frames;
use crate::continuity::legal::Verified;
use crate::continuity::rule;
use crate::continuity::rule::Colour;
use crate::continuity::rule::Judged;
use crate::evidence::tree::sha256;

/// Tell how the office stands: every rule of continuity, green, amber or red, with its reasons.
///
/// It looks at the snapshots of every storage that it can open, at the records of drills, at the
/// ledger and at the plan. Where nothing is known a rule is red. Rules that this version has no
/// facts for are not judged, and listed.
///
/// Exit codes: 0 no rule is red; 2 the plan or the configuration has mistakes; 3 a rule is red.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {}

#[derive(Serialize)]
struct Board {
    org: String,
    legal_profile: &'static str,
    plan_sha256: String,
    red_count: usize,
    amber_count: usize,
    green_count: usize,
    not_judged_count: usize,
    storages_unread: Vec<Unread>,
    rules: Vec<RuleLine>,
}

#[derive(Serialize)]
struct Unread {
    storage: String,
    why: String,
}

/// A rule in JSON.
#[derive(Serialize)]
pub struct RuleLine {
    rule: String,
    title: String,
    /// `red`, `amber`, `green` or `not_judged`.
    colour: &'static str,
    reasons: Vec<String>,
    clauses: Vec<ClauseLine>,
    artefacts: Vec<String>,
}

#[derive(Serialize)]
struct ClauseLine {
    clause: String,
    /// Whether its full text was read.
    is_verified: bool,
}

pub fn run(context: &Context, _args: &StatusArgs) -> Result<Ended, Failure> {
    let office = load::load(context)?;
    let plan = office.plan()?;
    let frames = frames()?;
    let found = facts::gather(context, &office)?;
    let rules = judged(plan, &frames, &found.facts);
    let is_red = rules.iter().any(|(it, _)| it.colour() == Some(Colour::Red));
    if context.output.is_json() {
        let unread = found.unread.into_iter();
        let unread = unread.map(|it| Unread { storage: it.storage, why: it.why });
        let mut board = board(plan, &rules);
        board.plan_sha256 = sha256(office.text.as_bytes()).to_string();
        board.storages_unread = unread.collect();
        context.output.json("result", Some("continuity"), &board)?;
    } else {
        for it in &found.unread {
            let text = texts::STORAGE_UNREAD.with("storage", it.storage.as_str());
            context.output.warn(text.with("why", it.why.as_str()));
        }
        context
            .output
            .result("continuity", &(), || told(plan, &rules, context.output.language()))?;
    }
    Ok(Ended { exit: if is_red { Exit::Problems } else { Exit::Done }, ..Ended::done() })
}

/// The legal frames that are built in.
///
/// # Errors
/// When they are not as they must be.
pub fn frames() -> Result<Frames, Failure> {
    Frames::read().map_err(|detail| {
        let message = texts::NO_FRAMES.with("detail", detail);
        Failure::new(Exit::Failed, message, texts::REPORT_FRAMES)
    })
}

/// Every rule with what the law says beside it.
#[must_use]
pub fn judged(plan: &Plan, frames: &Frames, facts: &Facts) -> Vec<(Judged, Answer)> {
    let levels = levels(plan);
    let answered = rule::judge(plan, facts, frames).into_iter().map(|it| {
        let answer = frames.answer(plan.org.legal_profile, it.rule, &levels);
        (it, answer)
    });
    answered.collect()
}

/// Security levels that services have.
fn levels(plan: &Plan) -> Vec<u8> {
    let levels = plan.services.values().filter_map(|it| u8::try_from(it.level).ok());
    levels.collect()
}

fn count(rules: &[(Judged, Answer)], colour: Option<Colour>) -> usize {
    rules.iter().filter(|(it, _)| it.colour() == colour).count()
}

/// A rule as programs read it, in English.
#[must_use]
pub fn line((it, answer): &(Judged, Answer)) -> RuleLine {
    let english = config::Language::En;
    RuleLine {
        rule: it.rule.name(),
        title: it.rule.title().of(english).to_owned(),
        colour: it.colour().map_or("not_judged", Colour::name),
        reasons: it.reasons.iter().map(|reason| reason.told_in(english)).collect(),
        clauses: answer.clauses.iter().map(clause_line).collect(),
        artefacts: answer.artefacts.iter().map(|it| it.en.clone()).collect(),
    }
}

fn board(plan: &Plan, rules: &[(Judged, Answer)]) -> Board {
    Board {
        org: plan.org.name.clone(),
        legal_profile: plan.org.legal_profile,
        plan_sha256: String::new(),
        red_count: count(rules, Some(Colour::Red)),
        amber_count: count(rules, Some(Colour::Amber)),
        green_count: count(rules, Some(Colour::Green)),
        not_judged_count: count(rules, None),
        storages_unread: Vec::new(),
        rules: rules.iter().map(line).collect(),
    }
}

fn clause_line(clause: &Clause) -> ClauseLine {
    let is_verified = clause.verified == Verified::Primary;
    ClauseLine { clause: clause.clause.clone(), is_verified }
}

/// The language of the rooms below.
#[must_use]
pub const fn below(language: Language) -> config::Language {
    match language {
        Language::En => config::Language::En,
        Language::Vi => config::Language::Vi,
    }
}

fn told(plan: &Plan, rules: &[(Judged, Answer)], language: Language) -> Said {
    let columns = [
        (texts::COLOUR.words(language), Align::Left),
        (texts::RULE.words(language), Align::Left),
        (texts::REASON.words(language), Align::Left),
    ];
    let rows: Vec<Vec<String>> =
        rules.iter().filter_map(|(it, answer)| row((it, answer), language)).collect();
    let open = rules.iter().filter(|(it, _)| it.colour().is_none());
    let open: Vec<String> = open.map(|(it, _)| name(it, language)).collect();
    texts::BOARD
        .with("org", plan.org.name.as_str())
        .with("profile", plan.org.legal_profile)
        .with("red", count(rules, Some(Colour::Red)))
        .with("amber", count(rules, Some(Colour::Amber)))
        .with("green", count(rules, Some(Colour::Green)))
        .with("open", open.len())
        .with("all", rules.len())
        .with("table", render(&columns, &rows))
        .with("list", open.join("\n"))
}

fn name(judged: &Judged, language: Language) -> String {
    format!("{} {}", judged.rule.name(), judged.rule.title().of(below(language)))
}

fn row((judged, answer): (&Judged, &Answer), language: Language) -> Option<Vec<String>> {
    let colour = match judged.colour()? {
        Colour::Red => texts::RED,
        Colour::Amber => texts::AMBER,
        Colour::Green => texts::GREEN,
    };
    let reasons = judged.reasons.iter().map(|reason| reason.told_in(below(language)));
    let mut lines: Vec<String> = reasons.collect();
    if !answer.clauses.is_empty() {
        let clauses: Vec<String> = answer.clauses.iter().map(|it| clause(it, language)).collect();
        let said = texts::CLAUSES.with("clauses", clauses.join("; "));
        lines.push(said.told_in(language));
    }
    if !answer.artefacts.is_empty() {
        let papers = answer.artefacts.iter().map(|it| it.of(below(language)).to_owned());
        let said = texts::ARTEFACTS.with("artefacts", papers.collect::<Vec<_>>().join("; "));
        lines.push(said.told_in(language));
    }
    Some(vec![colour.words(language).to_owned(), name(judged, language), lines.join("\n")])
}

fn clause(clause: &Clause, language: Language) -> String {
    match clause.verified {
        Verified::Primary => clause.clause.clone(),
        Verified::Paraphrase => {
            texts::TO_VERIFY.with("clause", clause.clause.as_str()).said().told_in(language)
        }
    }
}
