//! A small disk in memory that only some commands see.

use std::fmt;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use crate::support::Random;
use crate::support::generate::is_root;
use crate::support::generate::put;

/// Mounts, says so, and holds the namespace until its input ends.
const HOLD: &str = r#"mount -t tmpfs -o "$1" none "$2" && echo ready && read -r end"#;
/// Entering a namespace leaves the folder.
const GO: &str = r#"cd "$1" && shift && exec "$@""#;

/// A folder with a memory disk at `disk`, for commands that are started here.
pub(super) struct Disk {
    holder: Option<Child>,
    folder: tempfile::TempDir,
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(mut holder) = self.holder.take() {
            drop(holder.stdin.take());
            drop(holder.wait());
        }
    }
}

impl Disk {
    /// A plain folder.
    pub(super) fn outside() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["disk", "source"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        put(&folder.path().join("key"), &Random::new(5).bytes(64));
        Self { holder: None, folder }
    }

    /// `None` where the system does not let us mount.
    pub(super) fn new(options: &str) -> Option<Self> {
        let mut disk = Self::outside();
        if !is_root() {
            return None;
        }
        let mut command = Command::new("unshare");
        command.args(["-m", "--propagation", "private", "sh", "-c", HOLD, "sh", options]);
        command.arg(disk.path("disk")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = command.stderr(Stdio::null()).spawn().ok()?;
        let mut said = String::new();
        BufReader::new(holder.stdout.take()?).read_line(&mut said).ok()?;
        disk.holder = Some(holder);
        (said == "ready\n").then_some(disk)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What lies on the disk, as seen from here.
    pub(super) fn inside(&self, name: &str) -> PathBuf {
        let path = self.path("disk").join(name);
        match &self.holder {
            None => path,
            Some(holder) => {
                let root = PathBuf::from(format!("/proc/{}/root", holder.id()));
                root.join(path.strip_prefix("/").unwrap())
            }
        }
    }

    pub(super) fn files(&self, name: &str) -> Vec<PathBuf> {
        let mut pending = vec![self.inside(name)];
        let mut found = Vec::new();
        while let Some(folder) = pending.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { pending.push(path) } else { found.push(path) }
            }
        }
        found
    }

    /// Bytes of all blobs of the repository.
    pub(super) fn blob_bytes(&self) -> u64 {
        let is_blob = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            !name.starts_with('.')
        };
        let blobs = self.files("repository").into_iter().filter(is_blob);
        blobs.map(|path| path.metadata().unwrap().len()).sum()
    }

    /// Bytes that are free.
    pub(super) fn room(&self) -> u64 {
        let stat = rustix::fs::statvfs(self.inside("")).unwrap();
        stat.f_bavail * stat.f_frsize
    }

    /// Leaves so many bytes free, and no more.
    pub(super) fn fill(&self, room: u64) {
        self.empty();
        let ballast = vec![0; usize::try_from(self.room().saturating_sub(room)).unwrap()];
        let mut file = std::fs::File::create_new(self.inside("ballast")).unwrap();
        file.write_all(&ballast).unwrap();
        assert!(self.room() <= room, "{} bytes are free", self.room());
    }

    pub(super) fn empty(&self) {
        drop(std::fs::remove_file(self.inside("ballast")));
    }

    /// Whether it could be done.
    pub(super) fn remount(&self, how: &str) -> bool {
        let mut command = Command::new("nsenter");
        command.args(self.entering()).args(["mount", "-o", &format!("remount,{how}")]);
        command.arg(self.path("disk")).stderr(Stdio::null());
        command.status().unwrap().success()
    }

    fn entering(&self) -> Vec<String> {
        let of = |holder: &Child| vec!["-m".to_owned(), "-t".to_owned(), holder.id().to_string()];
        self.holder.as_ref().map(of).unwrap_or_default()
    }

    /// The program behind other words, where the disk is seen.
    fn program(&self, words: &[&str], repository: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        if self.holder.is_none() {
            command = Command::new("env");
        }
        command.args(self.entering()).args(["sh", "-c", GO, "sh"]).arg(self.folder.path());
        command.args(words).arg(env!("CARGO_BIN_EXE_lifeboat")).arg("--quiet").args(arguments);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("home"))
            .env("LIFEBOAT_REPOSITORY", self.path(repository))
            .env("LIFEBOAT_CACHE_DIR", self.path("cache"))
            .env("LIFEBOAT_KEY_FILE", self.path("key"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(super) fn command(&self, repository: &str, arguments: &[&str]) -> Command {
        self.program(&[], repository, arguments)
    }

    pub(super) fn under(&self, words: &[&str], arguments: &[&str]) -> Command {
        self.program(words, "disk/repository", arguments)
    }

    pub(super) fn run(&self, repository: &str, arguments: &[&str]) -> Told {
        Told::of(&mut self.command(repository, arguments))
    }

    #[track_caller]
    pub(super) fn expect(&self, codes: &[i32], arguments: &[&str]) -> Told {
        let told = self.run("disk/repository", arguments);
        assert!(told.code.is_some_and(|code| codes.contains(&code)), "{arguments:?}: {told}");
        told
    }
}

/// What a command answered.
pub(super) struct Told {
    pub(super) code: Option<i32>,
    pub(super) stderr: String,
}

impl Told {
    pub(super) fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// Whether it says that there was no room.
    pub(super) fn assert_full(&self) -> Result<(), String> {
        let is_said = self.stderr.contains("No space left on device");
        let is_well = matches!(self.code, Some(1 | 3)) && is_said;
        is_well
            .then_some(())
            .ok_or_else(|| format!("it does not say that there is no room: {self}"))
    }
}

impl From<Output> for Told {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Self { code: output.status.code(), stderr }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.code, self.stderr)
    }
}
