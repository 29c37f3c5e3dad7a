//! Secrets are named, never held: no mistake, warning, shown value or debug text has one.

use lifeboat::config::read;
use lifeboat::config::secret::SecretFrom;

use crate::config::Machine;
use crate::config::SMALL;
use crate::config::now;

const CANARY: &str = "hunter2-correct-horse";

fn with_keys(keys: &str) -> String {
    SMALL.replacen("version = 1\n", &format!("version = 1\n[keys]\n{keys}\n"), 1)
}

fn machine() -> Machine {
    Machine {
        variables: vec![
            ("OFFICE", CANARY.into()),
            ("EMPTY", "".into()),
            ("CREDENTIALS_DIRECTORY", "/nonexistent/credentials".into()),
        ],
        open: vec!["/etc/open"],
        missing: vec!["/etc/missing"],
    }
}

#[test]
fn a_literal_secret_is_refused_and_not_repeated() {
    for keys in [
        format!("passphrase = \"{CANARY}\""),
        format!("passphrase = [\"{CANARY}\"]"),
        format!("passphrase = {{ text = \"{CANARY}\" }}"),
        format!("passphrase = {{ file = \"/a\", value = \"{CANARY}\" }}"),
        format!("passphrase = {{ command = [\"/bin/echo\", \"{CANARY}\", 7] }}"),
        format!("passphrase = {{ command = \"/bin/echo {CANARY}\" }}"),
        format!("passfrase = \"{CANARY}\""),
        format!("passphrase = {{ file = \"{CANARY}\" }}"),
        format!("passphrase = {{ credential = \"{CANARY} \" }}"),
        format!("passphrase = {{ env = \"{CANARY}\" }}"),
    ] {
        let found = read(&with_keys(&keys), &machine(), now());
        assert!(found.config.is_none(), "{keys}");
        let told = format!("{:?} {:?} {:?}", found.mistakes, found.warnings, found.shown);
        assert!(!told.contains(CANARY), "{keys}: {told}");
        assert!(found.mistakes.iter().all(|m| m.key.starts_with("keys.")), "{told}");
    }
}

#[test]
fn an_address_with_a_password_is_not_repeated() {
    let text = SMALL.replacen("smtps://", &format!("smtps://me:{CANARY}@"), 1);
    let found = read(&text, &machine(), now());
    assert_eq!(found.mistakes.len(), 1, "{:?}", found.mistakes);
    assert!(!format!("{found:?}").contains(CANARY));
}

#[test]
fn exactly_one_way_and_no_open_file() {
    let told = |keys: &str| {
        let found = read(&with_keys(keys), &machine(), now());
        let all = found.mistakes.iter().chain(&found.warnings).map(ToString::to_string);
        all.filter(|line| line.contains("keys.")).collect::<Vec<_>>().join("\n")
    };
    assert!(told("passphrase = { }").contains("found 0"));
    assert!(told("passphrase = { env = \"A\", file = \"/b\" }").contains("found 2"));
    assert!(told("passphrase = { file = \"/etc/open\" }").contains("everybody can read"));
    assert!(told("passphrase = { file = \"/etc/missing\" }").contains("no file `/etc/missing`"));
    assert_eq!(told("passphrase = { file = \"/etc/private\" }"), "");
}

#[test]
fn what_is_shown_names_the_place_only() {
    let keys = format!("passphrase = {{ command = [\"/bin/show\", \"{CANARY}\"] }}");
    let found = read(&with_keys(&keys), &machine(), now());
    let json = serde_json::to_string(&found.config.unwrap()).unwrap();
    let shown = serde_json::to_string(&found.shown).unwrap();
    for text in [json, shown] {
        assert!(text.contains("/bin/show") && !text.contains(CANARY), "{text}");
    }
}

#[test]
fn a_secret_is_fetched_when_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("office");
    let write = |text: &[u8]| {
        use std::io::Write as _;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).open(&path).unwrap().write_all(text)
    };
    write(format!("{CANARY}\r\nmore\n").as_bytes()).unwrap();
    let credentials = Machine {
        variables: vec![("CREDENTIALS_DIRECTORY", dir.path().into()), ("OFFICE", CANARY.into())],
        ..Machine::default()
    };
    let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let good = [
        SecretFrom::Credential("office".to_owned()),
        SecretFrom::File(path.clone()),
        SecretFrom::Command(argv(&["printf", "%s\n", CANARY])),
        SecretFrom::Env("OFFICE".to_owned()),
    ];
    for from in good {
        let secret = from.fetch(&credentials).unwrap();
        assert_eq!(secret.expose(), CANARY.as_bytes(), "{from:?}");
        assert!(!format!("{secret:?}").contains(CANARY));
    }
    let bad = [
        (SecretFrom::Credential("office".to_owned()), "/nonexistent/credentials"),
        (SecretFrom::File("/etc/open".into()), "can be read by everybody"),
        (SecretFrom::File("/nonexistent".into()), "/nonexistent"),
        (SecretFrom::Command(argv(&["false", CANARY])), "exit status: 1"),
        (SecretFrom::Command(argv(&["/nonexistent", CANARY])), "command `/nonexistent`"),
        (SecretFrom::Command(argv(&["head", "-c", "70000", "/dev/zero"])), "at most 65536"),
        (SecretFrom::Env("NONE".to_owned()), "the variable NONE is not set"),
        (SecretFrom::Env("EMPTY".to_owned()), "empty"),
    ];
    for (from, part) in bad {
        let error = from.fetch(&machine()).unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains(CANARY), "{from:?}: {error}");
    }
    assert!(
        SecretFrom::Credential("office".to_owned()).fetch(&Machine::default()).is_err(),
        "no service manager"
    );
    write(b"").unwrap();
    assert!(SecretFrom::File(path).fetch(&credentials).is_err(), "an empty file");
}
