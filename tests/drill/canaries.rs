//! Files that were placed where the office works: a disk that is not there, a folder that is no
//! longer the one in use, and how old content is.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::failing;
use super::files::docx;
use super::folder;
use super::item;
use crate::cli::scene::Scene;
use crate::cli::scene::Told;
use crate::databases::head;

/// A backup of this folder with canaries in `path`, which the office sees as `by`.
fn configure_with(scene: &Scene, source: &Path, by: &Path) {
    let text = format!(
        "{}[[backup]]\nname = \"shared\"\nstorage = \"main\"\nsource = {{ {} }}\n\
         canary = {{ path = \"{}\", by = \"{}\" }}\n\
         schedule = {{ cron = \"@daily\" }}\nexpect = {{ age_max = \"26h\" }}\n\
         [[drill]]\nname = \"monthly\"\nclass = \"D2\"\nstorage = \"main\"\n\
         schedule = {{ cron = \"0 8 5 * *\" }}\nsandbox = {{ path = \"{}\" }}\n",
        head(scene),
        folder(source),
        source.join("canary").display(),
        by.join("canary").display(),
        scene.path("drills").display()
    );
    scene.file("lifeboat.toml", text.as_bytes());
}

fn office(name: &str) -> Scene {
    let scene = configured(&[]);
    for at in 0..20 {
        scene.file(format!("{name}/công văn {at}.docx"), &docx(&format!("số {at}")));
    }
    scene
}

/// `drill canary`, so many days ago.
#[track_caller]
fn canary(scene: &Scene, code: i32, days: u32, more: &[&str]) -> Told {
    let file = scene.path("lifeboat.toml");
    let args = [&["drill", "canary", "--config", file.to_str().unwrap()], more].concat();
    let told = match days {
        0 => scene.run(&args),
        days => scene.run_under(&["faketime", "-f", &format!("-{days}d")], &args),
    };
    assert_eq!(told.code, Some(code), "{told}");
    told
}

#[track_caller]
fn backup_with(scene: &Scene, code: i32) -> Told {
    let file = scene.path("lifeboat.toml");
    scene.expect(code, &["backup", "--config", file.to_str().unwrap(), "--job", "shared", "--json"])
}

fn check<'r>(record: &'r Value, id: &str) -> &'r Value {
    let mut all = item(record, "shared")["checks"].as_array().unwrap().iter();
    all.find(|it| it["id"] == id).unwrap_or_else(|| panic!("{id}: {record:#}"))
}

#[test]
fn fg20_a_disk_that_is_not_mounted_is_told_by_the_backup_and_by_the_drill() {
    let scene = office("shared");
    let shared = scene.path("shared");
    configure_with(&scene, &shared, &shared);
    // Nobody places them by the way.
    let told = backup_with(&scene, 3);
    assert!(format!("{told}").contains("drill canary --place shared"), "{told}");
    canary(&scene, 0, 0, &["--place"]);
    backup_with(&scene, 0);
    let record = drill(&scene, 0);
    assert_eq!(failing(item(&record, "shared")), [""; 0]);
    // The token of the day that the backup's own took the place of.
    assert_eq!(check(&record, "L3.canary.tombstone")["result"], "pass");

    rustix::fs::rename(&shared, scene.path("disk")).unwrap();
    std::fs::create_dir(&shared).unwrap();
    let mut tar = Command::new("tar");
    let tar = tar.arg("-cf").arg(scene.path("x.tar")).arg("-C").arg(&shared).arg(".");
    let tar = tar.status().unwrap();
    assert!(tar.success(), "the naive answer");
    let told = backup_with(&scene, 3);
    let made = told.json_of("result").remove(0);
    assert_eq!(made["has_shrunk"], true, "{told}");
    let said = format!("{told}");
    assert!(said.contains("100 % is gone") && said.contains("is not there"), "{told}");
    assert_eq!(std::fs::read_dir(&shared).unwrap().count(), 0, "none is added");
    let record = drill(&scene, 21);
    let found = failing(item(&record, "shared"));
    for id in ["L3.canary.static", "L3.canary.rolling", "L6.capsule.shrink"] {
        assert!(found.contains(&id.to_owned()), "{id}: {found:?}");
    }
    assert_eq!(item(&record, "shared")["failures"], serde_json::json!(["F2"]));

    std::fs::remove_dir(&shared).unwrap();
    rustix::fs::rename(scene.path("disk"), &shared).unwrap();
    backup_with(&scene, 0);
    let record = drill(&scene, 0);
    // Its token of the first day was taken away by then, and does not come back.
    assert_eq!(check(&record, "L3.canary.tombstone")["result"], "pass");
    assert_eq!(failing(item(&record, "shared")), [""; 0]);
}

