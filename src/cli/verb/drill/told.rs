//! A drill in words.

use serde::Serialize;

use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::drill as texts;
use crate::cli::language::text::Text;
use crate::cli::language::value::Value;
use crate::cli::verb::drill::keep::Open;
use crate::drill::follow::Followed;
use crate::drill::follow::SearchEnd;
use crate::drill::follow::Sought;
use crate::drill::plan::Plan;
use crate::drill::record::About;
use crate::drill::record::Check;
use crate::drill::record::Environment;
use crate::drill::record::Item;
use crate::drill::record::Privacy;
use crate::drill::record::Record;
use crate::drill::record::SCHEMA;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::drill::verdict::Verdict;
use crate::units::Bytes;

/// What a drill would do, as JSON.
#[derive(Serialize)]
pub struct Planned<'a> {
    code: &'a str,
    sandbox: String,
    datasets: Vec<&'a str>,
    snapshots: Vec<&'a str>,
    absent: &'a [String],
    content_bytes: u64,
}

impl<'a> Planned<'a> {
    #[must_use]
    pub fn of(plan: &'a Plan) -> Self {
        Self {
            code: &plan.code,
            sandbox: plan.room.path.display().to_string(),
            datasets: plan.items.iter().map(|item| item.dataset.as_str()).collect(),
            snapshots: plan.items.iter().map(|item| item.snapshot.id.as_str()).collect(),
            absent: &plan.absent,
            content_bytes: bytes(plan),
        }
    }
}

fn bytes(plan: &Plan) -> u64 {
    plan.items.iter().map(|item| item.snapshot.content_bytes).sum()
}

/// The same for people.
#[must_use]
pub fn planned(plan: &Plan, language: Language) -> String {
    let path = crate::path::escape(plan.room.path.as_os_str().as_encoded_bytes());
    let head = texts::WOULD.with("count", plan.items.len() as u64);
    let mut lines = vec![head.with("bytes", Bytes(bytes(plan))).with("path", path)];
    for item in &plan.items {
        let said = texts::WOULD_ITEM.with("name", item.dataset.as_str());
        let said = said.with("id", item.snapshot.id.get(..8).unwrap_or_default());
        lines.push(said.with("taken", item.snapshot.time));
    }
    lines.extend(plan.absent.iter().map(|name| texts::WOULD_MISS.with("name", name.as_str())));
    let lines: Vec<String> = lines.iter().map(|line| line.told_in(language)).collect();
    lines.join("\n")
}

/// The words of a verdict.
#[must_use]
pub const fn verdict(verdict: Verdict) -> Text {
    match verdict {
        Verdict::Pass => texts::PASS,
        Verdict::Conditional => texts::CONDITIONAL,
        Verdict::Fail => texts::FAIL,
        Verdict::Inconclusive => texts::INCONCLUSIVE,
    }
}

const fn outcome(outcome: Outcome) -> Text {
    match outcome {
        Outcome::Pass => texts::CHECK_PASS,
        Outcome::Fail => texts::CHECK_FAIL,
        Outcome::Skip => texts::CHECK_SKIP,
        Outcome::Timeout => texts::CHECK_TIMEOUT,
        Outcome::NotApplicable => texts::CHECK_NA,
    }
}

/// Checks that were not carried out.
#[must_use]
pub fn skipped(record: &Record) -> u64 {
    let all = record.preflight.iter().chain(record.items.iter().flat_map(|item| &item.checks));
    all.filter(|check| matches!(check.result, Outcome::Skip | Outcome::Timeout)).count() as u64
}

/// A record for people; where it lies and the ledger's code, if they are to be told.
#[must_use]
pub fn record(record: &Record, (path, code): (&str, &str), language: Language) -> String {
    let head = texts::HEAD.with("code", record.drill.code.as_str());
    let mut lines = vec![head.with("verdict", verdict(record.verdict))];
    lines.extend(record.preflight.iter().filter_map(bad));
    for item in &record.items {
        self::item(item, &mut lines);
    }
    if !path.is_empty() {
        lines.push(texts::RECORD.with("path", path));
    }
    if !code.is_empty() {
        lines.push(texts::CODE.with("code", code));
    }
    let lines: Vec<String> = lines.iter().map(|line| line.told_in(language)).collect();
    lines.join("\n")
}

/// `26 h 00 min`, `5 min`, `40 s`.
fn time(s: u64) -> Said {
    let (hours, minutes) = (s / 3600, s / 60 % 60);
    match (hours, minutes) {
        (0, 0) => texts::SECONDS.with("n", s),
        (0, _) => texts::MINUTES.with("n", minutes),
        _ => texts::HOURS.with("n", hours).with("minutes", format!("{minutes:02}")),
    }
}

