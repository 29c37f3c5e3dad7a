//! The life of a drill: plans, ends, and what a killed one leaves.

use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::folder;
use super::run;

#[test]
fn a_plan_does_nothing() {
    let scene = configured(&[]);
    scene.file("shared/a.txt", b"a");
    configure(&scene, &[("shared", folder(&scene.path("shared")))], "");
    backup(&scene, "shared");
    let told = run(&scene, 0, &["monthly", "--dry-run"]);
    assert_eq!(told.json_of("plan")[0]["datasets"], serde_json::json!(["shared"]));
    assert!(!scene.path("drills").exists());
    assert!(scene.expect(0, &["drill", "list", "--json"]).json_of("result").is_empty());
    run(&scene, 2, &["weekly"]);
}

/// A sandbox beneath what is backed up would be backed up.
#[test]
fn a_sandbox_inside_a_source_is_no_place_for_a_drill() {
    let scene = configured(&[]);
    scene.file("shared/a.txt", b"a");
    let outer = scene.path("shared").parent().unwrap().to_owned();
    configure(&scene, &[("shared", folder(&outer.join("shared"))), ("all", folder(&outer))], "");
    backup(&scene, "shared");
    let told = run(&scene, 22, &["monthly"]);
    let record = told.json_of("result").remove(0);
    assert_eq!(record["verdict"], "inconclusive");
    assert_eq!(record["preflight"][0]["id"], "PF.paths");
    assert_eq!(record["preflight"][0]["result"], "fail");
}

/// FG27: a drill that was killed says nothing about its sandbox; the next start clears it.
#[test]
fn what_a_killed_drill_left_is_cleared_and_is_no_conclusion() {
    let scene = configured(&[]);
    scene.file("shared/a.txt", b"a");
    configure(&scene, &[("shared", folder(&scene.path("shared")))], "");
    backup(&scene, "shared");
    let record = drill(&scene, 0);
    // As a process leaves it that dies between its restore and its record.
    let id = record["record_id"].as_str().unwrap();
    let folder = scene.files("cache").into_iter().find(|path| path.ends_with("record.json"));
    let folder = std::path::PathBuf::from(folder.unwrap()).parent().unwrap().to_owned();
    let mark = serde_json::json!({ "record_id": id, "token": "00ff" });
    let sandbox = scene.path(format!("drills/drill-{id}"));
    let open = serde_json::json!({
        "mark": mark, "sandbox": sandbox, "code": "D2-x", "class": "D2",
        "datasets": ["shared"], "storage": "main", "started_at": "2026-01-01T00:00:00+07:00",
    });
    let relative = |path: &std::path::Path| {
        path.strip_prefix(scene.path("")).unwrap().to_str().unwrap().to_owned()
    };
    std::fs::remove_file(folder.join("record.json")).unwrap();
    scene.file(relative(&folder.join("open.json")), open.to_string().as_bytes());
    scene.file(format!("drills/drill-{id}/.lifeboat-drill"), mark.to_string().as_bytes());
    scene.file(format!("drills/drill-{id}/content-0/secret"), b"restored");
    // A folder that another drill has marked, and one that nobody has, are not touched.
    scene.file("drills/drill-other/kept", b"x");
    let told = run(&scene, 0, &["monthly"]);
    assert_eq!(told.json_of("result").len(), 1);
    assert!(!sandbox.exists() && scene.path("drills/drill-other/kept").exists());
    let text = std::fs::read_to_string(folder.join("record.json")).unwrap();
    assert!(text.contains("\"inconclusive\""), "{text}");
    let text = std::fs::read_to_string(folder.join("closing.json")).unwrap();
    assert!(text.contains("\"late\": true"), "{text}");
    assert!(!folder.join("open.json").exists());
}

/// Every step stands in the ledger, signed, and a failed drill cannot vanish from it.
#[test]
fn drills_are_in_the_ledger() {
    let scene = configured(&[]);
    scene.file("shared/a.txt", b"a");
    configure(&scene, &[("shared", folder(&scene.path("shared")))], "");
    backup(&scene, "shared");
    let first = drill(&scene, 0);
    let code = first["ledger_code"].as_str().unwrap();
    assert_eq!(code.len(), 23, "{code}");
    scene.file("shared/b.docx", b"no document");
    backup(&scene, "shared");
    let second = drill(&scene, 21);
    let name = |record: &serde_json::Value| record["drill"]["code"].as_str().unwrap().to_owned();
    assert_eq!(format!("{}-2", name(&first)), name(&second));
    // What is closed names its record.
    assert!(second["closing"]["record"].as_str().unwrap().len() == 64);
    let of = |name: &str| scene.path(name).to_str().unwrap().to_owned();
    scene.expect(0, &["drill", "bundle", "--out", &of("bundle")]);
    let second_code = second["ledger_code"].as_str().unwrap();
    let codes = ["--code", code, "--code", second_code];
    let verify = |code: i32, bundle: &str| {
        let head = ["drill", "verify-evidence", bundle, "--json"];
        let all: Vec<&str> = head.iter().copied().chain(codes).collect();
        scene.expect(code, &all)
    };
    let told = verify(0, &of("bundle"));
    assert_eq!(told.json_of("result").last().unwrap()["verdict"], "valid", "{told}");
    // Without what was added last: it fits no code that was printed since.
    let entries = std::fs::read_dir(scene.path("bundle/entries")).unwrap().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.path()).collect();
    names.sort();
    std::fs::remove_file(names.pop().unwrap()).unwrap();
    verify(23, &of("bundle"));
}
