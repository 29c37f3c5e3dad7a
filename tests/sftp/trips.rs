//! A line with a long way, and how many ways there and back were waited for one after the other.
//!
//! What is under way at the same time counts once, whatever is in it, so it can be counted where
//! all is encrypted: the time in which anything was under way, in units of the way there and back.
//! Only the length of the line counts, not what either end takes its time for.

use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::time::Duration;

use lifeboat::clock::Clock;
use lifeboat::clock::SystemClock;

use crate::cli::scene::Scene;

/// One way: long beside the time in which a busy machine gets from one call to the next.
const WAY: Duration = Duration::from_millis(40);

/// Until when something is under way, and how long something was.
#[derive(Debug, Default)]
struct Busy {
    until: Duration,
    total: Duration,
}

/// Bytes on their way, and when they arrive.
type Sent = (Duration, Vec<u8>);

/// A line to a port of this machine.
pub(crate) struct LongLine {
    pub(crate) port: u16,
    busy: Arc<Mutex<Busy>>,
}

impl LongLine {
    pub(crate) fn to(port: u16) -> Self {
        Self::from("127.0.0.1", port)
    }

    /// One that begins at another address.
    pub(crate) fn from(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let own = listener.local_addr().unwrap().port();
        let busy = Arc::new(Mutex::new(Busy::default()));
        let (shared, clock) = (Arc::clone(&busy), Arc::new(SystemClock::new()));
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                for stream in [&near, &far] {
                    stream.set_nodelay(true).unwrap();
                }
                let back = (far.try_clone().unwrap(), near.try_clone().unwrap());
                for (from, into) in [back, (near, far)] {
                    let (sender, receiver) = mpsc::channel();
                    let (busy, clock, timing) =
                        (Arc::clone(&shared), Arc::clone(&clock), Arc::clone(&clock));
                    std::thread::spawn(move || take(from, &busy, (&clock, &sender)));
                    std::thread::spawn(move || give(into, (&timing, &receiver)));
                }
            }
        });
        Self { port: own, busy }
    }

    /// Trips since the last time that this was asked, rounded up.
    pub(crate) fn trips(&self) -> u128 {
        let total = std::mem::take(&mut self.busy.lock().unwrap().total);
        total.as_millis().div_ceil(2 * WAY.as_millis())
    }
}

fn take(mut from: TcpStream, busy: &Mutex<Busy>, way: (&SystemClock, &Sender<Sent>)) {
    let (clock, sender) = way;
    let mut bytes = vec![0; 256 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let now = clock.elapsed();
        let due = now + WAY;
        {
            let mut busy = busy.lock().unwrap();
            let since = busy.until.max(now);
            busy.total += due.saturating_sub(since);
            busy.until = busy.until.max(due);
        }
        if sender.send((due, bytes[..count].to_vec())).is_err() {
            return;
        }
    }
}

fn give(mut into: TcpStream, (clock, receiver): (&SystemClock, &Receiver<Sent>)) {
    while let Ok((due, bytes)) = receiver.recv() {
        clock.wait(due.saturating_sub(clock.elapsed()));
        if into.write_all(&bytes).is_err() {
            break;
        }
    }
    // One that is closed already is closed well enough.
    let _gone = into.shutdown(Shutdown::Write);
}

/// The steps whose trips are counted; `file` is restored alone.
fn steps<'a>(one_file: &'a [&'a str; 5]) -> [(&'static str, &'a [&'a str]); 5] {
    [
        ("first backup", &["-q", "backup", "."]),
        ("unchanged backup", &["-q", "backup", "."]),
        ("snapshots", &["-q", "snapshots"]),
        ("one file", one_file),
        ("check", &["-q", "check"]),
    ]
}

/// Most often that steps are counted: a machine that is busy elsewhere makes trips seem more, and
/// never fewer.
const TRIES: usize = 3;

/// Runs each step over an empty repository, and counts its trips.
pub(crate) fn counted(line: &LongLine, (scene, file): (&Scene, &str)) -> Vec<(&'static str, u128)> {
    let (file, target) = (format!("latest:{file}"), scene.path("restored").display().to_string());
    let one_file = ["-q", "restore", &file, "--target", &target];
    let count = |(step, args): (&'static str, &[&str])| {
        line.trips();
        scene.expect(0, args);
        let trips = line.trips();
        // Or nothing went over the line.
        assert!(trips > 2, "{step}: {trips}");
        (step, trips)
    };
    steps(&one_file).into_iter().map(count).collect()
}

/// Fails if a step waits for more trips than its budget, however often it is counted.
pub(crate) fn keep(budgets: [u128; 5], counted: impl Fn() -> Vec<(&'static str, u128)>) {
    let mut least = counted();
    let is_over = |least: &[(&str, u128)]| {
        least.iter().zip(budgets).any(|((_, trips), budget)| *trips > budget)
    };
    for _ in 1..TRIES {
        if !is_over(&least) {
            break;
        }
        for (known, (_, trips)) in least.iter_mut().zip(counted()) {
            known.1 = known.1.min(trips);
        }
    }
    println!("{least:?}, at most {budgets:?}");
    assert!(!is_over(&least), "{least:?}, at most {budgets:?}");
}
