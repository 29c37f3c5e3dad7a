//! Limits of memory and processor where a kernel holds them: a guest machine with nothing but the
//! program, some tools and unified control groups, of which one is handed over to the daemon.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;

/// What the guest's script calls.
const TOOLS: [&str; 6] = ["sh", "mount", "mkdir", "sleep", "cat", "dd"];
/// How long the guest may take; without help of the processor it is slow.
const WHOLE_S: &str = "300";

const CONFIGURATION: &str = r#"version = 1
state_dir = "/office/state"
[keys]
passphrase = { file = "/office/secret" }
[storage.main]
kind = "folder"
path = "/office/repository"
[[backup]]
name = "busy"
storage = "main"
source = { kind = "command", argv = ["sh", "/office/busy"], file_name = "told" }
schedule = { cron = "0 0 29 2 *", limits = { memory = "96MiB", cpu = "20%" } }
[[backup]]
name = "hungry"
storage = "main"
source = { kind = "command", argv = ["dd", "if=/dev/zero", "bs=250M", "count=1"], file_name = "x" }
schedule = { cron = "0 0 29 2 *", limits = { memory = "96MiB" } }
[[backup]]
name = "after"
storage = "main"
source = { kind = "files", paths = ["/office/secret"] }
schedule = { cron = "0 0 29 2 *" }
"#;

