use super::*;
use crate::cli::args::Cli;
use clap::Parser;

fn settings(args: &[&str], variables: &[(&str, &str)]) -> Result<Settings, Failure> {
    let argv = ["lifeboat"].iter().chain(args).chain(&["completion", "bash"]);
    let cli = Cli::try_parse_from(argv).unwrap();
    let environment = variables.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    resolve(&cli.global, &environment, Terminal::No)
}

#[test]
fn an_option_stands_before_a_variable() {
    let named = settings(&["-r", "/a"], &[("LIFEBOAT_REPOSITORY", "/b")]).unwrap();
    assert_eq!(named.repository().unwrap().shown(), "/a");
    let named = settings(&[], &[("LIFEBOAT_REPOSITORY", "/b")]).unwrap();
    assert_eq!(named.repository().unwrap().shown(), "/b");
    let unnamed = settings(&[], &[("LIFEBOAT_REPOSITORY", "")]).unwrap();
    assert_eq!(unnamed.repository().unwrap_err().exit.code(), 2);
}

#[test]
fn what_does_not_parse_is_told_all_at_once() {
    let variables = [
        ("LIFEBOAT_COMPRESSION", "20"),
        ("LIFEBOAT_PROGRESS_FPS", "fast"),
        ("LIFEBOAT_LANG", "tlh"),
        ("LIFEBOAT_LOG", "lifeboat=loud"),
        ("LIFEBOAT_LOG_FORMAT", "yaml"),
        ("LIFEBOAT_HOST", "two\nlines"),
        ("LIFEBOAT_PASSWORD_COMMAND", "pass 'open"),
    ];
    let failure = settings(&["--wait", "soon"], &variables).unwrap_err();
    assert_eq!(failure.exit.code(), 2);
    for (name, _) in variables {
        assert!(failure.to_string().contains(name), "{name}: {failure}");
    }
    assert!(failure.to_string().contains("--wait"), "{failure}");
}

#[test]
fn other_storages_are_not_taken_for_folders() {
    for text in ["sftp:user@host", "s3:https://host", "vault:https://host/x"] {
        assert_eq!(settings(&["-r", text], &[]).unwrap_err().exit.code(), 2, "{text}");
    }
}

#[test]
fn one_secret_source_a_layer() {
    let two = [("LIFEBOAT_PASSWORD", "x"), ("LIFEBOAT_PASSWORD_FILE", "/f")];
    assert_eq!(settings(&[], &two).unwrap_err().exit.code(), 2);
    let chosen = settings(&["--password-file", "/g"], &two).unwrap();
    assert!(matches!(chosen.secret, SecretSource::File(path) if path == Path::new("/g")));
    let split = settings(&["--password-command", "pass 'a b' c"], &[]).unwrap();
    assert!(matches!(split.secret, SecretSource::Command(argv) if argv == ["pass", "a b", "c"]));
}

#[test]
fn an_option_or_nothing() {
    let chosen = settings(&["--compression", "19"], &[("LIFEBOAT_COMPRESSION", "9")]).unwrap();
    assert_eq!(chosen.compression, 19);
    let none = settings(&["--compression", "none"], &[("LIFEBOAT_COMPRESSION", "9")]).unwrap();
    assert_eq!(none.compression, 0);
    assert_eq!(settings(&["--wait", "0"], &[]).unwrap().wait, Duration::ZERO);
    let every = settings(&["--progress-every", "1m30s"], &[]).unwrap().progress;
    assert_eq!(every, Progress::Lines { every: Duration::from_secs(90) });
}

/// An option stands before the hour, the hour before the storage, the storage before all.
#[test]
fn the_nearest_limit_counts() {
    let rate = |bytes: u64| std::num::NonZeroU64::new(bytes);
    let limits = |up, down| Limits { up_bytes_per_s: rate(up), down_bytes_per_s: rate(down) };
    let found = || configured::Repository {
        place: Place::folder(Path::new("/a")),
        passphrase: None,
        limits: limits(5, 6),
        hours: vec![Hours { from_minute: 1, to_minute: 2, limits: limits(3, 0) }],
        zone: jiff::tz::TimeZone::UTC,
        language: Language::En,
    };
    let environment = std::iter::empty::<(OsString, OsString)>().collect();
    let mut plain = settings(&[], &[]).unwrap();
    plain.take(found(), &environment);
    assert_eq!(plain.limits, limits(5, 6));
    assert!(format!("{:?}", plain.timetable).contains("up_bytes_per_s: Some(3)"));
    let mut asked = settings(&["--limit-upload", "9"], &[]).unwrap();
    asked.take(found(), &environment);
    assert_eq!(asked.limits.down_bytes_per_s, rate(6));
    let up = asked.limits.up_bytes_per_s;
    assert!(up.is_some() && up != rate(5), "{up:?}");
    assert!(!format!("{:?}", asked.timetable).contains("up_bytes_per_s: Some(3)"));
}
