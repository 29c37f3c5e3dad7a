//! Servers that are away, wrong, hang or refuse.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lifeboat::clock::SystemClock;
use lifeboat::config::Language;
use lifeboat::config::secret::Outside;
use lifeboat::config::secret::Reach;
use lifeboat::config::secret::SecretFrom;
use lifeboat::config::tell::Channel;
use lifeboat::notify::message::Voice;
use lifeboat::notify::send::Patience;
use lifeboat::notify::send::SendError;
use lifeboat::notify::send::Way;
use lifeboat::notify::send::send;
use lifeboat::units::Timestamp;

use super::receiver::Receiver;
use super::scene;

const WRONG: &str = r#"
[channel.absent]
kind = "mail"
server = "smtps://localhost:<absent>"
from = "lifeboat@office.lan"
to = ["it@office.lan"]
[channel.bare]
kind = "mail"
server = "smtp://localhost:<plain>"
user = "lifeboat"
password = { file = "<at>mail.secret" }
from = "lifeboat@office.lan"
to = ["it@office.lan"]
[channel.broken]
kind = "webhook"
url = { command = ["printf", "http://127.0.0.1:<http>/hookOfTheOffice88/broken"] }
[channel.exit]
kind = "command"
argv = ["sh", "-c", "echo tokenOfTheWebhook77 >&2; exit 3"]
[channel.lost]
kind = "ping"
url = { env = "NOT_THERE" }
[channel.moved]
kind = "ping"
url = { command = ["printf", "http://127.0.0.1:<http>/hookOfTheOffice88/moved"] }
[channel.noaddress]
kind = "webhook"
url = { command = ["printf", "hookOfTheOffice88 is none"] }
[channel.nobody]
kind = "mail"
server = "smtps://localhost:<smtps>"
from = "lifeboat@office.lan"
to = ["nobody@office.lan"]
[channel.password]
kind = "mail"
server = "smtps://localhost:<smtps>"
user = "somebody"
password = { file = "<at>mail.secret" }
from = "lifeboat@office.lan"
to = ["it@office.lan"]
[channel.unreachable]
kind = "webhook"
url = { command = ["printf", "http://127.0.0.1:<absent>/hookOfTheOffice88"] }
[[notify]]
on = ["failed"]
to = ["absent"]
"#;

fn answers(scene: &crate::cli::scene::Scene, code: i32) -> BTreeMap<String, String> {
    let told = scene.expect(code, &["notify", "test", "--json"]);
    super::assert_no_secret(&told);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let all = told.json_of("result").into_iter();
    all.map(|line| (text(&line["channel"]), text(&line["answer"]))).collect()
}

#[test]
fn each_failure_has_its_reason_and_no_secret() {
    let receiver = Receiver::start();
    let scene = scene(&receiver, WRONG);
    let found = answers(&scene, 15);
    for (channel, part) in [
        ("absent", "no connection"),
        ("bare", "no encryption"),
        ("broken", "HTTP 500"),
        ("exit", "exit status: 3"),
        ("lost", "NOT_THERE is not set"),
        ("moved", "HTTP 302"),
        ("noaddress", "address"),
        ("nobody", "550"),
        ("password", "535"),
        ("unreachable", "no connection"),
    ] {
        assert!(found[channel].contains(part), "{channel}: {part}\n{found:#?}");
    }
    assert_eq!(found.len(), 10);
    let told = scene.expect(15, &["notify", "test", "--lang", "vi"]);
    super::assert_no_secret(&told);
    assert!(told.stderr.contains("10 trên 10 kênh"), "{told}");
}

#[test]
fn a_certificate_that_nobody_trusts_is_refused() {
    let receiver = Receiver::start();
    let mut scene = scene(&receiver, super::ALL);
    let other = Receiver::start();
    scene.set("SSL_CERT_FILE", other.path("cert.pem"));
    let found = answers(&scene, 15);
    for channel in ["whole", "asked", "hook"] {
        assert!(found[channel].contains("not trusted"), "{channel}\n{found:#?}");
    }
    for channel in ["here", "ping", "command"] {
        assert!(!found[channel].contains("trusted"), "{channel}\n{found:#?}");
    }
    // The right certificate for another name.
    scene.set("SSL_CERT_FILE", receiver.path("cert.pem"));
    let file = scene.path("lifeboat.toml");
    let text =
        std::fs::read_to_string(&file).unwrap().replace("smtps://localhost", "smtps://127.0.0.1");
    scene.file("lifeboat.toml", text.as_bytes());
    let found = answers(&scene, 15);
    assert!(found["whole"].contains("not trusted"), "{found:#?}");
}

/// Variables of a test.
pub(super) struct Variables(pub(super) BTreeMap<String, String>);

impl Outside for Variables {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.0.get(name).map(OsString::from)
    }

    fn reach(&self, _path: &Path) -> Reach {
        Reach::Few
    }
}

pub(super) fn way(variables: &[(&str, String)], patience: Patience) -> Way {
    let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Way {
        outside: Arc::new(Variables(pairs.collect())),
        hidden: Vec::new(),
        clock: Arc::new(SystemClock::new()),
        patience,
    }
}

#[test]
fn nobody_is_waited_for_longer_than_said() {
    let receiver = Receiver::start();
    let silent = receiver.port("silent");
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let limit = Duration::from_millis(400);
    let patience = Patience { answer: limit, command: limit };
    let way = way(&[("URL", format!("http://127.0.0.1:{silent}/x"))], patience);
    let url = || SecretFrom::Env("URL".to_owned());
    let mail = |scheme: &str| Channel::Mail {
        server: format!("{scheme}://127.0.0.1:{silent}"),
        user: None,
        password: None,
        from: "a@b".to_owned(),
        to: vec!["c@d".to_owned()],
    };
    // What it has started goes with it, or it would hold the test's output open.
    let script = format!("sleep 600 & echo $! > {}; sleep 600", mark.display());
    let command = ["sh", "-c", &script].map(str::to_owned).to_vec();
    let zone = lifeboat::schedule::local::zone("UTC").unwrap();
    let voice = Voice { language: Language::En, zone, host: "office".to_owned() };
    let message = voice.test("x", Timestamp::from_unix_ms(1_795_000_000_000));
    for channel in [
        mail("smtp"),
        mail("smtps"),
        Channel::Webhook { url: url(), token: None },
        Channel::Ping { url: url() },
        Channel::Command { argv: command },
    ] {
        let start = way.clock.elapsed();
        let error = send(&channel, &message, &way).unwrap_err();
        assert!(matches!(error, SendError::Late), "{channel:?}: {error:?}");
        assert!(way.clock.elapsed() - start < Duration::from_secs(20), "{channel:?}");
    }
    let child = std::fs::read_to_string(mark).unwrap();
    // The signal is on its way; the system says when it has arrived.
    let is_gone = || {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
        state.is_err() || state.is_ok_and(|stat| stat.contains(") Z"))
    };
    let start = way.clock.elapsed();
    while !is_gone() {
        assert!(way.clock.elapsed() - start < Duration::from_secs(20), "it goes on");
        way.clock.wait(Duration::from_millis(10));
    }
}
