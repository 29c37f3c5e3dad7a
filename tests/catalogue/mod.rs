//! The catalogue: what is on record after each step, damage, other versions, and a long history.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use lifeboat::catalogue::Catalogue;
use lifeboat::catalogue::CatalogueError;
use lifeboat::catalogue::Opened;
use lifeboat::catalogue::query::RunFilter;
use lifeboat::catalogue::query::Size;
use lifeboat::catalogue::record::JobSpec;
use lifeboat::catalogue::record::Outcome;
use lifeboat::catalogue::record::ProblemRow;
use lifeboat::catalogue::record::RunEnd;
use lifeboat::disk::unix::RealDisk;
use lifeboat::schedule::plan::History;
use lifeboat::units::Timestamp;
use tempfile::TempDir;

use crate::cli::scene::Scene;
use crate::support::profile::Profile;
use crate::support::profile::report;
use crate::support::tally::Watch;

const HOUR: i64 = 3_600_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_000_000_000 + ms)
}

fn job(key: &str) -> JobSpec {
    JobSpec {
        key: key.to_owned(),
        dataset: key.strip_prefix("backup:").map(str::to_owned),
        storage: Some("main".to_owned()),
        age_max_ms: Some(26 * HOUR),
    }
}

fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalogue.sqlite");
    (dir, path)
}

fn open(path: &Path) -> (Catalogue, Opened) {
    Catalogue::open(path, &RealDisk, at(0)).unwrap()
}

fn history(catalogue: &Catalogue, key: &str) -> History {
    let jobs = catalogue.status().unwrap();
    jobs.iter().find(|job| job.key == key).unwrap().history()
}

fn filled(path: &Path) -> Catalogue {
    let (mut catalogue, opened) = open(path);
    assert_eq!(opened, Opened::New);
    catalogue.take_jobs(&[job("backup:files"), job("prune:main")], at(0)).unwrap();
    for n in 1..=20 {
        let run = catalogue.begin("backup:files", Some(at(n * HOUR)), at(n * HOUR + 5)).unwrap();
        let mut end = RunEnd::new(Outcome::Done, 0);
        end.snapshot = Some(format!("{n:032x}"));
        catalogue.end(run, &end, at(n * HOUR + 99)).unwrap();
    }
    catalogue
}

#[test]
fn a_slot_counts_when_its_run_has_ended() {
    let (_dir, path) = place();
    let (mut catalogue, _) = open(&path);
    catalogue.take_jobs(&[job("backup:files")], at(0)).unwrap();
    let new = History::new(at(0));
    assert_eq!(history(&catalogue, "backup:files"), new);
    let run = catalogue.begin("backup:files", Some(at(HOUR)), at(HOUR)).unwrap();
    assert_eq!(history(&catalogue, "backup:files"), new, "it has only begun");
    // The power goes: the next start tells it, once, and the slot is still to be done.
    drop(catalogue);
    let (mut catalogue, opened) = open(&path);
    assert_eq!(opened, Opened::Kept);
    assert_eq!(catalogue.cut_off(at(2 * HOUR)).unwrap(), 1);
    assert_eq!(catalogue.cut_off(at(2 * HOUR)).unwrap(), 0);
    assert_eq!(history(&catalogue, "backup:files"), new);
    let done = RunEnd::new(Outcome::Done, 0);
    assert!(matches!(catalogue.end(run, &done, at(3 * HOUR)), Err(CatalogueError::NoRun(_))));
    let again = catalogue.begin("backup:files", Some(at(HOUR)), at(3 * HOUR)).unwrap();
    let mut failed = RunEnd::new(Outcome::Failed, 1);
    failed.problems_count = 2;
    failed.message = Some("the storage is away".to_owned());
    failed.problems = vec![ProblemRow {
        severity: "problem",
        subject: "/srv/a".to_owned(),
        message: "cannot open".to_owned(),
    }];
    catalogue.end(again, &failed, at(3 * HOUR + 1)).unwrap();
    assert_eq!(history(&catalogue, "backup:files"), new.and(at(HOUR)));
    let status = catalogue.status().unwrap().remove(0);
    let last = status.last.as_ref().unwrap();
    assert_eq!((last.outcome, last.attempt), (Some("failed"), 2));
    assert!(status.last_good.is_none());
    assert!(!status.is_silent(at(26 * HOUR)) && status.is_silent(at(26 * HOUR + 1)));
    // A clock that went back: the greatest slot is still known.
    let earlier = catalogue.begin("backup:files", Some(at(HOUR / 2)), at(HOUR / 2)).unwrap();
    catalogue.end(earlier, &done, at(HOUR / 2 + 1)).unwrap();
    let history = history(&catalogue, "backup:files");
    assert_eq!((history.slot, history.slot_max), (Some(at(HOUR / 2)), Some(at(HOUR))));
    assert!(matches!(catalogue.begin("none", None, at(0)), Err(CatalogueError::NoJob(_))));
}

