//! The numbers as a reader of Prometheus' text sees them.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;

use lifeboat::catalogue::Catalogue;
use lifeboat::catalogue::proof::DatasetSpec;
use lifeboat::catalogue::proof::ProofRow;
use lifeboat::catalogue::record::JobSpec;
use lifeboat::catalogue::record::Outcome;
use lifeboat::catalogue::record::RunEnd;
use lifeboat::clock::ManualClock;
use lifeboat::disk::unix::RealDisk;
use lifeboat::metrics::Snapshot;
use lifeboat::metrics::listen::Listener;
use lifeboat::metrics::text;
use lifeboat::units::Timestamp;

const START: i64 = 1_795_000_000_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(START + ms)
}

/// Labels by name, and the value.
type Samples = BTreeMap<(String, BTreeMap<String, String>), f64>;

fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(is_plain) && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Reads `name="value",...}` after the opening brace: labels, and what is left.
fn labels(mut text: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    loop {
        let (name, rest) = text.split_once("=\"").unwrap();
        assert!(is_name(name), "{name}");
        let (mut value, mut chars) = (String::new(), rest.char_indices());
        let end = loop {
            match chars.next().expect("a value ends") {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next().unwrap().1 {
                    'n' => '\n',
                    c @ ('"' | '\\') => c,
                    c => panic!("\\{c}"),
                }),
                (_, c) => value.push(c),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "a twin of {name}");
        text = &rest[end + 1..];
        match text.strip_prefix(',') {
            Some(rest) => text = rest,
            None => return (labels, text.strip_prefix('}').expect("a brace")),
        }
    }
}

/// Reads the whole text, strictly.
fn read(text: &str) -> Samples {
    let (mut samples, mut typed, mut family) = (Samples::new(), Vec::new(), String::new());
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split_once(' ').unwrap().0.to_owned();
            continue;
        }
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{family} gauge"));
            assert!(!typed.contains(&family), "{family} comes twice");
            typed.push(family.clone());
            continue;
        }
        let end = line.find(['{', ' ']).unwrap();
        let (name, rest) = line.split_at(end);
        assert!(is_name(name) && *name == family, "{line}");
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest),
            None => (BTreeMap::new(), rest),
        };
        let value: f64 =
            rest.strip_prefix(' ').unwrap().parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(samples.insert((name.to_owned(), labels), value).is_none(), "a twin of {line}");
    }
    samples
}

fn snapshot() -> Snapshot {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalogue.sqlite");
    let (mut catalogue, _) = Catalogue::open(&path, &RealDisk, at(0)).unwrap();
    let job = |key: &str, dataset: Option<&str>, age_max_ms| JobSpec {
        key: key.to_owned(),
        dataset: dataset.map(str::to_owned),
        storage: Some("main".to_owned()),
        age_max_ms,
    };
    let odd = "hồ \"sơ\"\\\n";
    let jobs = [job("backup:files", Some(odd), Some(60_000)), job("prune:main", None, None)];
    let dataset = |name: &str| DatasetSpec { name: name.to_owned(), age_max_ms: Some(60_000) };
    let own = [dataset("files"), dataset("mail")];
    catalogue.take(&jobs, (&own, &["main".to_owned()]), at(0)).unwrap();
    let run = catalogue.begin("backup:files", None, at(1000)).unwrap();
    let mut end = RunEnd::new(Outcome::Problems, 3);
    end.problems_count = 2;
    end.content_bytes = Some(1 << 40);
    end.message = Some("/home/secret-name".to_owned());
    end.storages_bytes = vec![("main".to_owned(), 1 << 41)];
    catalogue.end(run, &end, at(3500)).unwrap();
    catalogue.begin("backup:files", None, at(3600)).unwrap();
    catalogue.begin("prune:main", None, at(4000)).unwrap();
    catalogue.set_next("prune:main", Some(at(90_000))).unwrap();
    catalogue.channel_tested("it", Some("away"), 5).unwrap();
    let proof = ProofRow {
        dataset: "files".to_owned(),
        drill: "D2-2026-12-05".to_owned(),
        held_ms: at(9000).unix_ms,
        verdict: "fail".to_owned(),
        failures: "F1".to_owned(),
        proven_ms: Some(at(2000).unix_ms),
        snapshot: Some("ab".to_owned()),
        level: Some("L6".to_owned()),
        due_ms: Some(at(99_000).unix_ms),
    };
    catalogue.keep_proofs("main", &[proof]).unwrap();
    Snapshot::of(catalogue.status().unwrap(), &catalogue).unwrap().waiting(4, 2)
}

