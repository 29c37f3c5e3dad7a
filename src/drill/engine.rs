//! A whole drill, from preflight to verdict.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::check::restored::Owned;
use crate::drill::item;
use crate::drill::plan::Copied;
use crate::drill::plan::Custom;
use crate::drill::plan::Isolation;
use crate::drill::plan::Kind;
use crate::drill::plan::Plan;
use crate::drill::preflight;
use crate::drill::record;
use crate::drill::record::About;
use crate::drill::record::Environment;
use crate::drill::record::Item;
use crate::drill::record::Marks;
use crate::drill::record::Measures;
use crate::drill::record::Point;
use crate::drill::record::Privacy;
use crate::drill::record::Record;
use crate::drill::record::SCHEMA;
use crate::drill::sandbox::Sandbox;
use crate::drill::server::Engine;
use crate::drill::server::Servers;
use crate::drill::server::confine::Confinement;
use crate::drill::server::confine::Who;
use crate::drill::server::mariadb;
use crate::drill::server::postgresql;
use crate::drill::verdict;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::drill::verdict::Verdict;
use crate::repository::open::Repository;
use crate::run::Run;
use crate::run::Stopped;
use crate::units::Timestamp;

/// How often a stop of the run, or the end of the lease, is looked for.
const WATCH: Duration = Duration::from_millis(100);

/// How far a drill has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Preflight,
    Restoring,
    Verifying,
    Measured,
}

/// Who is told of each stage, as often as an item reaches it.
pub trait Steps: Sync {
    fn reached(&self, stage: Stage);
}

/// What items are restored from, and by whom.
pub struct Bench<'a> {
    pub run: &'a Run,
    pub steps: &'a dyn Steps,
    pub repository: &'a Repository,
    pub threads_count: usize,
    pub sandbox: &'a Sandbox,
    /// What servers are made of, where programs may be started.
    pub servers: Option<&'a Servers>,
    pub owned: Owned,
    /// What samples are drawn from.
    pub root: &'a str,
    pub record_id: &'a str,
    /// When the loss is taken to have happened.
    pub loss_time: Timestamp,
    /// What had gone by since then when the first item began.
    pub head: Duration,
    pub offset_s: i32,
}

impl Bench<'_> {
    /// A time as records have it.
    #[must_use]
    pub fn told(&self, time: Timestamp) -> String {
        told(time, self.offset_s)
    }
}

/// RFC 3339 with an offset, whole seconds.
#[must_use]
pub fn told(time: Timestamp, offset_s: i32) -> String {
    let offset = jiff::tz::Offset::from_seconds(offset_s).unwrap_or(jiff::tz::Offset::UTC);
    match jiff::Timestamp::from_millisecond(time.unix_ms) {
        Ok(time) => time.display_with_offset(offset).to_string().replacen(".000", "", 1),
        Err(_) => time.to_rfc3339(),
    }
}

/// A drill that was carried out as far as it came.
#[derive(Debug)]
pub struct Done {
    pub record: Record,
    /// Whether the run was stopped from outside, and not by the lease.
    pub stopped: Option<Stopped>,
}

