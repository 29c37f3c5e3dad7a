//! Reports of a month and a year, over what daemon and drills have recorded.

use crate::cli::continuity::runbook::two_places;
use crate::cli::daemon::Daemon;

#[test]
fn a_month_is_reported_from_runs_and_drills() {
    let (scene, _) = two_places();
    // A daemon's own folder: that of the machine is none of ours.
    let file = std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap();
    let state = scene.path("state").display().to_string();
    let file = file.replace("version = 1", &format!("version = 1\nstate_dir = \"{state}\""));
    scene.file("lifeboat.toml", file.as_bytes());
    let daemon = Daemon::start(&scene);
    scene.expect(0, &["run", "files"]);
    scene.expect(0, &["run", "files"]);
    std::fs::remove_file(scene.path("cases.db")).unwrap();
    let failed = scene.run(&["run", "cases"]);
    assert_ne!(failed.code, Some(0), "{}", failed.stderr);
    daemon.stop();
    let drill = scene.expect(0, &["drill", "show", "--json"]).json_of("result").remove(0);
    let month = drill["drill"]["period"].as_str().unwrap().to_owned();
    let paths =
        ["r.pdf", "r.html", "r.json", "r.docx"].map(|it| scene.path(it).display().to_string());
    let mut args = vec!["continuity", "report", "--period", &month, "--lang", "vi", "--json"];
    paths.iter().for_each(|it| args.extend(["-o", it.as_str()]));
    let told = scene.expect(0, &args).json_of("result").remove(0);
    assert!(std::fs::read(&paths[0]).unwrap().starts_with(b"%PDF"));
    assert!(std::fs::read(&paths[3]).unwrap().starts_with(b"PK"));
    let page = std::fs::read_to_string(&paths[1]).unwrap();
    assert!(page.contains("BÁO CÁO") && page.contains("SỞ A"), "{page}");
    let bytes = std::fs::read(&paths[2]).unwrap();
    assert_eq!(told["data_sha256"], lifeboat::evidence::tree::sha256(&bytes).to_string());
    let data: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let backups = data["backups"].as_array().unwrap();
    let of = |name: &str| backups.iter().find(|it| it["dataset"] == name).unwrap();
    // The daemon may have run one by its schedule too: the catalogue says how many there were.
    let runs = scene.expect(0, &["runs", "--job", "files", "--count", "100", "--json"]);
    let done = runs.json_of("result").iter().filter(|it| it["outcome"] == "done").count();
    assert!(done >= 2, "{done}");
    let counts = (&of("files")["done_count"], &of("files")["failed_count"]);
    assert_eq!(counts, (&done.into(), &0.into()));
    assert!(of("cases")["failed_count"].as_u64().unwrap() >= 1, "{data}");
    let held = data["drills"]["held"].as_array().unwrap();
    assert_eq!((held.len(), &held[0]["verdict"]), (1, &"pass".into()));
    assert_eq!(data["drills"]["covered_count"], 2);
    assert_eq!(data["rules"].as_array().unwrap().len(), 27);
    let codes = data["ledger_codes"].as_array().unwrap();
    assert!(codes.iter().any(|it| it[0] == "main"), "{codes:?}");
    // The hash of the data stands on the page, and never over another file.
    assert!(page.contains(told["data_sha256"].as_str().unwrap()));
    scene.expect(1, &["continuity", "report", "--period", &month, "-o", &paths[0]]);
}

#[test]
fn periods_and_files_that_make_no_sense_are_refused() {
    let (scene, _) = two_places();
    let pdf = scene.path("x.pdf").display().to_string();
    for period in ["2026-13", "november", "2999-01"] {
        let told = scene.expect(2, &["continuity", "report", "--period", period, "-o", &pdf]);
        assert!(told.stderr.contains("--period 2026"), "{}", told.stderr);
    }
    let odd = scene.path("x.odt").display().to_string();
    let told = scene.expect(2, &["continuity", "report", "-o", &odd]);
    assert!(told.stderr.contains(".pdf"), "{}", told.stderr);
    assert!(!scene.path("x.pdf").exists());
    // A place that is not there: what is not seen is told, and the report says so.
    std::fs::remove_dir_all(scene.path("main")).unwrap();
    let page = scene.path("y.html").display().to_string();
    let told = scene.expect(3, &["continuity", "report", "-o", &page, "--lang", "en"]);
    assert!(told.stderr.contains("`main` was not read"), "{}", told.stderr);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("could not be looked at: main"), "{page}");
}
