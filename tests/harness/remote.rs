//! The same over real servers: OpenSSH, and a bucket of Ceph. A round trip of all commands meets a
//! fault at every request, or its process is killed at one of them, which a server sees as a line
//! that ends. What the servers have then is tried by the laws, over a sound line.

use std::sync::Arc;
use std::sync::Mutex;

use lifeboat::clock::Clock as _;
use lifeboat::clock::ManualClock;
use lifeboat::clock::SystemClock;
use lifeboat::run::Run;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageError;
use lifeboat::storage::layer::retry::Retry;
use lifeboat::storage::layer::retry::RetryOptions;
use lifeboat::storage::s3::S3Options;
use lifeboat::storage::s3::S3Storage;
use lifeboat::storage::sftp::SftpOptions;
use lifeboat::storage::sftp::SftpStorage;
use lifeboat::storage::sftp::Way;
use lifeboat::vault::gc::Trash;

use crate::s3::proxy::Fate;
use crate::s3::proxy::Proxy;
use crate::s3::server::server;
use crate::sftp::server::Line;
use crate::sftp::server::Sshd;
use crate::support::profile;
use crate::support::profile::Profile;

use super::crash::Wrap;
use super::laws;
use super::laws::Broken;
use super::office::Now;
use super::office::Office;
use super::office::Open;
use super::office::Opening;
use super::remote_bugs;
use super::scenarios::mutate;
use super::scenarios::named;

/// What a network does to one request.
const FATES: [Fate; 5] =
    [Fate::Cut, Fate::LoseAnswer, Fate::CutInside, Fate::CutAnswer, Fate::Busy(503)];

/// Waiting costs nothing: the clock of the processes moves when it is told to.
pub(super) const RETRY: RetryOptions = RetryOptions {
    attempts_max: 12,
    wait_first: std::time::Duration::from_millis(10),
    wait_max: std::time::Duration::from_secs(1),
    whole_max: std::time::Duration::from_secs(15 * 60),
};

/// Bytes between two cuts of a line: enough for it to be made anew and for the largest blob of a
/// round trip to come through, or nobody ever goes on.
const APART_BYTES_MIN: u64 = 16 * 1024;

/// What happens to one round trip. Places are parts in a thousand of all that it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shot {
    Nothing,
    /// From this place on nothing comes through any more.
    Killed {
        at: u64,
    },
    /// One in so many requests meets a fault, the first of them after so many.
    Faulty {
        every: u64,
        first: u64,
    },
}

/// A server with a line to it that can fail.
pub(super) trait Lab {
    fn name(&self) -> &'static str;
    /// A place of its own with nothing in it, and what becomes of what is sent there; `whole` is
    /// how much a round trip sends.
    fn begin(&mut self, shot: Shot, whole: u64);
    fn by_line(&self) -> Base;
    fn directly(&self) -> Base;
    /// How much was sent by the line since it began.
    fn sent(&self) -> u64;
}

/// Opens a storage without layers.
pub(super) type Base =
    Arc<dyn Fn(&Run, Opening) -> Result<Arc<dyn Storage>, StorageError> + Send + Sync>;

/// How processes open it; every promise is made at one moment.
fn doors(base: Base, wrap: Wrap) -> (Open, Now) {
    let open: Open = Arc::new(move |run, opening| {
        // Whoever meets a fault at the door comes again.
        let mut tries = (1..RETRY.attempts_max).map(|_| base(run, opening));
        let opened = tries.find(|tried| !tried.as_ref().is_err_and(StorageError::is_retryable));
        let storage = wrap(opened.unwrap_or_else(|| base(run, opening))?);
        Ok(Arc::new(Retry::new(run, storage, RETRY)))
    });
    (open, Arc::new(|| 0))
}

/// All that is sent in bytes, cut at a place among them.
pub(super) struct Ssh {
    sshd: Sshd,
    line: Line,
    number: u32,
}

impl Ssh {
    pub(super) fn start() -> Self {
        let sshd = Sshd::start();
        let line = Line::to(sshd.port);
        Self { sshd, line, number: 0 }
    }

    fn base(&self, port: u16) -> Base {
        let mut ssh = self.sshd.ssh();
        ssh.port = port;
        let root = self.sshd.path(&format!("office-{}", self.number)).display().to_string();
        let options = SftpOptions { way: Way::Ssh(ssh), root };
        Arc::new(move |run, opening| {
            Ok(Arc::new(match opening {
                Opening::Existing => SftpStorage::open(run, options.clone())?,
                Opening::New => SftpStorage::create(run, options.clone())?,
            }))
        })
    }
}

impl Lab for Ssh {
    fn name(&self) -> &'static str {
        "sftp"
    }

    fn begin(&mut self, shot: Shot, whole: u64) {
        self.number += 1;
        self.line = Line::to(self.sshd.port);
        match shot {
            Shot::Nothing => {}
            Shot::Killed { at } => self.line.end_at(whole * at / 1000),
            // A request of SFTP is some hundred bytes long, and a line that is made anew takes
            // some thousand before the first of them.
            Shot::Faulty { every, first } => {
                let apart = (whole / every).max(APART_BYTES_MIN);
                self.line.cut_every((whole * first / 1000, apart));
            }
        }
    }

    fn by_line(&self) -> Base {
        self.base(self.line.port)
    }

    fn directly(&self) -> Base {
        self.base(self.sshd.port)
    }

    fn sent(&self) -> u64 {
        self.line.sent()
    }
}

/// All that is sent in requests.
pub(super) struct Bucket {
    options: S3Options,
    proxy: Proxy,
}

impl Bucket {
    pub(super) fn start() -> Self {
        let options = server().options(&server().new_bucket());
        Self { options, proxy: Proxy::start(server().port, |_| Fate::Pass) }
    }