#[test]
fn fg21_a_folder_that_is_no_longer_in_use_is_found_by_its_canaries() {
    let scene = office("old");
    let (old, new) = (scene.path("old"), scene.path("new"));
    configure_with(&scene, &old, &old);
    canary(&scene, 0, 40, &["--place"]);
    // The office moves, and the backup stays.
    let copied = Command::new("cp").arg("-a").arg(&old).arg(&new).status().unwrap();
    assert!(copied.success());
    configure_with(&scene, &old, &new);
    canary(&scene, 0, 20, &[]);
    for day in 0..3 {
        scene.file(format!("new/công văn mới {day}.docx"), &docx("mới"));
        // The naive answer: every backup succeeds, and is as young as it should be.
        backup_with(&scene, 0);
    }
    let record = drill(&scene, 21);
    let shared = item(&record, "shared");
    assert_eq!(failing(shared), ["L3.canary.rolling", "L3.canary.tombstone"]);
    assert_eq!(shared["failures"], serde_json::json!(["F5"]));
    let measures = &shared["measures"];
    assert!(measures["rpo_s"].as_u64().unwrap() < 600, "{measures}");
    assert!(measures["rpo_content_s"].as_u64().unwrap() >= 40 * 86_400, "{measures}");
    assert_eq!(check(&record, "L6.capsule.names")["result"], "pass", "what came back is right");
    // Where it is the folder in use, the same steps are good.
    configure_with(&scene, &new, &new);
    backup_with(&scene, 0);
    let record = drill(&scene, 0);
    assert_eq!(failing(item(&record, "shared")), [""; 0]);
    assert!(item(&record, "shared")["measures"]["rpo_content_s"].as_u64().unwrap() < 600);
}

/// Whoever changes files changes this one too.
#[test]
fn a_canary_that_was_changed_is_a_sign_of_an_attack() {
    let scene = office("shared");
    let shared = scene.path("shared");
    configure_with(&scene, &shared, &shared);
    canary(&scene, 0, 0, &["--place", "shared"]);
    canary(&scene, 2, 0, &["nobody"]);
    let path = "shared/canary/lifeboat-canary.txt";
    let bytes = std::fs::read(scene.path(path)).unwrap();
    scene.file(path, &bytes.iter().map(|byte| byte ^ 0x5a).collect::<Vec<_>>());
    let told = backup_with(&scene, 3);
    assert!(format!("{told}").contains("has changed"), "{told}");
    let record = drill(&scene, 21);
    let shared = item(&record, "shared");
    assert_eq!(check(&record, "L3.canary.static")["actual"], "changed");
    assert_eq!((&shared["attack_signs"], &shared["failures"][0]), (&true.into(), &"F1".into()));
    // A sample is no whole to look for them.
    scene.file(path, &bytes);
    let file = std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap();
    let sampled = file.replace("class = \"D2\"\n", "class = \"D2\"\nmode = \"sample\"\n");
    scene.file("lifeboat.toml", sampled.as_bytes());
    backup_with(&scene, 0);
    let record = drill(&scene, 0);
    assert_eq!(check(&record, "L3.canary.static")["result"], "skip");
}

