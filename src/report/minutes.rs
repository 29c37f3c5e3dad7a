//! The body of minutes: what an official reads.

use crate::document::font::FACE;
use crate::drill::follow::Followed;
use crate::drill::follow::SearchEnd;
use crate::drill::record::Org;
use crate::drill::record::People;
use crate::drill::record::REAL;
use crate::drill::record::Record;
use crate::drill::verdict::Outcome;
use crate::drill::verdict::Verdict;
use crate::report::Input;
use crate::report::Language;
use crate::report::ReportError;
use crate::report::annex;
use crate::report::checks;
use crate::report::checks::Tally;
use crate::report::legal;
use crate::report::legal::Frame;
use crate::report::model::Block;
use crate::report::model::Document;
use crate::report::model::Head;
use crate::report::model::Signature;
use crate::report::model::Signatures;
use crate::report::model::Span;
use crate::report::value;
use crate::report::value::DOTS;
use crate::report::words;

/// Class of drills that may be samples.
const SAMPLED: &str = "D1";
/// Dots where a whole name is missing.
const NAME_DOTS: &str = "\u{2026}\u{2026}\u{2026}\u{2026}\u{2026}\u{2026}\u{2026}\u{2026}\u{2026}";

/// What the parts of a document are made of.
pub(in crate::report) struct Desk<'a> {
    pub input: &'a Input<'a>,
    pub record: &'a Record,
    pub language: Language,
    pub tally: Tally,
    pub frame: Option<Frame>,
}

/// Everything that minutes say.
///
/// # Errors
/// When the record names a legal frame that there is none of.
pub fn compose(input: &Input<'_>, language: Language) -> Result<Document, ReportError> {
    let record = input.record;
    let frame = record.legal_profile.as_deref().map(|id| legal::frame(id, language));
    let desk =
        Desk { input, record, language, tally: Tally::of(record), frame: frame.transpose()? };
    let mut blocks = desk.opening();
    blocks.push(desk.grounds());
    blocks.push(desk.purpose());
    blocks.push(desk.scope());
    blocks.push(desk.course());
    desk.results(&mut blocks);
    blocks.push(desk.privacy());
    blocks.push(desk.findings());
    blocks.push(desk.conclusion());
    blocks.push(desk.ending());
    let code = record.drill.code.as_str();
    Ok(Document {
        language,
        title: words::FILE_TITLE.with(language, &[code]),
        made: value::timestamp(&record.drill.ended_at),
        head: desk.head(),
        blocks,
        signatures: desk.signatures(),
        recipients: (
            words::RECIPIENTS.of(language).to_owned(),
            vec![
                words::RECIPIENT.with(language, &[NAME_DOTS]),
                words::FILED.of(language).to_owned(),
            ],
        ),
        annexes: annex::all(&desk),
        footer: words::FOOTER.with(language, &[code, input.code.unwrap_or(NAME_DOTS)]),
        face: words::FACE.with(language, &[FACE]),
        footer_code: input.code.map(|ledger| format!("{code} {ledger}")),
    })
}

fn or_dots(text: &str) -> &str {
    if text.trim().is_empty() { DOTS } else { text }
}

/// Names one after another, or a blank.
fn listed(names: &[String]) -> Span {
    if names.is_empty() { Span::Blank } else { Span::plain(format!("{}. ", names.join("; "))) }
}

fn named(name: Option<&String>) -> Span {
    name.map_or(Span::Blank, |name| Span::plain(format!("{name}. ")))
}

