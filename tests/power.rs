//! Power cuts of a real file system: the program backs up to and restores onto an ext4 in a file,
//! which is shut down in the middle, as a machine without power leaves it: what the journal and the
//! medium do not have is gone. Then it is mounted again.
//!
//! A program that is killed keeps the system's cache; here that is lost too. What a medium does
//! with a cache of its own is not shown.

use std::io::Read;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;

use crate::support::Random;
use crate::support::compare::Tree;
use crate::support::compare::assert_alike;
use crate::support::compare::differences;
use crate::support::compare::look;
use crate::support::generate;
use crate::support::generate::is_root;
use crate::support::mutate::mutate;
use crate::support::profile;
use crate::support::profile::Profile;
use crate::support::tally::Tally;
use crate::world::fast_folder;

/// Tells a mounted file system to stop without writing anything more: `EXT4_IOC_SHUTDOWN` with
/// `NOLOGFLUSH`.
const CUT: &str = "import fcntl, os, struct, sys
disk = os.open(sys.argv[1], os.O_RDONLY)
print('ready', flush=True)
sys.stdin.readline()
fcntl.ioctl(disk, 0x8004587d, struct.pack('I', 2))";

/// A file system in a file in memory, and beside it a tree to back up.
struct Machine {
    folder: tempfile::TempDir,
    /// How the file system is mounted.
    options: &'static str,
}

fn done(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success())
}