    fn base(options: S3Options) -> Base {
        Arc::new(move |run, _| Ok(Arc::new(S3Storage::open(run, options.clone())?)))
    }
}

impl Lab for Bucket {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn begin(&mut self, shot: Shot, whole: u64) {
        self.options = server().options(&server().new_bucket());
        let met_count = Mutex::new(0_usize);
        self.proxy = Proxy::start(server().port, move |seen| {
            let number = seen.number as u64;
            match shot {
                Shot::Killed { at } if number == whole * at / 1000 => Fate::LoseAnswer,
                Shot::Killed { at } if number > whole * at / 1000 => Fate::Cut,
                Shot::Faulty { every, first } if number % every == first % every => {
                    let mut met = met_count.lock().unwrap();
                    *met += 1;
                    FATES[*met % FATES.len()]
                }
                _ => Fate::Pass,
            }
        });
    }

    fn by_line(&self) -> Base {
        let endpoint = Some(self.proxy.endpoint());
        Self::base(S3Options { endpoint, ..self.options.clone() })
    }

    fn directly(&self) -> Base {
        Self::base(self.options.clone())
    }

    fn sent(&self) -> u64 {
        self.proxy.seen().len() as u64
    }
}

/// Every command once, on the smallest of trees.
pub(super) fn round_trip(office: &mut Office) -> Result<(), String> {
    office.add_desk("one");
    office.init("first")?;
    office.backup(0)?;
    mutate(office, 0);
    office.backup(0)?;
    for name in ["check", "restore"] {
        (named(name).act)(office)?;
    }
    office.forget(0)?;
    office.prune(Trash::Waits).map(drop)
}

fn office_at(lab: &dyn Lab, wrap: Wrap) -> (Office, Arc<ManualClock>) {
    // Where servers date what they keep, no process may be a day off.
    let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
    (Office::new(&clock, doors(lab.by_line(), wrap), profile::seed()), clock)
}

/// How much a whole round trip sends.
fn measured(lab: &mut dyn Lab) -> u64 {
    lab.begin(Shot::Nothing, 0);
    let (mut office, _) = office_at(lab, |storage| storage);
    round_trip(&mut office).unwrap();
    let sent = lab.sent();
    assert!(sent > 100, "{}: {sent}", lab.name());
    sent
}

/// One round trip and what follows from it.
fn fire(lab: &mut dyn Lab, (shot, whole): (Shot, u64), wrap: Wrap) -> Result<(), Broken> {
    lab.begin(shot, whole);
    let (mut office, clock) = office_at(lab, wrap);
    let act = std::panic::AssertUnwindSafe(|| round_trip(&mut office));
    let ended = match std::panic::catch_unwind(act) {
        Err(_) => return Err(Broken { law: "K10", found: "a panic in a command".to_owned() }),
        Ok(Err(found)) if found.starts_with('K') => return Err(Broken { law: "K9", found }),
        Ok(ended) => ended,
    };
    if let (Err(found), Shot::Faulty { .. } | Shot::Nothing) = (&ended, shot) {
        // A fault that passes ends nothing.
        return Err(Broken { law: "K3 goes on", found: found.clone() });
    }
    let mut after = office.moved(doors(lab.directly(), |storage| storage), &clock);
    laws::forget_later(&mut after, 0);
    laws::hold(&mut after)
}

/// Kills, spread evenly over all that is sent, and faults; some of them, or all.
fn shots(whole: u64) -> Vec<Shot> {
    let profile = Profile::of_process();
    let kills = profile.pick(4, 60, whole).min(1000);
    let offset = profile::seed() % 7;
    let kills = (0..kills).map(|n| Shot::Killed { at: (n * 1000 + offset * 10) / kills.max(1) });
    let every = profile.pick(23, 7, 5);
    let rounds = profile.pick(1, every, every);
    let faults = (0..rounds).map(|n| Shot::Faulty { every, first: n + profile::seed() % every });
    kills.chain(faults).collect()
}

fn hold(lab: &mut dyn Lab) {
    let clock = SystemClock::new();
    let whole = measured(lab);
    let all = shots(whole);
    for shot in &all {
        let held = fire(lab, (*shot, whole), |storage| storage);
        let (name, seed) = (lab.name(), profile::seed());
        held.unwrap_or_else(|broken| panic!("{broken}\n{name}, {shot:?} of {whole}, seed {seed}"));
    }
    let counts = [("trials", all.len() as u64), ("requests", whole), ("failures", 0)];
    profile::report("remote", lab.name(), clock.elapsed(), &counts);
}

#[test]
fn the_laws_hold_over_sftp() {
    hold(&mut Ssh::start());
}

#[test]
fn the_laws_hold_over_a_bucket() {
    hold(&mut Bucket::start());
}

/// Bugs of other programs, planted between the patience and the server: each is found by one of
/// the shots above. Over SFTP, where each fault costs a handshake, from the profile `gate` on.
#[test]
fn planted_bugs_are_found_over_servers() {
    let count = Profile::of_process().pick(1, 2, 2);
    let labs: [&mut dyn Lab; 2] = [&mut Bucket::start(), &mut Ssh::start()];
    for lab in labs.into_iter().take(count) {
        let whole = measured(lab);
        for (bug, wrap) in remote_bugs::ALL {
            let mut shots = (0..11).map(|first| Shot::Faulty { every: 11, first });
            let found = shots.find_map(|shot| fire(lab, (shot, whole), wrap).err());
            let found = found.unwrap_or_else(|| panic!("{}: {bug} was not found", lab.name()));
            println!("{}: {bug}: {found}", lab.name());
        }
    }
}
