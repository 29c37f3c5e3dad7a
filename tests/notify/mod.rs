//! Messages against real servers of mail and HTTP, and commands.

pub mod daemon;
mod documents;
mod failing;
mod metrics;
pub mod receiver;
mod sleeping;
mod telling;

use self::receiver::PASSWORD;
use self::receiver::Receiver;
use crate::cli::scene::Scene;

/// Secrets that no output may have.
const TOKEN: &str = "tokenOfTheWebhook77";
const HOOK: &str = "hookOfTheOffice88";

/// A scene with a configuration whose channels are these; its state folder has a catalogue.
pub(crate) fn scene(receiver: &Receiver, channels: &str) -> Scene {
    let mut scene = Scene::new();
    for name in ["LIFEBOAT_REPOSITORY", "LIFEBOAT_PASSWORD"] {
        scene.unset(name);
    }
    let mut text = format!(
        "version = 1\nlanguage = \"vi\"\nstate_dir = \"{}\"\n[storage.main]\nkind = \"folder\"\n\
         path = \"{}\"\n{channels}",
        scene.path("state").display(),
        scene.path("repository").display(),
    );
    for name in ["smtps", "starttls", "plain", "http", "https", "absent"] {
        text = text.replace(&format!("<{name}>"), &receiver.port(name).to_string());
    }
    text = text.replace("<at>", &scene.path("").display().to_string());
    scene.file("lifeboat.toml", text.as_bytes());
    scene.file("mail.secret", format!("{PASSWORD}\n").as_bytes());
    std::fs::create_dir(scene.path("state")).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    let rights = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(scene.path("mail.secret"), rights).unwrap();
    let file = scene.path("lifeboat.toml");
    scene.set("LIFEBOAT_CONFIG", file);
    scene.set("SSL_CERT_FILE", receiver.path("cert.pem"));
    scene.set("HOOK", format!("http://127.0.0.1:{}/{HOOK}", receiver.port("http")));
    scene.set("SAFE_HOOK", format!("https://localhost:{}/{HOOK}/", receiver.port("https")));
    scene.set("LIFEBOAT_HOOK_TOKEN", TOKEN);
    scene.set("LIFEBOAT_LOG", "trace");
    scene
}

#[track_caller]
fn assert_no_secret(told: &crate::cli::scene::Told) {
    let all = told.to_string();
    for secret in [PASSWORD, TOKEN, HOOK, "m\\u1eadt"] {
        assert!(!all.contains(secret), "{secret} is told:\n{all}");
    }
}

const ALL: &str = r#"
[channel.whole]
kind = "mail"
server = "smtps://localhost:<smtps>"
user = "lifeboat"
password = { file = "<at>mail.secret" }
from = "lifeboat@office.lan"
to = ["it@office.lan", "sep@office.lan"]
[channel.asked]
kind = "mail"
server = "smtp://localhost:<starttls>"
user = "lifeboat"
password = { file = "<at>mail.secret" }
from = "lifeboat@office.lan"
to = ["it@office.lan"]
[channel.here]
kind = "mail"
server = "smtp://127.0.0.1:<plain>"
from = "lifeboat@office.lan"
to = ["it@office.lan"]
[channel.hook]
kind = "webhook"
url = { env = "SAFE_HOOK" }
token = { env = "LIFEBOAT_HOOK_TOKEN" }
[channel.ping]
kind = "ping"
url = { env = "HOOK" }
[channel.command]
kind = "command"
argv = ["sh", "-c", "cat > <at>told; env > <at>env"]
[[notify]]
on = ["failed"]
to = ["whole", "asked", "here", "hook", "ping", "command"]
"#;