#[test]
fn the_text_has_every_number() {
    let told = text(&snapshot(), at(62_000));
    assert!(!told.contains("secret-name"), "{told}");
    let samples = read(&told);
    let of = |name: &str, job: &str| {
        let found = samples.iter().find(|((n, labels), _)| {
            n == name && labels.get("job").map_or(job.is_empty(), |found| found == job)
        });
        found.map(|(_, value)| *value)
    };
    let job = |name: &str| of(&format!("lifeboat_job_{name}"), "backup:files");
    assert_eq!(job("last_success_age_seconds"), Some(61.0));
    assert_eq!(job("last_success_timestamp_seconds"), Some(1_795_000_001.0));
    assert_eq!((job("silent"), job("age_max_seconds")), (Some(1.0), Some(60.0)));
    assert_eq!((job("last_exit_code"), job("last_problems")), (Some(3.0), Some(2.0)));
    // The one at work does not hide how the one before ended.
    assert_eq!((job("last_duration_seconds"), job("running")), (Some(2.5), Some(1.0)));
    assert_eq!(job("shrunk"), Some(0.0));
    let of_main = |name: &str| {
        let key = (format!("lifeboat_storage_{name}"), [("storage".to_owned(), "main".to_owned())]);
        samples.get(&(key.0, key.1.into())).copied()
    };
    assert_eq!(of_main("bytes"), Some(2_199_023_255_552.0));
    assert_eq!(of_main("looked_timestamp_seconds"), Some(1_795_000_003.5));
    assert_eq!(job("last_success_content_bytes"), Some(1_099_511_627_776.0));
    assert_eq!(job("last_success_stored_bytes"), None, "what is not known is not told");
    let prune = |name: &str| of(&format!("lifeboat_job_{name}"), "prune:main");
    assert_eq!((prune("running"), prune("silent")), (Some(1.0), None));
    assert_eq!(prune("next_run_timestamp_seconds"), Some(1_795_000_090.0));
    assert_eq!(of("lifeboat_queue_jobs", ""), Some(4.0));
    assert_eq!(of("lifeboat_unrecorded_runs", ""), Some(2.0));
    assert_eq!(of("lifeboat_channel_failures", ""), Some(1.0));
    assert_eq!(of("lifeboat_build_info", ""), Some(1.0));
    let proof = |name: &str, dataset: &str| {
        let name = format!("lifeboat_dataset_{name}");
        let is_it = |labels: &BTreeMap<String, String>| {
            labels.get("dataset").is_some_and(|it| it == dataset)
        };
        let found = samples.iter().find(|((n, labels), _)| *n == name && is_it(labels));
        found.map(|(_, value)| *value)
    };
    assert_eq!(proof("proof_age_seconds", "files"), Some(60.0));
    assert_eq!(proof("proof_timestamp_seconds", "files"), Some(1_795_000_002.0));
    assert_eq!((proof("proof_old", "files"), proof("proof_old", "mail")), (Some(0.0), Some(1.0)));
    assert_eq!(proof("proof_age_seconds", "mail"), None, "never proven has no age");
    let verdicts = (proof("last_verdict", "files"), proof("last_verdict", "mail"));
    assert_eq!(verdicts, (Some(1.0), Some(0.0)));
    let due = proof("redrill_due_timestamp_seconds", "files");
    assert_eq!(due, Some(1_795_000_099.0));
    let odd = samples.keys().any(|(_, l)| l.get("dataset").is_some_and(|d| d == "hồ \"sơ\"\\\n"));
    assert!(odd, "{told}");
    read(&text(&Snapshot::default(), at(0)));
}

fn ask(listener: &Listener, question: &str) -> String {
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    stream.write_all(question.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn only_the_numbers_are_given_out() {
    let clock = Arc::new(ManualClock::new(at(62_000)));
    let local = "127.0.0.1:0".parse().unwrap();
    let listener = Listener::start(local, clock.clone()).unwrap();
    listener.show(snapshot());
    let question = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    let age = |answer: &str| {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
        let samples = read(body);
        let found = samples.iter().find(|((name, _), _)| name.ends_with("success_age_seconds"));
        *found.unwrap().1
    };
    assert!((age(&ask(&listener, question)) - 61.0).abs() < 0.001);
    clock.jump(10_000);
    assert!((age(&ask(&listener, question)) - 71.0).abs() < 0.001, "ages go on");
    assert!(ask(&listener, "GET /etc/passwd HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
    assert!(ask(&listener, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
    // Who says nothing, or too much, holds nobody up for long.
    let silent = TcpStream::connect(listener.address()).unwrap();
    assert!((age(&ask(&listener, question)) - 71.0).abs() < 0.001);
    drop(silent);
    let mut long = TcpStream::connect(listener.address()).unwrap();
    let _refused = long.write_all(&vec![b'x'; 1 << 20]);
    assert!((age(&ask(&listener, question)) - 71.0).abs() < 0.001);
    // It is gone with its value, and its address is free.
    let address = listener.address();
    drop(listener);
    assert!(Listener::start(address, clock).is_ok());
}
