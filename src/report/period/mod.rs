//! A monthly or yearly report (Báo cáo, Mẫu 1.4 of Nghị định 30/2020/NĐ-CP).

mod annex;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::continuity::legal::Clause;
use crate::continuity::rule::Colour;
use crate::continuity::summary::Held;
use crate::continuity::summary::Proof;
use crate::continuity::summary::Summary;
use crate::continuity::summary::Verdict;
use crate::document::font::FACE;
use crate::drill::record::Org;
use crate::report::Language;
use crate::report::ReportError;
use crate::report::legal;
use crate::report::model::Block;
use crate::report::model::Cell;
use crate::report::model::Column;
use crate::report::model::Document;
use crate::report::model::Head;
use crate::report::model::Signature;
use crate::report::model::Signatures;
use crate::report::model::Span;
use crate::report::model::Table;
use crate::report::value;
use crate::report::value::DOTS;
use crate::report::words;
use crate::report::words::Words;
use crate::report::words::period as texts;

/// Rules that speak of copies and of what follows them elsewhere.
const COPIES: [&str; 2] = ["R03", "R04"];
/// Dots where a whole name is missing.
const NAME_DOTS: &str = "\u{2026}\u{2026}\u{2026}\u{2026}\u{2026}\u{2026}\u{2026}\u{2026}\u{2026}";
const YEAR_CHARS: usize = 4;

/// A rule as it was judged, in the document's language.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `R01`.
    pub name: String,
    pub title: String,
    /// None: not judged.
    pub colour: Option<Colour>,
    pub reasons: Vec<String>,
    pub clauses: Vec<Clause>,
}

/// What a report is made of.
pub struct Input<'a> {
    pub summary: &'a Summary,
    pub rules: &'a [Rule],
    pub org: &'a Org,
    /// Id of the legal frame; none: no act is cited.
    pub legal_profile: Option<&'a str>,
    /// Title and name of who signs.
    pub signer: Option<(&'a str, &'a str)>,
    /// When it was made: RFC 3339 with the office's offset.
    pub made_at: &'a str,
    /// Storages that were not seen.
    pub unread: &'a [String],
    /// SHA-256 of the data's file and of the plan's, in hex.
    pub data_hash: &'a str,
    pub plan_hash: &'a str,
    /// Codes of the ledgers, each with the name of its storage.
    pub codes: &'a [(String, String)],
    /// Name and title of somebody by an id of the plan.
    pub named: &'a dyn Fn(&str) -> Option<String>,
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("period", &self.summary.period).finish_non_exhaustive()
    }
}

/// Everything that the report says.
///
/// # Errors
/// When there is no legal frame of that id.
pub fn compose(input: &Input<'_>, language: Language) -> Result<Document, ReportError> {
    let desk = Desk { input, summary: input.summary, language };
    let mut blocks = vec![desk.opening()?, desk.scope(), desk.backups(), desk.drills()];
    blocks.push(desk.restores());
    blocks.push(desk.actions());
    blocks.push(desk.requirements());
    blocks.push(desk.advice());
    blocks.push(Block::text(texts::ATTACHED.of(language).to_owned()));
    let period = desk.period();
    let code = input.codes.first().map(|(_, code)| code.as_str());
    let called = texts::FILE_TITLE.with(language, &[&period]);
    Ok(Document {
        language,
        title: called,
        made: value::timestamp(input.made_at),
        head: desk.head(),
        blocks,
        signatures: desk.signature(),
        recipients: (
            words::RECIPIENTS.of(language).to_owned(),
            vec![
                words::RECIPIENT.with(language, &[NAME_DOTS]),
                words::FILED.of(language).to_owned(),
            ],
        ),
        annexes: annex::all(&desk),
        footer: texts::FOOTER.with(language, &[&input.summary.period, code.unwrap_or(NAME_DOTS)]),
        face: words::FACE.with(language, &[FACE]),
        footer_code: code.map(|code| format!("{} {code}", input.summary.period)),
    })
}

/// What the parts of a report are made of.
struct Desk<'a> {
    input: &'a Input<'a>,
    summary: &'a Summary,
    language: Language,
}

fn or_dots(text: &str) -> &str {
    if text.trim().is_empty() { DOTS } else { text }
}

/// How a clause stands by the rules that answer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Met,
    NotMet,
    NotJudged,
}

