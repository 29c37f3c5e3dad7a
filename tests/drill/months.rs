//! From a configuration to evidence on another machine: folders, PostgreSQL and SQLite with a plan,
//! drilled twice by the calendar of the daemon and once by hand; and every code of a failure.

use super::FAKETIME;
use super::backup;
use super::configure;
use super::configured;
use super::folder;
use super::item;
use crate::cli::daemon::Daemon;
use crate::cli::scene::Scene;
use crate::databases::PASSWORD;
use crate::databases::Postgresql;
use crate::databases::head;
use crate::databases::private;

const PEOPLE: [(&str, &str); 3] = [("an", "operator"), ("binh", "owner"), ("chi", "chair")];

const DATASETS: [&str; 4] = ["cases", "letters", "maps", "register"];

/// Each dataset is of the one service, whose targets these are.
fn planned(scene: &Scene, targets: &str, datasets: &[&str]) {
    let datasets = datasets.iter().map(|name| format!("[services.desk.datasets.{name}]\n"));
    let person = |(id, role)| format!("{id} = {{ name = \"{id}\", roles = [\"{role}\"] }}\n");
    let text = format!(
        "[org]\nname = \"Sở A\"\n[people]\n{}[storage]\nmain = {{ medium = \"disk\", \
         failure_domain = \"tru-so\" }}\n[services.desk]\nname = \"Tiếp nhận\"\n\
         owner = \"binh\"\nlevel = 3\ncriticality = \"important\"\norder = 1\n{targets}\n{}",
        PEOPLE.map(person).concat(),
        datasets.collect::<String>()
    );
    scene.file("plan.toml", text.as_bytes());
}

/// The sources, and a configuration of all of them by the clock of Greenwich.
fn office(server: &Postgresql) -> Scene {
    let mut scene = configured(&[]);
    private(&scene, "password", PASSWORD);
    server.sql("postgres", "create database office");
    let table = "create table t (id int primary key, name text); insert into t select g, \
                 'Nguyễn Thị Hằng ' || g from generate_series(1, 2000) g";
    server.sql("office", table);
    let register = rusqlite::Connection::open(scene.path("register.db")).unwrap();
    register.execute_batch("create table r(so text); insert into r values ('1')").unwrap();
    scene.file("letters/công văn.txt", "Kính gửi\n".as_bytes());
    scene.file("maps/thửa đất.bin", &[7; 300_000]);
    let sources = [
        server.source(&scene, ", databases = [\"office\"]"),
        folder(&scene.path("letters")),
        folder(&scene.path("maps")),
        super::database(&scene.path("register.db")),
    ];
    let own = format!(
        "version = 1\ntime_zone = \"UTC\"\nstate_dir = \"{}\"\n",
        scene.path("state").display()
    );
    let mut text = head(&scene).replace("version = 1\n", &own);
    for (name, source) in DATASETS.into_iter().zip(sources) {
        text.push_str(&format!(
            "[[backup]]\nname = \"{name}\"\nstorage = \"main\"\nsource = {{ {source} }}\n\
             schedule = {{ cron = \"@daily\" }}\n"
        ));
    }
    text.push_str(&format!(
        "[[drill]]\nname = \"monthly\"\nclass = \"D2\"\nstorage = \"main\"\noperator = \"an\"\n\
         schedule = {{ cron = \"0 8 5 * *\" }}\nsandbox = {{ path = \"{}\" }}\n",
        scene.path("drills").display()
    ));
    scene.file("lifeboat.toml", text.as_bytes());
    planned(&scene, "rto = \"8h\"\nmtd = \"3d\"", &DATASETS);
    let file = scene.path("lifeboat.toml");
    scene.set("LIFEBOAT_CONFIG", file);
    scene.set("LIFEBOAT_LOG", "lifeboat=info");
    // Only the calendar is another one: what waits is waited for.
    scene.set("DONT_FAKE_MONOTONIC", "1");
    scene
}

/// A key for each of them, which the office lets in.
fn keys(scene: &Scene) {
    for (holder, role) in PEOPLE {
        scene.file(format!("{holder}.secret"), format!("passphrase of {holder}\n").as_bytes());
        let [key, secret] = own(scene, holder);
        let create = ["drill", "key", "create", holder, "--out", &key, "--key-password-file"];
        scene.expect(0, &[&create[..], &[&secret]].concat());
        scene.expect(0, &["drill", "key", "add", &key, "--may", role]);
    }
}

/// Files of somebody's key and of its passphrase.
fn own(scene: &Scene, holder: &str) -> [String; 2] {
    ["key", "secret"].map(|end| scene.path(format!("{holder}.{end}")).display().to_string())
}

/// All three put their names under it.
fn signed(scene: &Scene, time: &str, drill: &str) {
    for (holder, role) in PEOPLE {
        let [key, secret] = own(scene, holder);
        let sign = ["drill", "sign", drill, "--role", role, "--key", &key, "--key-password-file"];
        at(scene, time, &[&sign[..], &[&secret, "--opinion", "đúng như đã thấy"]].concat());
    }
}

/// How far this moment is from now, for every process alike.
fn ahead(moment: &str) -> String {
    let moment: jiff::Timestamp = moment.parse().unwrap();
    format!("{:+}", moment.as_second() - jiff::Timestamp::now().as_second())
}

#[track_caller]
fn at(scene: &Scene, time: &str, args: &[&str]) -> crate::cli::scene::Told {
    let told = scene.run_under(&["faketime", "-f", &format!("@{time}")], args);
    assert_eq!(told.code, Some(0), "{time}, {args:?}: {told}");
    told
}

