//! A file with every table and kind, and what becomes of it.

use std::time::Duration;

use lifeboat::config::job::Source;
use lifeboat::config::read::Origin;
use lifeboat::config::storage::Sftp;
use lifeboat::config::storage::Storage;
use serde_json::json;

use crate::config::Machine;
use crate::config::SMALL;
use crate::config::found;
use crate::config::now;
use crate::house;

#[test]
fn an_office_becomes_values() {
    let found = found(&house::text("config/office.toml"));
    let config = found.config.unwrap();
    let names: Vec<&str> = config.backups.iter().map(|backup| backup.name.as_str()).collect();
    assert_eq!(names, ["shared-files", "case-db", "accounts"]);
    let shared = config.backup("shared-files").unwrap();
    assert_eq!(shared.schedule.jitter, Duration::from_secs(600));
    assert_eq!(shared.schedule.catch_up, Duration::from_secs(12 * 3600));
    assert_eq!(shared.schedule.deadline, Some(Duration::from_secs(6 * 3600)));
    assert_eq!(shared.schedule.time_zone, "Asia/Ho_Chi_Minh");
    assert_eq!(shared.expect.shrink_max_percent, 20);
    let Source::Command { bytes_min, last_line, .. } = &config.backups[2].source else { panic!() };
    assert_eq!((*bytes_min, last_line.as_deref()), (Some(1 << 20), Some("-- Dump completed*")));
    assert!(matches!(config.storages["nas"], Storage::Sftp(Sftp { port: 22, .. })));
    assert_eq!(config.limits.upload_bytes_per_s, Some(20 << 20));
    let rules: Vec<String> =
        config.retentions["office"].rules.iter().map(ToString::to_string).collect();
    assert_eq!(rules, ["keep-daily 30", "keep-monthly 24", "keep-yearly 5", "keep-within 14d"]);
    let keys: Vec<String> = config.jobs().into_iter().map(|job| job.key).collect();
    assert_eq!(
        keys[..5],
        [
            "backup:shared-files",
            "backup:case-db",
            "backup:accounts",
            "copy:main:nas",
            "copy:main:offsite"
        ]
    );
    assert_eq!(keys[keys.len() - 3..], ["drill:monthly", "report:monthly", "alarm:test"]);
    assert!(keys.contains(&"prune:offsite".to_owned()));
    // Jobs are values that can be written down.
    let json = serde_json::to_value(&config).unwrap();
    assert_eq!(json["backups"][0]["schedule"]["catch_up_s"], 43_200);
    assert_eq!(json["keys"]["passphrase"], json!({ "credential": "office" }));
}

#[test]
fn each_value_says_where_it_comes_from() {
    let machine = Machine {
        variables: vec![("HOME", "/home/an".into()), ("LIFEBOAT_LANG", "vi".into())],
        ..Machine::default()
    };
    let text = SMALL.replace("/srv/shared", "~/shared");
    let found = lifeboat::config::read(&text, &machine, now());
    let of = |key: &str| {
        let all: Vec<_> = found.shown.iter().filter(|shown| shown.key == key).collect();
        assert_eq!(all.len(), 1, "{key}: {all:?}");
        (all[0].value.clone(), all[0].origin)
    };
    assert_eq!(of("language"), (json!("vi"), Origin::Environment));
    assert_eq!(of("time_zone"), (json!("Asia/Ho_Chi_Minh"), Origin::Default));
    assert_eq!(of("storage.main.path"), (json!("/srv/lifeboat"), Origin::Line(4)));
    assert_eq!(of("retention.office.keep_daily"), (json!(30), Origin::Line(20)));
    let paths = of("backup[1].source.paths");
    assert_eq!(paths, (json!(["/home/an/shared"]), Origin::Line(11)));
    assert_eq!(of("backup[1].source.one_file_system"), (json!(false), Origin::Default));
}