/// Carries a drill out. The sandbox is left for whoever removes it after the record was kept.
#[must_use]
pub fn execute(
    run: &Run,
    repository: &Repository,
    (plan, sandbox): (&Plan, &Sandbox),
    steps: &dyn Steps,
) -> Done {
    steps.reached(Stage::Preflight);
    let head_ms = i64::try_from(plan.head.as_millis()).unwrap_or(0);
    let now_ms = run.clock.now().unix_ms;
    let loss_time = whole(Timestamp { unix_ms: now_ms.saturating_sub(head_ms) });
    let leased = Leased::new(run, plan.room.lease);
    let owned = if is_privileged() { Owned::Compared } else { Owned::LeftOut };
    let servers = servers(run, plan);
    let servers = servers.as_ref();
    let mut checks = plan.looked.clone();
    checks.extend(preflight::look(run, plan, servers));
    let is_ready = checks.iter().all(|it| !it.mandatory || it.result == Outcome::Pass);
    let (mut items, mut stopped) = (Vec::new(), None);
    if is_ready {
        let bench = Bench {
            run: &leased.run,
            steps,
            repository,
            threads_count: plan.threads_count,
            sandbox,
            servers,
            owned,
            root: &plan.root,
            record_id: &plan.record_id,
            loss_time,
            head: plan.head,
            offset_s: plan.offset_s,
        };
        (items, stopped) = watched(run, (&leased, &bench), (plan, sandbox));
    }
    let begun_count = items.len();
    if is_ready && stopped.is_none() {
        steps.reached(Stage::Measured);
    }
    let at = told(loss_time, plan.offset_s);
    let none = || Found::equal(FailureCode::F2, "a snapshot", "none");
    let absent = plan.absent.iter();
    items.extend(absent.map(|dataset| not_reached(run, (dataset, &at), ("snapshot", none()))));
    let mut verdict = verdict::drill(&items, &checks);
    if begun_count < plan.items.len() {
        // What was not even begun is not proven.
        verdict = verdict.min(Verdict::Inconclusive);
    }
    let record = Record {
        schema: SCHEMA.to_owned(),
        kind: "drill".to_owned(),
        record_id: plan.record_id.clone(),
        legal_profile: plan.legal_profile.clone(),
        org: plan.org.clone(),
        drill: about(plan, loss_time, whole(run.clock.now())),
        people: plan.people.clone(),
        selection: plan.selection.clone(),
        recovery: plan.recovery.clone(),
        env: environment(plan, servers),
        preflight: checks,
        items,
        coverage: plan.coverage.clone(),
        privacy: privacy(plan),
        findings: Vec::new(),
        actions: Vec::new(),
        verdict,
    };
    Done { record, stopped }
}

