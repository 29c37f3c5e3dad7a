//! How jobs stand back: niceness, a battery, and limits that nobody can hold here.

use std::path::Path;
use std::process::Command;

use crate::cli::daemon::Daemon;
use crate::cli::daemon::configure;
use crate::cli::daemon::fifo;
use crate::cli::daemon::files;
use crate::cli::daemon::job;
use crate::cli::daemon::late;
use crate::cli::daemon::office;
use crate::cli::daemon::slow;
use crate::cli::daemon::status;

pub(super) fn children(pid: u32) -> Vec<u32> {
    let folder = format!("/proc/{pid}/task");
    let tasks = std::fs::read_dir(folder).unwrap().map(|task| task.unwrap().path());
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.join("children")).ok());
    lists
        .flat_map(|list| list.split(' ').filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// The nineteenth field, counted behind the name.
fn niceness(pid: u32) -> i64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, rest) = text.rsplit_once(')').unwrap();
    rest.split_whitespace().nth(16).unwrap().parse().unwrap()
}

#[test]
fn a_job_and_what_it_starts_stand_back() {
    let scene = office("");
    let pipe = fifo(&scene);
    let limits = "\"366d\", limits = { nice = 7, io = \"idle\", memory = \"1GiB\", cpu = \"50%\" }";
    configure(&scene, &slow("slow", &pipe).replace("\"366d\"", limits));
    late(&scene, &["backup:slow"]);
    let mut daemon = Daemon::start(&scene);
    daemon.until("begins");
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let own = niceness(std::process::id());
    let jobs = children(daemon.pid());
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    let tools = children(jobs[0]);
    assert_eq!(tools.len(), 1, "the `cat` that reads the pipe: {tools:?}");
    for pid in [jobs[0], tools[0]] {
        assert_eq!(niceness(pid), (own + 7).min(19));
        let told = Command::new("ionice").args(["-p", &pid.to_string()]).output().unwrap();
        assert_eq!(String::from_utf8(told.stdout).unwrap().trim(), "idle");
    }
    // Nobody has handed a control group over to this daemon, and it says so.
    let told = status(&scene, 0);
    let missing = told["limits_missing"].as_str().unwrap();
    assert!(!missing.is_empty(), "{told}");
    let table = scene.expect(0, &["status"]).text();
    assert!(table.contains("limits of memory and processor are not held: "), "{table}");
    drop(writer);
    let log = daemon.stop();
    assert!(log.contains("limits of memory and processor are not held"), "{log}");
}

fn supply(power: &Path, name: &str, files: &[(&str, &str)]) {
    let folder = power.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (file, content) in files {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = options.open(folder.join(file)).unwrap();
        std::io::Write::write_all(&mut file, content.as_bytes()).unwrap();
    }
}

#[test]
fn jobs_wait_for_power() {
    let mut scene = office("");
    let power = scene.path("power");
    supply(&power, "BAT0", &[("type", "Battery\n"), ("status", "Discharging\n")]);
    supply(&power, "AC", &[("type", "Mains\n"), ("online", "0\n")]);
    scene.set("LIFEBOAT_POWER_SUPPLY", &power);
    let both = files(&scene, "files", "source") + &files(&scene, "other", "source");
    configure(&scene, &format!("[limits]\non_battery = \"wait\"\n{both}"));
    late(&scene, &["backup:files", "backup:other"]);
    // Whoever asks by hand is not held up.
    let mut daemon = Daemon::start(&scene);
    let told = status(&scene, 0);
    assert_eq!(
        (&told["daemon"], &job(&told, "backup:files")["activity"]),
        (&"on_battery".into(), &"idle".into())
    );
    let table = scene.expect(0, &["status", "--lang", "vi"]).text();
    assert!(table.contains("đang dùng pin"), "{table}");
    scene.expect(0, &["run", "other"]);
    supply(&power, "AC", &[("online", "1\n")]);
    while !daemon.until("begins").contains("backup:files") {}
    daemon.until("ended");
    assert_eq!(status(&scene, 0)["daemon"], "running");
    daemon.stop();
}
