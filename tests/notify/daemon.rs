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

fn metrics(port: u64) -> String {
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