#[test]
fn two_months_by_the_calendar_and_a_drill_by_hand_are_proven_elsewhere() {
    let server = Postgresql::start();
    let scene = office(&server);
    keys(&scene);
    for day in ["2026-12-05", "2027-01-05"] {
        for dataset in DATASETS {
            at(&scene, &format!("{day} 07:30:00"), &["backup", "--job", dataset, "-q"]);
        }
        // The kernel's timer knows no other calendar, and asking for a job looks at the clock.
        let clock = |time: &str| scene.file("clock", ahead(&format!("{day}T{time}Z")).as_bytes());
        clock("07:55:00");
        let mut daemon = scene.command(&["daemon"]);
        daemon.env("LD_PRELOAD", FAKETIME).env("FAKETIME_NO_CACHE", "1");
        daemon.env("FAKETIME_TIMESTAMP_FILE", scene.path("clock"));
        let mut daemon = Daemon::of(daemon);
        daemon.until("ready");
        clock("08:00:01");
        scene.expect(0, &["run", "letters"]);
        while !daemon.until("drill:monthly").contains("ended") {}
        daemon.stop();
        signed(&scene, &format!("{day} 09:00:00"), &format!("D2-{day}"));
    }
    at(&scene, "2027-01-05 14:00:00", &["drill", "run", "monthly", "-q"]);
    signed(&scene, "2027-01-05 14:30:00", "D2-2027-01-05-2");

    let listed = at(&scene, "2027-01-05 15:00:00", &["drill", "list", "--json"]);
    let mut held = listed.json_of("result");
    held.sort_by_key(|it| it["started_at"].as_str().unwrap().to_owned());
    let days: Vec<&str> = held.iter().map(|it| &it["started_at"].as_str().unwrap()[..10]).collect();
    assert_eq!(days, ["2026-12-05", "2027-01-05", "2027-01-05"], "{listed}");
    for drill in &held {
        let id = drill["record_id"].as_str().unwrap();
        let shown = at(&scene, "2027-01-05 15:00:00", &["drill", "show", id, "--json"]);
        let record = shown.json_of("result").remove(0);
        assert_eq!(record["verdict"], "pass", "{record}");
        for dataset in DATASETS {
            assert_eq!(item(&record, dataset)["proof_level"], "L6", "{record}");
        }
    }

    // Whoever gets the copy has nothing else, and finds what was changed in it.
    let bundle = scene.path("bundle").display().to_string();
    at(&scene, "2027-01-05 15:00:00", &["drill", "bundle", "--out", &bundle, "-q"]);
    let stranger = Scene::new();
    for file in scene.files("bundle") {
        let name = std::path::Path::new(&file).strip_prefix(&bundle).unwrap();
        if std::path::Path::new(&file).is_file() {
            let copy = std::path::Path::new("copy").join(name);
            stranger.file(copy, &std::fs::read(&file).unwrap());
        }
    }
    let copy = stranger.path("copy").display().to_string();
    let told = stranger.expect(0, &["drill", "verify-evidence", &copy]).text();
    assert!(told.contains("\nVALID: ") && told.contains(" 3 drills;"), "{told}");
    let altered = stranger.files("copy").into_iter().find_map(|file| {
        let text = std::fs::read_to_string(&file).ok()?;
        let changed = text.replacen("\"verdict\":\"pass\"", "\"verdict\":\"fail\"", 1);
        (changed != text).then_some((file, changed))
    });
    let (file, text) = altered.expect("a record in the copy");
    stranger.file(file, text.as_bytes());
    let told = stranger.expect(23, &["drill", "verify-evidence", &copy]).text();
    assert!(told.contains("INVALID"), "{told}");
}

/// The codes of the one dataset, after a drill that ends so.
#[track_caller]
fn codes(scene: &Scene, code: i32, under: &[&str]) -> serde_json::Value {
    let file = scene.path("lifeboat.toml").display().to_string();
    let told = scene.run_under(under, &["drill", "run", "--json", "--config", &file, "monthly"]);
    assert_eq!(told.code, Some(code), "{told}");
    item(&told.json_of("result").remove(0), "letters")["failures"].clone()
}

/// F4, F2, F5 and F1 one after another. F3 is told where a server does not start (`postgresql`),
/// F6 and F7 by a drill from nothing, F8 wherever the place of a drill is at fault.
#[test]
fn damage_loss_slowness_and_age_are_told_apart() {
    let scene = configured(&[]);
    scene.file("letters/công văn.txt", "Kính gửi\n".as_bytes());
    planned(&scene, "rto = \"1s\"\nrpo = \"1h\"\nmtd = \"3d\"", &["letters"]);
    let sources = [("letters", folder(&scene.path("letters")))];
    let check = |more: &str| {
        let text = format!("[[drill.check]]\ndataset = \"letters\"\n{more}\n");
        configure(&scene, &sources, &text);
    };
    // A check of the office that takes its time.
    check("kind = \"command\"\nargv = [\"sleep\", \"3\"]");
    backup(&scene, "letters");
    assert_eq!(codes(&scene, 3, &["env"]), serde_json::json!(["F4"]));
    check("kind = \"file\"\npath = \"/no/such\"");
    assert_eq!(codes(&scene, 21, &["env"]), serde_json::json!(["F2"]));
    let there = scene.path("letters/công văn.txt").display().to_string();
    check(&format!("kind = \"file\"\npath = \"{there}\""));
    let later = ["faketime", "-f", "+2h"];
    assert_eq!(codes(&scene, 3, &later), serde_json::json!(["F5"]));
    std::fs::remove_dir_all(scene.path("repository/packs")).unwrap();
    std::fs::create_dir(scene.path("repository/packs")).unwrap();
    let found = codes(&scene, 21, &later);
    assert!(found.as_array().unwrap().contains(&"F1".into()), "{found}");
}
