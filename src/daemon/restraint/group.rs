//! Control groups: what holds a job's memory and its share of the processor.
//!
//! The service manager has to hand its own group over to the daemon (`Delegate=`). The daemon moves
//! into a group below it, with what it has started so far, since one with limits for its children
//! has no processes itself.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use crate::config::job::limits::JobLimits;

/// Where the kernel has its groups.
pub const MOUNT: &str = "/sys/fs/cgroup";
/// Which group a process is in.
pub const OWN: &str = "/proc/self/cgroup";
const DAEMON: &str = "daemon";
/// A group's processes, one a line; whoever is written into it moves there.
const PROCESSES: &str = "cgroup.procs";
const JOB: &str = "job-";
const NEEDED: [&str; 2] = ["memory", "cpu"];
/// Of a share of the processor, in millionths of a second.
const PERIOD_US: u64 = 100_000;

/// The group that was handed over.
#[derive(Debug)]
pub struct Groups {
    root: PathBuf,
}

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    #[error("the system has no unified control groups")]
    NoUnified,
    #[error("the service manager has not handed over {0}: give the service `Delegate=memory cpu`")]
    NotDelegated(&'static str),
    #[error("`{path}`: {source}")]
    Io { path: String, source: io::Error },
}

fn failed(path: &Path, source: io::Error) -> GroupError {
    GroupError::Io { path: crate::path::escape(path.as_os_str().as_encoded_bytes()), source }
}

fn put(path: &Path, text: &str) -> Result<(), GroupError> {
    // Files of the kernel: nothing is made or replaced.
    let opened = fs::OpenOptions::new().write(true).open(path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| failed(path, e))
}

impl Groups {
    /// Takes the group of this process over. `mount` and `own` are [`MOUNT`] and [`OWN`].
    ///
    /// # Errors
    /// When it was not handed over.
    pub fn take(mount: &Path, own: &Path) -> Result<Self, GroupError> {
        let text = fs::read_to_string(own).map_err(|error| failed(own, error))?;
        let path = text.lines().find_map(|line| line.strip_prefix("0::/"));
        let path = path.ok_or(GroupError::NoUnified)?;
        let path = Path::new(path);
        // After a reload it is the daemon's already.
        let is_daemon = path.file_name().is_some_and(|name| name == DAEMON);
        let root = mount.join(path.parent().filter(|_| is_daemon).unwrap_or(path));
        let controllers = root.join("cgroup.controllers");
        let Ok(found) = fs::read_to_string(&controllers) else { return Err(GroupError::NoUnified) };
        for needed in NEEDED {
            if !found.split_whitespace().any(|controller| controller == needed) {
                return Err(GroupError::NotDelegated(needed));
            }
        }
        let daemon = root.join(DAEMON);
        make(&daemon)?;
        gather(&root, &daemon)?;
        put(&root.join("cgroup.subtree_control"), "+memory +cpu")?;
        let groups = Self { root };
        groups.clear();
        Ok(groups)
    }

    /// Makes a group for a run.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn open(&self, run: i64, limits: &JobLimits) -> Result<PathBuf, GroupError> {
        let group = self.root.join(format!("{JOB}{run}"));
        make(&group)?;
        if let Some(bytes) = limits.memory_bytes {
            put(&group.join("memory.max"), &bytes.to_string())?;
            // A job without one of its processes would do half of what it has to.
            put(&group.join("memory.oom.group"), "1")?;
        }
        if let Some(percent) = limits.cpu_percent {
            let quota_us = u64::from(percent) * PERIOD_US / 100;
            put(&group.join("cpu.max"), &format!("{quota_us} {PERIOD_US}"))?;
        }
        Ok(group)
    }

    /// Removes groups of runs that are over; one with processes in it stays.
    pub fn clear(&self) {
        let Ok(folders) = fs::read_dir(&self.root) else { return };
        for folder in folders.filter_map(Result::ok) {
            if folder.file_name().as_encoded_bytes().starts_with(JOB.as_bytes()) {
                let _in_use = fs::remove_dir(folder.path());
            }
        }
    }
}

/// Moves this process and those that it has started, such as jobs that were at work when limits
/// were asked for, from one group into another: a group with limits for its children has none of
/// its own. Others that may be there, as in a session of somebody, are not ours to move.
fn gather(from: &Path, to: &Path) -> Result<(), GroupError> {
    let (list, target) = (from.join(PROCESSES), to.join(PROCESSES));
    let own = std::process::id();
    put(&target, &format!("{own}\n"))?;
    let mut moved = BTreeSet::from([own]);
    // One that is started meanwhile is found by the next look.
    loop {
        let text = fs::read_to_string(&list).map_err(|error| failed(&list, error))?;
        let found: BTreeSet<u32> = text.lines().filter_map(|pid| pid.parse().ok()).collect();
        let left: Vec<u32> =
            found.difference(&moved).copied().filter(|pid| is_of(*pid, own)).collect();
        if left.is_empty() {
            return Ok(());
        }
        for pid in left {
            moved.insert(pid);
            match put(&target, &format!("{pid}\n")) {
                Err(GroupError::Io { source, .. }) if has_ended(&source) => {}
                put => put?,
            }
        }
    }
}

