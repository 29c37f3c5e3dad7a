//! Programme and draws.

use crate::cli::continuity::runbook::two_places;

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