/// Says what holds it, and works as much as it may.
const BUSY: &str = r#"read line < /proc/self/cgroup
group=/sys/fs/cgroup${line#0::}
echo "group $line"
echo "memory.max $(cat $group/memory.max)"
echo "cpu.max $(cat $group/cpu.max)"
tell() {
  while read name value; do
    [ $name = usage_usec ] && echo "$1.usage_us $value"
    [ $name = nr_throttled ] && echo "$1.throttled $value"
  done < $group/cpu.stat
  read up rest < /proc/uptime
  echo "$1.up_s $up"
}
tell before
n=0; while [ $n -lt 100000 ]; do n=$((n + 1)); done
tell after
"#;

/// The guest's first process. What it says on the console with `>>>` in front is for the test.
const INIT: &str = r#"#!/bin/sh
export PATH=/bin HOME=/root LIFEBOAT_LANG=en LIFEBOAT_PASSWORD=x
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
mount -t cgroup2 none /sys/fs/cgroup
say() { echo ">>> $*" > /dev/ttyS0; }
lifeboat init -r /office/repository -q > /dev/ttyS0 2>&1
unset LIFEBOAT_PASSWORD
export LIFEBOAT_CONFIG=/office/lifeboat.toml
echo "+memory +cpu" > /sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/service
(echo 0 > /sys/fs/cgroup/service/cgroup.procs; exec lifeboat daemon) > /dev/ttyS0 2>&1 &
until [ -S /office/state/control.sock ]; do sleep 0.1; done
work() {
  lifeboat run $1 > /dev/ttyS0 2>&1
  say "$1 ended $?"
}
work busy
lifeboat -r main dump latest:/told > /tmp/told 2> /dev/ttyS0
while read line; do say "busy.$line"; done < /tmp/told
work hungry
work after
lifeboat status --json > /tmp/status
while read line; do say "status $line"; break; done < /tmp/status
for folder in /sys/fs/cgroup/service/*/; do say "left $folder"; done
echo o > /proc/sysrq-trigger
sleep 60
"#;

fn done(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|e| panic!("{command:?}: {e}; `.ci/run` installs it"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn put(root: &Path, name: &str, text: &str, bits: u32) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(bits).open(root.join(name)).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
}

/// A program as it lies here, with the libraries that it loads.
fn bring(root: &Path, program: &Path, name: &str) {
    done(Command::new("cp").arg("-L").arg(program).arg(root.join("bin").join(name)));
    let loaded = done(Command::new("ldd").arg(program));
    let libraries = loaded.split_whitespace().filter(|word| word.starts_with('/'));
    for library in libraries {
        let to = root.join(&library[1..]);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        done(Command::new("cp").args(["-L", library]).arg(to));
    }
}

/// What the guest has in its memory when it starts.
fn files_of(dir: &Path) -> PathBuf {
    let root = dir.join("root");
    for name in ["bin", "proc", "sys", "dev", "tmp", "root", "office"] {
        std::fs::create_dir_all(root.join(name)).unwrap();
    }
    for tool in TOOLS {
        let found = done(Command::new("which").arg(tool));
        bring(&root, Path::new(found.trim()), tool);
    }
    let slim = dir.join("lifeboat");
    done(Command::new("strip").arg("-o").arg(&slim).arg(env!("CARGO_BIN_EXE_lifeboat")));
    bring(&root, &slim, "lifeboat");
    put(&root, "init", INIT, 0o755);
    put(&root, "office/lifeboat.toml", CONFIGURATION, 0o600);
    put(&root, "office/busy", BUSY, 0o600);
    put(&root, "office/secret", "x\n", 0o600);
    let packed = dir.join("files.cpio");
    let pack = "find . | cpio --quiet -o -H newc -R 0:0 > ../files.cpio";
    done(Command::new("sh").args(["-c", pack]).current_dir(&root));
    packed
}

fn kernel() -> PathBuf {
    let found = std::fs::read_dir("/boot").unwrap().map(|it| it.unwrap().path());
    let is_kernel = |path: &PathBuf| path.to_string_lossy().contains("/vmlinuz-");
    found.filter(is_kernel).max().expect("a kernel in /boot: `.ci/run` installs it")
}

/// What the guest said to us: words by name.
fn boot() -> (BTreeMap<String, String>, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut machine = Command::new("timeout");
    machine.args([WHOLE_S, "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "1024"]);
    machine.args(["-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"]);
    machine.arg("-kernel").arg(kernel()).arg("-initrd").arg(files_of(dir.path()));
    machine.args(["-append", "console=ttyS0 quiet panic=-1"]);
    let console = done(&mut machine);
    let said = console.lines().filter_map(|line| line.split_once(">>> ")?.1.split_once(' '));
    (said.map(|(name, rest)| (name.to_owned(), rest.trim().to_owned())).collect(), console)
}

#[test]
fn limits_are_held_by_a_kernel() {
    let (said, console) = boot();
    let of = |name: &str| said.get(name).unwrap_or_else(|| panic!("{name}:\n{console}"));
    // What holds the job is what was asked for, and it is felt.
    assert_eq!(of("busy"), "ended 0", "{console}");
    assert_eq!(of("busy.memory.max"), "100663296");
    assert_eq!(of("busy.cpu.max"), "20000 100000");
    assert!(of("busy.group").starts_with("0::/service/job-"), "{console}");
    let number = |name: String| of(&name).parse::<f64>().unwrap();
    let passed =
        |name| number(format!("busy.after.{name}")) - number(format!("busy.before.{name}"));
    let share = passed("usage_us") / 1e6 / passed("up_s");
    assert!(share < 0.25 && passed("throttled") >= 3.0, "a share of {share}:\n{console}");
    // Who takes more memory is ended, whole; the daemon and what comes after are not.
    assert_ne!(of("hungry"), "ended 0", "{console}");
    assert_eq!(of("after"), "ended 0", "{console}");
    let status: Value = serde_json::from_str(of("status")).unwrap();
    assert_eq!(status["daemon"], "running", "{status}");
    assert!(status["limits_missing"].is_null(), "{status}");
    let jobs = status["jobs"].as_array().unwrap();
    let wrong = jobs.iter().filter(|job| job["is_wrong"] == true).map(|job| &job["job"]);
    assert_eq!(wrong.collect::<Vec<_>>(), ["backup:hungry"], "{status}");
    assert_eq!(of("left"), "/sys/fs/cgroup/service/daemon/", "{console}");
}
