//! One dataset: restored, looked at rung by rung, measured, judged.

mod copies;
mod databases;
mod files;
mod inside;
mod streamed;

use std::path::Path;
use std::time::Duration;

use crate::capsule::Capsule;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::check::custom;
use crate::drill::check::documents::Opens;
use crate::drill::check::mariadb;
use crate::drill::check::restored;
use crate::drill::check::restored::Asked;
use crate::drill::check::restored::CompareError;
use crate::drill::check::restored::Compared;
use crate::drill::check::restored::Owned;
use crate::drill::engine::Bench;
use crate::drill::engine::Stage;
use crate::drill::plan::Custom;
use crate::drill::plan::Kind;
use crate::drill::plan::Planned;
use crate::drill::record;
use crate::drill::record::Item;
use crate::drill::record::Marks;
use crate::drill::record::Measures;
use crate::drill::record::Point;
use crate::drill::sample::Sample;
use crate::drill::sample::Seed;
use crate::drill::verdict;
use crate::drill::verdict::Evidence;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::format::object::ObjectKind;
use crate::restore::Delete;
use crate::restore::Options;
use crate::restore::Overwrite;
use crate::restore::Owners;
use crate::restore::Replaced;
use crate::restore::Report;
use crate::restore::RestoreError;
use crate::restore::Rights;
use crate::restore::Verify;
use crate::restore::execute;
use crate::run::Stopped;
use crate::target::TargetErrorKind;
use crate::target::unix::FolderTarget;
use crate::units::Timestamp;

/// More than this between two marks is no slowing of a clock, but a step.
const STEP_MS_MAX: i64 = 2000;

/// What is known of an item while it is worked on.
struct Work<'a> {
    bench: &'a Bench<'a>,
    planned: &'a Planned,
    customs: &'a [Custom],
    folder: &'a Path,
    began: Duration,
    marks: Marks,
    checks: Checks<'a>,
    report: Report,
    truth: Option<Capsule>,
    /// What is restored, if it is not everything.
    sample: Option<(Seed, Sample)>,
    width_permille: u64,
    /// What queries are asked of, where the dataset is a database.
    database: Option<Box<dyn custom::Asked + 'a>>,
    has_attack_signs: bool,
    /// Newest content by what is inside anyhow, and by what the office asks; seconds since 1970.
    inside_s: Option<i64>,
    content_s: Option<i64>,
    /// What kept the drill from being carried out.
    broken: Option<String>,
}

/// Restores one dataset into `folder` and checks it. Whatever happens is in the item.
///
/// # Errors
/// When the run is stopped; then the item says how far it came.
pub fn execute(
    bench: &Bench<'_>,
    (planned, customs): (&Planned, &[Custom]),
    folder: &Path,
) -> (Item, Result<(), Stopped>) {
    let (began, began_at) = (bench.run.clock.elapsed(), bench.run.clock.now());
    let mut work = Work {
        bench,
        planned,
        customs,
        folder,
        began,
        marks: Marks::default(),
        checks: Checks::new(bench.run),
        report: Report::default(),
        truth: None,
        sample: None,
        width_permille: 0,
        database: None,
        has_attack_signs: false,
        inside_s: None,
        content_s: None,
        broken: None,
    };
    // The point is the plan's, and the keys are those that opened it.
    work.marks.t1_ms = Some(work.now_ms());
    work.marks.t2_ms = work.marks.t1_ms;
    let ended = work.all();
    work.clock(began_at);
    if ended.is_err() {
        work.broken = Some("it was stopped".to_owned());
    }
    (work.item(), ended)
}

/// How much was restored, as records have it.
fn mode(planned: &Planned, sampled: Option<&record::Sampled>) -> &'static str {
    match sampled {
        Some(_) => "sample",
        None if streamed::is_streamed(planned) => "streamed",
        None => "full",
    }
}