#[test]
fn a_test_message_arrives_by_every_way() {
    let receiver = Receiver::start();
    let scene = scene(&receiver, ALL);
    let state = scene.path("state/catalogue.sqlite");
    let now = lifeboat::units::Timestamp::from_unix_ms(1_795_000_000_000);
    lifeboat::catalogue::Catalogue::open(&state, &lifeboat::disk::unix::RealDisk, now).unwrap();
    let untested = |told: &crate::cli::scene::Told| told.stderr.matches("untested").count();
    assert_eq!(untested(&scene.expect(0, &["config", "validate"])), 6);
    let told = scene.expect(0, &["notify", "test", "--lang", "vi"]);
    assert_no_secret(&told);
    assert_eq!(told.text().matches("đã tới nơi").count(), 6, "{told}");
    assert_eq!(untested(&scene.expect(0, &["config", "validate"])), 0);

    // In the order of their names: asked, command, here, hook, ping, whole.
    let asked = receiver.next();
    assert_eq!((&asked["encrypted"], &asked["login"]), (&true.into(), &true.into()), "{asked}");
    let here = receiver.next();
    assert_eq!((&here["encrypted"], &here["login"]), (&false.into(), &false.into()), "{here}");
    let hook = receiver.next();
    assert_eq!(hook["token"], format!("Bearer {TOKEN}"));
    assert_eq!((&hook["method"], &hook["type"]), (&"POST".into(), &"application/json".into()));
    let json: serde_json::Value = serde_json::from_str(hook["body"].as_str().unwrap()).unwrap();
    assert_eq!((&json["v"], &json["kind"]), (&1.into(), &"test".into()), "{json}");
    let ping = receiver.next();
    assert_eq!((&ping["method"], &ping["path"]), (&"GET".into(), &format!("/{HOOK}").into()));
    let whole = receiver.next();
    assert_eq!(whole["encrypted"], true, "{whole}");
    assert_eq!(whole["to"], serde_json::json!(["it@office.lan", "sep@office.lan"]));
    let subject = whole["subject"].as_str().unwrap();
    assert!(subject.starts_with("[Lifeboat] ") && subject.ends_with(": thư thử"), "{subject}");
    let body = whole["body"].as_str().unwrap();
    assert!(body.contains("Đây là thư thử của kênh whole trên máy "), "{body}");
    assert!(body.contains("Ai đọc được thư này cũng sẽ nhận được cảnh báo."), "{body}");
    assert_eq!((&whole["type"], &whole["charset"]), (&"text/plain".into(), &"utf-8".into()));
    assert_eq!(whole["auto"], "auto-generated");
    assert!(whole["id"].as_str().unwrap().ends_with("@office.lan>"), "{whole}");
    assert!(whole["date"].as_str().unwrap().contains(" 20"), "{whole}");

    let read = |name: &str| std::fs::read_to_string(scene.path(name)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&read("told")).unwrap();
    assert_eq!(json["kind"], "test");
    assert!(!read("env").contains("LIFEBOAT_") && read("env").contains("HOME="), "{}", read("env"));
}

#[test]
fn one_channel_and_none() {
    let receiver = Receiver::start();
    let scene = scene(&receiver, ALL);
    let told = scene.expect(0, &["notify", "test", "--channel", "ping", "--json"]);
    let results = told.json_of("result");
    assert_eq!(results.len(), 1, "{told}");
    assert_eq!((&results[0]["channel"], &results[0]["arrived"]), (&"ping".into(), &true.into()));
    assert_eq!(results[0]["answer"], "HTTP 200");
    let told = scene.expect(2, &["notify", "test", "--channel", "none", "--lang", "en"]);
    assert!(told.stderr.contains("no channel `none`") && told.stderr.contains("whole"), "{told}");
    // Nothing is made where there is no catalogue.
    assert_eq!(std::fs::read_dir(scene.path("state")).unwrap().count(), 0);
}

/// In the office's language, unless another was said.
#[test]
fn commands_speak_the_language_of_the_configuration() {
    let receiver = Receiver::start();
    let mut scene = scene(&receiver, ALL);
    let ping = ["notify", "test", "--channel", "ping"];
    assert!(scene.expect(0, &ping).text().contains("đã tới nơi"));
    for args in [&["status"][..], &["runs"], &["schedule", "preview"]] {
        let told = scene.run(args).text();
        assert!(!told.is_ascii() || told.trim().is_empty(), "{args:?}: {told}");
    }
    let gone = scene.expect(10, &["snapshots", "-r", "main"]);
    assert!(gone.stderr.contains("không có kho"), "{gone}");
    let lost = scene.expect(2, &["drill", "run", "monthly"]);
    assert!(!lost.stderr.is_ascii(), "{lost}");
    let none = scene.expect(2, &["notify", "test", "--channel", "none"]);
    assert!(none.stderr.contains("cấu hình không có kênh"), "{none}");
    let english = scene.expect(0, &[&ping[..], &["--lang", "en"]].concat());
    assert!(english.text().contains("arrived: "), "{english}");
    scene.set("LIFEBOAT_LANG", "en");
    assert!(scene.expect(0, &ping).text().contains("arrived: "));
    // A file with mistakes says nothing of its language.
    scene.unset("LIFEBOAT_LANG");
    scene.file("lifeboat.toml", b"version = 2\nlanguage = \"vi\"\n");
    assert!(scene.expect(2, &["status"]).stderr.is_ascii());
}

#[test]
fn without_channels_nobody_is_told() {
    let receiver = Receiver::start();
    let told = scene(&receiver, "").expect(2, &["notify", "test", "--lang", "en"]);
    assert!(told.stderr.contains("nobody is told of anything"), "{told}");
}
