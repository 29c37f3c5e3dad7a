//! What the ledgers of all storages say together.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::verb::drill::ledger;
use crate::cli::verb::drill::run::chain::kept_actions;
use crate::cli::verb::drill::run::chain::open_actions;
use crate::continuity::fact;
use crate::continuity::fact::Action;
use crate::continuity::fact::AlarmTested;
use crate::continuity::fact::Entries;
use crate::continuity::fact::Seals;
use crate::continuity::fact::SignedKit;
use crate::continuity::fact::SignedPlan;
use crate::continuity::fact::Waiting;
use crate::continuity::fact::Witness;
use crate::continuity::summary::Acted;
use crate::drill::follow::Followed;
use crate::drill::follow::State;
use crate::drill::record::Record;
use crate::evidence;
use crate::evidence::checkpoint::Code;
use crate::evidence::drill::Stage;
use crate::evidence::entry::Kind;
use crate::evidence::error::EvidenceError;
use crate::evidence::keys::Right;
use crate::evidence::ledger::Ledger;
use crate::evidence::ledger::StoredEntry;
use crate::evidence::ledger::is_of_drill;
use crate::evidence::tree::sha256;
use crate::evidence::tree::sha256_of;
use crate::units::Timestamp;

/// `2026-12-01`.
const DATE_CHARS: usize = 10;
/// Field of a plan's document: SHA-256 of its file.
pub const PLAN_HASH: &str = "sha256";

/// Subject of a kit's entries, and fields of its document: SHA-256 of the program in it, and of
/// its list.
pub const KIT: &str = "kit";
pub const KIT_PROGRAM: &str = "program_sha256";
pub const KIT_SUMS: &str = "sums_sha256";

/// Subjects of reports that were delivered, of tests of alarms, and of seals that were looked at;
/// fields of their documents.
pub const REPORT: &str = "report";
pub const REPORT_PERIOD: &str = "period";
pub const ALARM: &str = "alarm";
pub const ALARM_MISSED: &str = "missed";
pub const SEALS: &str = "seals";
pub const SEALS_NEEDED: &str = "needed";
pub const SEALS_PRESENT: &str = "present";
pub const SEALS_BROKEN: &str = "broken";

/// When kits were put into a ledger, each with the hash of its list and of its program; the oldest
/// first.
///
/// # Errors
/// When a document cannot be read.
pub fn kits(ledger: &Ledger) -> Result<Vec<ListedKit>, EvidenceError> {
    let mut kits = Vec::new();
    for StoredEntry { entry, .. } in ledger.entries() {
        if entry.kind != Kind::Custody || entry.subject != KIT {
            continue;
        }
        let document = ledger.document(entry.document)?;
        let text = |field| document.get(field).and_then(Value::as_str).map(str::to_owned);
        kits.push(ListedKit {
            at: entry.time.at,
            sums: text(KIT_SUMS),
            program: text(KIT_PROGRAM),
        });
    }
    Ok(kits)
}

/// A kit of a ledger.
pub struct ListedKit {
    pub at: Timestamp,
    pub sums: Option<String>,
    pub program: Option<String>,
}

/// SHA-256 of the program that runs, if it can be read.
#[must_use]
pub fn own_program() -> Option<String> {
    let own = std::env::current_exe().and_then(std::fs::File::open).and_then(sha256_of);
    own.ok().map(|hash| hash.to_string())
}

/// Ledgers as they are read, one storage after the other.
pub struct Ledgers {
    plan_hash: String,
    /// SHA-256 of the program that runs.
    program: Option<String>,
    entries: Entries,
    ledgers: Vec<Ledger>,
    broken: Option<String>,
    /// Which were not read, and why.
    unread: Vec<String>,
    /// Every corrective action, and the ledgers' codes by storage.
    acted: BTreeMap<String, Acted>,
    codes: Vec<(String, String)>,
    /// Records of drills, by id.
    records: BTreeMap<String, Record>,
}

/// What the ledgers say to a report.
#[derive(Debug, Default)]
pub struct Told {
    pub actions: Vec<Acted>,
    /// Storage and code of its ledger.
    pub codes: Vec<(String, String)>,
}

