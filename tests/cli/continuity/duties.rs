//! What the calendar asks for: seals that are looked at, alarms that are tested, reports that are
//! delivered.

use std::path::Path;

use crate::cli::continuity::judged::rule;
use crate::cli::continuity::runbook::two_places;
use crate::cli::daemon::Daemon;
use crate::cli::daemon::late;
use crate::cli::scene::Scene;
use crate::cli::scene::Told;

/// Puts more behind the configuration, and its state into the scene.
fn configure(scene: &Scene, more: &str) {
    let path = scene.path("lifeboat.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let state = scene.path("state").display().to_string();
    let text =
        text.replacen("version = 1\n", &format!("version = 1\nstate_dir = \"{state}\"\n"), 1);
    scene.file("lifeboat.toml", format!("{text}{more}").as_bytes());
}

/// A channel that writes what it is told behind what it was told before.
fn channel(scene: &Scene, name: &str) -> String {
    let said = scene.path(format!("said-{name}")).display().to_string();
    format!("[channel.{name}]\nkind = \"command\"\nargv = [\"tee\", \"-a\", \"{said}\"]\n")
}

fn said(scene: &Scene, name: &str) -> String {
    std::fs::read_to_string(scene.path(format!("said-{name}"))).unwrap_or_default()
}

/// How many entries of the ledger are about this.
fn entries(scene: &Scene, subject: &str) -> usize {
    let name = format!("bundle-{}", scene.files("").len());
    let out = scene.path(name).display().to_string();
    scene.expect(0, &["drill", "bundle", "-r", "main", "--out", &out, "-q"]);
    scene.expect(0, &["drill", "verify-evidence", &out, "-q"]);
    let list = std::fs::read_to_string(Path::new(&out).join("list.txt")).unwrap();
    let is_it = |line: &&str| {
        let cells: Vec<&str> = line.split('\t').collect();
        cells.contains(&"custody") && cells.contains(&subject)
    };
    list.lines().filter(is_it).count()
}

#[test]
fn seals_that_were_looked_at_are_on_record() {
    let (scene, shares) = two_places();
    let plan = std::fs::read_to_string(scene.path("plan.toml")).unwrap();
    let third = "[people]\nchi = { name = \"Lê Chi\", roles = [\"share_holder\"] }\n";
    scene.file("plan.toml", plan.replacen("[people]\n", third, 1).as_bytes());
    let seals = |code: i32, more: &[&str]| {
        scene.expect(code, &[&["continuity", "seals", "-r", "main", "--json"][..], more].concat())
    };
    assert_eq!(rule(&scene, "R17"), "red");
    // Nobody knows yet how many open.
    let all = ["--present", "an", "--present", "binh", "--present", "chi"];
    seals(13, &all);
    for wrong in [
        &[][..],
        &["--present", "giam-doc"],
        &["--present", "an", "--present", "an"],
        &["--present", "an", "--broken", "an"],
    ] {
        seals(2, &[wrong, &["--shares", "2/3"]].concat());
    }
    let two = seals(3, &["--present", "an", "--present", "binh", "--shares", "2/3"]);
    assert_eq!(two.json_of("result")[0]["absent"], serde_json::json!(["chi"]), "{two}");
    assert_eq!(rule(&scene, "R17"), "amber");
    // What was typed back says how many open.
    for (number, share) in shares.iter().enumerate().take(2) {
        scene.file(format!("share-{number}"), share.as_bytes());
    }
    let files = ["share-0", "share-1"].map(|it| scene.path(it).display().to_string());
    let check = ["key", "recovery", "check", "-r", "main", "-q"];
    let typed = ["--share-file", &files[0], "--share-file", &files[1]];
    scene.expect(0, &[&check[..], &typed].concat());
    seals(0, &all);
    assert_eq!(rule(&scene, "R17"), "green");
    seals(3, &["--present", "an", "--present", "binh", "--broken", "chi"]);
    assert_eq!(rule(&scene, "R17"), "red");
    assert_eq!(entries(&scene, "seals"), 3);
}

#[test]
fn a_report_is_made_once_and_sent_until_everybody_has_it() {
    let (scene, _) = two_places();
    let folder = scene.path("reports").display().to_string();
    let report = format!(
        "[[report]]\nname = \"monthly\"\nstorage = \"main\"\nfolder = \"{folder}\"\n\
         formats = [\"pdf\", \"html\", \"docx\"]\nlanguages = [\"vi\", \"en\"]\n\
         to = [\"good\", \"late\"]\n\
         schedule = {{ cron = \"0 7 2 * *\", catch_up = \"20d\" }}\n"
    );
    let flag = scene.path("open").display().to_string();
    let late = format!("[channel.late]\nkind = \"command\"\nargv = [\"ls\", \"{flag}\"]\n");
    configure(&scene, &format!("{report}{}{late}", channel(&scene, "good")));
    let job = ["continuity", "report", "-r", "main", "--job", "monthly", "--lang", "en"];
    scene.expect(2, &["continuity", "report", "-r", "main", "--job", "weekly"]);
    let told = scene.expect(15, &job);
    assert!(told.stderr.contains("these channels have not taken it: late"), "{told}");
    let made = scene.files("reports");
    let ends =
        [".en.docx", ".en.html", ".en.pdf", ".json", ".sent", ".vi.docx", ".vi.html", ".vi.pdf"];
    assert_eq!(made.len(), ends.len(), "{made:?}");
    assert!(made.iter().zip(ends).all(|(path, end)| path.ends_with(end)), "{made:?}");
    let first: Vec<Vec<u8>> = made.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let heard = said(&scene, "good");
    assert!(heard.contains("monthly-"), "{heard}");
    assert_eq!(entries(&scene, "report"), 0);
    // Nothing is made again, and who has it does not get it twice.
    scene.expect(15, &job);
    scene.file("open", b"");
    scene.expect(0, &job);
    assert_eq!(said(&scene, "good"), heard);
    assert_eq!(entries(&scene, "report"), 1);
    scene.expect(0, &job);
    assert_eq!((said(&scene, "good"), entries(&scene, "report")), (heard, 1));
    for (path, bytes) in made.iter().zip(first).filter(|(path, _)| !path.ends_with(".sent")) {
        assert_eq!(std::fs::read(path).unwrap(), bytes, "{path}");
    }
    // One that was cut off while it was written is not used, and not written over.
    let cut = made.iter().find(|path| path.ends_with(".vi.pdf")).unwrap();
    std::fs::remove_file(cut).unwrap();
    scene.expect(0, &job);
    assert_eq!(scene.files("reports").len(), 2 * ends.len() - 1);
}

/// The daemon makes it by itself, once for a month that it slept through.
#[test]
fn the_daemon_reports_and_tests_the_alarm() {
    let (scene, _) = two_places();
    let rare = "cron = \"0 0 1 1 *\", catch_up = \"366d\"";
    let more = format!(
        "[[report]]\nname = \"monthly\"\nstorage = \"main\"\nto = [\"good\"]\n\
         schedule = {{ {rare} }}\n[alarm_test]\nstorage = \"main\"\n\
         schedule = {{ cron = \"0 0 1 1 *\" }}\n[[notify]]\non = [\"failed\", \"recovered\"]\n\
         to = [\"good\"]\n"
    );
    configure(&scene, &format!("{more}{}", channel(&scene, "good")));
    late(&scene, &["report:monthly"]);
    let mut daemon = Daemon::start(&scene);
    daemon.until("ended");
    assert_eq!(entries(&scene, "report"), 1);
    let made = scene.files("state/reports");
    assert!(made.iter().any(|path| path.ends_with(".vi.pdf")), "{made:?}");
    assert!(said(&scene, "good").contains("monthly-"), "{}", said(&scene, "good"));

    // A failure on purpose, which somebody hears of; then it is seen that he has.
    assert_eq!(rule(&scene, "R26"), "red");
    let provoked = |told: &Told| told.text().contains("failed, exit code 11");
    let told = scene.expect(1, &["run", "alarm:test"]);
    assert!(provoked(&told), "{told}");
    let mut told = scene.run(&["run", "alarm:test"]);
    for _ in 0..50 {
        if told.code == Some(0) {
            break;
        }
        assert!(provoked(&told), "{told}");
        told = scene.run(&["run", "alarm:test"]);
    }
    assert_eq!(told.code, Some(0), "{told}");
    let heard = said(&scene, "good");
    assert!(heard.contains("\"job\":\"alarm:test\"") && heard.contains("on purpose"), "{heard}");
    assert_eq!(entries(&scene, "alarm"), 1);
    assert_eq!(rule(&scene, "R26"), "green");
    // The next one begins anew.
    let told = scene.expect(1, &["run", "alarm:test"]);
    assert!(provoked(&told), "{told}");
    let log = daemon.stop();
    assert_eq!(log.matches("report:monthly").count(), 2, "begun and ended once: {log}");
}

#[test]
fn a_real_restore_is_on_record_and_names_no_file() {
    let (scene, _) = two_places();
    let target = scene.path("back").display().to_string();
    let restore = ["restore", "latest", "--tag", "files", "-r", "main", "--target", &target];
    let record = ["--record", "--operator", "binh", "--scenario", "đĩa hỏng", "--json"];
    let told = scene.expect(0, &[&restore[..], &record].concat());
    let line = told.json_of("result").into_iter().find(|line| line["item"] == "record").unwrap();
    let subject = line["subject"].as_str().unwrap();
    assert!(subject.starts_with("restore-"), "{line}");
    // Without the option nothing is written.
    let other = scene.path("again").display().to_string();
    let plain = ["restore", "latest", "--tag", "files", "-r", "main", "--target", &other, "-q"];
    scene.expect(0, &plain);
    let out = scene.path("bundle").display().to_string();
    scene.expect(0, &["drill", "bundle", "-r", "main", "--out", &out, "-q"]);
    scene.expect(0, &["drill", "verify-evidence", &out, "-q"]);
    let documents = scene.files("bundle/documents").into_iter();
    let texts = documents.filter(|it| it.ends_with(".json"));
    let texts: Vec<String> = texts.map(|it| std::fs::read_to_string(it).unwrap()).collect();
    let real: Vec<&String> =
        texts.iter().filter(|text| text.contains("\"kind\":\"restore\"")).collect();
    assert_eq!(real.len(), 1);
    let real: serde_json::Value = serde_json::from_str(real[0]).unwrap();
    let item = &real["items"][0];
    assert_eq!((&item["dataset"], &item["target"]), (&"files".into(), &"main".into()), "{item}");
    assert_eq!((&item["mode"], &item["proof_level"]), (&"full".into(), &"L1".into()), "{item}");
    assert!(item["read_bytes"].as_u64().unwrap() > 0 && item["measures"]["rto_tech_s"].is_u64());
    assert_eq!(real["people"]["operator"], "binh");
    let text = real.to_string();
    let path = scene.path("").display().to_string();
    assert!(!text.contains("báo cáo") && !text.contains(&path) && !text.contains("Bình"), "{text}");
    // The report has it; as a drill it counts for nothing.
    let made = scene.path("report.json").display().to_string();
    let month = real["drill"]["period"].as_str().unwrap();
    scene.expect(0, &["continuity", "report", "--period", month, "-o", &made, "-q"]);
    let report = std::fs::read_to_string(scene.path("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["restores"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(rule(&scene, "R06"), "green");
}
