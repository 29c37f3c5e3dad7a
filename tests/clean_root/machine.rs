//! A bare Debian, booted in a container of its own with its own service manager.

use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use crate::house;
use crate::support::tally::Watch;

/// What the machine has beside a minimal Debian. A change makes it anew.
const PACKAGES: &str =
    "systemd,systemd-sysv,dbus,libpam-systemd,postgresql,ca-certificates,openssl,curl";
const SUITE: &str = "bookworm";
const MIRROR: &str = "http://deb.debian.org/debian";
/// How long a machine may take until it is up.
const BOOT: Duration = Duration::from_secs(120);

pub(super) struct Machine {
    dir: TempDir,
    nspawn: Child,
    /// Its first process, as we see it.
    leader: String,
}

fn done(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|e| panic!("{command:?}: {e}; `.ci/run` installs it"));
    assert!(output.status.success(), "{command:?}: {}", told(&output));
    output
}

pub(super) fn told(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{:?}\n{}{}", output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The root of a minimal Debian, made once and kept beneath `target/`.
fn base() -> PathBuf {
    let folder = house::root().join("target/clean-root");
    std::fs::create_dir_all(&folder).unwrap();
    let number = blake3::hash(format!("{SUITE} {PACKAGES} {MIRROR}").as_bytes()).to_hex();
    let base = folder.join(format!("base-{}", &number[..8]));
    if !base.exists() {
        // Whole under its name, whoever else makes one meanwhile.
        let new = tempfile::Builder::new().prefix("new-").tempdir_in(&folder).unwrap();
        let new = new.path();
        std::fs::set_permissions(new, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let mut make = Command::new("debootstrap");
        make.args(["--variant=minbase", &format!("--include={PACKAGES}"), SUITE]).arg(new);
        done(make.arg(MIRROR));
        done(Command::new("rm").arg("-rf").arg(new.join("var/cache/apt/archives")));
        let moved = Command::new("mv").arg("--no-target-directory").arg(new).arg(&base).output();
        assert!(base.exists(), "{moved:?}");
    }
    base
}

fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut options = File::options();
    let mut file = options.create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

impl Machine {
    /// Boots one in which these files are. `Err` says why this machine can boot none.
    pub(super) fn boot(files: &[(&str, &[u8])]) -> Result<Self, String> {
        let dir = tempfile::Builder::new().prefix("lifeboat-root-").tempdir().unwrap();
        let root = dir.path().join("root");
        for name in ["root", "upper", "work"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        lay(&base(), dir.path());
        // Sockets only: the network is that of the machine under the test.
        let sockets = "listen_addresses = ''\n";
        put(&root.join("etc/postgresql/15/main/conf.d/sockets.conf"), sockets);
        put(&root.join("etc/postgresql-common/createcluster.conf"), sockets);
        put(&root.join("etc/hosts"), "127.0.0.1 mail.office.lan\n");
        for (name, content) in files {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create_new(path).unwrap().write_all(content).unwrap();
        }
        let ready = UnixDatagram::bind(dir.path().join("ready")).unwrap();
        ready.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let log = File::create_new(dir.path().join("log")).unwrap();
        let nspawn = Command::new("systemd-nspawn")
            .args(["--register=no", "--keep-unit", "--boot", "--console=pipe", "--quiet"])
            .args(["--notify-ready=yes", "--hostname=office", "-D"])
            .arg(&root)
            .env("NOTIFY_SOCKET", dir.path().join("ready"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("{e}; `.ci/run` installs systemd-container"));
        let mut machine = Self { dir, nspawn, leader: String::new() };
        machine.wait(&ready)?;
        Ok(machine)
    }

    fn wait(&mut self, ready: &UnixDatagram) -> Result<(), String> {
        let watch = Watch::start();
        let mut bytes = [0; 4096];
        loop {
            let said = ready.recv(&mut bytes).map_or("", |n| str::from_utf8(&bytes[..n]).unwrap());
            for line in said.lines() {
                if let Some(pid) = line.strip_prefix("X_NSPAWN_LEADER_PID=") {
                    pid.clone_into(&mut self.leader);
                }
                if line == "READY=1" && !self.leader.is_empty() {
                    return Ok(());
                }
            }
            if let Some(status) = self.nspawn.try_wait().unwrap() {
                return Err(format!("systemd-nspawn: {status}: {}", self.log()));
            }
            if watch.elapsed() > BOOT {
                return Err(format!("it did not come up: {}", self.log()));
            }
        }
    }

    fn log(&self) -> String {
        let text = std::fs::read(self.dir.path().join("log")).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// A file of the machine.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("root").join(name.trim_start_matches('/'))
    }

    /// Makes a file of the machine, or adds to it.
    pub(super) fn add(&self, name: &str, text: &str) {
        put(&self.path(name), text);
    }

    fn command(&self, argv: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.leader, "-m", "-u", "-i", "-n", "-p", "-C", "/usr/bin/env"]);
        command.args(["-i", "HOME=/root", "LANG=C.UTF-8"]);
        command.arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.args(["DEBIAN_FRONTEND=noninteractive"]).args(argv).stdin(Stdio::null());
        command
    }

    /// Lets root's shell do this, which has to go well; answers what it printed.
    #[track_caller]
    pub(super) fn sh(&self, script: &str) -> String {
        let output = self.command(&["bash", "-euc", script]).output().unwrap();
        assert!(
            output.status.success(),
            "{script}\n{}\n{}",
            told(&output),
            told(&self.command(&["journalctl", "--no-pager", "-u", "lifeboat"]).output().unwrap())
        );
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Waits until the service has told that each of these jobs ended well, once more.
    pub(super) fn until_done(&self, jobs: &[&str]) {
        let argv = ["journalctl", "-u", "lifeboat", "--follow", "--lines=0", "--output=cat"];
        let mut follow = self.command(&argv).stdout(Stdio::piped()).spawn().unwrap();
        let mut left = jobs.to_vec();
        for line in BufReader::new(follow.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let is_good = line.contains("ended job=") && line.contains("code=0");
            left.retain(|job| !(is_good && line.contains(&format!("\"{job}\""))));
            if left.is_empty() {
                break;
            }
        }
        follow.kill().unwrap();
        follow.wait().unwrap();
        assert!(left.is_empty(), "{left:?} did not end");
    }
}

/// The machine's root: what it changes lies above the kept one, or in a copy of it.
fn lay(base: &Path, dir: &Path) {
    let part = |name: &str| dir.join(name).display().to_string();
    let options =
        format!("lowerdir={},upperdir={},workdir={}", base.display(), part("upper"), part("work"));
    let mut mount = Command::new("mount");
    mount.args(["-t", "overlay", "overlay", "-o", &options]).arg(dir.join("root"));
    if !mount.output().is_ok_and(|output| output.status.success()) {
        let mut copy = Command::new("cp");
        done(copy.args(["-a", "--reflink=auto"]).arg(base.join(".")).arg(part("root")));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // As a power cut: nothing of it is needed any more. All others go with its first process.
        if self.leader.is_empty() {
            drop(self.nspawn.kill());
        } else {
            drop(Command::new("kill").args(["-KILL", &self.leader]).status());
        }
        drop(self.nspawn.wait());
        drop(Command::new("umount").arg(self.dir.path().join("root")).output());
    }
}