/// The items one after the other, under the lease; and what stopped them from outside.
fn watched(
    run: &Run,
    (leased, bench): (&Leased, &Bench<'_>),
    (plan, sandbox): (&Plan, &Sandbox),
) -> (Vec<Item>, Option<Stopped>) {
    let (mut items, mut stopped) = (Vec::new(), None);
    let watched = leased.watch(run, || {
        for (number, planned) in plan.items.iter().enumerate() {
            let folder = sandbox.content(number);
            let (item, ended) = item::execute(bench, (planned, &plan.checks), &folder);
            items.push(item);
            if let Err(why) = ended {
                stopped = Some(why);
                break;
            }
        }
    });
    match watched {
        Watched::LeaseEnded => (items, None),
        Watched::Done => (items, stopped),
    }
}

fn privacy(plan: &Plan) -> Privacy {
    let access = vec!["operator".to_owned()];
    Privacy { personal_data: plan.has_personal_data, basis: None, access }
}

const fn whole(time: Timestamp) -> Timestamp {
    Timestamp { unix_ms: time.unix_ms - time.unix_ms.rem_euclid(1000) }
}

fn about(plan: &Plan, started: Timestamp, ended: Timestamp) -> About {
    About {
        code: plan.code.clone(),
        class: plan.class.clone(),
        title: plan.title.clone(),
        period: plan.period.clone(),
        plan_ref: plan.plan_ref.clone(),
        announced: plan.is_announced,
        objectives: Vec::new(),
        scenario: plan.scenario.clone(),
        location: plan.location.clone(),
        started_at: told(started, plan.offset_s),
        ended_at: told(ended, plan.offset_s),
    }
}

/// What programs are started with, if a dataset or a check needs one and they may be.
fn servers(run: &Run, plan: &Plan) -> Option<Servers> {
    let is_asked = |of: fn(Kind) -> bool| plan.items.iter().any(|item| of(item.kind));
    let is_postgresql = is_asked(Kind::is_postgresql);
    let is_mariadb = is_asked(Kind::is_mariadb);
    let is_told = is_asked(|kind| kind == Kind::Copy(Copied::Told));
    let is_needed =
        is_postgresql || is_mariadb || is_told || plan.checks.iter().any(Custom::is_program);
    if !is_needed || plan.room.isolation == Isolation::I0 {
        return None;
    }
    let who = if is_privileged() { Who::Anybody } else { Who::Itself };
    let of = |is_asked: bool, engines: fn(&Run, &[PathBuf]) -> Vec<Engine>| match is_asked {
        true => engines(run, &plan.programs),
        false => Vec::new(),
    };
    Some(Servers {
        confinement: Confinement::find(run, who, &plan.room.hidden),
        postgresql: of(is_postgresql, postgresql::engines),
        mariadb: of(is_mariadb, mariadb::engines),
        limit: plan.room.lease,
    })
}

/// A dataset that was to be restored at a time and of which nothing comes back, for what was found.
#[must_use]
pub fn not_reached(run: &Run, (dataset, at): (&str, &str), (what, found): (&str, Found)) -> Item {
    let mut checks = Checks::new(run);
    let failures = vec![found.code];
    let verdict = match found.result {
        Outcome::Fail => Verdict::Fail,
        _ => Verdict::Inconclusive,
    };
    checks.note((Level::L0, what), Weight::Mandatory, found);
    Item {
        service: None,
        dataset: dataset.to_owned(),
        machine: String::new(),
        criticality: None,
        snapshot: String::new(),
        taken_at: at.to_owned(),
        point: Point { kind: "none".to_owned(), at: at.to_owned() },
        stratum: String::new(),
        drawn_among: Vec::new(),
        drawn_root: None,
        target: String::new(),
        domain: None,
        mode: "full".to_owned(),
        claim: None,
        sample: None,
        logical_bytes: 0,
        read_bytes: 0,
        files_count: 0,
        checked_count: 0,
        marks: Marks::default(),
        measures: Measures::default(),
        checks: checks.list,
        capsule: record::Capsule::Absent,
        proof_level: None,
        min_proof: Level::L6,
        verdict,
        failures,
        attack_signs: false,
    }
}

fn environment(plan: &Plan, servers: Option<&Servers>) -> Environment {
    let sqlite = rusqlite::version().to_owned();
    let own = env!("CARGO_PKG_VERSION").to_owned();
    let is_refused = servers.is_some_and(|servers| servers.confinement.is_err());
    // What was meant is not what was had.
    let isolation = if is_refused { Isolation::I0 } else { plan.room.isolation };
    Environment {
        isolation: isolation.name().to_owned(),
        volume: "plain".to_owned(),
        host: plan.host.clone(),
        os: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        tools: BTreeMap::from([("lifeboat".to_owned(), own), ("sqlite".to_owned(), sqlite)]),
        ntp_offset_ms: None,
        lease_s: plan.room.lease.as_secs(),
    }
}

#[cfg(unix)]
fn is_privileged() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_privileged() -> bool {
    false
}

/// A run that ends with its lease.
struct Leased {
    run: Run,
    lease: Duration,
}

/// Why watching ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    Done,
    LeaseEnded,
}

impl Leased {
    fn new(run: &Run, lease: Duration) -> Self {
        Self { run: run.unstopped(), lease }
    }

    /// Does `work`; whoever stops `outer`, or the end of the lease, stops it.
    fn watch(&self, outer: &Run, work: impl FnOnce()) -> Watched {
        let is_over = Arc::new((Mutex::new(false), Condvar::new()));
        let has_ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let over = Arc::clone(&is_over);
            let has_ended = &has_ended;
            scope.spawn(move || {
                let began = outer.clock.elapsed();
                let (lock, wake) = &*over;
                let mut is_over = lock.lock().unwrap_or_else(PoisonError::into_inner);
                while !*is_over {
                    if let Err(why) = outer.check() {
                        self.run.cancel.stop(why);
                        return;
                    }
                    if outer.clock.elapsed().saturating_sub(began) >= self.lease {
                        has_ended.store(true, Ordering::Relaxed);
                        self.run.cancel.stop(Stopped::Terminated);
                        return;
                    }
                    let waited = wake.wait_timeout(is_over, WATCH);
                    is_over = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            });
            work();
            let (lock, wake) = &*is_over;
            *lock.lock().unwrap_or_else(PoisonError::into_inner) = true;
            wake.notify_all();
        });
        if has_ended.into_inner() { Watched::LeaseEnded } else { Watched::Done }
    }
}
