//! Trouble that is the drill's own, and so never evidence against the data.

use super::backup;
use super::configure;
use super::configured;
use super::failing;
use super::folder;
use super::item;
use crate::cli::scene::Scene;
use crate::cli::scene::Told;

fn office(files: usize) -> Scene {
    let scene = configured(&[]);
    for at in 0..files {
        scene.file(format!("shared/{at}.txt"), b"nho");
    }
    configure(&scene, &[("shared", folder(&scene.path("shared")))], "");
    backup(&scene, "shared");
    scene
}

#[track_caller]
fn inconclusive(told: &Told) -> serde_json::Value {
    assert_eq!(told.code, Some(22), "{told}");
    let record = told.json_of("result").remove(0);
    let shared = item(&record, "shared");
    assert_eq!(shared["verdict"], "inconclusive", "{shared}");
    assert_eq!(shared["failures"], serde_json::json!(["F8"]), "{shared}");
    assert_eq!(record["closing"]["leftovers"], serde_json::json!([]), "{record}");
    assert_eq!(record["followed"], serde_json::json!([]), "{record}");
    record
}

/// The wall's clock runs away from the one that counts.
#[test]
fn a_clock_that_is_set_meanwhile_is_no_conclusion() {
    let mut scene = office(3);
    scene.set("DONT_FAKE_MONOTONIC", "1");
    let file = scene.path("lifeboat.toml");
    let args = ["drill", "run", "--json", "--config", file.to_str().unwrap(), "monthly"];
    let told = scene.run_under(&["faketime", "-f", "+0 x5000"], &args);
    let record = inconclusive(&told);
    assert_eq!(failing(item(&record, "shared")), ["L0.drill.clock"]);
}

/// Files need more room than their bytes: preflight cannot know.
#[test]
fn a_sandbox_that_fills_up_is_no_conclusion() {
    let scene = office(1500);
    std::fs::create_dir(scene.path("drills")).unwrap();
    let is_root = rustix::process::geteuid().is_root();
    let file = scene.path("lifeboat.toml").display().to_string();
    let script = "mount -t tmpfs -o size=2m none \"$0\" && exec \"$@\"";
    let disk = scene.path("drills").display().to_string();
    let words = ["unshare", if is_root { "-m" } else { "-rm" }, "bash", "-c", script, &disk];
    let args = ["drill", "run", "--json", "--config", &file, "monthly"];
    let told = scene.run_under(&words, &args);
    let record = inconclusive(&told);
    let text = item(&record, "shared")["checks"].to_string();
    assert!(text.contains("the sandbox is full"), "{text}");
}
