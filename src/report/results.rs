//! Results by dataset: the table of the body, or its count; findings.

use crate::drill::record::Capsule;
use crate::drill::record::Item;
use crate::drill::verdict::Outcome;
use crate::drill::verdict::Verdict;
use crate::report::Language;
use crate::report::checks;
use crate::report::minutes::Desk;
use crate::report::model::Block;
use crate::report::model::Cell;
use crate::report::model::Column;
use crate::report::model::Table;
use crate::report::value;
use crate::report::words;

/// Findings of more datasets than these are counted in the body; the first annex has each.
const FINDINGS_MAX: usize = 3;
/// More datasets than these are counted in the body and listed in the first annex.
const ROWS_MAX: usize = 6;
/// More names of what was not carried out stand in the annex only.
const NAMED_MAX: usize = 3;

impl Desk<'_> {
    pub(in crate::report) fn results(&self, blocks: &mut Vec<Block>) {
        let (language, tally) = (self.language, &self.tally);
        let open = checks::not_carried_out(self.record, language);
        let names = match open.len() {
            0 => String::new(),
            1..=NAMED_MAX => format!(" ({})", open.join("; ")),
            _ => words::NAMED_IN_ANNEX.of(language).to_owned(),
        };
        let numbers = [
            tally.all(),
            tally.passed,
            tally.failed,
            tally.not_carried_out(),
            tally.not_applicable,
        ];
        let [all, passed, failed, skipped, other] =
            numbers.map(|number| value::count(number, language));
        let values = [&all, &passed, &failed, &skipped, &names, &other].map(String::as_str);
        blocks.push(Block::text(words::RESULTS.with(language, &values)));
        if self.is_long() {
            blocks.push(Block::text(self.counted()));
        } else if !self.record.items.is_empty() {
            blocks.push(Block::Table(self.table()));
        }
        let told = |claim: &str| (self.input.told)(claim);
        let mut claims: Vec<String> =
            self.record.items.iter().filter_map(|it| it.claim.as_deref().map(told)).collect();
        claims.dedup();
        if !claims.is_empty() {
            blocks.push(Block::text(format!("{}.", claims.join("; "))));
        }
    }

    /// Findings of the record, then what the items say by themselves.
    pub(in crate::report) fn found(&self) -> Vec<String> {
        let (language, record) = (self.language, self.record);
        let mut found: Vec<String> = Vec::new();
        let is_bad = |it: &&crate::drill::record::Check| {
            it.mandatory && !matches!(it.result, Outcome::Pass | Outcome::NotApplicable)
        };
        let before: Vec<String> = record
            .preflight
            .iter()
            .filter(is_bad)
            .map(|it| checks::name(&it.id, language).to_lowercase())
            .collect();
        if !before.is_empty() {
            let head = words::FINDING_BEFORE.of(language);
            found.push(format!("{head}: {}", before.join(", ")));
        }
        let mut by_item: Vec<(&str, Vec<String>)> = Vec::new();
        for item in &record.items {
            let mut own: Vec<String> =
                item.failures.iter().map(|code| checks::failure(*code, language)).collect();
            if item.attack_signs {
                own.insert(0, words::FINDING_ATTACK.of(language).to_owned());
            }
            if own.is_empty() && item.verdict == Verdict::Conditional {
                own = self.conditions(item);
            }
            if !own.is_empty() {
                by_item.push((&item.dataset, own));
            }
        }
        if by_item.len() > FINDINGS_MAX {
            found.extend(self.counted_findings(&by_item));
        } else {
            let told =
                |(dataset, own): &(&str, Vec<String>)| format!("{dataset}: {}", own.join(", "));
            found.extend(by_item.iter().map(told));
        }
        found.extend(record.findings.iter().cloned());
        found
    }

    /// How many datasets have each finding, in the order in which findings first come.
    fn counted_findings(&self, by_item: &[(&str, Vec<String>)]) -> Vec<String> {
        let language = self.language;
        let mut counts: Vec<(&str, u64)> = Vec::new();
        for finding in by_item.iter().flat_map(|(_, own)| own) {
            match counts.iter_mut().find(|(known, _)| known == finding) {
                Some((_, count)) => *count += 1,
                None => counts.push((finding, 1)),
            }
        }
        let all = value::count(self.record.items.len() as u64, language);
        let told = |(finding, number): (&str, u64)| {
            let number = value::count(number, language);
            words::FINDING_COUNT.with(language, &[finding, &number, &all])
        };
        counts.into_iter().map(told).collect()
    }

    /// Why an item is proven with conditions only.
    pub(in crate::report) fn conditions(&self, item: &Item) -> Vec<String> {
        let language = self.language;
        let mut why: Vec<String> = Vec::new();
        if item.capsule == Capsule::Absent {
            why.push(words::FINDING_CAPSULE.of(language).to_owned());
        }
        let minor = item
            .checks
            .iter()
            .filter(|it| !it.mandatory && matches!(it.result, Outcome::Fail | Outcome::Timeout));
        why.extend(minor.map(|it| checks::name(&it.id, language)));
        if why.is_empty() {
            why.push(words::FINDING_CONDITION.of(language).to_owned());
        }
        why
    }

    /// Whether the table of results stands in the first annex.
    pub(in crate::report) fn is_long(&self) -> bool {
        self.record.items.len() > ROWS_MAX
    }

    /// How many datasets have which verdict.
    fn counted(&self) -> String {
        let (language, items) = (self.language, &self.record.items);
        let verdicts = [Verdict::Pass, Verdict::Conditional, Verdict::Fail, Verdict::Inconclusive];
        let told = verdicts.map(|verdict| {
            let own = items.iter().filter(|item| item.verdict == verdict).count();
            format!("{} {own}/{}", checks::verdict(verdict).of(language), items.len())
        });
        words::RESULTS_IN_ANNEX.with(language, &[&told.join(", ")])
    }

    /// The table of results.
    pub(in crate::report) fn table(&self) -> Table {
        let language = self.language;
        let head = |words: words::Words| words.of(language);
        Table {
            columns: vec![
                Column::left(head(words::COLUMN_SERVICE), 170),
                Column::centre(head(words::COLUMN_COPY), 130),
                Column::centre(head(words::COLUMN_RTO), 195),
                Column::centre(head(words::COLUMN_RPO), 195),
                Column::centre(head(words::COLUMN_PROOF), 130),
                Column::centre(head(words::COLUMN_VERDICT), 180),
            ],
            rows: self.record.items.iter().map(|item| self.row(item)).collect(),
        }
    }

    fn row(&self, item: &Item) -> Vec<Cell> {
        let language = self.language;
        let measures = &item.measures;
        let pair = |target: Option<u64>, found: Option<u64>, absent: words::Words| {
            let told = |value: Option<u64>, absent: words::Words| match value {
                Some(seconds) => value::duration(seconds, language),
                None => absent.of(language).to_owned(),
            };
            format!("{} / {}", told(target, words::NO_TARGET), told(found, absent))
        };
        let loss = if item.snapshot.is_empty() { words::ABSENT_COPY } else { words::UNKNOWN };
        let copy = match item.snapshot.is_empty() {
            true => words::ABSENT_COPY.of(language).to_owned(),
            false => value::date(&item.taken_at, language),
        };
        let proof = item
            .proof_level
            .map_or_else(|| words::UNPROVEN.of(language).to_owned(), |level| format!("{level:?}"));
        vec![
            Cell::plain(called(item, language)),
            Cell::plain(copy),
            Cell::plain(pair(measures.rto_target_s, measures.rto_tech_s, words::NOT_REACHED)),
            Cell::plain(pair(measures.rpo_target_s, measures.rpo_s, loss)),
            Cell::plain(proof),
            Cell::strong(checks::verdict(item.verdict).of(language)),
        ]
    }
}

/// A service with its dataset, or the dataset alone.
pub(in crate::report) fn called(item: &Item, language: Language) -> String {
    match &item.service {
        Some(service) if *service != item.dataset => {
            words::ITEM.with(language, &[service, &item.dataset])
        }
        _ => item.dataset.clone(),
    }
}