#[test]
fn jobs_come_and_go_and_their_runs_stay() {
    let (_dir, path) = place();
    let mut catalogue = filled(&path);
    catalogue.set_next("backup:files", Some(at(21 * HOUR))).unwrap();
    catalogue.take_jobs(&[job("prune:main")], at(30 * HOUR)).unwrap();
    let keys = |catalogue: &Catalogue| -> Vec<String> {
        catalogue.status().unwrap().into_iter().map(|status| status.key).collect()
    };
    assert_eq!(keys(&catalogue), ["prune:main"]);
    let filter = RunFilter { job: Some("backup:files"), ..RunFilter::default() };
    assert_eq!(catalogue.runs(filter, 100).unwrap().len(), 20);
    catalogue.take_jobs(&[job("backup:files"), job("prune:main")], at(31 * HOUR)).unwrap();
    assert_eq!(keys(&catalogue), ["backup:files", "prune:main"]);
    // One that was away has missed nothing meanwhile; one that stayed is as old as it was.
    catalogue.take_jobs(&[job("backup:files"), job("prune:main")], at(32 * HOUR)).unwrap();
    assert_eq!(history(&catalogue, "backup:files").since, at(31 * HOUR));
    assert_eq!(history(&catalogue, "prune:main").since, at(0));
    assert_eq!(catalogue.status().unwrap()[0].next_ms, Some(at(21 * HOUR).unix_ms));
    // Pages from the newest back.
    let first = catalogue.runs(RunFilter::default(), 5).unwrap();
    let started: Vec<i64> = first.iter().map(|(_, run)| run.started_ms).collect();
    assert!(started.is_sorted_by(|a, b| a > b) && started.len() == 5);
    let before = Some(Timestamp::from_unix_ms(started[4]));
    let next = catalogue.runs(RunFilter { before, job: None }, 100).unwrap();
    assert_eq!(next.len(), 15);
    // Old ones go, but never the last good one.
    assert_eq!(catalogue.trim(at(100 * HOUR)).unwrap(), 19);
    assert!(catalogue.status().unwrap()[0].last_good.is_some());
}

/// A run at work hides neither that the one before failed, nor how it did.
#[test]
fn the_last_run_that_ended_is_known_beside_the_one_at_work() {
    let (_dir, path) = place();
    let mut catalogue = filled(&path);
    let ended = |catalogue: &Catalogue| {
        let job = catalogue.status().unwrap().remove(0);
        let last = job.last_ended.unwrap();
        (last.outcome.unwrap(), last.exit_code, job.last.unwrap().outcome)
    };
    let run = catalogue.begin("backup:files", None, at(21 * HOUR)).unwrap();
    assert_eq!(ended(&catalogue), ("done", Some(0), None));
    catalogue.end(run, &RunEnd::new(Outcome::Failed, 15), at(22 * HOUR)).unwrap();
    catalogue.begin("backup:files", None, at(23 * HOUR)).unwrap();
    assert_eq!(ended(&catalogue), ("failed", Some(15), None));
    // What was cut off or stopped came to no end of its own.
    catalogue.cut_off(at(24 * HOUR)).unwrap();
    assert_eq!(ended(&catalogue), ("failed", Some(15), Some("cut")));
    let stopped = catalogue.begin("backup:files", None, at(25 * HOUR)).unwrap();
    catalogue.end(stopped, &RunEnd::new(Outcome::Stopped, 143), at(26 * HOUR)).unwrap();
    assert_eq!(ended(&catalogue), ("failed", Some(15), Some("stopped")));
    // However old it is.
    let kept = catalogue.status().unwrap();
    catalogue.trim(at(1000 * HOUR)).unwrap();
    assert_eq!(catalogue.status().unwrap(), kept);
}