impl Ledgers {
    #[must_use]
    pub fn new(plan: &str) -> Self {
        let plan_hash = sha256(plan.as_bytes()).to_string();
        let (entries, ledgers) = (Entries::default(), Vec::new());
        Self {
            plan_hash,
            program: own_program(),
            entries,
            ledgers,
            broken: None,
            unread: Vec::new(),
            acted: BTreeMap::new(),
            codes: Vec::new(),
            records: BTreeMap::new(),
        }
    }

    /// Records of drills that other machines held.
    pub fn records_beside(&self, known: &[(Record, Option<String>)]) -> Vec<Record> {
        let is_new =
            |record: &&Record| known.iter().all(|(it, _)| it.record_id != record.record_id);
        self.records.values().filter(is_new).cloned().collect()
    }

    /// There may be one in a storage, and it cannot be read.
    pub fn miss(&mut self, storage: &str, why: &str) {
        self.unread.push(format!("{storage}: {why}"));
    }

    /// Takes the ledger of an opened repository.
    ///
    /// # Errors
    /// When the run was told to stop.
    pub fn look_at(&mut self, name: &str, context: &Context, keys: &Keys) -> Result<(), Failure> {
        let storage = keys.repository.vault().storage();
        let access = match ledger::access(context, storage, &keys.unlocked) {
            Ok(access) => access,
            Err(failure) => {
                self.miss(name, &failure.message.told_in(context.output.language()));
                return Ok(());
            }
        };
        let opened = Ledger::open(&context.run, Arc::clone(storage), access);
        let taken = opened.and_then(|ledger| self.take(&ledger).map(|()| ledger));
        match taken {
            Ok(ledger) => {
                let code = ledger.head().and_then(|(size, _)| ledger.checkpoint_at(size));
                let code = code.map(|it| (name.to_owned(), it.code().to_string()));
                self.codes.extend(code);
                self.ledgers.push(ledger);
            }
            Err(EvidenceError::Stopped(why)) => return Err(why.into()),
            Err(error @ EvidenceError::Storage(_)) => self.miss(name, &error.to_string()),
            Err(error) => self.broken = Some(error.to_string()),
        }
        Ok(())
    }

    fn take(&mut self, ledger: &Ledger) -> Result<(), EvidenceError> {
        let mut drills: Vec<&str> = Vec::new();
        for stored in ledger.entries() {
            let entry = &stored.entry;
            if let Some(offset) = entry.ntp_offset_ms {
                let newer = self.entries.offset.is_none_or(|(at, _)| at <= entry.time.at);
                self.entries.offset =
                    if newer { Some((entry.time.at, offset)) } else { self.entries.offset };
            }
            if entry.kind == Kind::Plan {
                let document = ledger.document(entry.document)?;
                let hash = document.get(PLAN_HASH).and_then(Value::as_str);
                let is_same = hash == Some(self.plan_hash.as_str());
                let author = evidence::document::author(&document).unwrap_or_default();
                let held = ledger.keys().at(author, entry.seq);
                let signed = ledger.signed_document(entry.document)?;
                let is_chair = held
                    .is_some_and(|held| held.may(Right::Chair) && signed.is_signed_by(&held.key));
                let is_newest = self.entries.plan.is_none_or(|known| known.at <= entry.time.at);
                if is_chair && is_newest {
                    self.entries.plan = Some(SignedPlan { at: entry.time.at, is_same });
                }
            }
            if matches!(entry.kind, Kind::Record | Kind::Restore) {
                let document = ledger.document(entry.document)?;
                // What another program keeps as a record is none of ours.
                if let Ok(record) = serde_json::from_value::<Record>(document) {
                    self.records.insert(record.record_id.clone(), record);
                }
            }
            if is_of_drill(entry.kind) && !drills.contains(&entry.subject.as_str()) {
                drills.push(&entry.subject);
            }
        }
        for kit in kits(ledger)? {
            let is_this_program = kit.program.is_some() && kit.program == self.program;
            if self.entries.kit.is_none_or(|known| known.at <= kit.at) {
                self.entries.kit = Some(SignedKit { at: kit.at, is_this_program });
            }
            self.entries.kits.extend(kit.sums.map(|sums| (kit.at, sums)));
        }
        self.custody(ledger)?;
        self.acted(ledger)?;
        for action in open_actions(ledger)? {
            let due = action.due.get(..DATE_CHARS).and_then(|due| due.parse().ok());
            let Followed { id, dataset, .. } = action;
            self.entries.actions.push(Action { id, dataset, due });
        }
        for code in drills {
            let (state, _) = ledger.drill_state(code)?;
            let is_open = matches!(state.stage, Some(Stage::Cleaned | Stage::AwaitingSignoff));
            if !is_open || !state.needs_signatures() {
                continue;
            }
            let closing =
                ledger.entries().iter().find(|it| Some(it.entry.seq) == state.closing_seq);
            self.entries.waiting.push(Waiting {
                code: code.to_owned(),
                since: closing.map_or(Timestamp::from_unix_ms(0), |it| it.entry.time.at),
                is_refused: !state.refusals().is_empty(),
            });
        }
        Ok(())
    }

