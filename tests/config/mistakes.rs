//! Every mistake at once, each with its place and, where one is near, the word that was meant.

use crate::config::SMALL;
use crate::config::found;
use crate::config::mistakes;

#[test]
fn the_small_file_has_none() {
    assert_eq!(mistakes(SMALL), [""; 0]);
}

#[test]
fn all_are_told_at_once() {
    let text = r#"version = 1
langage = "vi"
[storage.main]
kind = "folder"
path = "srv"
[[backup]]
name = "files"
storage = "mian"
source = { kind = "file", paths = [] }
schedule = { cron = "0 25 * * *", jitter = "10" }
retention = "ofice"
[retention.office]
keep_dayly = 30
keep_last = "7"
[[notify]]
on = ["failed", "drills"]
to = ["mail"]
"#;
    let expected = [
        "2:1: langage: unknown, did you mean language?",
        "5:8: storage.main.path: expected a path from `/` on, found \"srv\"",
        "9:19: backup[1].source.kind: expected one of files, command, postgresql, mariadb, sqlite, \
         found \"file\", did you mean files?",
        "10:21: backup[1].schedule.cron: hour: expected 0 to 23, found `25`",
        "10:44: backup[1].schedule.jitter: expected a time with its unit, such as \"12h\", \"10m\" \
         or \"1d12h\", found \"10\"",
        "13:1: retention.office.keep_dayly: unknown, did you mean keep_daily?",
        "14:13: retention.office.keep_last: expected a whole number from 1 to 1000000, found \"7\"",
        "16:17: notify[1].on[2]: expected one of failed, problems, silent, damage, drill, shrink, \
         recovered, found \"drills\", did you mean drill?",
    ];
    let found = mistakes(text);
    for line in expected {
        assert!(found.iter().any(|mistake| mistake == line), "{line}\nin {found:#?}");
    }
    for part in [
        "8:11: backup[1].storage: no [storage.NAME] is called \"mian\", did you mean main?",
        "11:13: backup[1].retention: no [retention.NAME] is called \"ofice\", did you mean office?",
        "17:7: notify[1].to[1]: no [channel.NAME] is called \"mail\"",
    ] {
        assert!(found.iter().any(|mistake| mistake == part), "{part}\nin {found:#?}");
    }
    // In the order of the file.
    let lines: Vec<usize> =
        found.iter().map(|m| m.split(':').next().unwrap().parse().unwrap()).collect();
    assert!(lines.is_sorted(), "{found:#?}");
}

/// One change to the small file, and what has to be told of it.
#[test]
fn one_slip_is_one_mistake() {
    let cases = [
        ("version = 1\n", "", "`version` is missing"),
        ("version = 1", "version = 2", "version: expected a whole number from 1 to 1, found 2"),
        ("version = 1", "version = \"1\"", "version: expected a whole number"),
        ("\"/srv/lifeboat\"", "7", "storage.main.path: expected a path in quotes, found 7"),
        ("kind = \"folder\"\npath = \"/mnt/far\"", "path = \"/x\"", "`kind` is missing"),
        ("/mnt/far", "/srv/lifeboat", "the same place as storage."),
        ("name = \"files\"", "name = \"a b\"", "backup[1].name: expected a name of letters"),
        ("\"12h\"", "12", "catch_up: expected a time with its unit, such as \"12h\", found 12"),
        ("\"26h\"", "\"26\"", "age_max: expected a time with its unit"),
        ("cron = \"45 * * * *\"", "cron = \"45 * * *\"", "schedule.cron: expected five fields"),
        ("cron = \"0 4 * * 0\"", "cron = \"0 0 31 2 *\"", "prune.cron: `0 0 31 2 *` never comes"),
        ("catch_up = \"1h\"", "time_zone = \"Asia/Hanoi\"", "expected a time zone such as"),
        ("to = [\"far\"]", "to = [\"main\"]", "copy[1].to: expected at least one storage"),
        ("to = [\"far\"]", "to = [\"far\", \"far\"]", "`far` stands here twice"),
        ("to = [\"far\"]", "to = \"far\"", "copy[1].to: expected a list in brackets"),
        ("keep_daily = 30", "", "retention.office"),
        ("keep_daily = 30", "keep_daily = 0", "keep_daily: expected a whole number from 1 to"),
        ("keep_daily = 30", "keep_within = \"14\"", "keep_within: expected an age, such as"),
        ("class = \"D2\"", "class = \"D9\"", "drill[1].class: expected one of D1, D2, D3, D4"),
        ("smtps://mail", "smtps://me:hush@mail", "an address without a user or password"),
        ("to = [\"it@office.lan\"]", "to = [\"it\"]", "expected at least one address"),
        ("[[notify]]", "[notify]", "notify: expected a list of tables, each under `[[notify]]`"),
        ("[storage.far]", "[storage.\"f r\"]", "expected a name of letters"),
        ("[retention.office]", "[retention.office", "19:1"),
        ("[maintenance]", "[maintenance]\nmetrics = 1", "maintenance.metrics: unknown"),
        (
            "catch_up = \"12h\" }",
            "window = \"01:00-02:00\" }",
            "no run of it falls into its window",
        ),
        ("expect = { age_max", "expect = { age_mx", "did you mean age_max?"),
        ("version = 1", "version = 1\nversion = 1", "2:1: duplicate key"),
    ];
    for (old, new, told) in cases {
        assert!(SMALL.contains(old), "{old}");
        let text = SMALL.replacen(old, new, 1);
        let all = mistakes(&text);
        assert!(all.iter().any(|mistake| mistake.contains(told)), "{new}: {all:#?}");
        assert!(found(&text).config.is_none(), "{new}");
        // What follows from a slip is not told as well, but for tables that a broken head loses.
        assert!(all.len() <= 2 || new.starts_with('['), "{new}: {all:#?}");
    }
}

#[test]
fn two_of_a_name_are_told() {
    let backup = SMALL.split_once("[[backup]]").unwrap().1.split_once("[[copy]]").unwrap().0;
    let copy = SMALL.split_once("[[copy]]").unwrap().1.split_once("[retention").unwrap().0;
    let all = mistakes(&format!("{SMALL}[[backup]]{backup}[[copy]]{copy}"));
    assert!(all.iter().any(|m| m.contains("two backups are called \"files\"")), "{all:#?}");
    assert!(all.iter().any(|m| m.contains("two copies go from \"main\" to \"far\"")), "{all:#?}");
}

#[test]
fn a_long_file_and_odd_ones_are_refused_and_nothing_falls() {
    let long = format!("version = 1\n#{}", "x".repeat(1024 * 1024));
    assert!(mistakes(&long)[0].contains("at most 1048576 bytes"));
    let deep = format!("version = {}", "[".repeat(100_000));
    assert!(!mistakes(&deep).is_empty());
    let many: String = (0..2000).map(|n| format!("key{n} = 1\n")).collect();
    assert!((100..=200).contains(&mistakes(&many).len()));
    for text in ["", "\0", "= 1", "[", "a.b.c = 1", "storage = 1", "[[storage]]", "backup = [1]"] {
        assert!(found(text).config.is_none(), "{text}");
    }
}