/// A catalogue that an older program left: what it has is known in the new columns too.
#[test]
fn an_older_layout_grows_up() {
    let (_dir, path) = place();
    let mut catalogue = filled(&path);
    let run = catalogue.begin("backup:files", None, at(21 * HOUR)).unwrap();
    catalogue.end(run, &RunEnd::new(Outcome::Failed, 15), at(22 * HOUR)).unwrap();
    catalogue.begin("backup:files", None, at(23 * HOUR)).unwrap();
    let before = catalogue.status().unwrap();
    drop(catalogue);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF; DROP TABLE storage; DROP INDEX job_of_last_ended;
             ALTER TABLE job DROP COLUMN last_ended;
             ALTER TABLE job DROP COLUMN wanted_ms;
             ALTER TABLE run DROP COLUMN is_cancelled;
             ALTER TABLE run DROP COLUMN usual_files_count;
             ALTER TABLE run DROP COLUMN usual_content_bytes; PRAGMA user_version = 3;",
        )
        .unwrap();
    drop(connection);
    let (catalogue, opened) = open(&path);
    assert_eq!(opened, Opened::Kept);
    assert_eq!(catalogue.status().unwrap(), before);
}

/// What somebody asked for is owed until a run that began later has ended; what he stopped is not
/// caught up.
#[test]
fn what_somebody_wants_outlives_the_program() {
    let (_dir, path) = place();
    let (mut catalogue, _) = open(&path);
    catalogue.take_jobs(&[job("backup:files")], at(0)).unwrap();
    let wanted = |catalogue: &Catalogue| catalogue.status().unwrap()[0].wanted_ms;
    let run = catalogue.begin("backup:files", None, at(10)).unwrap();
    catalogue.want("backup:files", Some(at(20))).unwrap();
    catalogue.end(run, &RunEnd::new(Outcome::Done, 0), at(30)).unwrap();
    assert_eq!(wanted(&catalogue), Some(at(20).unix_ms), "that one began before");
    catalogue.begin("backup:files", None, at(40)).unwrap();
    assert_eq!(catalogue.cut_off(at(50)).unwrap(), 1);
    assert_eq!(wanted(&catalogue), Some(at(20).unix_ms), "that one was cut off");
    let run = catalogue.begin("backup:files", Some(at(60)), at(60)).unwrap();
    catalogue.cancel(run).unwrap();
    assert_eq!(catalogue.cut_off(at(70)).unwrap(), 0);
    let status = catalogue.status().unwrap().remove(0);
    assert_eq!((status.wanted_ms, status.last.unwrap().outcome), (None, Some("stopped")));
    assert_eq!(history(&catalogue, "backup:files"), History::new(at(0)).and(at(60)));
    // While the one that was cancelled still stops, somebody asks again.
    let run = catalogue.begin("backup:files", None, at(80)).unwrap();
    catalogue.cancel(run).unwrap();
    catalogue.want("backup:files", Some(at(90))).unwrap();
    assert_eq!(catalogue.cut_off(at(100)).unwrap(), 0);
    assert_eq!(wanted(&catalogue), Some(at(90).unix_ms), "it was asked for after that one began");
    catalogue.want("backup:files", None).unwrap();
    assert_eq!(wanted(&catalogue), None);
    catalogue.touch().unwrap();
}