/// FG22: an export of long ago under a time of today.
#[test]
fn fg22_old_content_under_a_fresh_time_is_told() {
    let scene = configured(&[]);
    let day = |days: i64| {
        let now = jiff::Timestamp::now().as_second();
        jiff::Timestamp::from_second(now - days * 86_400).unwrap().strftime("%Y-%m-%d").to_string()
    };
    let export = |days| format!("ngày,số\n{},1\n{},2\n", day(days + 1), day(days));
    let check = "[[drill.check]]\nkind = \"newest\"\ndataset = \"shared\"\n\
                 argv = [\"sh\", \"-c\", \"find . -name export.csv -exec tail -n 1 {} ';' | \
                 cut -d, -f1\"]\n";
    configure(&scene, &[("shared", folder(&scene.path("shared")))], check);
    scene.file("shared/export.csv", export(40).as_bytes());
    let modified = scene.path("shared/export.csv").metadata().unwrap().modified().unwrap();
    assert!(modified.elapsed().unwrap().as_secs() < 600, "the naive answer");
    backup(&scene, "shared");
    let record = drill(&scene, 21);
    let shared = item(&record, "shared");
    assert_eq!(failing(shared), ["L6.content.newest"]);
    assert_eq!(shared["failures"], serde_json::json!(["F5"]));
    let measures = &shared["measures"];
    // Both numbers: by the point of the snapshot it would pass.
    assert!(measures["rpo_s"].as_u64().unwrap() < measures["rpo_target_s"].as_u64().unwrap());
    let age = measures["rpo_content_s"].as_u64().unwrap();
    assert!((39 * 86_400..=40 * 86_400).contains(&age), "{age}");
    scene.file("shared/export.csv", export(0).as_bytes());
    backup(&scene, "shared");
    let record = drill(&scene, 0);
    assert_eq!(failing(item(&record, "shared")), [""; 0]);
    // What tells nothing is no success.
    scene.file("shared/export.csv", "không có ngày nào trong đây".as_bytes());
    backup(&scene, "shared");
    let record = drill(&scene, 21);
    assert_eq!(failing(item(&record, "shared")), ["L6.content.newest"]);
}

/// The same of a database, by a query, and of mail, by itself.
#[test]
fn the_newest_row_and_the_newest_message_tell_how_old_content_is() {
    let scene = configured(&[]);
    let base = rusqlite::Connection::open(scene.path("cases.sqlite")).unwrap();
    base.execute_batch("create table t(at integer); insert into t values (unixepoch() - 100)")
        .unwrap();
    let check = |limit: &str| {
        format!(
            "[[drill.check]]\nkind = \"newest\"\ndataset = \"cases\"\nquery = \"select max(at) \
             from t\"\nage_max = \"{limit}\"\n[[drill.check]]\nkind = \"newest\"\ndataset = \
             \"post\"\nage_max = \"{limit}\"\n"
        )
    };
    let now = jiff::Timestamp::now().as_second();
    let date = jiff::Timestamp::from_second(now - 100).unwrap();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S +0000");
    scene.file("post/inbox", format!("From a\nFrom: a@b\nDate: {date}\n\nx\n").as_bytes());
    let post =
        format!("{0}, mail = [\"{1}\"]", folder(&scene.path("post")), scene.path("post").display());
    let backups = [("cases", super::database(&scene.path("cases.sqlite"))), ("post", post)];
    configure(&scene, &backups, &check("1h"));
    for name in ["cases", "post"] {
        backup(&scene, name);
    }
    let record = drill(&scene, 0);
    for name in ["cases", "post"] {
        assert_eq!(failing(item(&record, name)), [""; 0], "{name}");
    }
    configure(&scene, &backups, &check("1m"));
    let record = drill(&scene, 21);
    for name in ["cases", "post"] {
        assert_eq!(failing(item(&record, name)), ["L6.content.newest"], "{name}");
    }
}