impl Machine {
    /// `None` where the system does not let us mount.
    fn new(options: &'static str) -> Option<Self> {
        let machine = Self { folder: fast_folder(), options };
        std::fs::create_dir(machine.path("disk")).unwrap();
        let image = std::fs::File::create_new(machine.path("image")).unwrap();
        image.set_len(192 << 20).unwrap();
        generate::put(&machine.path("key"), &Random::new(5).bytes(64));
        let made = done(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(machine.path("image")));
        (is_root() && made && machine.mount()).then_some(machine)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn mount(&self) -> bool {
        let (image, disk) = (self.path("image"), self.path("disk"));
        done(Command::new("mount").args(["-t", "ext4", "-o", self.options]).args([image, disk]))
    }

    fn unmount(&self) -> bool {
        done(Command::new("umount").arg(self.path("disk")))
    }

    /// What cuts the power as soon as its input ends. It is ready, so that a cut takes no time.
    fn switch(&self) -> Child {
        let mut command = Command::new("python3");
        command.args(["-c", CUT]).arg(self.path("disk"));
        let mut switch = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = [0; 6];
        switch.stdout.take().unwrap().read_exact(&mut ready).unwrap();
        switch
    }

    /// The power comes back.
    fn wake(&self) {
        assert!(self.unmount() && self.mount(), "the file system does not come back");
    }

    /// The program; repository and cache stand on the disk.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command
            .arg("--quiet")
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("home"))
            .env("LIFEBOAT_REPOSITORY", self.path("disk/repository"))
            .env("LIFEBOAT_CACHE_DIR", self.path("disk/cache"))
            .env("LIFEBOAT_KEY_FILE", self.path("key"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    #[track_caller]
    fn expect(&self, codes: &[i32], arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(codes.contains(&output.status.code().unwrap()), "{arguments:?}: {told}");
        output
    }

    /// Starts a command and cuts the power after a while, or at once after its answer; whether it
    /// told of success.
    fn cut_in(&self, arguments: &[&str], random: &mut Random) -> bool {
        let switch = self.switch();
        let cut = |switch: Child| assert!(answer(switch), "no power cut");
        let mut child = self.command(arguments).spawn().unwrap();
        if random.below(4) == 0 {
            let is_told = answer(child);
            cut(switch);
            return is_told;
        }
        let exponent = random.below(1000) as f64 / 1000.0 * 1.8;
        // A receiver that nobody sends to: waiting on it is waiting for the delay.
        let (_sender, receiver) = std::sync::mpsc::channel::<()>();
        let delay = Duration::from_secs_f64(0.001 * 10_f64.powf(exponent));
        assert!(receiver.recv_timeout(delay).is_err());
        cut(switch);
        // The machine goes too. What ended before the cut is no longer there to be killed.
        let _gone_or_not = child.kill();
        answer(child)
    }

    /// The newest snapshot, restored beside the disk.
    fn newest(&self) -> Tree {
        let target = self.path("restored");
        let _none_yet = std::fs::remove_dir_all(&target);
        self.expect(&[0], &["restore", "latest", "--target", target.to_str().unwrap()]);
        look(&target.join("tree"))
    }

    /// Everything restores; of what was cut short at most a second copy is amiss.
    fn assert_nothing_is_lost(&self) {
        let output = self.expect(&[0, 3], &["check", "--read-data"]);
        let told = String::from_utf8_lossy(&output.stderr);
        let mut lines = told.lines().filter(|line| !line.trim().is_empty());
        assert!(lines.all(|line| line.starts_with("healable: ")), "{told}");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _unmounted_or_never_was = self.unmount();
    }
}

fn answer(child: Child) -> bool {
    child.wait_with_output().unwrap().status.success()
}

/// Two ways to mount: as people do, and with sizes that may be there before the data.
const MOUNTS: [&str; 2] = ["loop", "loop,data=writeback,noauto_da_alloc"];

/// Says by name that nothing was tried.
fn not_run(tally: &mut Tally) {
    println!("not run: this machine lets nobody mount an ext4 in a file");
    tally.count("not_run", 1);
    tally.finish();
}

#[test]
fn a_backup_that_was_acknowledged_survives_a_power_cut() {
    let seed = profile::seed();
    let mut tally = Tally::start("h3-power cut in a backup", seed);
    let mut random = Random::new(seed);
    for options in MOUNTS {
        let Some(machine) = Machine::new(options) else { return not_run(&mut tally) };
        let tree = machine.path("tree");
        generate::small(&tree, seed);
        generate::put(&tree.join("large"), &Random::new(seed).bytes(1_500_000));
        machine.expect(&[0], &["init"]);
        machine.expect(&[0], &["backup", "tree"]);
        let mut kept = look(&tree);
        for round in 0..Profile::of_process().pick(2, 25, 1000) {
            mutate(&tree, seed * 10_000 + round, 5);
            let what = format!("{options}, round {round}");
            let now = look(&tree);
            let is_told = machine.cut_in(&["backup", "tree"], &mut random);
            machine.wake();
            machine.assert_nothing_is_lost();
            let found = machine.newest();
            tally.trials += 1;
            tally.count("acknowledged", u64::from(is_told));
            if is_told {
                assert_alike(&what, &now, &found);
            } else {
                let is_kept = differences(&kept, &found).is_empty();
                tally.count("cut_short", u64::from(is_kept));
                assert!(is_kept || differences(&now, &found).is_empty(), "{what}: neither tree");
            }
            machine.expect(&[0], &["backup", "tree"]);
            kept = machine.newest();
            assert_alike(&what, &now, &kept);
        }
    }
    tally.finish();
}

#[test]
fn a_restore_that_was_acknowledged_survives_a_power_cut() {
    let seed = profile::seed();
    let mut tally = Tally::start("h3-power cut in a restore", seed);
    let mut random = Random::new(seed + 1);
    for options in MOUNTS {
        let Some(machine) = Machine::new(options) else { return not_run(&mut tally) };
        let tree = machine.path("tree");
        generate::small(&tree, seed + 1);
        generate::put(&tree.join("large"), &Random::new(seed).bytes(3_000_000));
        machine.expect(&[0], &["init"]);
        machine.expect(&[0], &["backup", "tree"]);
        let wanted = look(&tree);
        for round in 0..Profile::of_process().pick(2, 20, 1000) {
            let what = format!("{options}, round {round}");
            let restore = ["restore", "latest", "--target", "disk/out"];
            let is_told = machine.cut_in(&restore, &mut random);
            machine.wake();
            tally.trials += 1;
            tally.count("acknowledged", u64::from(is_told));
            if !is_told {
                // What has its time has its bytes; all else is compared.
                machine.expect(&[0], &restore);
            }
            let what = format!("{what}, told of success before the cut: {is_told}");
            assert_alike(&what, &wanted, &look(&machine.path("disk/out/tree")));
            std::fs::remove_dir_all(machine.path("disk/out")).unwrap();
            // With `writeback`, blocks of a removed file are given away before its removal is
            // durable: a cut would bring the last round's file back with this round's bytes in it.
            assert!(done(Command::new("sync").arg("-f").arg(machine.path("disk"))));
        }
    }
    tally.finish();
}