#[test]
fn what_is_usual_is_the_middle_of_the_last_ten_good_runs() {
    let (_dir, path) = place();
    let (mut catalogue, _) = open(&path);
    catalogue.take_jobs(&[job("backup:files")], at(0)).unwrap();
    let mut make = |n: i64, outcome, files, shrunk_from| {
        let run = catalogue.begin("backup:files", None, at(n)).unwrap();
        let usual = catalogue.usual("backup:files").unwrap();
        let mut end = RunEnd::new(outcome, 0);
        (end.files_count, end.content_bytes) = (Some(files), Some(10 * files));
        end.shrunk_from = shrunk_from;
        end.storages_bytes = vec![("main".to_owned(), 100 + files)];
        catalogue.end(run, &end, at(n + 1)).unwrap();
        (usual.size.files_count, usual.size.content_bytes, usual.has_shrunk)
    };
    assert_eq!(make(0, Outcome::Done, 100, None), (None, None, false));
    assert_eq!(make(10, Outcome::Failed, 1, None), (Some(100), Some(1000), false));
    assert_eq!(make(20, Outcome::Problems, 200, None), (Some(100), Some(1000), false));
    // Five large ones and five small ones: what is usual is told rather high.
    for n in 3..13 {
        make(n * 10, Outcome::Done, if n % 2 == 0 { 1000 } else { 10 }, None);
    }
    let small = Some(Size { files_count: Some(1000), content_bytes: None });
    assert_eq!(make(200, Outcome::Done, 10, small), (Some(1000), Some(10_000), false));
    assert_eq!(make(210, Outcome::Done, 10, None), (Some(1000), Some(10_000), true));
    assert_eq!(make(220, Outcome::Done, 10, None), (Some(10), Some(100), false));
    let last = catalogue.status().unwrap().remove(0).last.unwrap();
    assert_eq!((last.shrunk_from, last.files_count), (None, Some(10)));
    let storages = catalogue.storages().unwrap();
    assert_eq!((storages.len(), storages[0].bytes), (1, 110));
    assert_eq!(storages[0].looked_ms, at(221).unix_ms);
}

type Harm = fn(&mut Vec<u8>);

#[test]
fn a_damaged_file_is_set_aside_and_its_bytes_are_kept() {
    let harm: [(&str, Harm); 5] = [
        ("empty of sense", |bytes| bytes.fill(b'x')),
        ("its head", |bytes| bytes[..16].fill(0)),
        ("cut", |bytes| bytes.truncate(5000)),
        ("a page", |bytes| bytes[4096..8192].fill(0xff)),
        ("all pages but the first", |bytes| bytes[4096..].fill(0)),
    ];
    for (name, harm) in harm {
        let (dir, path) = place();
        drop(filled(&path));
        let mut bytes = std::fs::read(&path).unwrap();
        harm(&mut bytes);
        write(&path, &bytes);
        let (mut catalogue, opened) = open(&path);
        let Opened::SetAside(aside) = opened else { panic!("{name}: {opened:?}") };
        assert_eq!(std::fs::read(&aside).unwrap(), bytes, "{name}");
        assert!(aside.starts_with(dir.path()));
        assert!(catalogue.status().unwrap().is_empty(), "{name}");
        catalogue.take_jobs(&[job("backup:files")], at(0)).unwrap();
        catalogue.begin("backup:files", None, at(0)).unwrap();
        drop(catalogue);
        assert_eq!(open(&path).1, Opened::Kept, "{name}");
    }
}

#[test]
fn a_deleted_file_is_new_and_others_are_left_alone() {
    let (_dir, path) = place();
    drop(filled(&path));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(open(&path).1, Opened::New);
    let raw = |path: &Path, sql: &str| {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.execute_batch(sql).unwrap();
    };
    raw(&path, "PRAGMA user_version = 99");
    let error = Catalogue::open(&path, &RealDisk, at(0)).unwrap_err();
    assert!(matches!(error, CatalogueError::Newer { found: 99, .. }), "{error}");
    let (_dir, other) = place();
    raw(&other, "CREATE TABLE mail (text TEXT)");
    let error = Catalogue::open(&other, &RealDisk, at(0)).unwrap_err();
    assert!(matches!(error, CatalogueError::Foreign { .. }), "{error}");
    let nowhere = Path::new("/nonexistent/catalogue.sqlite");
    let error = Catalogue::open(nowhere, &RealDisk, at(0)).unwrap_err();
    assert!(matches!(error, CatalogueError::Database { .. }), "{error}");
}

