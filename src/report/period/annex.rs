//! Annexes of a report: by dataset, by drill, by rule, and what it rests on.

use crate::continuity::legal::Verified;
use crate::continuity::summary::Backups;
use crate::continuity::summary::Held;
use crate::continuity::summary::trend::Month;
use crate::continuity::summary::trend::Share;
use crate::report::legal;
use crate::report::model::Annex;
use crate::report::model::Block;
use crate::report::model::Cell;
use crate::report::model::Column;
use crate::report::model::Table;
use crate::report::period::Desk;
use crate::report::period::Rule;
use crate::report::period::Standing;
use crate::report::period::or_dots;
use crate::report::period::standing;
use crate::report::value;
use crate::report::value::DOTS;
use crate::report::words;
use crate::report::words::Words;
use crate::report::words::annex as shared;
use crate::report::words::period as texts;

const DASH: &str = "–";

/// All four.
pub(super) fn all(desk: &Desk<'_>) -> Vec<Annex> {
    vec![
        desk.annex("I", texts::ANNEX_BACKUPS, vec![desk.by_dataset()]),
        desk.annex("II", texts::ANNEX_DRILLS, desk.by_drill()),
        desk.annex("III", texts::ANNEX_RULES, desk.by_rule()),
        desk.annex("IV", texts::ANNEX_EVIDENCE, desk.evidence()),
    ]
}

