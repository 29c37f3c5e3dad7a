//! The daemon over storages that are reached by a network: every job, a server that goes away in
//! the middle of a backup, and keys that are wrong from one day to the next.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;

use serde_json::Value;

use crate::cli::daemon::Daemon;
use crate::cli::daemon::fifo;
use crate::cli::daemon::job;
use crate::cli::daemon::mode;
use crate::cli::daemon::runs;
use crate::cli::daemon::status;
use crate::cli::scene::Scene;
use crate::s3::proxy::Fate;
use crate::s3::proxy::Proxy;
use crate::s3::server::OWNER;
use crate::s3::server::REGION;
use crate::s3::server::server;
use crate::sftp::server::Line;
use crate::sftp::server::Sshd;

/// Once a year, so that nothing comes by itself while a test runs.
const WHEN: &str = "schedule = { cron = \"0 0 1 1 *\" }";

/// What lies between the office and the server.
trait Way {
    /// Cuts, and lets nobody through.
    fn down(&self);
    /// Waits until somebody was refused since.
    fn wait_for_refusal(&self);
    fn up(&self);
}

impl Way for Line {
    fn down(&self) {
        Self::down(self);
    }

    fn wait_for_refusal(&self) {
        Self::wait_for_refusal(self);
    }

    fn up(&self) {
        Self::up(self);
    }
}

/// Whether requests come through, and how many were refused since they do not.
#[derive(Default)]
struct Gate {
    refused: Mutex<Option<u64>>,
    changed: Condvar,
}

impl Gate {
    fn fate(&self) -> Fate {
        let mut refused = self.refused.lock().unwrap();
        let Some(count) = refused.as_mut() else { return Fate::Pass };
        *count += 1;
        self.changed.notify_all();
        Fate::Cut
    }
}

impl Way for Gate {
    fn down(&self) {
        *self.refused.lock().unwrap() = Some(0);
    }

    fn wait_for_refusal(&self) {
        let refused = self.refused.lock().unwrap();
        drop(self.changed.wait_while(refused, |refused| *refused == Some(0)).unwrap());
    }

    fn up(&self) {
        *self.refused.lock().unwrap() = None;
    }
}

/// An office that keeps its backups in `main`, with a copy in a folder, and hears of alarms by
/// a pipe.
fn office() -> Scene {
    let mut scene = Scene::new();
    scene.set("LIFEBOAT_LANG", "en");
    scene.set("LIFEBOAT_LOG", "lifeboat=info");
    scene.unset("LIFEBOAT_REPOSITORY");
    scene.unset("LIFEBOAT_PASSWORD");
    scene.file("source/letters/one.txt", b"Dear office,\n");
    scene.file("source/letters/two.txt", &vec![b'x'; 300_000]);
    secret(&scene, "secret", "x\n");
    let alarms = std::process::Command::new("mkfifo").arg(scene.path("alarms")).status();
    assert!(alarms.unwrap().success());
    let file = scene.path("lifeboat.toml");
    scene.set("LIFEBOAT_CONFIG", file);
    scene
}

fn secret(scene: &Scene, name: &str, content: &str) {
    scene.file(name, content.as_bytes());
    mode(&scene.path(name), 0o600);
}

fn configure(scene: &Scene, main: &str, pipe: &Path) {
    let path = |name: &str| scene.path(name).display().to_string();
    let (state, passphrase, other) = (path("state"), path("secret"), path("other"));
    let (source, alarms, pipe) = (path("source"), path("alarms"), pipe.display());
    let text = format!(
        r#"version = 1
state_dir = "{state}"
[keys]
passphrase = {{ file = "{passphrase}" }}
[storage.main]
{main}
[storage.other]
kind = "folder"
path = "{other}"
[[backup]]
name = "files"
storage = "main"
source = {{ kind = "files", paths = ["{source}"] }}
retention = "last"
{WHEN}
[[backup]]
name = "slow"
storage = "main"
source = {{ kind = "command", argv = ["cat", "{pipe}"], file_name = "x" }}
{WHEN}
[retention.last]
keep_last = 1
[[copy]]
from = "main"
to = ["other"]
{WHEN}
[maintenance]
storages = ["main"]
forget = {{ cron = "0 0 1 1 *" }}
prune = {{ cron = "0 0 1 1 *", grace = "7d", max_delete = "20%" }}
check = {{ cron = "0 0 1 1 *", read_data = "100%" }}
[channel.pipe]
kind = "command"
argv = ["sh", "-c", "cat > {alarms}"]
[[notify]]
on = ["failed"]
to = ["pipe"]
"#
    );
    scene.file("lifeboat.toml", text.as_bytes());
}

fn snapshots(scene: &Scene, storage: &str) -> usize {
    scene.expect(0, &["snapshots", "-r", storage, "--json"]).json_of("result").len()
}

/// Reads the log until a job begins or ends.
fn until(daemon: &mut Daemon, words: &str, job: &str) {
    while !daemon.until(words).contains(job) {}
}

/// Every kind of job, one after the other.
fn every_job(scene: &Scene) {
    scene.expect(0, &["init", "-r", "main"]);
    scene.expect(0, &["init", "-r", "other", "--twin-of", "main"]);
    scene.expect(0, &["run", "files"]);
    scene.file("source/letters/three.txt", b"more");
    scene.expect(0, &["run", "files"]);
    for job in ["copy:main:other", "forget:main", "prune:main", "check:main"] {
        scene.expect(0, &["run", job]);
    }
    assert_eq!((snapshots(scene, "main"), snapshots(scene, "other")), (1, 2));
    assert!(status(scene, 0)["storages"][0]["bytes"].as_u64().unwrap() > 1_000);
}