#[test]
fn one_writes_and_others_read_meanwhile() {
    let (_dir, path) = place();
    let mut writer = filled(&path);
    let (reader, _) = open(&path);
    let run = writer.begin("prune:main", None, at(50 * HOUR)).unwrap();
    let status = reader.status().unwrap();
    assert_eq!(status[1].last.as_ref().map(|last| (last.id, last.outcome)), Some((run, None)));
    writer.end(run, &RunEnd::new(Outcome::Stopped, 143), at(51 * HOUR)).unwrap();
    assert_eq!(reader.runs(RunFilter::default(), 1).unwrap()[0].1.outcome, Some("stopped"));
}

fn write(path: &Path, bytes: &[u8]) {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).truncate(true).open(path).unwrap().write_all(bytes).unwrap();
}

/// A configuration with a thousand backups, and this catalogue.
fn configured(catalogue: &Path) -> Scene {
    let mut scene = Scene::new();
    scene.unset("LIFEBOAT_REPOSITORY");
    let mut text = format!(
        "version = 1\nstate_dir = \"{}\"\n[storage.main]\nkind = \"folder\"\npath = \"/r\"\n",
        catalogue.parent().unwrap().display()
    );
    for n in 0..1000 {
        text.push_str(&format!(
            "[[backup]]\nname = \"{n:04}\"\nstorage = \"main\"\n\
             source = {{ kind = \"files\", paths = [\"/srv/{n}\"] }}\n\
             schedule = {{ cron = \"@hourly\" }}\nexpect = {{ age_max = \"26h\" }}\n"
        ));
    }
    scene.file("lifeboat.toml", text.as_bytes());
    let file = scene.path("lifeboat.toml");
    scene.set("LIFEBOAT_CONFIG", file);
    scene
}

/// A thousand jobs with a thousand runs each: `status` and a page of runs read no more than they
/// show.
#[test]
fn a_long_history_is_no_slower() {
    let profile = Profile::of_process();
    let runs = profile.pick(50, 1000, 1000);
    let (_dir, path) = place();
    let (mut catalogue, _) = open(&path);
    let specs: Vec<JobSpec> = (0..1000).map(|n| job(&format!("backup:{n:04}"))).collect();
    catalogue.take_jobs(&specs, at(0)).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(&format!(
            "BEGIN;
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {runs})
             INSERT INTO run (job, slot_ms, attempt, started_ms, ended_ms, outcome, exit_code,
                 problems_count, files_count, content_bytes, stored_bytes, snapshot)
             SELECT job.id, {start} + n * {HOUR}, 1, {start} + n * {HOUR} + job.id,
                 {start} + n * {HOUR} + 60000, 'done', 0, 0, 1000, 1000000, 1000,
                 '0123456789abcdef0123456789abcdef' FROM n, job;
             UPDATE job SET last_run = (SELECT max(id) FROM run WHERE run.job = job.id),
                 last_good = (SELECT max(id) FROM run WHERE run.job = job.id);
             COMMIT;",
            start = at(0).unix_ms,
        ))
        .unwrap();
    let best = |work: &dyn Fn() -> usize, expected: usize| {
        let once = |_| {
            let watch = Watch::start();
            assert_eq!(work(), expected);
            watch.elapsed()
        };
        (0..5).map(once).min().unwrap()
    };
    let status = best(&|| catalogue.status().unwrap().len(), 1000);
    let page = best(&|| catalogue.runs(RunFilter::default(), 100).unwrap().len(), 100);
    let of_job = RunFilter { job: Some("backup:0500"), ..RunFilter::default() };
    let own = best(&|| catalogue.runs(of_job, 20).unwrap().len(), 20);
    drop(connection);
    let scene = configured(&path);
    let jobs = || scene.expect(3, &["status", "--json"]).json_of("result")[0]["jobs"].take();
    let process = best(&|| jobs().as_array().unwrap().len(), 1000);
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap();
    let counts = [
        ("runs", 1000 * runs),
        ("status_us", micros(status)),
        ("runs_us", micros(page)),
        ("runs_of_job_us", micros(own)),
        ("status_process_us", micros(process)),
    ];
    report("catalogue", "long-history", status, &counts);
    // The process is a figure: this is no release build, and other tests run beside it.
    for time in [status, page, own] {
        assert!(time < Duration::from_millis(100), "{counts:?}");
    }
}
