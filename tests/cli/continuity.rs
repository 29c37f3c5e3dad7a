//! `continuity`: the plan beside the configuration.

mod duties;
mod judged;
mod nothing;
mod plan;
mod report;
pub mod runbook;

use super::scene::Scene;

const PLAN: &str = r#"[org]
name = "Office"
[people]
an = { name = "An", roles = ["operator", "chair"] }
binh = { name = "Binh", roles = ["substitute", "owner"] }
[storage]
main = { medium = "disk", failure_domain = "house" }
[services.desk]
name = "Desk"
owner = "binh"
level = 2
criticality = "important"
order = 1
rto = "8wh"
[services.desk.datasets.files]
min_proof = "L4"
[contacts]
incident = { name = "Police", verified_on = 2026-11-23 }
"#;

/// An office with one dataset.
fn office() -> Scene {
    let mut scene = Scene::new();
    scene.unset("LIFEBOAT_REPOSITORY");
    let path = |name: &str| scene.path(name).display().to_string();
    let text = format!(
        r#"version = 1
[storage.main]
kind = "folder"
path = "{repository}"
[[backup]]
name = "files"
storage = "main"
source = {{ kind = "files", paths = ["{source}"] }}
schedule = {{ cron = "@daily" }}
"#,
        repository = path("repository"),
        source = path("source"),
    );
    scene.file("lifeboat.toml", text.as_bytes());
    scene.file("plan.toml", PLAN.as_bytes());
    let file = scene.path("lifeboat.toml");
    scene.set("LIFEBOAT_CONFIG", file);
    scene
}

#[test]
fn a_plan_is_validated_beside_its_configuration() {
    let scene = office();
    let told = scene.expect(0, &["continuity", "validate"]);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("1 services with 1 datasets, 2 people; no mistakes"), "{text}");
    assert!(text.contains("24h (default, not approved)"), "{text}");
    let told = scene.expect(0, &["continuity", "validate", "--lang", "vi"]);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("24h (mặc định, chưa phê duyệt)"), "{text}");

    let told = scene.expect(0, &["continuity", "show", "--json"]);
    let line = String::from_utf8(told.stdout).unwrap();
    let line: serde_json::Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    let values = line["values"].as_array().unwrap();
    let rto = values.iter().find(|it| it["key"] == "services.desk.rto").unwrap();
    assert_eq!((&rto["value"], &rto["origin"]["line"]), (&"8wh".into(), &14.into()));
}

#[test]
fn mistakes_of_a_plan_are_told_with_their_lines() {
    let scene = office();
    scene.file("plan.toml", PLAN.replace("binh\"", "bin\"").replace("8wh", "8").as_bytes());
    scene.transcript(
        2,
        &["continuity", "validate"],
        "error: @/plan.toml:10:9: services.desk.owner: no [people] entry is called \"bin\", did \
         you mean binh?\n       @/plan.toml:14:7: services.desk.rto: expected a period with its \
         unit, such as \"24h\", \"8wh\", \"1wd\", \"3mo\" or \"5y\", found \"8\"\nnext:  correct \
         the plan; nothing was started\n",
    );
    std::fs::remove_file(scene.path("plan.toml")).unwrap();
    let told = scene.expect(2, &["continuity", "show"]);
    assert!(told.stderr.contains("plan.toml` cannot be read"), "{}", told.stderr);
    // Where the configuration names another file, that one counts.
    let named = format!(
        "[continuity]\nplan = \"{}\"\n{}",
        scene.path("other.toml").display(),
        std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap().replace("version = 1\n", "")
    );
    scene.file("lifeboat.toml", format!("version = 1\n{named}").as_bytes());
    scene.file("other.toml", PLAN.as_bytes());
    scene.expect(0, &["continuity", "validate"]);
}

/// The office with a repository, a snapshot and a drill to carry out.
fn at_work() -> Scene {
    let scene = office();
    let drill = format!(
        "[[drill]]\nname = \"monthly\"\nclass = \"D2\"\nstorage = \"main\"\n\
         schedule = {{ cron = \"0 8 5 * *\" }}\nsandbox = {{ path = \"{}\" }}\n",
        scene.path("drills").display()
    );
    let text = std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap();
    scene.file("lifeboat.toml", format!("{text}{drill}").as_bytes());
    scene.file("source/report.txt", b"all is well\n");
    scene.expect(0, &["init", "-q", "-r", "main"]);
    scene.expect(0, &["backup", "-q", "--job", "files"]);
    scene
}

/// Colours by rule, and the reasons of one.
fn status(scene: &Scene) -> impl Fn(&str) -> (String, String) {
    let told = scene.expect(3, &["continuity", "status", "--json"]);
    let board = told.json_of("result").remove(0);
    let rules = board["rules"].as_array().unwrap().clone();
    assert_eq!(rules.len(), 27);
    let counts = ["red_count", "amber_count", "green_count", "not_judged_count"];
    assert_eq!(counts.iter().map(|it| board[*it].as_u64().unwrap()).sum::<u64>(), 27);
    move |rule: &str| {
        let found = rules.iter().find(|it| it["rule"] == rule).unwrap();
        (found["colour"].as_str().unwrap().to_owned(), found["reasons"].to_string())
    }
}

