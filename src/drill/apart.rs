//! Whether a machine stands where nothing of production can be reached.
//!
//! That a switch is unplugged only people can see. What a program can see is whether anything of
//! production answers, and that is what is tried: a plug that was left in is found before restored
//! data, which may be hostile, comes to life beside it.

use std::net::TcpStream;
use std::net::ToSocketAddrs as _;
use std::time::Duration;

use crate::drill::check::Found;
use crate::drill::verdict::FailureCode;
use crate::run::Run;

/// How long an address is waited for; in one building they answer within milliseconds.
const WAIT: Duration = Duration::from_secs(3);
/// Most that are tried at the same time.
const BESIDE: usize = 16;
/// Most that are tried at all.
const TRIED_MAX: usize = 256;

/// What became of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Answered,
    Nothing,
    /// No address is known by this name here.
    Unknown,
}

/// Tries to connect to each of these `HOST:PORT`; nothing is sent.
#[must_use]
pub fn look(run: &Run, addresses: &[String]) -> Found {
    if addresses.is_empty() {
        let why =
            "no address of production is known that could be tried: name some in `apart_from`";
        return Found::skipped(FailureCode::F8, why);
    }
    let (mut heard, tried) = (Vec::new(), addresses.len().min(TRIED_MAX));
    for some in addresses.get(..tried).unwrap_or_default().chunks(BESIDE) {
        if run.check().is_err() {
            return Found::skipped(FailureCode::F8, "it was stopped");
        }
        std::thread::scope(|scope| {
            let asked: Vec<_> = some.iter().map(|one| scope.spawn(|| ask(one))).collect();
            // One that cannot be asked is not known to be silent.
            heard.extend(asked.into_iter().map(|one| one.join().unwrap_or(Heard::Answered)));
        });
    }
    let of = |kind: Heard| heard.iter().filter(|one| **one == kind).count();
    if of(Heard::Answered) > 0 {
        // Where production is reached is no matter of the evidence.
        let detail = format!("{} of {tried} addresses of production answer", of(Heard::Answered));
        return Found::equal(FailureCode::F8, "nothing answers", "production").with(detail);
    }
    if of(Heard::Nothing) == 0 {
        let why = "no name of production is known here, so nothing was tried: name some by their \
                   numbers in `apart_from`";
        return Found::skipped(FailureCode::F8, why);
    }
    let detail = format!(
        "{tried} addresses of production were tried and none answered, {} of them by names that \
         nobody here knows; that the switch is unplugged the operator says",
        of(Heard::Unknown)
    );
    Found::equal(FailureCode::F8, "nothing answers", "nothing answers").with(detail)
}

fn ask(address: &str) -> Heard {
    let known: Vec<_> = address.to_socket_addrs().into_iter().flatten().collect();
    if known.is_empty() {
        return Heard::Unknown;
    }
    // A host that refuses is there as well.
    let answers = |error: std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
    let is_heard = known
        .iter()
        .any(|one| TcpStream::connect_timeout(one, WAIT).map_or_else(answers, |_| true));
    if is_heard { Heard::Answered } else { Heard::Nothing }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::drill::verdict::Outcome;
    use crate::ids::RunId;
    use crate::run::monitor::Silent;

    fn looked(addresses: &[&str]) -> Found {
        let clock = Arc::new(SystemClock::new());
        let run = Run::new(RunId::new([0; 16]), Arc::new(Silent), clock, 1);
        look(&run, &addresses.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn one_that_answers_or_refuses_is_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().to_string();
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        for one in [&open, &closed] {
            let found = looked(&["nobody.invalid:22", one]);
            assert_eq!(found.result, Outcome::Fail, "{found:?}");
            assert!(!format!("{found:?}").contains("127.0.0.1"), "{found:?}");
        }
    }

    #[test]
    fn silence_passes_and_no_question_does_not() {
        // A group of machines, to which nobody can connect (RFC 9293, section 3.9.2.3).
        let found = looked(&["224.0.0.1:443", "nobody.invalid:22"]);
        assert_eq!(found.result, Outcome::Pass, "{found:?}");
        for unasked in [&[][..], &["nobody.invalid:22"]] {
            assert_eq!(looked(unasked).result, Outcome::Skip, "{unasked:?}");
        }
    }
}
