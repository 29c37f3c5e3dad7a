//! The annexes: what a technician and an auditor read.

use std::collections::BTreeMap;

use crate::continuity::legal::Verified;
use crate::drill::record::Capsule;
use crate::drill::record::Check;
use crate::drill::record::Item;
use crate::drill::record::Kit;
use crate::report::checks;
use crate::report::minutes::Desk;
use crate::report::model::Annex;
use crate::report::model::Block;
use crate::report::model::Cell;
use crate::report::model::Column;
use crate::report::model::Span;
use crate::report::model::Table;
use crate::report::results::called;
use crate::report::value;
use crate::report::value::DOTS;
use crate::report::words;
use crate::report::words::Words;
use crate::report::words::annex as texts;

const DASH: &str = "–";
/// To write a number on.
const CELL_DOTS: &str = "\u{2026}\u{2026}";
/// Lines that a signature takes in a table.
const SIGNATURE_LINES: &str = "\n\n";

/// All three.
pub(in crate::report) fn all(desk: &Desk<'_>) -> Vec<Annex> {
    vec![
        desk.annex("I", texts::CHECKS, desk.checks()),
        desk.annex("II", texts::TIMES, desk.times()),
        desk.annex("III", texts::EVIDENCE, desk.evidence()),
    ]
}

/// Storage and failure domain of a copy.
pub(in crate::report) fn place(item: &Item) -> String {
    match &item.domain {
        Some(domain) => format!("{} ({domain})", item.target),
        None => item.target.clone(),
    }
}

/// With a capital letter in front.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

