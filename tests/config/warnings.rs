//! What is allowed and probably not meant.

use crate::config::SMALL;
use crate::config::warnings;

fn told(old: &str, new: &str) -> Vec<String> {
    assert!(SMALL.contains(old), "{old}");
    warnings(&SMALL.replacen(old, new, 1))
}

#[test]
fn a_good_file_is_warned_of_what_only_time_can_show() {
    let all = warnings(SMALL);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].contains("channel.mail: untested"), "{all:?}");
}

#[test]
fn what_is_probably_not_meant_is_told() {
    let copy = "[[copy]]\nfrom = \"main\"\nto = [\"far\"]\n\
                schedule = { cron = \"45 * * * *\", catch_up = \"1h\" }\n";
    let notify = "[[notify]]\non = [\"failed\"]\nto = [\"mail\"]\n";
    let cases = [
        (copy, "", "backup.files: no second location"),
        (copy, "", "backup.files: in no drill"),
        (copy, "", "storage.far: nothing is stored there"),
        ("retention = \"office\"\n", "", "backup.files: no retention: every snapshot is kept"),
        ("retention = \"office\"\n", "", "retention.office: no backup names it"),
        ("expect = { age_max = \"26h\" }\n", "", "no expect.age_max"),
        ("\"26h\"", "\"13h\"", "expect.age_max is 13h, and up to 14h lie between two runs"),
        ("\"26h\"", "\"14h\"", "is 14h, and a second location may be 15h behind"),
        (notify, "", "notify: nobody is told of failures"),
        (notify, "", "channel.mail: nothing is sent there"),
        ("check = { cron = \"0 5 * * *\" }\n", "", "maintenance: no check"),
        ("[\"main\", \"far\"]", "[\"main\"]", "storage.far: not in maintenance.storages"),
        ("[channel.mail]", "[metrics]\nlisten = \"0.0.0.0:9617\"\n[channel.mail]", "anybody who"),
    ];
    for (old, new, part) in cases {
        let all = told(old, new);
        assert!(all.iter().any(|warning| warning.contains(part)), "{part}: {all:#?}");
    }
}

/// From Friday evening until Monday morning nothing runs.
#[test]
fn a_weekend_counts_between_two_runs() {
    let all = told("0 12,22 * * *", "*/20 8-17 * * mon-fri");
    assert!(
        all.iter().any(|warning| warning.contains("up to 2d 14h 20m lie between two runs")),
        "{all:#?}"
    );
}