impl Desk<'_> {
    pub(in crate::report) fn people(&self) -> People {
        let named = |id: String| (self.input.named)(&id).unwrap_or(id);
        let all = |ids: Vec<String>| ids.into_iter().map(named).collect();
        let people = self.record.people.clone().unwrap_or_default();
        People {
            chair: people.chair.map(named),
            secretary: people.secretary.map(named),
            operator: people.operator.map(named),
            owners: all(people.owners),
            witnesses: all(people.witnesses),
            absent: all(people.absent),
            ..people
        }
    }

    fn org(&self) -> Org {
        self.record.org.clone().unwrap_or_default()
    }

    fn head(&self) -> Head {
        let language = self.language;
        let org = self.org();
        let name = |text: &str| match text.trim() {
            "" => NAME_DOTS.to_owned(),
            text => text.to_uppercase(),
        };
        let period = value::period(&self.record.drill.period, language);
        let subject = if self.record.kind == REAL { words::SUBJECT_REAL } else { words::SUBJECT };
        Head {
            superior: name(&org.parent),
            office: name(&org.name),
            number: words::NUMBER.with(language, &[DOTS, or_dots(&org.abbr)]),
            nation: words::NATION.of(language).to_owned(),
            motto: words::MOTTO.of(language).to_owned(),
            dated: None,
            kind: words::KIND.of(language).to_owned(),
            subject: subject.with(language, &[&period]),
            address: None,
        }
    }

    fn opening(&self) -> Vec<Block> {
        let (language, people) = (self.language, self.people());
        let drill = &self.record.drill;
        let started = value::moment(&drill.started_at, language);
        let mut first = vec![Span::plain(words::STARTED.with(language, &[&started]))];
        if drill.location.is_none() {
            first.push(Span::Break);
        }
        first.push(Span::plain(words::PLACE.of(language)));
        first.push(named(drill.location.as_ref()));
        let mut present: Vec<String> = people.operator.iter().cloned().collect();
        present.extend(people.witnesses.iter().cloned());
        let mut second = vec![Span::plain(words::ATTENDED.of(language))];
        second.push(listed(&present));
        second.push(Span::plain(words::ABSENT.of(language)));
        second.push(listed(&people.absent));
        let mut third = vec![Span::plain(words::CHAIR.of(language))];
        third.push(named(people.chair.as_ref()));
        third.push(Span::plain(words::SECRETARY.of(language)));
        third.push(named(people.secretary.as_ref()));
        [first, second, third].map(Block::Paragraph).into()
    }

    fn grounds(&self) -> Block {
        let language = self.language;
        let rules = match &self.frame {
            Some(frame) => {
                let own = words::RULES.with(language, &[&frame.rules]);
                std::iter::once(own)
                    .chain(frame.acts.iter().cloned())
                    .collect::<Vec<_>>()
                    .join("; ")
            }
            None => words::RULES_UNKNOWN.with(language, &[DOTS]),
        };
        let plan = self.record.drill.plan_ref.as_deref().unwrap_or(DOTS);
        Block::Paragraph(vec![
            Span::strong(words::CONTENT.of(language)),
            Span::Break,
            Span::plain(words::GROUNDS.with(language, &[&rules, plan])),
        ])
    }

    fn purpose(&self) -> Block {
        let (language, drill) = (self.language, &self.record.drill);
        let aim = match drill.objectives.is_empty() {
            true => words::PURPOSE_USUAL.of(language).to_owned(),
            false => drill.objectives.join("; "),
        };
        let scenario = drill.scenario.as_deref().unwrap_or(DOTS);
        // That class is named after samples.
        let is_whole = self.record.items.iter().all(|item| item.mode != "sample");
        let class = match drill.class == SAMPLED && is_whole {
            true => words::WHOLE.of(language).to_owned(),
            false => checks::term(&drill.class, language),
        };
        let class = words::ITEM.with(language, &[&class, &drill.class]);
        let told = if drill.announced { words::ANNOUNCED } else { words::UNANNOUNCED };
        Block::text(words::PURPOSE.with(language, &[&aim, scenario, &class, told.of(language)]))
    }

    fn scope(&self) -> Block {
        let (language, items) = (self.language, &self.record.items);
        let count = |number: usize| value::count(number as u64, language);
        let coverage = self.record.coverage.as_ref();
        let total = coverage.map(|it| value::count(it.total, language));
        let mut services: Vec<&String> =
            items.iter().filter_map(|item| item.service.as_ref()).collect();
        services.sort_unstable();
        services.dedup();
        let all_known = !items.is_empty() && items.iter().all(|item| item.service.is_some());
        let services = if all_known { count(services.len()) } else { DOTS.to_owned() };
        let selection = match &self.record.selection {
            Some(drawn) => words::SEED.with(language, &[&value::shortened(&drawn.seed)]),
            None => words::NOT_DRAWN.of(language).to_owned(),
        };
        let mut targets: Vec<String> =
            items.iter().filter(|item| !item.target.is_empty()).map(annex::place).collect();
        targets.sort_unstable();
        targets.dedup();
        let targets = targets.join("; ");
        let values = [
            &count(items.len()),
            total.as_deref().unwrap_or(DOTS),
            &services,
            &selection,
            or_dots(&targets),
        ];
        let mut text = words::SCOPE.with(language, &values);
        let owners = self.people().owners;
        if !owners.is_empty() {
            text.push_str(&words::OWNERS.with(language, &[&owners.join("; ")]));
        }
        if let Some(names) = coverage.map(|it| &it.unprotected).filter(|it| !it.is_empty()) {
            text.push_str(&words::UNPROTECTED.with(language, &[&names.join(", ")]));
        }
        Block::text(text)
    }

    fn course(&self) -> Block {
        let (language, record) = (self.language, self.record);
        let count = |number: usize| value::count(number as u64, language);
        let count_of = |is: fn(Outcome) -> bool| {
            record.preflight.iter().filter(|check| is(check.result)).count()
        };
        let passed = count_of(|result| result == Outcome::Pass);
        let applying = count_of(|result| result != Outcome::NotApplicable);
        let restored: Vec<u64> = record.items.iter().filter_map(|it| it.marks.t5_ms).collect();
        let proven: Vec<u64> = record.items.iter().filter_map(|it| it.marks.t7_ms).collect();
        let all = record.items.len();
        let longest = |marks: &[u64]| {
            let ms = marks.iter().max().copied().unwrap_or_default();
            value::duration(ms.div_ceil(1000), language)
        };
        let done = if restored.is_empty() {
            words::COURSE_NONE.of(language).to_owned()
        } else if proven.len() == all {
            words::COURSE_DONE.with(language, &[&longest(&restored), &longest(&proven)])
        } else {
            let counts = [&count(restored.len()), &count(all), &count(proven.len())];
            words::COURSE_PART.with(language, &counts.map(String::as_str))
        };
        let people = self.until_keys();
        let values = [&count(passed), &count(applying), &done, &people];
        let mut spans =
            vec![Span::plain(words::COURSE.with(language, &values.map(String::as_str)))];
        let people = self.people();
        let role = people.substitute.map(|is_substitute| {
            let role = if is_substitute { words::SUBSTITUTE } else { words::REGULAR };
            role.of(language)
        });
        match (people.operator, role) {
            (Some(name), Some(role)) => {
                let text = words::ITEM.with(language, &[&name, role]);
                spans.push(Span::plain(format!("{text}.")));
            }
            (name, _) => spans.push(named(name.as_ref())),
        }
        Block::Paragraph(spans)
    }

    /// What T0 to T2 measure.
    pub(in crate::report) fn until_keys(&self) -> String {
        let language = self.language;
        match self.record.recovery.as_ref().map(|it| (it.keys_s, it.shares_count)) {
            None => words::NO_PEOPLE.of(language).to_owned(),
            Some((None, _)) => words::NO_ACCESS.of(language).to_owned(),
            Some((Some(keys_s), shares)) => {
                let took = value::duration(keys_s, language);
                words::FROM_SHARES.with(language, &[&took, &value::count(shares, language)])
            }
        }
    }

    fn privacy(&self) -> Block {
        let (language, record) = (self.language, self.record);
        let personal =
            if record.privacy.personal_data { words::PERSONAL } else { words::NOT_PERSONAL };
        let access: Vec<String> =
            record.privacy.access.iter().map(|role| checks::term(role, language)).collect();
        let access = match access.is_empty() {
            true => DOTS.to_owned(),
            false => words::ITEM.with(language, &[&access.len().to_string(), &access.join(", ")]),
        };
        let text = words::PRIVACY.with(
            language,
            &[
                personal.of(language),
                or_dots(&record.env.isolation),
                &self.volume(),
                &access,
                &self.destroyed(),
            ],
        );
        Block::text(text)
    }

    /// `I1 (tiến trình không có mạng)`.
    pub(in crate::report) fn isolation(&self) -> String {
        let isolation = &self.record.env.isolation;
        match isolation.is_empty() {
            true => DOTS.to_owned(),
            false => {
                let told = checks::term(isolation, self.language);
                words::ITEM.with(self.language, &[isolation, &told])
            }
        }
    }

    pub(in crate::report) fn volume(&self) -> String {
        match self.record.env.volume.as_str() {
            "plain" => words::VOLUME_PLAIN.of(self.language).to_owned(),
            "" => words::VOLUME_UNKNOWN.of(self.language).to_owned(),
            other => other.to_owned(),
        }
    }

    /// What became of the restored data.
    pub(in crate::report) fn destroyed(&self) -> String {
        let Some(closing) = self.input.closing else {
            return words::NOT_DESTROYED.of(self.language).to_owned();
        };
        let at = value::stamp(&closing.destroyed_at, self.language);
        let left = closing.leftovers.len().to_string();
        let words = if closing.late { words::DESTROYED_LATE } else { words::DESTROYED };
        words.with(self.language, &[&at, &left])
    }

    fn findings(&self) -> Block {
        let (language, record) = (self.language, self.record);
        let found = self.found();
        let told = match found.is_empty() {
            false => found.join("; "),
            true => {
                let number = value::count(self.tally.carried_out(), language);
                words::FINDINGS_NONE.with(language, &[&number])
            }
        };
        let mut spans = vec![Span::plain(words::FINDINGS.with(language, &[&told]))];
        let mut codes = record.items.iter().flat_map(|item| &item.failures);
        if codes.any(|code| checks::asks_for_redrill(*code)) {
            spans.push(Span::plain(words::REDRILL.of(language)));
        }
        if record.verdict == Verdict::Pass && found.is_empty() {
            return Block::Paragraph(spans);
        }
        spans.push(Span::plain(words::CAUSE.of(language)));
        spans.push(Span::Blank);
        if record.actions.is_empty() {
            spans.push(Span::plain(words::ACTIONS.of(language)));
            spans.push(Span::Blank);
        }
        for action in &record.actions {
            let owner = action.owner.as_deref().unwrap_or(DOTS);
            let due = value::date(&format!("{}T00:00:00+07:00", action.due), language);
            let again = if action.redrill { words::YES } else { words::NO };
            let what = (self.input.told)(&action.action);
            let values = [&action.finding, &what, owner, &due, again.of(language)];
            spans.push(Span::plain(words::ACTION.with(language, &values)));
            let done = self.input.followed.iter().find(|followed| followed.id == action.id);
            spans.extend(done.map(|done| Span::plain(self.done(done))));
            spans.push(Span::Break);
        }
        Block::Paragraph(spans)
    }

    /// What was done at once about a finding.
    fn done(&self, followed: &Followed) -> String {
        let language = self.language;
        let mut told = String::new();
        if let Some(search) = &followed.search {
            let count = value::count(search.tried.len() as u64, language);
            let good = search.newest_good.as_deref().map(value::shortened);
            told = match (good, search.ended, &search.taken_at) {
                (Some(good), _, Some(at)) => {
                    let at = value::stamp(at, language);
                    words::SEARCH_FOUND.with(language, &[&good, &at])
                }
                (_, SearchEnd::Found | SearchEnd::NoneGood, _) => {
                    words::SEARCH_NONE.with(language, &[&count])
                }
                _ => words::SEARCH_ENDED.with(language, &[&count]),
            };
        }
        if followed.frozen {
            told.push_str(words::RETENTION_FROZEN.of(language));
        }
        told
    }

    fn conclusion(&self) -> Block {
        let language = self.language;
        Block::Paragraph(vec![
            Span::plain(words::CONCLUSION.of(language)),
            Span::strong(checks::verdict(self.record.verdict).of(language)),
            Span::plain(words::OPINION.of(language)),
            Span::Blank,
        ])
    }

    fn ending(&self) -> Block {
        let language = self.language;
        let ended = value::moment(&self.record.drill.ended_at, language);
        Block::Paragraph(vec![
            Span::plain(words::ATTACHED.of(language)),
            Span::Break,
            Span::plain(words::ENDED.with(language, &[&ended])),
        ])
    }

    fn signatures(&self) -> Signatures {
        let (language, people) = (self.language, self.people());
        let side = |role: words::Words, note: words::Words, name: Option<String>| Signature {
            role: role.of(language).to_owned(),
            note: note.of(language).to_owned(),
            // A title may stand behind the name.
            name: name.and_then(|it| it.split(',').next().map(str::to_owned)).unwrap_or_default(),
        };
        Signatures::Two(Box::new([
            side(words::SIGN_SECRETARY, words::SIGNATURE, people.secretary),
            side(words::SIGN_CHAIR, words::SIGNATURE_SEAL, people.chair),
        ]))
    }
}
