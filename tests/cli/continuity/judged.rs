//! Drills beside a plan: its targets judge them, its people stand in the minutes.

use crate::cli::continuity::runbook::two_places;
use crate::cli::scene::Scene;

fn run(scene: &Scene, args: &[&str]) -> serde_json::Value {
    let args = [&["drill", "run", "monthly", "--json"], args].concat();
    scene.expect(0, &args).json_of("result").remove(0)
}

pub(super) fn rule(scene: &Scene, name: &str) -> String {
    let told = scene.run(&["continuity", "status", "--json"]);
    let board = told.json_of("result").remove(0);
    let rules = board["rules"].as_array().unwrap();
    let found = rules.iter().find(|it| it["rule"] == name).unwrap();
    found["colour"].as_str().unwrap().to_owned()
}

#[test]
fn a_drill_is_judged_by_the_plan_and_names_office_and_people() {
    let (scene, _) = two_places();
    let record = scene.expect(0, &["drill", "show", "--json"]).json_of("result").remove(0);
    assert_eq!(
        (&record["org"]["name"], &record["legal_profile"]),
        (&"Sở A".into(), &"vn-2026".into())
    );
    let people = &record["people"];
    assert_eq!((&people["chair"], &people["owners"]), (&"an".into(), &["binh"].into()));
    assert!(people.get("operator").is_none() && people.get("secretary").is_none(), "{people}");
    assert_eq!(record["coverage"]["total"], 2);
    assert_eq!(record["coverage"]["covered"], 0);
    let items = record["items"].as_array().unwrap();
    let cases = items.iter().find(|it| it["dataset"] == "cases").unwrap();
    assert_eq!(cases["service"], "Tiếp nhận hồ sơ");
    assert_eq!((&cases["criticality"], &cases["domain"]), (&"critical".into(), &"tru-so".into()));
    let measures = &cases["measures"];
    let targets = ["rto_target_s", "rpo_target_s", "mtd_s"].map(|key| measures[key].as_u64());
    assert_eq!(targets, [Some(8 * 3600), Some(24 * 3600), Some(72 * 3600)]);
    // The record is evidence: it has nobody's name.
    let text = record.to_string();
    assert!(!text.contains("Nguyễn An") && !text.contains("0900"), "{text}");

    // A second one knows of the first, and who leads it.
    assert_eq!(rule(&scene, "R09"), "not_judged");
    let second = run(&scene, &["--operator", "binh"]);
    assert_eq!(second["people"]["operator"], "binh");
    assert_eq!(second["people"]["substitute"], true);
    assert_eq!(second["coverage"]["covered"], 2);
    assert_eq!(second["coverage"]["oldest_proof_days"], 0);
    assert_eq!(rule(&scene, "R09"), "green");
    let page = scene.path("minutes.html");
    let args = ["drill", "report", "--format", "html", "--out", page.to_str().unwrap()];
    scene.expect(0, &[&args[..], &["--lang", "vi"]].concat());
    let page = std::fs::read_to_string(page).unwrap();
    for part in ["SỞ A", "Chủ trì (chủ tọa): Nguyễn An.", "Trần Bình", "Chủ dữ liệu: Trần Bình."]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn who_is_nobody_of_the_plan_leads_nothing() {
    let (scene, _) = two_places();
    let told = scene.expect(2, &["drill", "run", "monthly", "--operator", "chau"]);
    assert!(told.stderr.contains("an, binh"), "{}", told.stderr);
    let file = std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap();
    let led = file.replace("class = \"D2\"", "class = \"D2\"\noperator = \"chau\"");
    scene.file("lifeboat.toml", led.as_bytes());
    let told = scene.expect(0, &["continuity", "validate"]);
    assert!(told.stderr.contains("chau"), "{}", told.stderr);
    let told = scene.expect(0, &["drill", "run", "monthly", "-n"]);
    assert!(told.stderr.contains("chau"), "{}", told.stderr);
    // A plan with a mistake asks for nothing, and that is told.
    scene.file("lifeboat.toml", file.as_bytes());
    let plan = std::fs::read_to_string(scene.path("plan.toml")).unwrap();
    scene.file("plan.toml", plan.replace("8wh", "8").as_bytes());
    let told = scene.expect(0, &["drill", "run", "monthly", "-n"]);
    assert!(told.stderr.contains("does without it"), "{}", told.stderr);
    let record = run(&scene, &[]);
    assert!(record.get("org").is_none() && record.get("people").is_none(), "{record}");
}