/// The server goes away while a backup reads, and comes back once it was missed.
fn goes_on_by_itself(scene: &Scene, daemon: &mut Daemon, (way, pipe): (&dyn Way, &Path)) {
    scene.expect(0, &["run", "slow", "--detach"]);
    until(daemon, "begins", "slow");
    let mut writer = std::fs::OpenOptions::new().write(true).open(pipe).unwrap();
    writer.write_all(&vec![b'a'; 500_000]).unwrap();
    way.down();
    writer.write_all(&vec![b'b'; 500_000]).unwrap();
    drop(writer);
    way.wait_for_refusal();
    assert_eq!(job(&status(scene, 0), "backup:slow")["activity"], "at_work");
    way.up();
    until(daemon, "ended", "slow");
    let last = runs(scene).remove(0);
    assert_eq!((&last["job"], &last["outcome"]), (&"backup:slow".into(), &"done".into()), "{last}");
    let dumped = scene.expect(0, &["dump", "-r", "main", "--path", "/x", "latest:x"]).stdout;
    assert_eq!(dumped.len(), 1_000_000);
}

/// From one day to the next a key is wrong: told at once, and in `status` until it is right again.
fn a_wrong_key_is_told(
    scene: &Scene,
    (code, words): (i32, &str),
    (spoil, mend): (impl FnOnce(), impl FnOnce()),
) {
    spoil();
    let pipe = scene.path("alarms");
    let told = std::thread::scope(|scope| {
        let alarm = scope.spawn(move || std::fs::read(pipe).unwrap());
        let told = scene.expect(1, &["run", "files", "--json"]);
        assert_eq!(told.json_of("result")[0]["exit_code"], code, "{told}");
        serde_json::from_slice::<Value>(&alarm.join().unwrap()).unwrap()
    });
    let alarm = &told["alarms"][0];
    assert_eq!((&alarm["event"], &alarm["state"]), (&"failed".into(), &"raised".into()), "{told}");
    assert_eq!(alarm["exit_code"], code, "{told}");
    let told = status(scene, 3);
    let files = job(&told, "backup:files");
    assert_eq!((&files["is_wrong"], &files["last"]["exit_code"]), (&true.into(), &code.into()));
    assert!(files["last"]["message"].as_str().unwrap().contains(words), "{files}");
    let table = scene.expect(3, &["status"]).text();
    assert!(table.contains("backup:files") && table.contains(&format!("failed ({code})")));
    mend();
    scene.expect(0, &["run", "files"]);
    assert_eq!(job(&status(scene, 0), "backup:files")["is_wrong"], false);
}

fn anew(daemon: &mut Daemon) {
    daemon.signal("-HUP");
    daemon.until("read anew");
}

#[test]
fn over_sftp() {
    let (sshd, scene) = (Sshd::start(), office());
    let (line, pipe) = (Line::to(sshd.port), fifo(&scene));
    let main = |key: &str| {
        let (user, path) = (&sshd.user, sshd.path("repository").display().to_string());
        let (host_key, identity) = (sshd.fingerprint(key), sshd.path("login"));
        format!(
            "kind = \"sftp\"\nhost = \"127.0.0.1\"\nport = {}\nuser = \"{user}\"\n\
             path = \"{path}\"\nhost_key = \"{host_key}\"\nidentity = {{ file = \"{}\" }}\n",
            line.port,
            identity.display()
        )
    };
    configure(&scene, &main("host_ed25519"), &pipe);
    let mut daemon = Daemon::start(&scene);
    every_job(&scene);
    goes_on_by_itself(&scene, &mut daemon, (&line, &pipe));
    let mut written = |key: &str| {
        configure(&scene, &main(key), &pipe);
        anew(&mut daemon);
    };
    let wrong = (15, "not the server that is meant");
    // Both write the same file, one after the other.
    let write = std::cell::RefCell::new(&mut written);
    let (spoil, mend) =
        (|| (write.borrow_mut())("stranger"), || (write.borrow_mut())("host_ed25519"));
    a_wrong_key_is_told(&scene, wrong, (spoil, mend));
    daemon.stop();
}

#[test]
fn over_a_bucket() {
    let (rgw, scene) = (server(), office());
    let (gate, pipe) = (Arc::new(Gate::default()), fifo(&scene));
    let fates = Arc::clone(&gate);
    let proxy = Proxy::start(rgw.port, move |_| fates.fate());
    secret(&scene, "access", OWNER.access);
    secret(&scene, "key", OWNER.secret);
    let path = |name: &str| -> PathBuf { scene.path(name) };
    let main = format!(
        "kind = \"s3\"\nendpoint = \"{}\"\nregion = \"{REGION}\"\nbucket = \"{}\"\n\
         prefix = \"office\"\naccess_key = {{ file = \"{}\" }}\nsecret_key = {{ file = \"{}\" }}\n",
        proxy.endpoint(),
        rgw.new_bucket(),
        path("access").display(),
        path("key").display(),
    );
    configure(&scene, &main, &pipe);
    let mut daemon = Daemon::start(&scene);
    every_job(&scene);
    goes_on_by_itself(&scene, &mut daemon, (&*gate, &pipe));
    let spoil = || secret(&scene, "key", "a-secret-that-nobody-has");
    let mend = || secret(&scene, "key", OWNER.secret);
    a_wrong_key_is_told(&scene, (1, "secret key is wrong"), (spoil, mend));
    daemon.stop();
}