    /// What else was looked at, and put on record.
    fn custody(&mut self, ledger: &Ledger) -> Result<(), EvidenceError> {
        let kept = ledger.entries().iter().filter(|it| it.entry.kind == Kind::Custody);
        for StoredEntry { entry, .. } in kept {
            let at = entry.time.at;
            let document = || ledger.document(entry.document);
            let list = |document: &Value, field: &str| -> Vec<String> {
                let all = document.get(field).and_then(Value::as_array).into_iter().flatten();
                all.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            match entry.subject.as_str() {
                REPORT => {
                    let document = document()?;
                    let period = document.get(REPORT_PERIOD).and_then(Value::as_str);
                    self.entries.reports.extend(period.map(|period| (at, period.to_owned())));
                }
                ALARM if self.entries.alarm.as_ref().is_none_or(|known| known.at <= at) => {
                    let missed = list(&document()?, ALARM_MISSED);
                    self.entries.alarm = Some(AlarmTested { at, missed });
                }
                SEALS if self.entries.seals.as_ref().is_none_or(|known| known.at <= at) => {
                    let document = document()?;
                    self.entries.seals = Some(Seals {
                        at,
                        needed: document.get(SEALS_NEEDED).and_then(Value::as_u64).unwrap_or(0),
                        present: list(&document, SEALS_PRESENT).len() as u64,
                        broken: list(&document, SEALS_BROKEN),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// When each action was opened and closed; the last state of an id stands.
    fn acted(&mut self, ledger: &Ledger) -> Result<(), EvidenceError> {
        for (at, followed) in kept_actions(ledger)? {
            let acted = self.acted.entry(followed.id.clone()).or_insert_with(|| Acted {
                id: followed.id.clone(),
                dataset: followed.dataset.clone(),
                opened: at,
                closed: None,
                due: followed.due.get(..DATE_CHARS).and_then(|due| due.parse().ok()),
            });
            acted.closed = (followed.state == State::Closed).then_some(at);
        }
        Ok(())
    }

    /// What a report says of them.
    #[must_use]
    pub fn told(&self) -> Told {
        Told { actions: self.acted.values().cloned().collect(), codes: self.codes.clone() }
    }

    /// All of it, against the codes that were printed, the oldest first.
    #[must_use]
    pub fn finish<'c>(
        mut self,
        codes: impl Iterator<Item = (&'c str, Timestamp, &'c str)>,
    ) -> fact::Ledger {
        if let Some(why) = self.broken {
            return fact::Ledger::Broken(why);
        }
        let unread = (!self.unread.is_empty()).then(|| self.unread.join("; "));
        if let Some((drill, at, code)) = codes.last() {
            let fits = self.ledgers.iter().any(|ledger| began_as(ledger, code));
            self.entries.witness = match (fits, &unread) {
                (true, _) => Witness::Fits(at),
                (false, None) => Witness::Misfit { code: code.to_owned(), drill: drill.to_owned() },
                // It may be the code of one that was not read.
                (false, Some(_)) => Witness::None,
            };
        }
        let is_empty = self.ledgers.iter().all(|ledger| ledger.head().is_none());
        match unread {
            Some(why) if is_empty => fact::Ledger::Unread(why),
            // A code that was printed is of a ledger that is gone.
            None if is_empty && self.entries.witness == Witness::None => fact::Ledger::Absent,
            unread => fact::Ledger::Valid(Box::new(Entries { unread, ..self.entries })),
        }
    }
}

/// Whether a ledger had this code at some time.
fn began_as(ledger: &Ledger, code: &str) -> bool {
    let Ok(code) = Code::parse(code) else { return false };
    let last = ledger.head().map_or(0, |(seq, _)| seq);
    (1..=last).rev().any(|size| ledger.checkpoint_at(size).is_some_and(|it| it.code() == code))
}