fn item(item: &Item, lines: &mut Vec<Said>) {
    let head = texts::ITEM.with("name", item.dataset.as_str());
    lines.push(head.with("verdict", verdict(item.verdict)));
    if !item.snapshot.is_empty() {
        let said = texts::SNAPSHOT.with("id", item.snapshot.get(..8).unwrap_or_default());
        let said = said.with("taken", item.taken_at.as_str());
        lines.push(said.with("storage", item.target.as_str()));
    }
    let seconds = |value: Option<u64>, absent: Text| match value {
        Some(s) => Value::from(time(s)),
        None => Value::from(Said::from(absent)),
    };
    let measures = &item.measures;
    let rto = texts::RTO.with("found", seconds(measures.rto_tech_s, texts::NOT_REACHED));
    lines.push(rto.with("target", seconds(measures.rto_target_s, texts::NO_TARGET)));
    let rpo = texts::RPO.with("found", seconds(measures.rpo_s, texts::NONE));
    lines.push(rpo.with("target", seconds(measures.rpo_target_s, texts::NO_TARGET)));
    let proof = match item.proof_level {
        Some(level) => Value::from(format!("{level:?}")),
        None => Value::from(Said::from(texts::NONE)),
    };
    let proof = texts::PROOF.with("found", proof);
    lines.push(proof.with("needed", format!("{:?}", item.min_proof)));
    lines.extend(item.claim.as_deref().map(|it| texts::CLAIM.with("claim", Said::heard(it))));
    let count = |results: &[Outcome]| {
        item.checks.iter().filter(|check| results.contains(&check.result)).count() as u64
    };
    let checks = texts::CHECKS.with("passed", count(&[Outcome::Pass]));
    let checks = checks.with("failed", count(&[Outcome::Fail]));
    lines.push(checks.with("skipped", count(&[Outcome::Skip, Outcome::Timeout])));
    lines.extend(item.checks.iter().filter_map(bad));
    if item.attack_signs {
        lines.push(texts::ATTACK.into());
    }
}

/// What was done after a drill, for people.
#[must_use]
pub fn followed(followed: &[Followed], language: Language) -> Vec<String> {
    let mut lines = Vec::new();
    for followed in followed {
        let codes: Vec<String> = followed.failures.iter().map(|it| format!("{it:?}")).collect();
        let head = texts::AFTER.with("name", followed.dataset.as_str());
        lines.push(head.with("codes", codes.join(", ")));
        lines.extend(followed.search.as_ref().map(sought));
        let good = followed.search.as_ref().and_then(|search| search.newest_good.as_ref());
        let others = followed.pinned.iter().filter(|id| Some(*id) != good);
        let others: Vec<&str> = others.map(|id| short(id)).collect();
        if !others.is_empty() {
            lines.push(texts::KEPT.with("ids", others.join(", ")));
        }
        if followed.frozen {
            lines.push(texts::FROZEN.with("id", short(&followed.snapshot)));
        }
        let action = texts::ACTION.with("id", followed.id.as_str());
        let action = action.with("name", followed.dataset.as_str());
        lines.push(action.with("due", followed.due.as_str()));
    }
    lines.iter().map(|line| line.told_in(language)).collect()
}

/// What `snapshots` and `tag` take.
#[must_use]
pub fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn sought(search: &Sought) -> Said {
    let count = search.tried.len() as u64;
    match (&search.newest_good, search.ended) {
        (Some(good), _) => {
            let said = texts::GOOD.with("id", short(good));
            said.with("taken", search.taken_at.as_deref().unwrap_or_default())
        }
        (None, SearchEnd::NoneGood | SearchEnd::Found) => texts::NO_GOOD.with("count", count),
        (None, _) => texts::SEARCH_ENDED.with("count", count),
    }
}

/// A line for each check that did not pass.
#[must_use]
pub fn findings(record: &Record) -> Vec<Said> {
    let all = record.preflight.iter().chain(record.items.iter().flat_map(|item| &item.checks));
    all.filter_map(bad).collect()
}

/// A line for what did not pass.
fn bad(check: &Check) -> Option<Said> {
    let is_good = matches!(check.result, Outcome::Pass | Outcome::NotApplicable);
    if is_good || (!check.mandatory && check.result == Outcome::Skip) {
        return None;
    }
    let result = outcome(check.result);
    match (&check.expected, &check.actual) {
        (Some(expected), Some(found)) => {
            let said = texts::BAD_CHECK.with("result", result).with("id", check.id.as_str());
            Some(said.with("expected", expected.as_str()).with("found", found.as_str()))
        }
        _ => {
            let said = texts::WHY.with("result", result).with("id", check.id.as_str());
            Some(said.with("detail", Said::heard(check.detail.as_deref().unwrap_or_default())))
        }
    }
}

/// The record of a drill whose process ended before it had one: no conclusion.
#[must_use]
pub fn broken(open: &Open, host: &str) -> Record {
    let check = Check {
        id: "PF.process".to_owned(),
        level: Level::L0,
        mandatory: true,
        result: Outcome::Skip,
        code: Some(FailureCode::F8),
        expected: None,
        actual: None,
        detail: Some("the drill's process ended before it was over".to_owned()),
        ms: 0,
    };
    Record {
        schema: SCHEMA.to_owned(),
        kind: "drill".to_owned(),
        record_id: open.mark.record_id.clone(),
        legal_profile: None,
        org: None,
        drill: About {
            code: open.code.clone(),
            class: open.class.clone(),
            title: open.code.clone(),
            period: String::new(),
            plan_ref: None,
            announced: true,
            objectives: Vec::new(),
            scenario: None,
            location: None,
            started_at: open.started_at.clone(),
            ended_at: open.started_at.clone(),
        },
        people: None,
        selection: None,
        recovery: None,
        env: Environment { host: host.to_owned(), ..Environment::default() },
        preflight: vec![check],
        items: Vec::new(),
        coverage: None,
        privacy: Privacy::default(),
        findings: open.datasets.clone(),
        actions: Vec::new(),
        verdict: Verdict::Inconclusive,
    }
}