impl Desk<'_> {
    fn say(&self, words: Words) -> String {
        words.of(self.language).to_owned()
    }

    fn annex(&self, number: &str, title: Words, blocks: Vec<Block>) -> Annex {
        let abbr = self.record.org.as_ref().map_or(DOTS, |org| org.abbr.as_str());
        let abbr = if abbr.is_empty() { DOTS } else { abbr };
        let day = words::ANNEX_DATE.of(self.language);
        let values = [DOTS, abbr, day, &self.record.drill.code];
        Annex {
            number: words::ANNEX.with(self.language, &[number]),
            title: self.say(title),
            of: words::ANNEX_OF.with(self.language, &values),
            blocks,
        }
    }

    fn columns(&self, columns: &[(Words, u16)]) -> Vec<Column> {
        let column = |(at, (head, share)): (usize, &(Words, u16))| {
            let head = head.of(self.language);
            if at == 0 { Column::left(head, *share) } else { Column::centre(head, *share) }
        };
        columns.iter().enumerate().map(column).collect()
    }

    fn checks(&self) -> Vec<Block> {
        let language = self.language;
        let mut blocks = Vec::new();
        if self.is_long() {
            blocks.push(Block::Table(self.table()));
        }
        blocks.push(Block::Title(self.say(texts::BEFORE)));
        blocks.push(Block::Table(self.check_table(&self.record.preflight)));
        for item in &self.record.items {
            let verdict = checks::verdict(item.verdict).of(language);
            let title = texts::OF_ITEM.with(language, &[&called(item, language), verdict]);
            blocks.push(Block::Title(title));
            blocks.extend(self.why(item));
            blocks.push(Block::Table(self.check_table(&item.checks)));
        }
        let tally = &self.tally;
        let numbers = [
            tally.all(),
            tally.passed,
            tally.failed,
            tally.skipped,
            tally.timed_out,
            tally.not_applicable,
        ];
        let numbers = numbers.map(|number| value::count(number, language));
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        blocks.push(Block::text(texts::TOTALS.with(language, &numbers)));
        let open = checks::not_carried_out(self.record, language);
        if !open.is_empty() {
            blocks.push(Block::text(texts::NOT_DONE.with(language, &[&open.join("; ")])));
        }
        blocks.push(Block::Title(self.say(texts::SIGN_OFF)));
        blocks.push(Block::text(self.say(texts::SIGN_OFF_NOTE)));
        blocks.push(Block::Table(self.sign_off()));
        blocks
    }

    /// Codes and conditions of an item.
    fn why(&self, item: &Item) -> Option<Block> {
        let language = self.language;
        let codes: Vec<String> =
            item.failures.iter().map(|code| checks::failure(*code, language)).collect();
        if !codes.is_empty() {
            return Some(Block::text(texts::FAILURES.with(language, &[&codes.join("; ")])));
        }
        let is_conditional = item.verdict == crate::drill::verdict::Verdict::Conditional;
        is_conditional.then(|| {
            let why = self.conditions(item).join("; ");
            Block::text(texts::CONDITIONS.with(language, &[&why]))
        })
    }

    fn check_table(&self, list: &[Check]) -> Table {
        let head = |words: Words| words.of(self.language);
        Table {
            columns: vec![
                Column::left(head(texts::COLUMN_CHECK), 335),
                Column::centre(head(texts::COLUMN_LEVEL), 75),
                Column::centre(head(texts::COLUMN_MUST), 90),
                Column::centre(head(texts::COLUMN_RESULT), 135),
                Column::left(head(texts::COLUMN_SEEN), 365),
            ],
            rows: list.iter().map(|check| self.check_row(check)).collect(),
        }
    }

    fn check_row(&self, check: &Check) -> Vec<Cell> {
        let language = self.language;
        let told = |text: &str| self.told(text);
        let name = checks::name(&check.id, language);
        let name = match name == check.id {
            true => name,
            false => words::ITEM.with(language, &[&name, &check.id]),
        };
        let mut seen: Vec<String> = Vec::new();
        if let (Some(expected), Some(found)) = (&check.expected, &check.actual) {
            let expected = value::shortened(&told(expected));
            let found = value::shortened(&told(found));
            match expected == found {
                true => seen.push(found),
                false => seen.push(texts::EXPECTED.with(language, &[&expected, &found])),
            }
        }
        seen.extend(check.detail.as_deref().filter(|it| !it.is_empty()).map(told));
        let level =
            if check.id.starts_with('L') { format!("{:?}", check.level) } else { DASH.to_owned() };
        let must = if check.mandatory { words::YES } else { words::NO };
        let result = checks::outcome(check.result).of(language);
        let result = match check.result {
            crate::drill::verdict::Outcome::Pass => Cell::plain(result),
            _ => Cell::strong(result),
        };
        vec![
            Cell::plain(name),
            Cell::plain(level),
            Cell::plain(must.of(language)),
            result,
            Cell::plain(seen.join("; ")),
        ]
    }

    /// What a check says: numbers as numbers are written, words in the document's language.
    fn told(&self, text: &str) -> String {
        let language = self.language;
        if let Ok(number) = text.parse() {
            return value::count(number, language);
        }
        let parts = text.split_once(" of ").map(|(part, all)| (part.parse(), all.parse()));
        if let Some((Ok(part), Ok(all))) = parts {
            return format!("{}/{}", value::count(part, language), value::count(all, language));
        }
        match text.strip_suffix(" s").map(str::parse) {
            Some(Ok(seconds)) => value::duration(seconds, language),
            _ => (self.input.told)(text),
        }
    }

    fn sign_off(&self) -> Table {
        let people = self.people();
        let mut rows: Vec<(Words, Option<String>)> = vec![(words::OPERATOR, people.operator)];
        let all = |role: Words, names: Vec<String>| match names.is_empty() {
            true => vec![(role, None)],
            false => names.into_iter().map(|name| (role, Some(name))).collect(),
        };
        rows.extend(all(words::OWNER, people.owners));
        rows.extend(all(words::WITNESS, people.witnesses));
        rows.push((words::CHAIR_ROLE, people.chair));
        let row = |(role, name): (Words, Option<String>)| {
            let role = format!("{}{SIGNATURE_LINES}", capital(role.of(self.language)));
            vec![
                Cell::plain(role),
                Cell::plain(name.unwrap_or_default()),
                Cell::plain(""),
                Cell::plain(""),
            ]
        };
        Table {
            columns: self.columns(&[
                (texts::COLUMN_ROLE, 200),
                (texts::COLUMN_NAME, 260),
                (texts::COLUMN_OPINION, 280),
                (texts::COLUMN_SIGNED, 260),
            ]),
            rows: rows.into_iter().map(row).collect(),
        }
    }

    fn times(&self) -> Vec<Block> {
        let language = self.language;
        let started = value::stamp(&self.record.drill.started_at, language);
        let destroyed = self.input.closing.map(|it| value::stamp(&it.destroyed_at, language));
        vec![
            Block::text(texts::T0_AT.with(language, &[&started, &self.until_keys()])),
            Block::text(self.say(texts::LEGEND)),
            Block::Title(self.say(texts::MARKS)),
            Block::Table(self.marks()),
            Block::text(texts::T9_AT.with(language, &[destroyed.as_deref().unwrap_or(DOTS)])),
            Block::Title(self.say(texts::PHASES)),
            Block::Table(self.phases()),
            Block::Title(self.say(texts::MEASURES)),
            Block::Table(self.measures()),
        ]
    }

    fn marks(&self) -> Table {
        let mut columns = vec![Column::left(texts::COLUMN_DATASET.of(self.language), 232)];
        columns.extend((1..=8).map(|number| Column::centre(&format!("T{number}"), 96)));
        let row = |item: &Item| {
            let marks = &item.marks;
            let all = [
                marks.t1_ms,
                marks.t2_ms,
                marks.t3_ms,
                marks.t4_ms,
                marks.t5_ms,
                marks.t6_ms,
                marks.t7_ms,
            ];
            let told = |mark: Option<u64>| {
                mark.map_or_else(|| DASH.to_owned(), |ms| value::seconds(ms, self.language))
            };
            let mut row = vec![Cell::plain(item.dataset.clone())];
            row.extend(all.map(|mark| Cell::plain(told(mark))));
            // Only the owner can say when.
            row.push(Cell::plain(CELL_DOTS));
            row
        };
        Table { columns, rows: self.record.items.iter().map(row).collect() }
    }

    fn phases(&self) -> Table {
        let language = self.language;
        let row = |item: &Item| {
            let marks = &item.marks;
            let phase = |from: Option<u64>, to: Option<u64>| match from.zip(to) {
                Some((from, to)) => value::seconds(to.saturating_sub(from), language),
                None => DASH.to_owned(),
            };
            let technical = match item.measures.rto_tech_s {
                Some(seconds) => value::duration(seconds, language),
                None => self.say(words::NOT_REACHED),
            };
            vec![
                Cell::plain(item.dataset.clone()),
                Cell::plain(phase(Some(0), marks.t3_ms)),
                Cell::plain(phase(marks.t3_ms, marks.t5_ms)),
                Cell::plain(phase(marks.t5_ms, marks.t7_ms)),
                Cell::plain(technical),
                Cell::plain(DOTS),
            ]
        };
        Table {
            columns: self.columns(&[
                (texts::COLUMN_DATASET, 232),
                (texts::COLUMN_CHOICE, 160),
                (texts::COLUMN_RESTORE, 140),
                (texts::COLUMN_PROVE, 140),
                (texts::COLUMN_TECH, 164),
                (texts::COLUMN_BUSINESS, 164),
            ]),
            rows: self.record.items.iter().map(row).collect(),
        }
    }

    fn measures(&self) -> Table {
        let language = self.language;
        let time = |seconds: Option<u64>| match seconds {
            Some(seconds) => value::duration(seconds, language),
            None => self.say(texts::UNMEASURED),
        };
        let row = |item: &Item| {
            let measures = &item.measures;
            let size = value::size(item.logical_bytes, language);
            let read = value::size(item.read_bytes, language);
            let files = value::count(item.files_count, language);
            let checked = value::count(item.checked_count, language);
            let speed = match measures.throughput_bps {
                Some(bytes) => texts::PER_SECOND.with(language, &[&value::size(bytes, language)]),
                None => self.say(texts::UNMEASURED),
            };
            let longest = measures.mtd_s.map_or_else(
                || self.say(words::NO_TARGET),
                |seconds| value::duration(seconds, language),
            );
            vec![
                Cell::plain(item.dataset.clone()),
                Cell::plain(texts::RATIO.with(language, &[&size, &read])),
                Cell::plain(texts::RATIO.with(language, &[&files, &checked])),
                Cell::plain(speed),
                Cell::plain(time(measures.rpo_worst_s)),
                Cell::plain(time(measures.rpo_content_s)),
                Cell::plain(longest),
            ]
        };
        Table {
            columns: self.columns(&[
                (texts::COLUMN_DATASET, 190),
                (texts::COLUMN_SIZE, 150),
                (texts::COLUMN_FILES, 130),
                (texts::COLUMN_SPEED, 130),
                (texts::COLUMN_RPO_WORST, 130),
                (texts::COLUMN_RPO_CONTENT, 130),
                (texts::COLUMN_MTD, 140),
            ]),
            rows: self.record.items.iter().map(row).collect(),
        }
    }

    fn evidence(&self) -> Vec<Block> {
        let (language, record) = (self.language, self.record);
        let mut blocks = vec![
            Block::Table(self.fields()),
            Block::Title(self.say(texts::COPIES)),
            Block::Table(self.copies()),
        ];
        let hash = self.input.record_hash;
        blocks.push(Block::Paragraph(vec![
            Span::plain(format!("{} ", texts::HOW.of(language))),
            Span::strong("sha256sum record.json"),
            Span::plain("; "),
            Span::strong("certutil -hashfile record.json SHA256"),
            Span::plain("."),
        ]));
        blocks.push(Block::Code {
            content: format!("{}\n{}\n{hash}", record.drill.code, record.record_id),
            beside: self.say(texts::QR),
        });
        if let Some(frame) = self.frame.as_ref().filter(|frame| !frame.clauses.is_empty()) {
            blocks.push(Block::Title(self.say(texts::CLAUSES)));
            let row = |clause: &crate::report::legal::Clause| {
                let remark = match clause.verified {
                    Verified::Primary => String::new(),
                    Verified::Paraphrase => self.say(texts::TO_VERIFY),
                };
                [clause.clause.clone(), clause.asks.clone(), remark].map(Cell::plain).into()
            };
            let head = |words: Words| words.of(language);
            blocks.push(Block::Table(Table {
                columns: vec![
                    Column::left(head(texts::COLUMN_CLAUSE), 340),
                    Column::left(head(texts::COLUMN_ASKS), 480),
                    Column::centre(head(texts::COLUMN_STATUS), 180),
                ],
                rows: frame.clauses.iter().map(row).collect(),
            }));
        }
        blocks.push(Block::text(self.say(texts::LIMITS)));
        blocks
    }

    fn fields(&self) -> Table {
        let (language, record) = (self.language, self.record);
        let env = &record.env;
        let mut rows: Vec<(Words, String)> = vec![
            (texts::DRILL_CODE, record.drill.code.clone()),
            (texts::RECORD_ID, record.record_id.clone()),
            (texts::SCHEMA, record.schema.clone()),
            (texts::CODE, self.input.code.unwrap_or(DOTS).to_owned()),
            (texts::HASH, self.input.record_hash.to_owned()),
        ];
        if let Some(recovery) = &record.recovery {
            rows.push((texts::KIT, self.kit(recovery.kit.as_ref())));
        }
        if let Some(frame) = &self.frame {
            rows.push((texts::PROFILE, frame.title.clone()));
        }
        match &record.selection {
            None => rows.push((texts::SEED, self.say(words::NOT_DRAWN))),
            Some(drawn) => {
                let all = [drawn.seed.as_str(), &drawn.root, &drawn.pool_hash];
                rows.push((texts::SEED, all.join("\n")));
                rows.push((texts::WORD, drawn.word.clone()));
                let moved = [drawn.deferred.join(", "), drawn.added.join(", ")];
                rows.push((texts::DEFERRED, moved.join("; ")));
            }
        }
        let tools = |tools: &BTreeMap<String, String>| {
            let told = tools.iter().map(|(name, version)| format!("{name} {version}"));
            told.collect::<Vec<_>>().join(", ")
        };
        let offset = env.ntp_offset_ms.map_or_else(
            || self.say(texts::UNMEASURED),
            |ms| texts::OFFSET_MS.with(language, &[&ms.to_string()]),
        );
        let machine = [env.host.as_str(), &env.os].join(", ");
        rows.extend([
            (texts::HOST, machine),
            (texts::TOOLS, tools(&env.tools)),
            (texts::ISOLATION, self.isolation()),
            (texts::VOLUME, self.volume()),
            (texts::LEASE, value::duration(env.lease_s, language)),
            (texts::OFFSET, offset),
            (texts::CLOSING, self.destroyed()),
        ]);
        let row =
            |(name, text): (Words, String)| vec![Cell::plain(name.of(language)), Cell::plain(text)];
        Table {
            columns: vec![
                Column::left(texts::COLUMN_FIELD.of(language), 300),
                Column::left(texts::COLUMN_VALUE.of(language), 700),
            ],
            rows: rows.into_iter().map(row).collect(),
        }
    }

    fn kit(&self, kit: Option<&Kit>) -> String {
        let language = self.language;
        let Some(kit) = kit else { return self.say(texts::NO_KIT) };
        match kit.signed_at.as_deref().zip(kit.age_days) {
            Some((at, days)) => {
                let (at, days) = (value::stamp(at, language), value::count(days, language));
                let values = [kit.sums_sha256.as_str(), &kit.version, &at, &days];
                texts::KIT_LISTED.with(language, &values)
            }
            None => texts::KIT_UNLISTED.with(language, &[&kit.sums_sha256, &kit.version]),
        }
    }

    fn copies(&self) -> Table {
        let language = self.language;
        let row = |item: &Item| {
            let capsule = match item.capsule {
                Capsule::SamePoint => texts::SAME_POINT,
                Capsule::Interval => texts::INTERVAL,
                Capsule::Absent => texts::NO_CAPSULE,
            };
            let has_copy = !item.snapshot.is_empty();
            let id = item.snapshot.get(..16).unwrap_or(&item.snapshot);
            let copy = words::ITEM.with(language, &[id, &checks::term(&item.stratum, language)]);
            let times = [&item.taken_at, &item.point.at].map(|at| value::stamp(at, language));
            let or_dash = |text: String| if has_copy { text } else { DASH.to_owned() };
            vec![
                Cell::plain(item.dataset.clone()),
                Cell::plain(or_dash(item.machine.clone())),
                Cell::plain(or_dash(copy)),
                Cell::plain(or_dash(times.join("; "))),
                Cell::plain(or_dash(place(item))),
                Cell::plain(capsule.of(language)),
            ]
        };
        Table {
            columns: self.columns(&[
                (texts::COLUMN_DATASET, 170),
                (texts::COLUMN_MACHINE, 140),
                (texts::COLUMN_SNAPSHOT, 200),
                (texts::COLUMN_TAKEN, 200),
                (texts::COLUMN_PLACE, 150),
                (texts::COLUMN_CAPSULE, 140),
            ]),
            rows: self.record.items.iter().map(row).collect(),
        }
    }
}