impl Desk<'_> {
    fn annex(&self, number: &str, title: Words, blocks: Vec<Block>) -> Annex {
        let language = self.language;
        let abbr = or_dots(&self.input.org.abbr);
        Annex {
            number: words::ANNEX.with(language, &[number]),
            title: title.of(language).to_owned(),
            of: texts::ANNEX_OF.with(language, &[DOTS, abbr, &self.period()]),
            blocks,
        }
    }

    fn by_dataset(&self) -> Block {
        let language = self.language;
        let columns = vec![
            Column::left(shared::COLUMN_DATASET.of(language), 190),
            Column::centre(texts::COLUMN_PLANNED.of(language), 80),
            Column::centre(texts::COLUMN_DONE.of(language), 75),
            Column::centre(texts::COLUMN_PROBLEMS.of(language), 75),
            Column::centre(texts::COLUMN_FAILED.of(language), 95),
            Column::centre(texts::COLUMN_BROKEN.of(language), 75),
            Column::centre(texts::COLUMN_MISSED.of(language), 80),
            Column::centre(texts::COLUMN_GAP.of(language), 160),
            Column::centre(texts::COLUMN_GROWTH.of(language), 170),
        ];
        let rows = self.summary.backups.iter().map(|it| self.backup_row(it)).collect();
        Block::Table(Table { columns, rows })
    }

    fn backup_row(&self, backups: &Backups) -> Vec<Cell> {
        let language = self.language;
        let count = |count: u64| Cell::plain(value::count(count, language));
        let maybe = |found: Option<u64>| found.map_or_else(|| Cell::plain(DASH), count);
        let gap = value::duration(backups.longest_gap_s, language);
        let target = match backups.rpo_s {
            Some(rpo) => value::duration(rpo, language),
            None => words::NO_TARGET.of(language).to_owned(),
        };
        let gap = words::ITEM.with(language, &[&gap, &target]);
        let is_long = backups.rpo_s.is_some_and(|rpo| backups.longest_gap_s > rpo);
        let size = match (backups.first_bytes, backups.last_bytes) {
            (Some(first), Some(last)) => {
                format!("{} – {}", value::size(first, language), value::size(last, language))
            }
            _ => DASH.to_owned(),
        };
        vec![
            Cell::plain(backups.dataset.clone()),
            maybe(backups.planned_count),
            count(backups.done_count),
            count(backups.problems_count),
            count(backups.failed_count),
            count(backups.broken_count),
            maybe(backups.missed_count),
            if is_long { Cell::strong(gap) } else { Cell::plain(gap) },
            Cell::plain(size),
        ]
    }

    fn by_drill(&self) -> Vec<Block> {
        let language = self.language;
        let columns = vec![
            Column::left(texts::COLUMN_CODE.of(language), 190),
            Column::centre(texts::COLUMN_ENDED.of(language), 160),
            Column::left(texts::COLUMN_DATASETS.of(language), 320),
            Column::centre(texts::COLUMN_LED.of(language), 140),
            Column::centre(words::COLUMN_VERDICT.of(language), 190),
        ];
        let held = &self.summary.drills.held;
        let mut blocks = match held.is_empty() {
            true => vec![Block::text(texts::NO_DRILLS.of(language).to_owned())],
            false => {
                let rows = held.iter().map(|it| self.drill_row(it)).collect();
                vec![Block::Table(Table { columns, rows })]
            }
        };
        if !self.summary.drills.proofs.is_empty() {
            blocks.push(Block::Title(texts::COLUMN_LAST.of(language).to_owned()));
            blocks.push(Block::Table(self.proof_table()));
        }
        if !self.summary.drills.trend.is_empty() {
            blocks.push(Block::Title(texts::TREND.of(language).to_owned()));
            blocks.push(Block::Table(self.trend_table()));
            blocks.push(Block::text(texts::TREND_NOTE.of(language).to_owned()));
        }
        blocks
    }

    fn trend_table(&self) -> Table {
        let language = self.language;
        let columns = vec![
            Column::left(texts::COLUMN_MONTH.of(language), 120),
            Column::centre(texts::COLUMN_HELD.of(language), 130),
            Column::centre(texts::COLUMN_ITEMS.of(language), 130),
            Column::centre(texts::COLUMN_COVERED.of(language), 130),
            Column::centre(texts::COLUMN_WITHIN_RTO.of(language), 115),
            Column::centre(texts::COLUMN_WITHIN_RPO.of(language), 115),
            Column::centre(texts::COLUMN_SPEED.of(language), 130),
            Column::centre(texts::COLUMN_OLDEST.of(language), 130),
        ];
        let months = self.summary.drills.trend.iter();
        Table { columns, rows: months.map(|month| self.month_row(month)).collect() }
    }

    fn month_row(&self, month: &Month) -> Vec<Cell> {
        let language = self.language;
        let share = |share: Share| match share.of_count {
            0 => Cell::plain(DASH),
            _ => Cell::plain(format!("{}/{}", self.count(share.count), self.count(share.of_count))),
        };
        let speed = month.throughput_bps.map_or_else(
            || DASH.to_owned(),
            |bytes| shared::PER_SECOND.with(language, &[&value::size(bytes, language)]),
        );
        let oldest = month.oldest_proof_days.map_or_else(
            || texts::NEVER_CELL.of(language).to_owned(),
            |days| texts::OLDEST_DAYS.with(language, &[&value::count(days, language)]),
        );
        vec![
            Cell::plain(value::period(&month.month, language)),
            share(month.drills),
            share(month.items),
            share(month.covered),
            share(month.rto),
            share(month.rpo),
            Cell::plain(speed),
            Cell::plain(oldest),
        ]
    }

    fn drill_row(&self, held: &Held) -> Vec<Cell> {
        let language = self.language;
        let age = |stratum: &str| crate::report::checks::term(stratum, language);
        let items = held.items.iter().map(|it| {
            let from = format!("{}, {}", it.storage, age(&it.stratum));
            match it.storage.is_empty() {
                true => words::ITEM.with(language, &[&it.dataset, words::ABSENT_COPY.of(language)]),
                false => words::ITEM.with(language, &[&it.dataset, &from]),
            }
        });
        let led = match held.by_substitute {
            Some(true) => texts::BY_SUBSTITUTE,
            Some(false) => texts::BY_OPERATOR,
            None => texts::BY_UNKNOWN,
        };
        vec![
            Cell::plain(held.code.clone()),
            Cell::plain(value::stamp(&held.ended_at, language)),
            Cell::plain(items.collect::<Vec<_>>().join("\n")),
            Cell::plain(led.of(language)),
            Cell::strong(self.verdict(held.verdict)),
        ]
    }

    fn by_rule(&self) -> Vec<Block> {
        let language = self.language;
        let columns = vec![
            Column::left(texts::COLUMN_RULE.of(language), 330),
            Column::centre(texts::COLUMN_COLOUR.of(language), 110),
            Column::left(texts::COLUMN_WHY.of(language), 560),
        ];
        let row = |rule: &Rule| {
            vec![
                Cell::plain(format!("{} {}", rule.name, rule.title)),
                Cell::strong(self.colour(rule.colour)),
                Cell::plain(rule.reasons.join("\n")),
            ]
        };
        let rows = self.input.rules.iter().map(row).collect();
        let mut blocks = vec![Block::Table(Table { columns, rows })];
        let clauses = self.clauses();
        if clauses.is_empty() {
            return blocks;
        }
        blocks.push(Block::Title(texts::CLAUSES_TITLE.of(language).to_owned()));
        let acts = self.acts();
        if !acts.is_empty() {
            blocks.push(Block::text(format!("{}.", acts.join("; "))));
        }
        let columns = vec![
            Column::left(texts::COLUMN_CLAUSE.of(language), 560),
            Column::left(texts::COLUMN_RULES.of(language), 220),
            Column::centre(texts::COLUMN_STATUS.of(language), 220),
        ];
        let rows = clauses.iter().map(|(clause, rules)| {
            let cited = match clause.verified {
                Verified::Primary => clause.clause.clone(),
                Verified::Paraphrase => texts::TO_VERIFY.with(language, &[&clause.clause]),
            };
            let names: Vec<&str> = rules.iter().map(|it| it.name.as_str()).collect();
            let told = match standing(rules) {
                Standing::Met => texts::MET,
                Standing::NotMet => texts::NOT_MET,
                Standing::NotJudged => texts::NOT_JUDGED,
            };
            vec![Cell::plain(cited), Cell::plain(names.join(", ")), Cell::plain(told.of(language))]
        });
        blocks.push(Block::Table(Table { columns, rows: rows.collect() }));
        blocks
    }

    /// Acts of the legal frame; one that there is none of was refused before.
    fn acts(&self) -> Vec<String> {
        let frame = self.input.legal_profile.and_then(|id| legal::frame(id, self.language).ok());
        frame.map(|frame| frame.acts).unwrap_or_default()
    }

    fn evidence(&self) -> Vec<Block> {
        let language = self.language;
        let columns = vec![
            Column::left(shared::COLUMN_FIELD.of(language), 350),
            Column::left(shared::COLUMN_VALUE.of(language), 650),
        ];
        let mut rows = vec![
            (texts::DATA.of(language).to_owned(), self.input.data_hash.to_owned()),
            (texts::PLAN.of(language).to_owned(), self.input.plan_hash.to_owned()),
        ];
        let ledger = texts::LEDGER.of(language);
        for (storage, code) in self.input.codes {
            rows.push((words::ITEM.with(language, &[ledger, storage]), code.clone()));
        }
        let program = concat!("lifeboat ", env!("CARGO_PKG_VERSION"));
        rows.push((texts::PROGRAM.of(language).to_owned(), program.to_owned()));
        let row = |(name, text): (String, String)| vec![Cell::plain(name), Cell::plain(text)];
        let rows = rows.into_iter().map(row).collect();
        vec![
            Block::Table(Table { columns, rows }),
            Block::text(texts::LIMITS.of(language).to_owned()),
        ]
    }
}
