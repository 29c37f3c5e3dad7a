use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use super::*;
use crate::config;
use crate::config::secret::Outside;
use crate::config::secret::Reach;
use crate::daemon::job;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

struct Nothing;

impl Outside for Nothing {
    fn variable(&self, _name: &str) -> Option<OsString> {
        None
    }

    fn reach(&self, _path: &Path) -> Reach {
        Reach::Few
    }
}

fn time(text: &str) -> Timestamp {
    Timestamp::from_unix_ms(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

/// A machine whose clock is turned by hand; jobs take a while and end as they are told to.
struct Machine {
    jobs: BTreeMap<String, Entry>,
    queue: Queue,
    /// With slot, start and end.
    at_work: Vec<(Job, Option<Timestamp>, Timestamp)>,
    now: Timestamp,
    pausing: Pausing,
    /// Key, start.
    started: Vec<(String, Timestamp)>,
    takes_ms: i64,
    exit_code: i64,
}

impl Machine {
    fn new(now: &str, zone: &str, rest: &str) -> Self {
        let now = time(now);
        let text = format!(
            "version = 1\ntime_zone = \"{zone}\"\n[storage.main]\nkind = \"folder\"\n\
             path = \"/srv/a\"\n[storage.nas]\nkind = \"folder\"\npath = \"/srv/b\"\n{rest}"
        );
        let found = config::read(&text, &Nothing, now);
        let config = found.config.unwrap_or_else(|| panic!("{:?}", found.mistakes));
        let jobs = job::all(&config, b"machine").into_iter().map(|scheduled| {
            let entry = Entry { history: History::new(now), last: None, scheduled };
            (entry.scheduled.job.key(), entry)
        });
        Self {
            jobs: jobs.collect(),
            queue: Queue::default(),
            at_work: Vec::new(),
            now,
            pausing: Pausing::Goes,
            started: Vec::new(),
            takes_ms: MINUTE,
            exit_code: 0,
        }
    }

    fn decide(&mut self) -> Option<Timestamp> {
        let at_work: Vec<Job> = self.at_work.iter().map(|(job, ..)| job.clone()).collect();
        let view = View { jobs: &self.jobs, at_work: &at_work, pausing: self.pausing };
        let decision = self.queue.decide(view, self.now);
        for start in decision.start {
            let job = self.jobs[&start.key].scheduled.job.clone();
            let attempt = self.jobs[&start.key].last.as_ref().map_or(1, |last| {
                let is_same = last.slot_ms == start.slot.map(|slot| slot.unix_ms);
                if is_same { last.attempt + 1 } else { 1 }
            });
            self.jobs.get_mut(&start.key).unwrap().last = Some(RunRow {
                id: 1,
                slot_ms: start.slot.map(|slot| slot.unix_ms),
                attempt,
                started_ms: self.now.unix_ms,
                ended_ms: None,
                outcome: None,
                exit_code: None,
                problems_count: 0,
                files_count: None,
                content_bytes: None,
                stored_bytes: None,
                snapshot: None,
                message: None,
                shrunk_from: None,
            });
            self.started.push((start.key, self.now));
            let end = Timestamp::from_unix_ms(self.now.unix_ms + self.takes_ms);
            self.at_work.push((job, start.slot, end));
        }
        for (number, (one, ..)) in self.at_work.iter().enumerate() {
            for (other, ..) in &self.at_work[number + 1..] {
                assert!(one.may_overlap(other), "{one:?} beside {other:?}");
            }
        }
        assert!(self.at_work.len() <= AT_WORK_MAX);
        decision.wake
    }

    /// Lets time pass, waking only when something ends or it asked to be woken.
    fn until(&mut self, end: Timestamp) {
        loop {
            let wake = self.decide();
            let ends = self.at_work.iter().map(|(.., end)| *end);
            let Some(next) = ends.chain(wake).min().filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            assert!(next > self.now, "it would not sleep at {:?}", self.now.to_rfc3339());
            self.now = next;
            let (now, code) = (self.now, self.exit_code);
            let (over, on): (Vec<_>, Vec<_>) =
                self.at_work.drain(..).partition(|(.., end)| *end <= now);
            self.at_work = on;
            for (job, slot, _) in over {
                let entry = self.jobs.get_mut(&job.key()).unwrap();
                let last = entry.last.as_mut().unwrap();
                last.ended_ms = Some(now.unix_ms);
                last.exit_code = Some(code);
                last.outcome = Some(if code == 0 { "done" } else { "failed" });
                if let Some(slot) = slot {
                    entry.history = entry.history.and(slot);
                }
            }
        }
    }

    fn pass(&mut self, ms: i64) {
        self.until(Timestamp::from_unix_ms(self.now.unix_ms + ms));
    }

    /// The machine is off: what was at work is cut off, what waited is forgotten.
    fn off(&mut self, ms: i64) {
        self.at_work.clear();
        self.queue = Queue::default();
        self.now = Timestamp::from_unix_ms(self.now.unix_ms + ms);
    }

    fn starts(&self, key: &str) -> Vec<String> {
        let of = self.started.iter().filter(|(started, _)| started == key);
        of.map(|(_, at)| at.to_rfc3339().get(..16).unwrap().to_owned()).collect()
    }
}

fn backup(name: &str, schedule: &str) -> String {
    format!(
        "[[backup]]\nname = \"{name}\"\nstorage = \"main\"\n\
         source = {{ kind = \"files\", paths = [\"/x\"] }}\nschedule = {{ {schedule} }}\n"
    )
}

#[test]
fn every_slot_once_over_days() {
    let rest = backup("a", "cron = \"0 12,22 * * *\"");
    let mut machine = Machine::new("2026-03-01T00:00:00Z", "Asia/Ho_Chi_Minh", &rest);
    machine.pass(3 * DAY);
    let expected = [
        "2026-03-01T05:00",
        "2026-03-01T15:00",
        "2026-03-02T05:00",
        "2026-03-02T15:00",
        "2026-03-03T05:00",
        "2026-03-03T15:00",
    ];
    assert_eq!(machine.starts("backup:a"), expected);
}

#[test]
fn what_was_missed_is_caught_up_once() {
    let rest = backup("a", "cron = \"0 * * * *\", catch_up = \"12h\"")
        + &backup("b", "cron = \"0 * * * *\"");
    let mut machine = Machine::new("2026-03-01T00:30:00Z", "UTC", &rest);
    machine.pass(HOUR);
    machine.off(2 * DAY + 5 * MINUTE);
    machine.pass(MINUTE);
    assert_eq!(machine.starts("backup:a"), ["2026-03-01T01:00", "2026-03-03T01:35"]);
    assert_eq!(machine.starts("backup:b"), ["2026-03-01T01:00"]);
    machine.pass(HOUR);
    assert_eq!(machine.starts("backup:a").len(), 3);
    assert_eq!(machine.starts("backup:b"), ["2026-03-01T01:00", "2026-03-03T02:00"]);
}

#[test]
fn a_run_that_is_cut_off_is_caught_up_and_one_that_failed_is_not() {
    let rest = backup("a", "cron = \"0 0 * * *\", catch_up = \"12h\"");
    let mut machine = Machine::new("2026-03-01T23:00:00Z", "UTC", &rest);
    machine.takes_ms = 4 * HOUR;
    machine.pass(2 * HOUR);
    machine.off(HOUR);
    machine.pass(HOUR);
    assert_eq!(machine.starts("backup:a"), ["2026-03-02T00:00", "2026-03-02T02:00"]);
    machine.exit_code = 1;
    machine.pass(10 * HOUR);
    assert_eq!(machine.starts("backup:a").len(), 2);
}

#[test]
fn clocks_that_jump_and_change_repeat_nothing() {
    let rest = backup("a", "cron = \"30 2 * * *\", catch_up = \"3h\"");
    // The night in which 02:30 is skipped, and the one in which it comes twice.
    for (start, days) in [("2026-03-27T12:00:00Z", 4), ("2026-10-23T12:00:00Z", 4)] {
        let mut machine = Machine::new(start, "Europe/Berlin", &rest);
        machine.pass(days * DAY);
        let dates: BTreeSet<String> =
            machine.starts("backup:a").iter().map(|at| at[..10].to_owned()).collect();
        assert_eq!((dates.len(), machine.started.len()), (4, 4), "{:?}", machine.started);
    }
    let mut machine = Machine::new("2026-06-01T00:00:00Z", "UTC", &rest);
    machine.pass(3 * HOUR);
    machine.now = Timestamp::from_unix_ms(machine.now.unix_ms - 2 * HOUR);
    machine.pass(3 * HOUR);
    assert_eq!(machine.started.len(), 1);
}

#[test]
fn a_storage_that_does_not_answer_is_tried_again_and_again_later() {
    let rest = backup("a", "cron = \"0 0 * * *\"");
    let mut machine = Machine::new("2026-03-01T23:00:00Z", "UTC", &rest);
    machine.exit_code = 15;
    machine.takes_ms = 1000;
    machine.pass(12 * HOUR);
    let minutes: Vec<i64> =
        machine.started.windows(2).map(|two| two[1].1.ms_since(two[0].1) / MINUTE).collect();
    assert_eq!(minutes, [1, 2, 4, 8, 16]);
    // The next slot is a new one.
    machine.exit_code = 0;
    machine.pass(DAY);
    assert_eq!(machine.started.len(), 7);
}

#[test]
fn a_try_that_goes_well_is_the_last() {
    let rest = backup("a", "cron = \"0 0 * * *\"");
    let mut machine = Machine::new("2026-03-01T23:30:00Z", "UTC", &rest);
    machine.exit_code = 11;
    machine.takes_ms = 1000;
    machine.pass(30 * MINUTE + 30_000);
    assert_eq!(machine.started.len(), 1);
    machine.exit_code = 0;
    machine.pass(12 * HOUR);
    assert_eq!(machine.started.len(), 2);
}

#[test]
fn none_is_lost_where_all_come_at_once() {
    let names = ["a", "b", "c", "d", "e"];
    let rest: String = names.map(|name| backup(name, "cron = \"0 0 * * *\"")).concat();
    let mut machine = Machine::new("2026-03-01T23:59:00Z", "UTC", &rest);
    machine.takes_ms = 10 * MINUTE;
    machine.pass(HOUR);
    for name in names {
        assert_eq!(machine.starts(&format!("backup:{name}")).len(), 1, "{name}");
    }
}

#[test]
fn maintenance_is_alone_in_its_storage_and_comes_to_its_turn() {
    let rest = backup("a", "cron = \"*/2 * * * *\"")
        + &backup("b", "cron = \"1-59/2 * * * *\"")
        + "[maintenance]\nstorages = [\"main\", \"nas\"]\nprune = { cron = \"0 0 * * *\" }\n";
    let mut machine = Machine::new("2026-03-01T23:00:00Z", "UTC", &rest);
    // Together the two backups leave no gap.
    machine.takes_ms = 90_000;
    machine.pass(3 * HOUR);
    // `decide` looks that nobody is beside it.
    assert_eq!(machine.starts("prune:main").len(), 1, "{:?}", machine.started);
    assert_eq!(machine.starts("prune:nas").len(), 1);
}

#[test]
fn a_window_that_closed_is_closed() {
    let rest = backup("a", "cron = \"0 22 * * *\", window = \"22:00-23:00\"")
        + &backup("b", "cron = \"0 22 * * *\"")
        + &backup("c", "cron = \"0 22 * * *\"");
    let mut machine = Machine::new("2026-03-01T21:00:00Z", "UTC", &rest);
    machine.takes_ms = 2 * HOUR;
    machine.pass(HOUR - 1);
    // Two others are at work when it comes.
    machine.queue.want("backup:b", machine.now);
    machine.queue.want("backup:c", machine.now);
    machine.pass(6 * HOUR);
    assert_eq!(machine.starts("backup:a").len(), 0, "{:?}", machine.started);
}

#[test]
fn paused_it_starts_only_what_is_asked_for() {
    let rest = backup("a", "cron = \"*/5 * * * *\"") + &backup("b", "cron = \"*/5 * * * *\"");
    let mut machine = Machine::new("2026-03-01T00:01:00Z", "UTC", &rest);
    machine.pausing = Pausing::Paused;
    machine.pass(HOUR);
    assert_eq!(machine.started, []);
    machine.queue.want("backup:a", machine.now);
    machine.pass(HOUR);
    assert_eq!(machine.started.len(), 1);
    machine.pausing = Pausing::Goes;
    machine.pass(6 * MINUTE);
    assert_eq!(machine.started.len(), 5, "{:?}", machine.started);
}

#[test]
fn commands_follow_from_the_job() {
    let rest = backup("a", "cron = \"@daily\"")
        .replace("[[backup]]", "[[backup]]\nretention = \"r\"")
        + "[retention.r]\nkeep_last = 1\n[[copy]]\nfrom = \"main\"\nto = [\"nas\"]\n\
           schedule = { cron = \"@daily\" }\n[maintenance]\nstorages = [\"main\", \"nas\"]\n\
           forget = { cron = \"@daily\" }\ncheck = { cron = \"@daily\", read_data = \"3%\" }\n\
           prune = { cron = \"@weekly\", grace = \"7d\", max_delete = \"20%\" }\n";
    let machine = Machine::new("2026-03-01T00:00:00Z", "UTC", &rest);
    let commands: Vec<String> = machine
        .jobs
        .values()
        .flat_map(|entry| entry.scheduled.job.steps())
        .map(|step| step.join(" "))
        .collect();
    assert_eq!(
        commands,
        [
            "backup -r main --job a",
            "check -r main --read-data-subset 3%",
            "check -r nas --read-data-subset 3%",
            "copy -r main --to nas",
            "forget -r main --job a",
            "forget -r nas --job a",
            "prune -r main --grace 604800s --max-delete 20%",
            "prune -r nas --grace 604800s --max-delete 20%",
        ]
    );
    let jobs: Vec<Job> = machine.jobs.values().map(|entry| entry.scheduled.job.clone()).collect();
    let text = serde_json::to_string(&jobs).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Job>>(&text).unwrap(), jobs);
}

/// What a month will draw is not known before: only what such a drill always holds has an age.
#[test]
fn a_proof_ages_by_the_drills_that_are_sure_to_come() {
    let backup = |name: &str| {
        format!(
            "[[backup]]\nname = \"{name}\"\nstorage = \"main\"\n\
             source = {{ kind = \"files\", paths = [\"/srv/{name}\"] }}\n\
             schedule = {{ cron = \"@daily\" }}\n"
        )
    };
    let drill = |name: &str, cron: &str, more: &str| {
        format!(
            "[[drill]]\nname = \"{name}\"\nclass = \"D2\"\nstorage = \"main\"\n\
             schedule = {{ cron = \"{cron}\" }}\nsandbox = {{ path = \"/srv/drills\" }}\n{more}"
        )
    };
    let drawn = "selection = \"drawn\"\ndatasets = [\"b\"]\n";
    let ages = |drills: &[String]| {
        let text = [backup("a"), backup("b"), drills.concat()].concat();
        let head = "version = 1\ntime_zone = \"UTC\"\n[storage.main]\nkind = \"folder\"\n\
                    path = \"/srv/store\"\n";
        let now = time("2026-03-01T00:00:00Z");
        let found = config::read(&format!("{head}{text}"), &Nothing, now);
        let config = found.config.unwrap_or_else(|| panic!("{:?}", found.mistakes));
        let days = |it: crate::catalogue::proof::DatasetSpec| it.age_max_ms.map(|ms| ms * 2 / DAY);
        job::datasets(&config, now).into_iter().map(days).collect::<Vec<_>>()
    };
    let weekly = drill("weekly", "0 3 * * 0", "datasets = [\"a\"]\n");
    assert_eq!(ages(&[drill("drawn", "0 2 * * 0", drawn)]), [None, Some(21)]);
    assert_eq!(ages(&[weekly, drill("drawn", "@daily", drawn)]), [Some(21), Some(3)]);
    assert_eq!(ages(&[drill("all", "0 2 * * 0", "")]), [Some(21), Some(21)]);
}
