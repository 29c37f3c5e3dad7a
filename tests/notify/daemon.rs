//! A failure that is provoked reaches the office, and the numbers say so too.

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::process::Stdio;

use super::receiver::Receiver;

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
    let mut command = scene.command(&["daemon"]);
    let mut daemon = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let log = daemon.stderr.take().unwrap();
    let mut log = std::io::BufReader::new(log);
    let mut seen = String::new();
    while !seen.contains("ready") {
        assert!(std::io::BufRead::read_line(&mut log, &mut seen).unwrap() > 0, "{seen}");
    }
    let told = scene.run(&["run", "files"]);
    assert_ne!(told.code, Some(0), "{told}");
    let (one, other) = (receiver.next(), receiver.next());
    let (mail, hook) = if one["kind"] == "mail" { (one, other) } else { (other, one) };
    let body = mail["body"].as_str().unwrap();
    assert!(body.contains("sao lưu tập dữ liệu files đã dừng giữa chừng"), "{body}");
    assert!(hook["body"].as_str().unwrap().contains("\"state\":\"raised\""), "{hook}");
    let answer = metrics(receiver.port("absent"));
    assert!(answer.contains("lifeboat_job_last_exit_code{"), "{answer}");
    let pid = daemon.id().to_string();
    assert!(std::process::Command::new("kill").arg(&pid).status().unwrap().success());
    assert!(daemon.wait().unwrap().success());
    log.read_to_string(&mut seen).unwrap();
    assert!(!seen.contains(super::HOOK) && !seen.contains(super::PASSWORD), "{seen}");
}