#[track_caller]
fn assert_colours(found: &impl Fn(&str) -> (String, String), expected: &[(&str, &str)]) {
    for (rule, colour) in expected {
        let (is, why) = found(rule);
        assert_eq!(is, *colour, "{rule}: {why}");
    }
}

#[test]
fn an_office_is_judged_by_what_is_there() {
    let scene = at_work();
    let board = status(&scene);
    assert_colours(
        &board,
        &[("R01", "green"), ("R02", "green"), ("R03", "red"), ("R05", "red"), ("R10", "red")],
    );
    assert!(board("R21").1.contains("there is no evidence ledger yet"));

    scene.expect(0, &["drill", "run", "monthly", "-q"]);
    scene.file("hush", b"secret of the chair\n");
    let (key, hush) = (scene.path("chair.key"), scene.path("hush"));
    let (key, hush) = (key.to_str().unwrap(), hush.to_str().unwrap());
    let secret = ["--key-password-file", hush];
    scene.expect(
        0,
        &[&["drill", "key", "create", "an", "-r", "main", "--out", key][..], &secret].concat(),
    );
    scene.expect(0, &["drill", "key", "add", key, "--may", "owner", "-r", "main"]);
    let sign = ["continuity", "sign", "-r", "main", "--key", key, "--opinion", "in force"];
    let sign = [&sign[..], &secret].concat();
    // Whoever is not the chair puts no plan into force.
    scene.expect(13, &sign);
    let board = status(&scene);
    assert_colours(
        &board,
        &[
            ("R05", "green"),
            ("R06", "green"),
            ("R07", "green"),
            ("R12", "green"),
            ("R14", "green"),
            ("R16", "green"),
            ("R21", "green"),
            ("R23", "green"),
            ("R24", "red"),
        ],
    );
    let other = scene.path("other.key");
    let other = other.to_str().unwrap();
    scene.expect(
        0,
        &[&["drill", "key", "create", "bao", "-r", "main", "--out", other][..], &secret].concat(),
    );
    scene.expect(0, &["drill", "key", "add", other, "--may", "chair", "-r", "main"]);
    let sign: Vec<&str> = sign.iter().map(|it| if *it == key { other } else { *it }).collect();
    scene.expect(0, &sign);
    assert_colours(&status(&scene), &[("R21", "green"), ("R24", "green")]);

    // What was signed is the text of the file.
    scene.file("plan.toml", format!("{PLAN}# later\n").as_bytes());
    let board = status(&scene);
    assert_eq!(board("R24").0, "red");
    assert!(board("R24").1.contains("has changed since it was signed"));

    // Whoever takes the end of the ledger away is betrayed by the checkpoint beside it.
    let entries = scene.files("repository/ledger/entries");
    let mut entries: Vec<_> =
        entries.iter().filter(|it| std::path::Path::new(it).is_file()).collect();
    entries.sort();
    for entry in entries.iter().rev().take(4) {
        std::fs::remove_file(entry).unwrap();
    }
    let board = status(&scene);
    assert_eq!(board("R21").0, "red");
    assert!(board("R21").1.contains("does not fit"), "{}", board("R21").1);
}

/// What stands in a ledger that cannot be read is not known to be done, though another one can.
#[test]
fn a_ledger_that_is_out_of_reach_is_no_empty_one() {
    let (scene, _) = runbook::two_places();
    let good = [("R02", "green"), ("R15", "green"), ("R16", "green"), ("R21", "green")];
    assert_colours(&status(&scene), &good);
    rustix::fs::rename(scene.path("main"), scene.path("out of reach")).unwrap();
    let board = status(&scene);
    // The far place was seen, and what is there is fresh.
    assert_colours(&board, &[("R02", "green"), ("R15", "red"), ("R16", "red"), ("R21", "red")]);
    for rule in ["R15", "R16", "R21"] {
        assert!(board(rule).1.contains("main: "), "{}", board(rule).1);
    }
    // One that is kept away by plan need not answer.
    rustix::fs::rename(scene.path("out of reach"), scene.path("main")).unwrap();
    rustix::fs::rename(scene.path("far away"), scene.path("out of reach")).unwrap();
    assert_colours(&status(&scene), &good);
}

#[test]
fn the_board_is_told_in_both_languages() {
    let scene = at_work();
    let told = scene.expect(3, &["continuity", "status"]);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("RED     R05 Proof age"), "{text}");
    assert!(text.contains("files: never proven by a drill"), "{text}");
    assert!(text.contains("R26 The alarm is tested"), "{text}");
    let plan = PLAN.replace("name = \"Office\"", "name = \"Office\"\nlegal_profile = \"vn-2026\"");
    scene.file("plan.toml", plan.as_bytes());
    let told = scene.expect(3, &["continuity", "status", "--lang", "vi"]);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("ĐỎ"), "{text}");
    assert!(text.contains("files: chưa từng được diễn tập chứng minh"), "{text}");
    assert!(text.contains("điều khoản: Luật số 116/2025/QH15"), "{text}");
    assert!(text.contains("cần đối chiếu văn bản gốc"), "{text}");
    assert!(text.contains("hồ sơ: "), "{text}");
    // Without its passphrase a repository says nothing, and nothing is green by that.
    let mut scene = scene;
    scene.set("LIFEBOAT_PASSWORD", "wrong");
    let board = status(&scene);
    assert_colours(&board, &[("R02", "red"), ("R16", "red"), ("R21", "red"), ("R24", "red")]);
}
