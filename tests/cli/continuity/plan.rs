//! Programme and draws.

use serde_json::Value;

use crate::cli::continuity::runbook::two_places;
use crate::cli::scene::Scene;

fn plan<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["drill", "plan", "--json", "-r", "main"][..], more].concat()
}

#[test]
fn a_month_is_planned_and_the_rest_is_drawn_so_that_anybody_can_repeat_it() {
    let (scene, _) = two_places();
    // Both were proven today: nothing is due this month, and both are next month or later.
    let now = scene.expect(0, &plan(&[])).json_of("result").remove(0);
    assert_eq!(now["due"], serde_json::json!([]));
    let pool: Vec<&str> =
        now["pool"].as_array().unwrap().iter().map(|it| it["dataset"].as_str().unwrap()).collect();
    assert_eq!(pool, ["cases", "files"]);
    let far = scene.expect(0, &plan(&["--period", "2099-01"])).json_of("result").remove(0);
    assert_eq!(far["due"].as_array().unwrap().len(), 2);
    let told = scene.expect(0, &["drill", "plan", "-r", "main", "--lang", "vi"]);
    assert!(String::from_utf8(told.stdout).unwrap().contains("trong danh sách gốc"));

    // No word before a pool is frozen, no draw from a ledger that is younger than a day.
    scene.expect(13, &plan(&["--word", "sen"]));
    scene.expect(0, &plan(&["--freeze"]));
    scene.expect(13, &plan(&["--word", "sen"]));
    let late = ["faketime", "-f", "+2d"];
    let period = now["period"].as_str().unwrap();
    let frozen = plan(&["--period", period, "--freeze"]);
    assert_eq!(scene.run_under(&late, &frozen).code, Some(0));
    let told =
        scene.run_under(&late, &plan(&["--period", period, "--word", "hoa sen", "--count", "2"]));
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    let drawn = told.json_of("result").remove(0)["draw"].clone();
    assert_eq!(drawn["word"], "hoa sen");
    assert!(drawn["root_size"].as_u64().unwrap() > 0);
    // A month is drawn once: neither another word nor another pool takes the draw back.
    for more in [&["--word", "other"][..], &["--freeze"], &["--word", "other"]] {
        let told = scene.run_under(&late, &plan(&[&["--period", period], more].concat()));
        assert_eq!(told.code, Some(13), "{more:?}");
        let text = String::from_utf8(told.stdout).unwrap() + &told.stderr;
        assert!(text.contains("was drawn already, by entry"), "{text}");
    }

    // Whoever inspects the bundle draws again.
    let bundle = scene.path("bundle");
    let bundle = bundle.to_str().unwrap();
    scene.expect(0, &["drill", "bundle", "-r", "main", "--out", bundle, "-q"]);
    let told = scene.run(&["drill", "verify-evidence", bundle, "--json"]);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(!text.contains("draw"), "{text}");

    // What is put off comes first next time, with its reason in the ledger.
    let defer = plan(&["--period", period, "--defer", "files", "--reason", "the owner is away"]);
    let told = scene.run_under(&["faketime", "-f", "+3d"], &defer);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    let again = scene.run_under(&["faketime", "-f", "+3d"], &plan(&["--period", period]));
    let again = again.json_of("result").remove(0);
    assert_eq!(again["due"][0]["dataset"], "files");
    assert!(again["due"][0]["why"].as_str().unwrap().contains("put off"));
}

/// Adds a drill that takes what was drawn, to a plan in which no dataset is due for a year.
fn with_drawn(scene: &Scene) {
    let read = |name: &str| std::fs::read_to_string(scene.path(name)).unwrap();
    let file = read("lifeboat.toml");
    let (_, monthly) = file.split_once("[[drill]]").unwrap();
    let drawn = monthly.replacen("\"monthly\"", "\"drawn\"\nselection = \"drawn\"", 1);
    scene.file("lifeboat.toml", format!("{file}[[drill]]{drawn}").as_bytes());
    let yearly = read("plan.toml")
        .replace("datasets.cases]", "datasets.cases]\ndrill = \"12mo\"")
        .replace("datasets.files]", "datasets.files]\ndrill = \"12mo\"");
    scene.file("plan.toml", yearly.as_bytes());
}

#[test]
fn the_service_drills_what_was_drawn_and_says_how() {
    let (scene, _) = two_places();
    with_drawn(&scene);
    let late = ["faketime", "-f", "+40d"];
    let run = |args: &[&str]| scene.run_under(&late, args);
    let done = |args: &[&str]| {
        let told = run(args);
        assert_eq!(told.code, Some(0), "{args:?}: {told}");
        told
    };
    let hold = ["drill", "run", "drawn", "--json"];
    let told = run(&hold);
    assert_eq!(told.code, Some(13), "{told}");
    assert!(told.text().contains("was not drawn yet"), "{told}");
    done(&plan(&["--freeze"]));
    let drawn = done(&plan(&["--word", "sen"])).json_of("result").remove(0)["draw"].clone();
    let names = drawn["drawn"].as_array().unwrap();
    assert_eq!(names.len(), 1, "{drawn}");
    for job in ["files", "cases"] {
        done(&["backup", "-q", "--job", job]);
    }
    let record = done(&hold).json_of("result").remove(0);
    let selection = &record["selection"];
    for field in ["seed", "root", "pool_hash", "word", "drawn"] {
        assert_eq!(selection[field], drawn[field], "{field}");
    }
    let items = record["items"].as_array().unwrap();
    let datasets: Vec<&Value> = items.iter().map(|item| &item["dataset"]).collect();
    assert_eq!(datasets, [&names[0]]);

    // What was put off is not drilled, and what the configuration names is, beside.
    let of_draw = names[0].as_str().unwrap();
    let other = if of_draw == "files" { "cases" } else { "files" };
    done(&plan(&["--defer", of_draw, "--reason", "the owner is away"]));
    let told = run(&hold);
    assert_eq!(told.code, Some(13), "{told}");
    assert!(told.text().contains("has snapshots in storage `main`"), "{told}");
    let file = std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap();
    let beside = format!("selection = \"drawn\"\ndatasets = [\"{other}\"]");
    let file = file.replace("selection = \"drawn\"", &beside);
    scene.file("lifeboat.toml", file.as_bytes());
    let record = done(&hold).json_of("result").remove(0);
    assert_eq!(record["items"].as_array().unwrap().len(), 1);
    assert_eq!(record["items"][0]["dataset"], other);
    let selection = &record["selection"];
    assert_eq!(selection["added"], serde_json::json!([other]));
    assert_eq!(selection["deferred"], serde_json::json!([of_draw]));

    // The drill of forty days ago was never signed, and that is all.
    let told = run(&["drill", "bundle", "-r", "main", "--out", "bundle", "-q"]);
    assert_eq!(told.code, Some(23), "{told}");
    let told = scene.run(&["drill", "verify-evidence", "bundle", "--json"]);
    let lines = told.json_of("result");
    let found: Vec<&Value> = lines.iter().filter(|line| line["class"] == "missing").collect();
    assert_eq!(found.len(), 1, "{told}");
    assert!(found[0]["message"].as_str().unwrap().contains("not all signatures"), "{told}");
    assert!(!lines.iter().any(|line| line["class"] == "invalid"), "{told}");
}
