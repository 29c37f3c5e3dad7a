//! The daemon as a real process: what it starts, what it survives, what it tells.

use std::io::BufRead as _;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStderr;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;

use lifeboat::catalogue::Catalogue;
use lifeboat::catalogue::record::JobSpec;
use lifeboat::clock::Clock as _;
use lifeboat::clock::SystemClock;
use lifeboat::disk::unix::RealDisk;
use lifeboat::units::Timestamp;
use serde_json::Value;

use super::scene::Scene;

/// Once a year, so that nothing comes by itself while a test runs; tests make it late.
const RARE: &str = "cron = \"0 0 1 1 *\", catch_up = \"366d\"";

/// A repository, and a configuration with these backups.
pub(crate) fn office(backups: &str) -> Scene {
    let mut scene = Scene::new();
    scene.set("LIFEBOAT_LANG", "en");
    scene.file("source/kept", b"1");
    scene.file("secret", b"x\n");
    mode(&scene.path("secret"), 0o600);
    scene.expect(0, &["init"]);
    scene.unset("LIFEBOAT_REPOSITORY");
    scene.unset("LIFEBOAT_PASSWORD");
    configure(&scene, backups);
    let file = scene.path("lifeboat.toml");
    scene.set("LIFEBOAT_CONFIG", file);
    scene
}

pub(crate) fn configure(scene: &Scene, backups: &str) {
    let path = |name: &str| scene.path(name).display().to_string();
    let text = format!(
        "version = 1\nstate_dir = \"{}\"\n[keys]\npassphrase = {{ file = \"{}\" }}\n\
         [storage.main]\nkind = \"folder\"\npath = \"{}\"\n{backups}",
        path("state"),
        path("secret"),
        path("repository"),
    );
    scene.file("lifeboat.toml", text.as_bytes());
}

pub(crate) fn mode(path: &Path, bits: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits)).unwrap();
}

pub(crate) fn files(scene: &Scene, name: &str, folder: &str) -> String {
    let folder = scene.path(folder);
    let folder = folder.display();
    format!(
        "[[backup]]\nname = \"{name}\"\nstorage = \"main\"\n\
         source = {{ kind = \"files\", paths = [\"{folder}\"] }}\nschedule = {{ {RARE} }}\n"
    )
}

/// A backup of what comes through a pipe that the test holds: as slow as it likes.
pub(crate) fn slow(name: &str, pipe: &Path) -> String {
    format!(
        "[[backup]]\nname = \"{name}\"\nstorage = \"main\"\nschedule = {{ {RARE} }}\n\
         [backup.source]\nkind = \"command\"\nargv = [\"cat\", \"{}\"]\nfile_name = \"x\"\n",
        pipe.display()
    )
}

pub(crate) fn fifo(scene: &Scene) -> PathBuf {
    let pipe = scene.path("pipe");
    let status = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(status.success());
    pipe
}

/// A daemon with a backup at work that waits for what comes through a pipe.
fn at_work() -> (Scene, PathBuf, Daemon) {
    let scene = office("");
    let pipe = fifo(&scene);
    configure(&scene, &slow("slow", &pipe));
    late(&scene, &["backup:slow"]);
    let mut daemon = Daemon::start(&scene);
    daemon.until("begins");
    (scene, pipe, daemon)
}

/// The catalogue says that these jobs came two years ago: they are late.
pub(crate) fn late(scene: &Scene, keys: &[&str]) {
    let now = SystemClock::new().now();
    let before = Timestamp::from_unix_ms(now.unix_ms - 2 * 366 * 24 * 3600 * 1000);
    std::fs::create_dir_all(scene.path("state")).unwrap();
    let path = scene.path("state/catalogue.sqlite");
    let (mut catalogue, _) = Catalogue::open(&path, &RealDisk, before).unwrap();
    let spec = |key: &&str| JobSpec {
        key: (*key).to_owned(),
        dataset: None,
        storage: None,
        age_max_ms: None,
    };
    catalogue.take_jobs(&keys.iter().map(spec).collect::<Vec<_>>(), before).unwrap();
}

/// A daemon; killed if the test does not end it.
pub struct Daemon {
    child: Child,
    log: BufReader<ChildStderr>,
    seen: String,
}

impl Daemon {
    pub(crate) fn start(scene: &Scene) -> Self {
        let mut daemon = Self::of(scene.command(&["daemon"]));
        daemon.until("ready");
        daemon
    }

