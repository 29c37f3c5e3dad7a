//! What administrators write: the configuration file and cron expressions.

use std::ffi::OsString;
use std::path::Path;

use jiff::civil::DateTime;
use lifeboat::config::read;
use lifeboat::config::secret::Outside;
use lifeboat::config::secret::Reach;
use lifeboat::schedule::cron::Cron;
use lifeboat::schedule::local;
use lifeboat::schedule::window::Window;
use lifeboat::units::Timestamp;

use super::Seen;
use super::choice;
use super::told;

struct Nothing;

impl Outside for Nothing {
    fn variable(&self, name: &str) -> Option<OsString> {
        (name == "HOME").then(|| "/home/an".into())
    }

    fn reach(&self, _path: &Path) -> Reach {
        Reach::Few
    }
}

pub fn configuration(input: &[u8]) -> Seen {
    let text = String::from_utf8_lossy(input);
    let found = read(&text, &Nothing, Timestamp::from_unix_ms(1_795_000_000_000));
    let lines = text.lines().count() + 1;
    for mistake in found.mistakes.iter().chain(&found.warnings) {
        let line = mistake.to_string();
        assert!(!mistake.what.is_empty() && line.len() < 64 * 1024, "{line}");
        assert!((1..=lines).contains(&mistake.place.line), "{line} of {lines} lines");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    assert_eq!(found.config.is_some(), found.mistakes.is_empty());
    let Some(config) = found.config else { return Seen::Refused };
    assert!(serde_json::to_string(&config).is_ok() && serde_json::to_string(&found.shown).is_ok());
    for job in config.jobs() {
        let plan = job.schedule.plan(&job.key, b"machine");
        assert!(plan.delay <= job.schedule.jitter, "{}", job.key);
    }
    Seen::Accepted
}

/// Input: a zone's number, then an expression; or 255 and a window.
pub fn schedule(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 5);
    let text = String::from_utf8_lossy(rest);
    let from: DateTime = "2026-03-28T12:34:56".parse().unwrap();
    let zones = ["UTC", "Asia/Ho_Chi_Minh", "Europe/Berlin", "Australia/Lord_Howe"];
    let Some(name) = zones.get(usize::from(which)) else {
        return match text.parse::<Window>() {
            Ok(window) => {
                assert_eq!(window.to_string().parse(), Ok(window));
                Seen::Accepted
            }
            Err(error) => told(&error),
        };
    };
    let cron = match text.parse::<Cron>() {
        Ok(cron) => cron,
        Err(error) => return told(&error),
    };
    let again: Cron = cron.to_string().parse().expect("an expression as it was told");
    assert_eq!(again, cron);
    let next = cron.after(from).expect("an expression that comes");
    assert!(next > from);
    if let Some(last) = cron.before(next) {
        assert!(last <= from, "{last} lies between {from} and {next}");
    }
    let zone = local::zone(name).expect("a zone of the database");
    let at = jiff::Timestamp::from_second(1_795_000_000).unwrap();
    if let Some(slot) = local::after(&cron, &zone, at) {
        assert!(slot > at);
        assert_eq!(local::latest(&cron, &zone, slot), Some(slot));
    }
    Seen::Accepted
}