impl Desk<'_> {
    fn count(&self, number: usize) -> String {
        value::count(number as u64, self.language)
    }

    /// Names one after another, or that there are none.
    fn listed(&self, names: &[String]) -> String {
        match names.is_empty() {
            true => texts::NONE.of(self.language).to_owned(),
            false => names.join(", "),
        }
    }

    fn period(&self) -> String {
        let period = &self.summary.period;
        match period.len() {
            YEAR_CHARS => texts::YEAR.with(self.language, &[period]),
            _ => value::period(period, self.language),
        }
    }

    fn date(&self, day: &str) -> String {
        value::date(&format!("{day}T00:00:00+07:00"), self.language)
    }

    fn head(&self) -> Head {
        let (language, org) = (self.language, self.input.org);
        let name = |text: &str| match text.trim() {
            "" => NAME_DOTS.to_owned(),
            text => text.to_uppercase(),
        };
        Head {
            superior: name(&org.parent),
            office: name(&org.name),
            number: texts::NUMBER.with(language, &[DOTS, or_dots(&org.abbr)]),
            nation: words::NATION.of(language).to_owned(),
            motto: words::MOTTO.of(language).to_owned(),
            dated: Some(texts::DATED.with(language, &[or_dots(&org.place)])),
            kind: texts::KIND.of(language).to_owned(),
            subject: texts::SUBJECT.with(language, &[&self.period()]),
            address: Some(texts::ADDRESS.with(language, &[NAME_DOTS])),
        }
    }

    fn opening(&self) -> Result<Block, ReportError> {
        let (language, summary) = (self.language, self.summary);
        let rules = match self.input.legal_profile {
            Some(id) => {
                let frame = legal::frame(id, language)?;
                words::RULES.with(language, &[&frame.rules])
            }
            None => words::RULES_UNKNOWN.with(language, &[DOTS]),
        };
        let (from, until) = (self.date(&summary.from), self.date(&summary.until));
        let made = value::stamp(self.input.made_at, language);
        let values = [&rules, or_dots(&self.input.org.name), &self.period(), &from, &until, &made];
        let mut text = texts::OPENING.with(language, &values);
        if !summary.is_over {
            text.push_str(texts::NOT_OVER.of(language));
        }
        Ok(Block::text(text))
    }

    fn part(&self, head: Words, text: String) -> Block {
        Block::Paragraph(vec![Span::strong(head.of(self.language)), Span::plain(text)])
    }

    fn scope(&self) -> Block {
        let (language, scope) = (self.language, &self.summary.scope);
        let counts = [scope.services_count, scope.datasets_count, scope.protected_count];
        let counts = counts.map(|count| self.count(count));
        let mut text = texts::SCOPE.with(language, &counts.each_ref().map(String::as_str));
        if !scope.without_copy.is_empty() {
            text.push_str(&texts::WITHOUT.with(language, &[&scope.without_copy.join(", ")]));
        }
        let named = |id: &String| (self.input.named)(id).unwrap_or_else(|| id.clone());
        let told = scope.unprotected.iter().map(|it| {
            let by = it.approved_by.as_ref().map_or_else(|| DOTS.to_owned(), named);
            let on = it.approved_on.as_ref().map_or_else(|| DOTS.to_owned(), |on| self.date(on));
            texts::UNPROTECTED_ONE.with(language, &[&it.id, &it.reason, &by, &on])
        });
        let told: Vec<String> = told.collect();
        if !told.is_empty() {
            text.push_str(&texts::UNPROTECTED.with(language, &[&told.join("; ")]));
        }
        if !self.input.unread.is_empty() {
            text.push_str(&texts::UNREAD.with(language, &[&self.input.unread.join(", ")]));
        }
        self.part(texts::SCOPE_HEAD, text)
    }

    fn backups(&self) -> Block {
        let (language, all) = (self.language, &self.summary.backups);
        let sum = |of: fn(&crate::continuity::summary::Backups) -> u64| -> u64 {
            all.iter().map(of).sum()
        };
        let kinds = [
            sum(|it| it.done_count),
            sum(|it| it.problems_count),
            sum(|it| it.failed_count),
            sum(|it| it.broken_count),
        ];
        let runs: u64 = kinds.iter().sum();
        let missed: Option<u64> = all.iter().map(|it| it.missed_count).sum();
        let missed = missed.map_or_else(|| DOTS.to_owned(), |it| value::count(it, language));
        let longest = all.iter().max_by_key(|it| it.longest_gap_s);
        let mut text = match longest.filter(|_| runs > 0) {
            Some(longest) => {
                let gap = value::duration(longest.longest_gap_s, language);
                let [done, problems, failed, broken] = kinds.map(|it| value::count(it, language));
                let runs = value::count(runs, language);
                let values = [&runs, &done, &problems, &failed, &broken, &missed, &gap];
                let mut values = values.map(String::as_str).to_vec();
                values.push(&longest.dataset);
                texts::BACKUPS.with(language, &values)
            }
            None => texts::NO_RUNS.of(language).to_owned(),
        };
        for rule in self.input.rules.iter().filter(|it| COPIES.contains(&it.name.as_str())) {
            let why = rule.reasons.first().filter(|_| rule.colour != Some(Colour::Green));
            let why = why.map_or_else(String::new, |why| format!(" ({why})"));
            let colour = self.colour(rule.colour);
            let title = format!("{} {}", rule.name, rule.title);
            text.push_str(&texts::RULE.with(language, &[&title, &colour, &why]));
        }
        self.part(texts::BACKUP_HEAD, text)
    }

    fn colour(&self, colour: Option<Colour>) -> String {
        let words = match colour {
            Some(Colour::Red) => texts::RED,
            Some(Colour::Amber) => texts::AMBER,
            Some(Colour::Green) => texts::GREEN,
            None => texts::NOT_JUDGED,
        };
        words.of(self.language).to_owned()
    }

    fn drills(&self) -> Block {
        let (language, drills) = (self.language, &self.summary.drills);
        let of = |verdict| drills.held.iter().filter(|it| it.verdict == verdict).count();
        let mut text = match drills.held.is_empty() {
            true => texts::NO_DRILLS.of(language).to_owned(),
            false => {
                let counts = [
                    drills.held.len(),
                    of(Verdict::Pass),
                    of(Verdict::Conditional),
                    of(Verdict::Fail),
                    of(Verdict::Inconclusive),
                    drills.unannounced_count,
                    drills.by_substitute_count,
                ];
                let counts = counts.map(|count| self.count(count));
                texts::DRILLS.with(language, &counts.each_ref().map(String::as_str))
            }
        };
        if drills.leader_unknown_count > 0 {
            let count = self.count(drills.leader_unknown_count);
            text.push_str(&texts::LEADER_UNKNOWN.with(language, &[&count]));
        }
        let counts = [drills.covered_count, drills.proofs.len()].map(|count| self.count(count));
        let counts = counts.each_ref().map(String::as_str);
        text.push_str(&texts::COVERED.with(language, &counts));
        text.push_str(&self.targets());
        let never = drills.proofs.iter().filter(|it| it.age_days.is_none());
        let never: Vec<&str> = never.map(|it| it.dataset.as_str()).collect();
        if !never.is_empty() {
            text.push_str(&texts::NEVER.with(language, &[&never.join(", ")]));
        }
        if let Some(fleet) = &drills.fleet {
            let [half, most] = [fleet.all.p50_s, fleet.all.p90_s];
            let [half, most] = [half, most].map(|time| value::duration(time, language));
            let basis = self.count(fleet.basis_count);
            text.push_str(&texts::FLEET.with(language, &[&half, &most, &basis]));
        }
        self.part(texts::DRILL_HEAD, text)
    }

    /// In how many datasets the last drill stayed within its targets.
    fn targets(&self) -> String {
        let proofs = &self.summary.drills.proofs;
        let last = || proofs.iter().filter_map(|it| it.last.as_ref());
        let is_within = |found: Option<u64>, target: Option<u64>| {
            found.zip(target).is_some_and(|(found, target)| found <= target)
        };
        let counts = [
            last().filter(|it| is_within(it.rto_s, it.rto_target_s)).count(),
            last().filter(|it| is_within(it.rpo_s, it.rpo_target_s)).count(),
            proofs.len(),
        ];
        let counts = counts.map(|count| self.count(count));
        texts::TARGETS.with(self.language, &counts.each_ref().map(String::as_str))
    }

    fn proof_table(&self) -> Table {
        let language = self.language;
        let columns = vec![
            Column::left(words::COLUMN_SERVICE.of(language), 270),
            Column::centre(texts::COLUMN_LAST.of(language), 170),
            Column::centre(words::COLUMN_RTO.of(language), 185),
            Column::centre(words::COLUMN_RPO.of(language), 185),
            Column::centre(words::COLUMN_VERDICT.of(language), 190),
        ];
        let rows = self.summary.drills.proofs.iter().map(|proof| self.proof_row(proof));
        Table { columns, rows: rows.collect() }
    }

    fn proof_row(&self, proof: &Proof) -> Vec<Cell> {
        let language = self.language;
        let called = match &proof.service {
            Some(service) => words::ITEM.with(language, &[service, &proof.dataset]),
            None => proof.dataset.clone(),
        };
        let last = match (&proof.proven_on, proof.age_days) {
            (Some(on), Some(days)) => {
                texts::DAYS.with(language, &[&self.date(on), &value::count(days, language)])
            }
            _ => texts::NEVER_CELL.of(language).to_owned(),
        };
        let time = |seconds: Option<u64>, without: Words| match seconds {
            Some(seconds) => value::duration(seconds, language),
            None => without.of(language).to_owned(),
        };
        let both = |target, found| {
            let target = time(target, words::NO_TARGET);
            format!("{target} / {}", time(found, words::UNKNOWN))
        };
        let (rto, rpo, verdict) = match &proof.last {
            Some(it) => (
                both(it.rto_target_s, it.rto_s),
                both(it.rpo_target_s, it.rpo_s),
                self.verdict(it.verdict),
            ),
            None => (DOTS.to_owned(), DOTS.to_owned(), words::UNPROVEN.of(language).to_owned()),
        };
        vec![
            Cell::plain(called),
            Cell::plain(last),
            Cell::plain(rto),
            Cell::plain(rpo),
            Cell::strong(verdict),
        ]
    }

    fn verdict(&self, verdict: Verdict) -> String {
        let words = match verdict {
            Verdict::Pass => words::PASS,
            Verdict::Conditional => words::CONDITIONAL,
            Verdict::Fail => words::FAIL,
            Verdict::Inconclusive => words::INCONCLUSIVE,
        };
        words.of(self.language).to_owned()
    }

    fn restores(&self) -> Block {
        let (language, all) = (self.language, &self.summary.restores);
        let head = Span::strong(texts::RESTORE_HEAD.of(language));
        if all.is_empty() {
            let none = Span::plain(texts::NO_RESTORES.of(language));
            return Block::Paragraph(vec![head, none, Span::Blank]);
        }
        let told = |held: &Held| words::ITEM.with(language, &[&held.code, &held.ended_at]);
        let told: Vec<String> = all.iter().map(told).collect();
        let (count, told) = (self.count(all.len()), told.join("; "));
        let text = texts::RESTORES.with(language, &[&count, &told]);
        Block::Paragraph(vec![head, Span::plain(text)])
    }

    fn actions(&self) -> Block {
        let actions = &self.summary.actions;
        let values = [
            self.count(actions.opened_count),
            self.count(actions.closed_count),
            self.listed(&actions.open),
            self.listed(&actions.overdue),
        ];
        let text = texts::ACTIONS.with(self.language, &values.each_ref().map(String::as_str));
        self.part(texts::ACTION_HEAD, text)
    }

    /// Clauses in the order of the rules that answer them first, with all of these.
    fn clauses(&self) -> Vec<(&Clause, Vec<&Rule>)> {
        let mut order: Vec<&Clause> = Vec::new();
        let mut rules: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
        for rule in self.input.rules {
            for clause in &rule.clauses {
                if !order.iter().any(|known| known.clause == clause.clause) {
                    order.push(clause);
                }
                rules.entry(&clause.clause).or_default().push(rule);
            }
        }
        let own = |clause: &str| rules.get(clause).cloned().unwrap_or_default();
        order.into_iter().map(|clause| (clause, own(&clause.clause))).collect()
    }

    fn requirements(&self) -> Block {
        let clauses = self.clauses();
        let of = |meant| clauses.iter().filter(|(_, it)| standing(it) == meant).count();
        let rules = |colour| self.input.rules.iter().filter(|it| it.colour == colour).count();
        let counts = [
            clauses.len(),
            of(Standing::Met),
            of(Standing::NotMet),
            of(Standing::NotJudged),
            rules(Some(Colour::Green)),
            rules(Some(Colour::Amber)),
            rules(Some(Colour::Red)),
            rules(None),
        ];
        let counts = counts.map(|count| self.count(count));
        let values = counts.each_ref().map(String::as_str);
        self.part(texts::REQUIREMENT_HEAD, texts::REQUIREMENTS.with(self.language, &values))
    }

    fn advice(&self) -> Block {
        let language = self.language;
        let red = self.input.rules.iter().filter(|it| it.colour == Some(Colour::Red));
        let red: Vec<String> = red.map(|it| format!("{} {}", it.name, it.title)).collect();
        let mut spans = vec![Span::strong(texts::ADVICE_HEAD.of(language))];
        if !red.is_empty() {
            spans.push(Span::plain(texts::ADVICE.with(language, &[&red.join("; ")])));
        }
        spans.push(Span::Blank);
        Block::Paragraph(spans)
    }

    fn signature(&self) -> Signatures {
        let language = self.language;
        let (title, name) = match self.input.signer {
            Some((title, name)) => (title.to_uppercase(), name.to_owned()),
            None => (texts::SIGN_HEAD.of(language).to_owned(), String::new()),
        };
        let note = words::SIGNATURE_SEAL.of(language).to_owned();
        Signatures::One(Signature { role: title, note, name })
    }
}

/// Met is what every rule is green for.
fn standing(rules: &[&Rule]) -> Standing {
    let is_bad = |rule: &&&Rule| matches!(rule.colour, Some(Colour::Red | Colour::Amber));
    if rules.iter().any(|rule| is_bad(&rule)) {
        Standing::NotMet
    } else if rules.iter().any(|rule| rule.colour.is_none()) {
        Standing::NotJudged
    } else {
        Standing::Met
    }
}