    /// Started by a command of the test's own, which becomes the daemon.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log, seen: String::new() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(self) {
        self.signal("-KILL");
    }

    /// Reads the log until it says this.
    #[track_caller]
    pub fn until(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            let length = self.log.read_line(&mut line).unwrap();
            self.seen.push_str(&line);
            assert!(length > 0, "the log ended without `{words}`:\n{}", self.seen);
            if line.contains(words) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Stops it, and demands that it does so by itself.
    #[track_caller]
    pub fn stop(mut self) -> String {
        self.signal("-TERM");
        self.until("stopped");
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.seen);
        std::mem::take(&mut self.seen)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that was waited for is gone.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

#[track_caller]
pub(crate) fn status(scene: &Scene, code: i32) -> Value {
    scene.expect(code, &["status", "--json"]).json_of("result").remove(0)
}

pub(crate) fn job<'v>(status: &'v Value, key: &str) -> &'v Value {
    let jobs = status["jobs"].as_array().unwrap();
    jobs.iter().find(|job| job["job"] == key).unwrap_or_else(|| panic!("{key}: {status}"))
}

pub(crate) fn runs(scene: &Scene) -> Vec<Value> {
    scene.expect(0, &["runs", "--json"]).json_of("result")
}

#[test]
fn what_is_late_is_caught_up_at_once_and_told() {
    let scene = office("");
    configure(&scene, &files(&scene, "files", "source"));
    late(&scene, &["backup:files"]);
    let mut daemon = Daemon::start(&scene);
    daemon.until("ended");
    let told = status(&scene, 0);
    assert_eq!(told["daemon"], "running");
    let files = job(&told, "backup:files");
    assert_eq!((&files["health"], &files["activity"]), (&"ok".into(), &"idle".into()), "{files}");
    assert_eq!(files["last"]["files_count"], 1);
    assert!(files["next"].as_str().unwrap().contains("-01-01T00:00:00+07:00"), "{files}");
    let id = files["snapshot_id"].as_str().unwrap();
    let listed = scene.expect(0, &["snapshots", "-r", "main", "--json"]).json_of("result");
    assert_eq!(listed[0]["id"], id, "{listed:?}");
    let log = daemon.stop();
    assert_eq!(log.matches("ended").count(), 1, "{log}");
    // Without it, the catalogue still knows.
    let told = status(&scene, 3);
    assert_eq!(
        (&told["daemon"], &job(&told, "backup:files")["health"]),
        (&"absent".into(), &"ok".into())
    );
    // Another start has nothing to catch up.
    let daemon = Daemon::start(&scene);
    assert_eq!(runs(&scene).len(), 1);
    daemon.stop();
}

#[test]
fn a_backup_that_fails_shows() {
    let scene = office("");
    configure(&scene, &(files(&scene, "good", "source") + &files(&scene, "bad", "missing")));
    let daemon = Daemon::start(&scene);
    scene.expect(0, &["run", "good"]);
    let told = scene.expect(1, &["run", "backup:bad", "--json"]);
    assert_eq!(told.json_of("result")[0]["outcome"], "failed", "{told}");
    let told = status(&scene, 3);
    let (good, bad) = (job(&told, "backup:good"), job(&told, "backup:bad"));
    assert_eq!((&good["is_wrong"], &bad["is_wrong"]), (&false.into(), &true.into()));
    assert_eq!((&bad["health"], &bad["last"]["exit_code"]), (&"never".into(), &1.into()));
    assert!(bad["last"]["message"].as_str().unwrap().contains("missing"), "{bad}");
    let table = scene.expect(3, &["status"]).text();
    assert!(table.contains("backup:bad") && table.contains("failed (1)"), "{table}");
    let table = scene.expect(0, &["runs", "--job", "bad", "--lang", "vi"]).text();
    assert!(table.contains("không đạt (1)") && !table.contains("backup:good"), "{table}");
    let none = scene.expect(2, &["run", "nobody"]);
    assert!(none.stderr.contains("backup:good"), "{none}");
    let idle = scene.expect(1, &["cancel", "good"]);
    assert!(idle.stderr.contains("neither waits"), "{idle}");
    daemon.stop();
    let gone = scene.expect(1, &["run", "good"]);
    assert!(gone.stderr.contains("no daemon answers"), "{gone}");
}

/// Bytes of all blobs: what starts with a dot is none.
pub(crate) fn bytes_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let entries = entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    let bytes = entries.map(|entry| match entry.file_type().unwrap().is_dir() {
        true => bytes_of(&entry.path()),
        false => entry.metadata().unwrap().len(),
    });
    bytes.sum()
}

