//! A slow line: a network namespace of its own, from which there is one way out, of a rate that the
//! kernel keeps (`tc-tbf(8)`), and with a long way behind it.

use std::process::Command;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lifeboat::run::seed::Choices;

use crate::cli::scene::Scene;
use crate::support::tally::Watch;

use super::program;
use super::server::Sshd;
use super::trips::LongLine;

const MBIT_PER_S: u32 = 20;

/// What is new in a backup of much; at this rate some seventeen seconds.
const SENT_BYTES: usize = 40 << 20;

/// How long the steps may take that somebody waits for: a backup of what has not changed, and one
/// file of the newest snapshot.
const WAIT_MAX: Duration = Duration::from_secs(3);

/// How much of the line a backup of much uses, beside what any backup waits for.
const USED_PERCENT_MIN: u128 = 90;

/// Most often that a step is timed: a busy machine makes it seem slower, and never faster.
const TRIES: usize = 5;

/// A namespace, and the line from it to a port of this machine.
pub(crate) struct SlowLine {
    namespace: String,
    /// The end of the line on this side; the other is `out`.
    link: String,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl SlowLine {
    pub(crate) fn to(port: u16) -> Self {
        static NUMBER: AtomicU16 = AtomicU16::new(0);
        assert!(rustix::process::geteuid().is_root(), "this takes root, who makes links");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let id = std::process::id();
        let (namespace, link) = (format!("lifeboat-{id}-{number}"), format!("lb{id}n{number}"));
        // Addresses for trials of networks (RFC 2544), four to each line.
        let net = format!("198.18.{}.", id % 256);
        let (host, inside) =
            (format!("{net}{}", number * 4 + 1), format!("{net}{}", number * 4 + 2));
        // There from now on, so that what is made in part goes again.
        let mut line = Self { namespace, link, host, port: 0 };
        let (namespace, link) = (&line.namespace, &line.link);
        let rate = format!("root tbf rate {MBIT_PER_S}mbit burst 32kb latency 50ms");
        for words in [
            format!("ip netns add {namespace}"),
            format!("ip link add {link} type veth peer name out netns {namespace}"),
            format!("ip addr add {}/30 dev {link}", line.host),
            format!("ip link set {link} up"),
            format!("ip -n {namespace} addr add {inside}/30 dev out"),
            format!("ip -n {namespace} link set out up"),
            format!("tc qdisc add dev {link} {rate}"),
            format!("tc -n {namespace} qdisc add dev out {rate}"),
        ] {
            asked(&words);
        }
        line.port = LongLine::from(&line.host, port).port;
        line
    }

    /// Bytes that left by the line from within, as what keeps the rate counts them: with the head
    /// of every packet.
    fn sent_bytes(&self) -> u64 {
        let shown = asked(&format!("tc -n {} -s qdisc show dev out", self.namespace));
        let mut words = shown.split_ascii_whitespace();
        words.find(|word| *word == "Sent").and_then(|_| words.next()).unwrap().parse().unwrap()
    }

    /// Runs the program behind the line, and says how long it took.
    fn timed(&self, scene: &Scene, args: &[&str]) -> Duration {
        let watch = Watch::start();
        let net = format!("--net=/run/netns/{}", self.namespace);
        let told = scene.run_under(&["nsenter", &net], args);
        assert_eq!(told.code, Some(0), "{told}");
        watch.elapsed()
    }

    fn quickest(&self, scene: &Scene, args: &[&str]) -> Duration {
        let mut least = self.timed(scene, args);
        for _ in 1..TRIES {
            if least <= WAIT_MAX {
                break;
            }
            least = least.min(self.timed(scene, args));
        }
        least
    }
}

impl Drop for SlowLine {
    /// The link goes with its end in the namespace; a line that was made in part goes in part.
    fn drop(&mut self) {
        let _gone = Command::new("ip").args(["link", "del", &self.link]).output();
        let _gone = Command::new("ip").args(["netns", "del", &self.namespace]).output();
    }
}

fn asked(words: &str) -> String {
    let mut words = words.split(' ');
    let told = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(told.status.success(), "{told:?}");
    String::from_utf8(told.stdout).unwrap()
}

/// Whether the rate of the line is all that a backup of much waits for, and nobody waits long for
/// little. The repository of the scene is there and empty.
pub(crate) fn hold(line: &SlowLine, scene: &Scene) {
    line.timed(scene, &["-q", "backup", "."]);
    let unchanged = line.quickest(scene, &["-q", "backup", "."]);
    let target = scene.path("restored").display().to_string();
    let one_file = ["-q", "restore", "latest:letters/one.txt", "--target", &target];
    let one_file = line.quickest(scene, &one_file);
    assert!(unchanged <= WAIT_MAX && one_file <= WAIT_MAX, "{unchanged:?}, {one_file:?}");
    let mut used_percents = Vec::new();
    for seed in 1..=TRIES as u64 {
        used_percents.push(used_percent(line, scene, (seed, unchanged)));
        if used_percents.last() >= Some(&USED_PERCENT_MIN) {
            break;
        }
    }
    println!("unchanged {unchanged:?}, one file {one_file:?}, {used_percents:?} % of the line");
    assert!(used_percents.last() >= Some(&USED_PERCENT_MIN), "{used_percents:?} % of the line");
}

/// How much of the line a backup uses that has much to send, beside what any backup takes.
fn used_percent(line: &SlowLine, scene: &Scene, (seed, unchanged): (u64, Duration)) -> u128 {
    let mut choices = Choices::new(seed, "slow line");
    let numbers = std::iter::repeat_with(|| choices.next_number().to_le_bytes());
    let random: Vec<u8> = numbers.take(SENT_BYTES / 8).flatten().collect();
    scene.file("source/random", &random);
    let before = line.sent_bytes();
    let took = line.timed(scene, &["-q", "backup", "."]);
    let sent_bytes = line.sent_bytes() - before;
    assert!(sent_bytes > SENT_BYTES as u64, "{sent_bytes}");
    let least = Duration::from_micros(sent_bytes * 8 / u64::from(MBIT_PER_S));
    least.as_millis() * 100 / took.saturating_sub(unchanged).as_millis()
}

#[test]
fn a_slow_line_is_all_that_is_waited_for() {
    let sshd = Sshd::start();
    let mut scene = program::scene(&sshd, sshd.port);
    scene.expect(0, &["-q", "init"]);
    let line = SlowLine::to(sshd.port);
    program::move_to(&mut scene, &sshd, (&line.host, line.port));
    hold(&line, &scene);
}
