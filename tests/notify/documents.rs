//! Minutes and reports, sent as mails.

use super::receiver::Receiver;
use super::scene;

const OFFICE: &str = r#"
[keys]
passphrase = { env = "THE_PASSPHRASE" }
[[backup]]
name = "files"
storage = "main"
source = { kind = "files", paths = ["<at>source"] }
schedule = { cron = "@daily" }
[channel.here]
kind = "mail"
server = "smtp://127.0.0.1:<plain>"
from = "lifeboat@office.lan"
to = ["it@office.lan"]
[channel.gone]
kind = "mail"
server = "smtp://127.0.0.1:<absent>"
from = "lifeboat@office.lan"
to = ["it@office.lan"]
[channel.command]
kind = "command"
argv = ["sh", "-c", "cat > <at>told"]
[channel.ping]
kind = "ping"
url = { env = "HOOK" }
[[drill]]
name = "monthly"
class = "D2"
storage = "main"
schedule = { cron = "@monthly" }
sandbox = { path = "<at>drills" }
report = { formats = ["pdf", "json"], to = ["here", "command"] }
"#;

const PLAN: &str = r#"[org]
name = "Sở A"
[people]
an = { name = "An", roles = ["operator", "chair"] }
binh = { name = "Binh", roles = ["substitute", "owner"] }
[storage]
main = { medium = "disk", failure_domain = "house" }
[services.desk]
name = "Desk"
owner = "binh"
level = 2
criticality = "normal"
order = 1
[services.desk.datasets.files]
[contacts]
incident = { name = "Police", verified_on = 2026-11-23 }
"#;

fn sha256(path: std::path::PathBuf) -> String {
    lifeboat::evidence::tree::sha256(&std::fs::read(path).unwrap()).to_string()
}

#[test]
fn minutes_and_reports_arrive_whole_and_who_does_not_take_them_is_told() {
    let receiver = Receiver::start();
    let mut scene = scene(&receiver, OFFICE);
    scene.set("THE_PASSPHRASE", "five words on a sheet");
    scene.unset("LIFEBOAT_LOG");
    scene.file("plan.toml", PLAN.as_bytes());
    scene.file("source/a.txt", b"a");
    scene.expect(0, &["init", "-q", "-r", "main"]);
    scene.expect(0, &["backup", "-q", "--job", "files"]);
    let held = scene.expect(0, &["drill", "run", "monthly", "--json"]).json_of("result").remove(0);
    let mail = receiver.next();
    let code = held["drill"]["code"].as_str().unwrap();
    assert!(mail["subject"].as_str().unwrap().contains(code), "{mail}");
    assert!(mail["body"].as_str().unwrap().contains("minutes.vi.pdf"), "{mail}");
    let files = mail["files"].as_array().unwrap();
    assert_eq!(files.len(), 2, "{mail}");
    for (file, path) in files.iter().zip(held["documents"].as_array().unwrap()) {
        assert_eq!(file["sha256"], sha256(path.as_str().unwrap().into()), "{mail}");
    }
    assert_eq!(
        (&files[0]["type"], &files[1]["type"]),
        (&"application/pdf".into(), &"application/json".into())
    );
    let told = std::fs::read_to_string(scene.path("told")).unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&told["kind"], &told["files"][0]["name"]),
        (&"documents".into(), &"minutes.vi.pdf".into())
    );

    // Everybody who is asked is tried, and a problem is no success.
    let period = held["drill"]["period"].as_str().unwrap();
    let page = scene.path("report.html").display().to_string();
    let mut args = vec!["continuity", "report", "--period", period, "-o", &page];
    args.extend(["--send", "gone", "--send", "ping", "--send", "here"]);
    let told = scene.expect(3, &args);
    for name in ["gone", "ping"] {
        assert!(told.stderr.contains(name), "{}", told.stderr);
    }
    let mail = receiver.next();
    assert_eq!(mail["files"][0]["sha256"], sha256(scene.path("report.html")), "{mail}");
    assert!(receiver.is_idle());
    // A channel that is none is a mistake before anything is done.
    let other = scene.path("other.html").display().to_string();
    scene.expect(2, &["continuity", "report", "-o", &other, "--send", "nobody"]);
    assert!(!scene.path("other.html").exists());
}
