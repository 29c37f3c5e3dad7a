//! How datasets stand: what ledgers say of them, in `drill proofs`, in `status` and in alarms; and
//! what a daemon does after a drill that failed.

use serde_json::Value;

use lifeboat::catalogue::Catalogue;
use lifeboat::catalogue::record::JobSpec;
use lifeboat::clock::Clock as _;
use lifeboat::clock::SystemClock;
use lifeboat::disk::unix::RealDisk;
use lifeboat::units::Timestamp;

use super::backup;
use super::drill;
use super::files::docx;
use super::folder;
use crate::cli::daemon::Daemon;
use crate::cli::scene::Scene;
use crate::databases::head;

/// A drill of one dataset, late if `catch_up` says so; another dataset is in no drill.
fn office() -> Scene {
    let mut scene = Scene::new();
    scene.set("LIFEBOAT_LANG", "en");
    scene.expect(0, &["init", "-q"]);
    write(&scene, &|text| text.to_vec());
    scene.file("other/a.txt", b"a");
    let state = format!("version = 1\nstate_dir = \"{}\"\n", scene.path("state").display());
    let mut text = head(&scene).replace("version = 1\n", &state);
    for name in ["shared", "other"] {
        text.push_str(&format!(
            "[[backup]]\nname = \"{name}\"\nstorage = \"main\"\nsource = {{ {} }}\n\
             schedule = {{ cron = \"0 0 1 1 *\" }}\n",
            folder(&scene.path(name))
        ));
    }
    text.push_str(&format!(
        "[[drill]]\nname = \"monthly\"\nclass = \"D2\"\nstorage = \"main\"\n\
         datasets = [\"shared\"]\nschedule = {{ cron = \"0 8 5 * *\", catch_up = \"40d\" }}\n\
         sandbox = {{ path = \"{}\" }}\n",
        scene.path("drills").display()
    ));
    scene.file("lifeboat.toml", text.as_bytes());
    let file = scene.path("lifeboat.toml");
    scene.set("LIFEBOAT_CONFIG", file);
    scene.set("LIFEBOAT_LOG", "lifeboat=info");
    scene
}

fn write(scene: &Scene, change: &dyn Fn(&[u8]) -> Vec<u8>) {
    for at in 0..6 {
        scene.file(format!("shared/công văn {at}.docx"), &change(&docx(&format!("số {at}"))));
    }
}

fn encrypt(scene: &Scene) {
    write(scene, &|bytes| bytes.iter().map(|byte| byte ^ 0x5a).collect());
}

fn proofs(scene: &Scene) -> Vec<Value> {
    scene.expect(0, &["drill", "proofs", "--json"]).json_of("result")
}

/// What `status` says of a dataset.
fn status(scene: &Scene, code: i32, dataset: &str) -> Value {
    let told = scene.expect(code, &["status", "--json"]).json_of("result").remove(0);
    let all = told["proofs"].as_array().unwrap();
    all.iter().find(|proof| proof["dataset"] == dataset).unwrap().clone()
}

/// The drill came under its schedule so long ago that it is late.
fn late(scene: &Scene) {
    let now = SystemClock::new().now();
    let before = Timestamp::from_unix_ms(now.unix_ms - 35 * 24 * 3600 * 1000);
    std::fs::create_dir_all(scene.path("state")).unwrap();
    let path = scene.path("state/catalogue.sqlite");
    let (mut catalogue, _) = Catalogue::open(&path, &RealDisk, before).unwrap();
    let key = "drill:monthly".to_owned();
    let spec = JobSpec { key, dataset: None, storage: None, age_max_ms: None };
    catalogue.take_jobs(&[spec], before).unwrap();
}

#[test]
fn what_is_proven_is_in_the_ledger_and_in_status_even_with_a_new_catalogue() {
    let scene = office();
    assert_eq!(proofs(&scene), Vec::<Value>::new());
    backup(&scene, "shared");
    let good = drill(&scene, 0);
    encrypt(&scene);
    backup(&scene, "shared");
    let bad = drill(&scene, 21);
    let told = proofs(&scene).remove(0);
    assert_eq!((&told["dataset"], &told["verdict"]), (&"shared".into(), &"fail".into()), "{told}");
    assert_eq!((&told["drill"], &told["level"]), (&bad["drill"]["code"], &"L6".into()), "{told}");
    assert_eq!(told["proven_at"], good["drill"]["started_at"], "{told}");
    assert_eq!(told["snapshot"], good["items"][0]["snapshot"], "{told}");
    let due = bad["followed"][0]["due"].as_str().unwrap();
    assert!(told["due_at"].as_str().unwrap().starts_with(due), "{told}");
    let shown = format!("{}", scene.expect(0, &["drill", "proofs"]));
    assert!(shown.contains("NOT PROVEN") && shown.contains(due), "{shown}");
    // Another machine's are not asked for.
    let other = ["drill", "proofs", "--json", "--host", "elsewhere"];
    assert_eq!(scene.expect(0, &other).json_of("result"), Vec::<Value>::new());

    for _ in 0..2 {
        let mut daemon = Daemon::start(&scene);
        daemon.until("the ledger was asked what is proven");
        let shared = status(&scene, 3, "shared");
        assert_eq!((&shared["verdict"], &shared["failures"]), (&"fail".into(), &"F1".into()));
        assert_eq!((&shared["is_wrong"], &shared["level"]), (&true.into(), &"L6".into()));
        assert!(shared["redrill_due"].as_str().unwrap().starts_with(due), "{shared}");
        // One and a half times the longest month.
        let max_s = shared["proof_age_max_s"].as_i64().unwrap();
        assert!((42 * 86_400..=47 * 86_400).contains(&max_s), "{max_s}");
        let other = status(&scene, 3, "other");
        assert_eq!((&other["proven_at"], &other["is_wrong"]), (&Value::Null, &false.into()));
        let text = scene.expect(3, &["status"]).text();
        for part in [
            "Proven by drills: 1 of 2 datasets",
            "never yet",
            "no drill is about it",
            &format!("new drill due {due}"),
            "NOT PROVEN (F1)",
        ] {
            assert!(text.contains(part), "`{part}`\n{text}");
        }
        daemon.stop();
        // Without a daemon its catalogue answers; and once that is lost, the ledger does.
        assert_eq!(status(&scene, 3, "shared")["verdict"], "fail");
        std::fs::remove_dir_all(scene.path("state")).unwrap();
    }
}

#[test]
fn a_scheduled_drill_that_fails_is_followed_by_a_backup_and_held_again() {
    let scene = office();
    backup(&scene, "shared");
    encrypt(&scene);
    backup(&scene, "shared");
    // What was at work is gone, and nobody has backed up since.
    write(&scene, &|text| text.to_vec());
    late(&scene);
    let mut daemon = Daemon::start(&scene);
    daemon.until("a fresh backup after a drill");
    daemon.until("again, with the fresh backup");
    while !daemon.until("drill:monthly").contains("begins") {}
    while !daemon.until("drill:monthly").contains("ended") {}
    daemon.until("the ledger was asked what is proven");
    let shared = status(&scene, 0, "shared");
    assert_eq!((&shared["verdict"], &shared["is_wrong"]), (&"pass".into(), &false.into()));
    assert_eq!(shared["redrill_due"], Value::Null, "{shared}");
    daemon.stop();
    assert_eq!(
        scene.expect(0, &["drill", "actions", "--json"]).json_of("result"),
        Vec::<Value>::new()
    );
}
