//! The configuration file: every mistake by its line, what is warned of, and that no secret shows.

mod examples;
mod mistakes;
mod plan;
mod product;
mod secrets;
mod storages;
mod warnings;

use std::ffi::OsString;
use std::path::Path;

use lifeboat::config::Found;
use lifeboat::config::read;
use lifeboat::config::secret::Outside;
use lifeboat::config::secret::Reach;
use lifeboat::units::Timestamp;

/// A machine with these variables, and files that others can or cannot read.
#[derive(Default)]
struct Machine {
    variables: Vec<(&'static str, OsString)>,
    open: Vec<&'static str>,
    missing: Vec<&'static str>,
}

impl Outside for Machine {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    fn reach(&self, path: &Path) -> Reach {
        let is_in = |names: &[&str]| names.iter().any(|name| Path::new(name) == path);
        match () {
            () if is_in(&self.open) => Reach::Others,
            () if is_in(&self.missing) => Reach::Missing,
            () => Reach::Few,
        }
    }
}

fn now() -> Timestamp {
    let time: jiff::Timestamp = "2026-11-26T00:00:00Z".parse().unwrap();
    Timestamp::from_unix_ms(time.as_millisecond())
}

fn found(text: &str) -> Found {
    let machine = Machine { variables: vec![("HOME", "/home/an".into())], ..Machine::default() };
    read(text, &machine, now())
}

fn mistakes(text: &str) -> Vec<String> {
    found(text).mistakes.iter().map(ToString::to_string).collect()
}

fn warnings(text: &str) -> Vec<String> {
    let found = found(text);
    assert!(found.mistakes.is_empty(), "{:?}", found.mistakes);
    found.warnings.iter().map(ToString::to_string).collect()
}

/// A small file without a mistake.
const SMALL: &str = r#"version = 1
[storage.main]
kind = "folder"
path = "/srv/lifeboat"
[storage.far]
kind = "folder"
path = "/mnt/far"
[[backup]]
name = "files"
storage = "main"
source = { kind = "files", paths = ["/srv/shared"] }
schedule = { cron = "0 12,22 * * *", catch_up = "12h" }
retention = "office"
expect = { age_max = "26h" }
[[copy]]
from = "main"
to = ["far"]
schedule = { cron = "45 * * * *", catch_up = "1h" }
[retention.office]
keep_daily = 30
[maintenance]
storages = ["main", "far"]
forget = { cron = "0 3 * * *" }
prune = { cron = "0 4 * * 0" }
check = { cron = "0 5 * * *" }
[[drill]]
name = "monthly"
class = "D2"
storage = "far"
schedule = { cron = "0 8 5 * *" }
sandbox = { path = "/var/lib/lifeboat/drill" }
[channel.mail]
kind = "mail"
server = "smtps://mail.office.lan:465"
from = "lifeboat@office.lan"
to = ["it@office.lan"]
[[notify]]
on = ["failed"]
to = ["mail"]
"#;