#[test]
fn a_second_daemon_says_who_is_the_first() {
    let scene = office("");
    let first = Daemon::start(&scene);
    let second = scene.expect(11, &["daemon"]);
    assert!(second.stderr.contains(&format!("process {}", first.child.id())), "{second}");
    // However the first ends, the next has the folder.
    first.signal("-KILL");
    drop(first);
    Daemon::start(&scene).stop();
}

#[test]
fn a_new_configuration_is_taken_and_a_faulty_one_is_not() {
    let scene = office("");
    configure(&scene, &files(&scene, "one", "source"));
    let mut daemon = Daemon::start(&scene);
    configure(&scene, "[[backup]]\nname = \"two\"\n");
    daemon.signal("-HUP");
    let line = daemon.until("the old one stays");
    assert!(line.contains("ERROR") && line.contains("backup[1]: `storage` is missing"), "{line}");
    scene.expect(2, &["status"]);
    configure(&scene, &files(&scene, "two", "source"));
    daemon.signal("-HUP");
    daemon.until("read anew");
    let told = status(&scene, 0);
    assert_eq!(told["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(job(&told, "backup:two")["health"], "never");
    scene.expect(0, &["run", "two"]);
    daemon.stop();
}

#[test]
fn a_daemon_that_was_killed_finds_its_run_cut_off_and_catches_it_up() {
    let (scene, pipe, daemon) = at_work();
    // The source is open: the backup reads.
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    assert_eq!(job(&status(&scene, 0), "backup:slow")["activity"], "at_work");
    daemon.signal("-KILL");
    drop(daemon);
    let told = status(&scene, 3);
    assert_eq!(job(&told, "backup:slow")["last"]["outcome"], Value::Null, "{told}");
    drop(writer);
    let mut daemon = Daemon::start(&scene);
    daemon.until("begins");
    let mut writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    std::io::Write::write_all(&mut writer, b"all of it\n").unwrap();
    drop(writer);
    daemon.until("ended");
    let outcomes: Vec<Value> = runs(&scene).iter().map(|run| run["outcome"].clone()).collect();
    assert_eq!(outcomes, ["done", "cut"]);
    assert_eq!(runs(&scene)[0]["attempt"], 2);
    let log = daemon.stop();
    assert!(log.contains("cut off"), "{log}");
}

#[test]
fn it_stops_in_time_during_a_long_backup_and_goes_on_later() {
    let (scene, pipe, daemon) = at_work();
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let clock = SystemClock::new();
    let log = daemon.stop();
    assert!(clock.elapsed().as_secs() < 30, "{log}");
    assert!(log.contains("cut"), "{log}");
    println!("stopped after {} ms", clock.elapsed().as_millis());
    drop(writer);
    let told = status(&scene, 3);
    assert_eq!(job(&told, "backup:slow")["last"]["outcome"], "cut", "{told}");
    let mut daemon = Daemon::start(&scene);
    daemon.until("begins");
    daemon.stop();
}

#[test]
fn what_is_at_work_can_be_cancelled_and_pausing_holds_the_rest() {
    let scene = office("");
    let pipe = fifo(&scene);
    configure(&scene, &(slow("slow", &pipe) + &files(&scene, "files", "source")));
    late(&scene, &["backup:files"]);
    let mut daemon = Daemon::start(&scene);
    daemon.until("ended");
    scene.expect(0, &["pause"]);
    assert_eq!(status(&scene, 0)["daemon"], "paused");
    scene.expect(0, &["run", "slow", "--detach"]);
    daemon.until("begins");
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    scene.expect(0, &["cancel", "slow"]);
    daemon.until("ended");
    drop(writer);
    assert_eq!(runs(&scene)[0]["outcome"], "stopped");
    scene.expect(0, &["resume"]);
    assert_eq!(status(&scene, 0)["daemon"], "running");
    daemon.stop();
}

#[test]
fn copies_and_maintenance_find_their_storages_by_name() {
    let scene = office("");
    let (main, nas) = (scene.path("repository"), scene.path("nas"));
    let (main, nas) = (main.to_str().unwrap(), nas.to_str().unwrap());
    let secret = scene.path("secret");
    let secret = ["--password-file", secret.to_str().unwrap()];
    scene.expect(0, &["init", "-r", nas, "--twin-of", main, secret[0], secret[1]]);
    let when = "cron = \"0 0 1 1 *\"";
    let backup = files(&scene, "files", "source").replace("name =", "retention = \"r\"\nname =");
    let rest = format!(
        "[storage.nas]\nkind = \"folder\"\npath = \"{nas}\"\n{backup}\
         [retention.r]\nkeep_last = 1\n[[copy]]\nfrom = \"main\"\nto = [\"nas\"]\n\
         schedule = {{ {when} }}\n[maintenance]\nstorages = [\"main\", \"nas\"]\n\
         forget = {{ {when} }}\nprune = {{ {when}, grace = \"7d\", max_delete = \"20%\" }}\n\
         check = {{ {when}, read_data = \"3%\" }}\n"
    );
    configure(&scene, &rest);
    let daemon = Daemon::start(&scene);
    for job in ["files", "copy:main:nas", "forget:main", "forget:nas", "prune:nas", "check:nas"] {
        scene.expect(0, &["run", job]);
    }
    let held = status(&scene, 0)["storages"].clone();
    for (number, folder) in [(0, "repository"), (1, "nas")] {
        assert_eq!(held[number]["bytes"], bytes_of(&scene.path(folder)), "{held}");
    }
    assert_eq!(scene.expect(0, &["snapshots", "-r", "nas", "--json"]).json_of("result").len(), 1);
    daemon.stop();
}

#[test]
fn a_job_is_stopped_at_its_deadline() {
    let scene = office("");
    // Nobody ever writes into the pipe.
    let pipe = fifo(&scene);
    let text = slow("slow", &pipe).replace("\"366d\"", "\"366d\", deadline = \"1s\"");
    configure(&scene, &text);
    let mut daemon = Daemon::start(&scene);
    scene.expect(1, &["run", "slow"]);
    daemon.until("has reached its deadline");
    let run = &runs(&scene)[0];
    assert_eq!(run["outcome"], "failed", "{run}");
    assert_eq!(run["message"], "it was stopped at its deadline", "{run}");
    daemon.stop();
}

#[test]
fn a_damaged_catalogue_is_set_aside_and_backups_go_on() {
    let scene = office("");
    configure(&scene, &files(&scene, "files", "source"));
    scene.file("state/catalogue.sqlite", &[b'x'; 4096]);
    let daemon = Daemon::start(&scene);
    assert!(daemon.seen.contains("set aside"), "{}", daemon.seen);
    scene.expect(0, &["run", "files"]);
    assert_eq!(runs(&scene).len(), 1);
    daemon.stop();
}

/// What was kept is known again from the repository, so that silence is no surprise and no secret.
#[test]
fn a_deleted_or_damaged_catalogue_asks_the_repository() {
    let scene = office("");
    let twins = format!("{}{}", files(&scene, "files", "source"), files(&scene, "other", "source"));
    configure(&scene, &twins);
    let daemon = Daemon::start(&scene);
    scene.expect(0, &["run", "files"]);
    let kept = status(&scene, 0);
    daemon.stop();
    let known = |status: &Value, key: &str| {
        let job = job(status, key);
        (job["health"].clone(), job["snapshot_id"].clone())
    };
    assert!(known(&kept, "backup:files").1.is_string(), "{kept}");
    for damage in ["", "x"] {
        for name in ["catalogue.sqlite-wal", "catalogue.sqlite-shm", "catalogue.sqlite"] {
            drop(std::fs::remove_file(scene.path("state").join(name)));
        }
        if !damage.is_empty() {
            scene.file("state/catalogue.sqlite", damage.repeat(4096).as_bytes());
        }
        let mut daemon = Daemon::start(&scene);
        daemon.until("the storage was asked what it has");
        let again = status(&scene, 0);
        assert_eq!(known(&again, "backup:files"), known(&kept, "backup:files"), "{again}");
        assert_eq!(job(&again, "backup:other")["health"], "never", "{again}");
        assert_eq!(runs(&scene).len(), 1);
        daemon.stop();
        // It is asked once.
        let seen = Daemon::start(&scene).stop();
        assert!(!seen.contains("was asked what it has"), "{seen}");
    }
}

#[test]
fn an_idle_daemon_is_small_and_its_socket_is_the_groups() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Arc::new(office(""));
    configure(&scene, &files(&scene, "files", "source"));
    let daemon = Daemon::start(&scene);
    scene.expect(0, &["run", "files"]);
    let asked: Vec<_> = (0..8)
        .map(|_| {
            let scene = Arc::clone(&scene);
            std::thread::spawn(move || status(&scene, 0))
        })
        .collect();
    for asked in asked {
        assert_eq!(asked.join().unwrap()["daemon"], "running");
    }
    let text = std::fs::read_to_string(format!("/proc/{}/status", daemon.child.id())).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    println!("an idle daemon of a test build: {line}");
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib < 100 * 1024, "{line}");
    let socket = std::fs::metadata(scene.path("state/control.sock")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o660);
    daemon.stop();
    assert!(!scene.path("state/control.sock").exists());
}