impl<'a> Work<'a> {
    /// Since the loss: what went by before the keys were in hand counts too.
    fn now_ms(&self) -> u64 {
        let since = self.bench.run.clock.elapsed().saturating_sub(self.began);
        let since = since.saturating_add(self.bench.head);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Ages and losses are told by a clock that may be set meanwhile: then they say nothing.
    fn clock(&mut self, began_at: Timestamp) {
        let took = self.bench.run.clock.elapsed().saturating_sub(self.began);
        let took_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let told_ms = self.bench.run.clock.now().ms_since(began_at);
        let stepped_ms = told_ms.saturating_sub(took_ms);
        if stepped_ms.abs() > STEP_MS_MAX {
            let why = format!("the clock was set by {stepped_ms} ms while it went on");
            let found = Found::skipped(FailureCode::F8, why);
            self.checks.note((Level::L0, "drill.clock"), Weight::Mandatory, found);
        }
    }

    fn note(&mut self, level: Level, what: &str, found: Found) {
        let what = format!("{}.{what}", self.planned.kind.name());
        self.checks.note((level, &what), Weight::Mandatory, found);
    }

    fn all(&mut self) -> Result<(), Stopped> {
        self.capsule()?;
        self.checks.start();
        self.bench.steps.reached(Stage::Restoring);
        if streamed::is_streamed(self.planned) {
            return self.streamed();
        }
        if !self.draw()? || !self.restore()? {
            return Ok(());
        }
        self.bench.steps.reached(Stage::Verifying);
        let compared = match self.compare() {
            Ok(compared) => compared,
            Err(CompareError::Stopped(stopped)) => return Err(stopped),
            Err(error) => {
                let found = Found::failed(FailureCode::F2, error.to_string());
                self.note(Level::L1, "set", found);
                return Ok(());
            }
        };
        self.set(&compared);
        match self.planned.kind {
            Kind::Files => self.files(&compared)?,
            Kind::Sqlite => self.sqlite(),
            Kind::Postgresql => self.postgresql()?,
            Kind::PostgresqlFiles => self.postgresql_files()?,
            Kind::Mariadb => self.mariadb(mariadb::check)?,
            Kind::MariadbFiles => self.mariadb(mariadb::files::check)?,
            Kind::Stream => {}
            Kind::Copy(copied) => self.copies(copied)?,
            Kind::Other(name) => {
                let why = format!("no engine for {name} is driven yet");
                self.note(Level::L5, "start", Found::skipped(FailureCode::F8, why));
            }
        }
        self.canaries();
        self.asked()?;
        self.bench.run.check()?;
        let is_bad = |check: &record::Check| {
            check.mandatory && !matches!(check.result, Outcome::Pass | Outcome::NotApplicable)
        };
        if !self.checks.list.iter().any(is_bad) {
            self.marks.t7_ms = Some(self.now_ms());
        }
        Ok(())
    }

    /// What the office asks for.
    fn asked(&mut self) -> Result<(), Stopped> {
        let own = self.customs.iter().filter(|it| it.dataset() == self.planned.dataset);
        for (number, asked) in own.enumerate() {
            if let Custom::Newest { probe, age_max_s, .. } = asked {
                let found = self.newest(probe, *age_max_s);
                self.bench.run.check()?;
                self.checks.note((Level::L6, "content.newest"), Weight::Mandatory, found);
                continue;
            }
            let (run, servers) = (self.bench.run, self.bench.servers);
            let tools = custom::Tools { run, servers, database: self.database.as_deref() };
            let found = custom::check(asked, self.folder, &tools);
            self.bench.run.check()?;
            let level = custom::level(asked);
            self.checks.note((level, &format!("custom.{}", number + 1)), Weight::Mandatory, found);
        }
        Ok(())
    }

    /// The truth of the snapshot, if it has one that can be read.
    fn capsule(&mut self) -> Result<(), Stopped> {
        let bench = self.bench;
        bench.run.check()?;
        let Some(reference) = self.planned.snapshot.capsules.first() else { return Ok(()) };
        let read = bench.repository.data(bench.run, reference, ObjectKind::Capsule);
        let decoded = read.map_err(|error| error.to_string());
        let decoded =
            decoded.and_then(|bytes| Capsule::decode(&bytes).map_err(|error| error.to_string()));
        match decoded {
            Ok(capsule) => self.truth = Some(capsule),
            Err(why) => self.note(Level::L0, "capsule", Found::failed(FailureCode::F1, why)),
        }
        Ok(())
    }

    /// Whether there is anything to look at.
    fn restore(&mut self) -> Result<bool, Stopped> {
        let bench = self.bench;
        let target = match FolderTarget::open(self.folder, bench.run.seed) {
            Ok(target) => target,
            Err(error) => {
                self.broken = Some(error.to_string());
                return Ok(false);
            }
        };
        let selection = match self.selection() {
            Ok(selection) => selection,
            Err(error) => {
                self.broken = Some(error.to_string());
                return Ok(false);
            }
        };
        let options = Options {
            selection,
            overwrite: Overwrite::IfChanged,
            replaced: Replaced::Dropped,
            delete: Delete::Nothing,
            owners: match bench.owned {
                Owned::Compared => Owners::ByName,
                Owned::LeftOut => Owners::Own,
            },
            rights: Rights::Careful,
            verify: Verify::ReadAgain,
            threads_count: bench.threads_count,
        };
        self.marks.t3_ms = Some(self.now_ms());
        let source = (bench.repository as &dyn crate::restore::ObjectSource, self.root());
        match execute::execute(bench.run, source, &target, &options) {
            Ok(report) => self.report = report,
            Err(RestoreError::Stopped(stopped)) => return Err(stopped),
            Err(RestoreError::Target(error)) if error.kind == TargetErrorKind::Full => {
                self.broken = Some(format!("the sandbox is full: {error}"));
                return Ok(false);
            }
            Err(RestoreError::Storage(error)) => {
                let found = Found::skipped(FailureCode::F6, error.to_string());
                self.note(Level::L0, "objects", found);
                return Ok(false);
            }
            Err(error) => {
                self.broken = Some(error.to_string());
                return Ok(false);
            }
        }
        self.marks.t4_ms = Some(self.now_ms());
        self.marks.t5_ms = self.marks.t4_ms;
        let Report { lost_nodes_count, unread_count, failed_count, .. } = self.report;
        let found = match unread_count {
            0 => Found::equal(FailureCode::F1, 0, lost_nodes_count + failed_count),
            _ => Found::skipped(FailureCode::F6, format!("{unread_count} could not be read")),
        };
        self.note(Level::L0, "objects", found);
        let found = Found::equal(
            FailureCode::F2,
            self.report.asked_count,
            self.report.restored_count + self.report.kept_count,
        );
        self.note(Level::L1, "bytes", found.with("every file was read again and compared"));
        Ok(true)
    }

    fn root(&self) -> &crate::format::object::Ref {
        &self.planned.snapshot.root
    }

    fn compare(&self) -> Result<Compared, CompareError> {
        let opens = if self.planned.kind == Kind::Files { Opens::Yes } else { Opens::No };
        let asked = Asked {
            repository: self.bench.repository,
            root: self.root(),
            folder: self.folder,
            owned: self.bench.owned,
            opens,
            only: self.sample.as_ref().map(|(_, sample)| &sample.paths),
        };
        restored::compare(self.bench.run, asked)
    }

    fn set(&mut self, compared: &Compared) {
        let wrong = compared.missing_count + compared.extra_count + compared.different_count;
        let detail = format!(
            "{} missing, {} more, {} different of {}",
            compared.missing_count,
            compared.extra_count,
            compared.different_count,
            compared.entries_count
        );
        self.note(Level::L1, "set", Found::equal(FailureCode::F2, 0, wrong).with(detail));
        if compared.flagged_count > 0 {
            let found = Found::equal(FailureCode::F2, 0, compared.flagged_count)
                .with("the backup itself could not read these to their end");
            self.checks.note((Level::L1, "source.problems"), Weight::Minor, found);
        }
        let found = Found::equal(FailureCode::F2, 0, compared.attributes_count);
        let found = match self.bench.owned {
            Owned::Compared => found,
            Owned::LeftOut => found.with("owners are not compared: this user cannot set them"),
        };
        self.note(Level::L2, "attributes", found);
        self.marks.t6_ms = Some(self.now_ms());
    }

    fn item(self) -> Item {
        let rpo_content_s = self.content_age_s();
        let Work { bench, planned, marks, checks, report, truth, sample, .. } = self;
        let snapshot = &planned.snapshot;
        let seconds = |ms: u64| ms.div_ceil(1000);
        // The loss is told in whole seconds: a backup may have begun within the same one.
        let age_ms = bench.loss_time.unix_ms.saturating_sub(snapshot.time.unix_ms);
        let age_ms = if age_ms > -1000 { age_ms.max(0) } else { age_ms };
        let moved_ms = marks.t4_ms.zip(marks.t3_ms).map(|(end, start)| (end - start).max(1));
        let measures = Measures {
            rto_target_s: planned.targets.rto_s,
            rto_tech_s: marks.t7_ms.map(seconds),
            mtd_s: planned.targets.mtd_s,
            throughput_bps: moved_ms.map(|ms| report.restored_bytes.saturating_mul(1000) / ms),
            // How much is lost is told by the newest alone.
            rpo_target_s: planned.targets.rpo_s.filter(|_| planned.stratum == inside::NEWEST),
            rpo_s: u64::try_from(age_ms).ok().map(seconds),
            rpo_worst_s: None,
            rpo_content_s,
        };
        let capsule = match &truth {
            None => record::Capsule::Absent,
            Some(capsule) if capsule.same_point => record::Capsule::SamePoint,
            Some(_) => record::Capsule::Interval,
        };
        let mut list = checks.list;
        if let Some(why) = &self.broken {
            let mut last = Checks::new(bench.run);
            let found = Found::skipped(FailureCode::F8, why.as_str());
            last.note((Level::L0, "drill.environment"), Weight::Mandatory, found);
            list.append(&mut last.list);
        }
        let evidence = Evidence {
            checks: &list,
            measures: &measures,
            capsule,
            width_permille: self.width_permille,
            broken: self.broken.is_some(),
        };
        let (verdict, failures) = (verdict::item(&evidence), verdict::failures(&evidence));
        let proof_level = streamed::proven(planned, verdict::proof_level(&list, capsule));
        let sampled = sample.map(|drawn| files::sampled(&drawn, bench.root));
        Item {
            service: planned.targets.service.clone(),
            dataset: planned.dataset.clone(),
            machine: snapshot.host.clone(),
            criticality: planned.targets.criticality.clone(),
            snapshot: snapshot.id.clone(),
            taken_at: bench.told(snapshot.time),
            point: Point { kind: "backup_began".to_owned(), at: bench.told(snapshot.time) },
            stratum: planned.stratum.clone(),
            drawn_among: planned.choices.iter().map(|it| it.snapshot.id.clone()).collect(),
            drawn_root: (!planned.choices.is_empty()).then(|| bench.root.to_owned()),
            target: planned.storage.clone(),
            domain: planned.targets.domain.clone(),
            mode: mode(planned, sampled.as_ref()).to_owned(),
            claim: files::claim(sampled.as_ref(), planned, verdict),
            sample: sampled,
            logical_bytes: snapshot.content_bytes,
            read_bytes: report.restored_bytes,
            files_count: snapshot.files_count,
            checked_count: report.verified_count,
            marks,
            measures,
            checks: list,
            capsule,
            proof_level,
            min_proof: planned.targets.min_proof.unwrap_or(planned.kind.min_proof()),
            verdict,
            failures,
            attack_signs: self.has_attack_signs,
        }
    }
}
