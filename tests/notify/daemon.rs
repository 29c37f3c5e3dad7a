//! A failure that is provoked reaches the office, and the numbers say so too.

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;

use super::receiver::Receiver;
use crate::cli::daemon::Daemon;

const CONFIG: &str = r#"
[[backup]]
name = "files"
storage = "main"
source = { kind = "files", paths = ["<at>nowhere"] }
schedule = { cron = "0 0 1 1 *" }
expect = { age_max = "400d" }
[channel.hook]
kind = "webhook"
url = { env = "HOOK" }
[channel.whole]
kind = "mail"
server = "smtps://localhost:<smtps>"
user = "lifeboat"
password = { file = "<at>mail.secret" }
from = "lifeboat@office.lan"
to = ["it@office.lan"]
[[notify]]
on = ["failed", "recovered"]
to = ["hook", "whole"]
[metrics]
listen = "127.0.0.1:<absent>"
"#;

pub(crate) fn metrics(port: u64) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_provoked_failure_is_told_by_the_daemon() {
    let receiver = Receiver::start();
    let mut scene = super::scene(&receiver, CONFIG);
    scene.set("LIFEBOAT_LOG", "lifeboat=info");
    let daemon = Daemon::start(&scene);
    let told = scene.run(&["run", "files"]);
    assert_ne!(told.code, Some(0), "{told}");
    let (one, other) = (receiver.next(), receiver.next());
    let (mail, hook) = if one["kind"] == "mail" { (one, other) } else { (other, one) };
    let body = mail["body"].as_str().unwrap();
    assert!(body.contains("sao lưu tập dữ liệu files đã dừng giữa chừng"), "{body}");
    assert!(hook["body"].as_str().unwrap().contains("\"state\":\"raised\""), "{hook}");
    let answer = metrics(receiver.port("absent"));
    assert!(answer.contains("lifeboat_job_last_exit_code{"), "{answer}");
    let seen = daemon.stop();
    assert!(!seen.contains(super::HOOK) && !seen.contains(super::PASSWORD), "{seen}");
}

/// The alarm goes nowhere: `status` says so, whoever answers it.
#[test]
fn a_channel_that_does_not_answer_is_told() {
    let receiver = Receiver::start();
    let absent = format!("smtps://localhost:{}", receiver.port("absent"));
    let config = CONFIG.split("[metrics]").next().unwrap();
    let config = config.replace("smtps://localhost:<smtps>", &absent);
    let mut scene = super::scene(&receiver, &config);
    scene.set("LIFEBOAT_LOG", "lifeboat=info");
    let mut daemon = Daemon::start(&scene);
    assert_ne!(scene.run(&["run", "files"]).code, Some(0));
    daemon.until("a message did not arrive");
    let asked = ["status", "--json"];
    let answered = scene.expect(3, &asked).json_of("result").pop().unwrap();
    let silent = answered["silent_channels"].as_array().unwrap();
    assert_eq!(silent.len(), 1, "{answered}");
    assert_eq!((&silent[0]["channel"], &silent[0]["failures_count"]), (&"whole".into(), &1.into()));
    let told = scene.expect(3, &["status", "--lang", "vi"]).text();
    assert!(told.contains("cảnh báo không tới nơi qua kênh `whole`: 1 thư"), "{told}");
    daemon.stop();
    let alone = scene.expect(3, &asked).json_of("result").pop().unwrap();
    assert_eq!(alone["silent_channels"], answered["silent_channels"]);
    let told = scene.expect(3, &["status", "--lang", "en"]).text();
    assert!(told.contains("alarms do not arrive by channel `whole`: 1 did not"), "{told}");
}

const SMALL: &str = r#"
[[backup]]
name = "files"
storage = "main"
source = { kind = "files", paths = ["<at>source"] }
schedule = { cron = "0 0 1 1 *" }
expect = { shrink_max = "30%" }
[channel.hook]
kind = "webhook"
url = { env = "HOOK" }
[[notify]]
on = ["shrink"]
to = ["hook"]
"#;

/// Half of a folder is gone: a good run, and an alarm.
#[test]
fn what_becomes_small_is_told_by_the_daemon() {
    let receiver = Receiver::start();
    let mut scene = super::scene(&receiver, SMALL);
    scene.set("LIFEBOAT_LOG", "lifeboat=info");
    scene.set("LIFEBOAT_PASSWORD", "x");
    let repository = scene.path("repository");
    scene.expect(0, &["init", "-r", repository.to_str().unwrap()]);
    let daemon = Daemon::start(&scene);
    for number in 0..8 {
        scene.file(format!("source/{number}"), b"1234");
    }
    scene.expect(0, &["run", "files"]);
    for number in 0..3 {
        std::fs::remove_file(scene.path(format!("source/{number}"))).unwrap();
    }
    scene.expect(3, &["run", "files"]);
    let hook = receiver.next();
    let body: serde_json::Value = serde_json::from_str(hook["body"].as_str().unwrap()).unwrap();
    let alarm = &body["alarms"][0];
    assert_eq!((&alarm["event"], &alarm["severity"]), (&"shrink".into(), &"problem".into()));
    let text = "sao lưu tập dữ liệu files thấy dữ liệu ít hơn hẳn thường lệ: 5 tệp, 20 B, \
                thường là 8 tệp, 32 B";
    assert_eq!(alarm["text"], text);
    daemon.stop();
}