fn has_ended(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

/// Whether a process was started by that one, or by one that it has started.
fn is_of(mut pid: u32, of: u32) -> bool {
    while pid > 1 {
        match parent(pid) {
            Some(parent) if parent == of => return true,
            Some(parent) => pid = parent,
            None => return false,
        }
    }
    false
}

fn parent(pid: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Its name may have any signs.
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

fn make(path: &Path) -> Result<(), GroupError> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(path, error)),
        _ => Ok(()),
    }
}

/// Puts a process, and what it will start, into a group.
///
/// # Errors
/// When the system refuses.
pub fn enter(group: &Path, pid: u32) -> Result<(), GroupError> {
    put(&group.join(PROCESSES), &pid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with the files that the kernel would make.
    fn pretend(at: &Path, controllers: &str) {
        for group in ["", DAEMON, "job-7"] {
            fs::create_dir_all(at.join(group)).unwrap();
            let files = ["cgroup.procs", "cgroup.subtree_control", "memory.max"];
            for name in files.into_iter().chain(["memory.oom.group", "cpu.max"]) {
                write(&at.join(group).join(name), "");
            }
        }
        write(&at.join("cgroup.controllers"), controllers);
    }

    fn write(path: &Path, text: &str) {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        options.open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_group_that_was_handed_over_holds_a_job() {
        let dir = tempfile::tempdir().unwrap();
        let (own, root) = (dir.path().join("own"), dir.path().join("system.slice/x.service"));
        pretend(&root, "cpu memory pids");
        write(&own, "1:name=systemd:/x\n0::/system.slice/x.service\n");
        let groups = Groups::take(dir.path(), &own).unwrap();
        let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
        assert_eq!(read("daemon/cgroup.procs"), format!("{}\n", std::process::id()));
        assert_eq!(read("cgroup.subtree_control"), "+memory +cpu");
        let limits = JobLimits {
            memory_bytes: Some(1 << 30),
            cpu_percent: Some(150),
            ..JobLimits::default()
        };
        let group = groups.open(7, &limits).unwrap();
        enter(&group, 42).unwrap();
        assert_eq!(read("job-7/memory.max"), "1073741824");
        assert_eq!(
            (read("job-7/memory.oom.group"), read("job-7/cpu.max")),
            ("1".into(), "150000 100000".into())
        );
        assert_eq!(read("job-7/cgroup.procs"), "42");
        // Once it is in the group below, a second look finds the same one.
        write(&own, "0::/system.slice/x.service/daemon\n");
        assert_eq!(Groups::take(dir.path(), &own).unwrap().root, root);
    }

    /// A daemon that takes its group over late has jobs at work in it.
    #[test]
    fn what_is_at_work_moves_along_and_strangers_stay() {
        let dir = tempfile::tempdir().unwrap();
        let (own, root) = (dir.path().join("own"), dir.path().join("x"));
        pretend(&root, "cpu memory");
        write(&own, "0::/x\n");
        let mut job = std::process::Command::new("cat");
        job.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
        let mut job = job.spawn().unwrap();
        let (daemon, pid) = (std::process::id(), job.id());
        write(&root.join("cgroup.procs"), &format!("1\n{pid}\n{daemon}\n"));
        // Keeps every word that is written, as the kernel takes it.
        let words = root.join("daemon/cgroup.procs");
        fs::remove_file(&words).unwrap();
        let rights = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &words, kind, rights, 0).unwrap();
        let mut pipe = fs::OpenOptions::new().read(true).write(true).open(&words).unwrap();
        Groups::take(dir.path(), &own).unwrap();
        pipe.write_all(b"end").unwrap();
        let mut moved = String::new();
        while !moved.ends_with("end") {
            let mut part = [0; 4096];
            let count = std::io::Read::read(&mut pipe, &mut part).unwrap();
            moved.push_str(std::str::from_utf8(&part[..count]).unwrap());
        }
        let mut moved: Vec<&str> = moved.lines().filter(|word| *word != "end").collect();
        moved.sort_unstable();
        let mut wanted = [daemon.to_string(), pid.to_string()];
        wanted.sort_unstable();
        assert_eq!(moved, wanted);
        drop(job.stdin.take());
        assert!(job.wait().unwrap().success());
    }

    #[test]
    fn a_group_whose_name_ends_so_is_taken_whole() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("own");
        for name in ["x/lifeboat-daemon", "daemons"] {
            let root = dir.path().join(name);
            pretend(&root, "cpu memory");
            for path in [format!("0::/{name}\n"), format!("0::/{name}/daemon\n")] {
                write(&own, &path);
                assert_eq!(Groups::take(dir.path(), &own).unwrap().root, root, "{path}");
            }
        }
    }

    #[test]
    fn what_was_not_handed_over_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("own");
        write(&own, "4:memory:/x\n");
        let why = |own: &Path| Groups::take(dir.path(), own).unwrap_err().to_string();
        assert!(why(&own).contains("no unified"), "{}", why(&own));
        pretend(&dir.path().join("x"), "cpu pids");
        write(&own, "0::/x\n");
        assert!(why(&own).contains("Delegate=memory cpu"), "{}", why(&own));
        write(&own, "0::/elsewhere\n");
        assert!(why(&own).contains("no unified"), "{}", why(&own));
    }
}
