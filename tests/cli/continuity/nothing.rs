//! `drill from-nothing`: with a storage and shares, and nothing of any machine.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;

use crate::cli::continuity::judged::rule;
use crate::cli::continuity::runbook::two_places;
use crate::cli::scene::Scene;
use crate::cli::scene::Told;

/// A computer that has never seen the office, but for one that lies about it: its configuration
/// has another passphrase, by a command that leaves a trace, and what it keeps is rubbish.
struct Blank<'s> {
    scene: &'s Scene,
}

impl<'s> Blank<'s> {
    fn new(scene: &'s Scene) -> Self {
        std::fs::create_dir_all(scene.path("blank/home")).unwrap();
        let text = format!(
            "version = 1\n[keys]\npassphrase = {{ command = [\"touch\", \"{}\"] }}\n\
             [storage.main]\nkind = \"folder\"\npath = \"{}\"\n",
            scene.path("blank/asked").display(),
            scene.path("nowhere").display(),
        );
        scene.file("blank/other.toml", text.as_bytes());
        scene.file("blank/cache/rubbish", b"rubbish");
        Self { scene }
    }

    fn run(&self, program: &Path, args: &[&str], input: &str) -> Told {
        let path = |name: &str| self.scene.path(name);
        let mut command = Command::new(program);
        command.args(args).env_clear().current_dir(path("blank"));
        command
            .env("HOME", path("blank/home"))
            .env("PATH", "/usr/bin:/bin")
            .env("LIFEBOAT_CONFIG", path("blank/other.toml"))
            .env("LIFEBOAT_CACHE_DIR", path("blank/cache"))
            .env("LIFEBOAT_PASSWORD", "not the passphrase")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut typed = child.stdin.take().unwrap();
        // A program that takes its shares from elsewhere may not read this.
        let _unread = std::io::Write::write_all(&mut typed, input.as_bytes());
        drop(typed);
        let output = child.wait_with_output().unwrap();
        Told {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// With shares from files.
    #[track_caller]
    fn drill(&self, code: i32, (folder, storage): (&str, &str), more: &[&str]) -> Value {
        let (folder, storage) = (self.scene.path(folder), self.scene.path(storage));
        let mut args = vec!["drill", "from-nothing", folder.to_str().unwrap(), "--json"];
        args.extend(["-r", storage.to_str().unwrap()]);
        args.extend(more);
        let told = self.run(Path::new(env!("CARGO_BIN_EXE_lifeboat")), &args, "");
        assert_eq!(told.code, Some(code), "{told}");
        told.json_of("result").remove(0)
    }

    /// Nothing of it was asked, and nothing was left on it.
    #[track_caller]
    fn assert_untouched(&self) {
        assert!(
            !self.scene.path("blank/asked").exists(),
            "the configured passphrase was asked for"
        );
        assert_eq!(self.scene.files("blank/home"), [] as [String; 0]);
        assert_eq!(self.scene.files("blank/cache").len(), 1);
    }
}

/// Two of three shares as files.
fn files(scene: &Scene, shares: &[String]) -> [String; 2] {
    [1, 2].map(|number: usize| {
        let name = format!("share-{number}");
        scene.file(&name, shares[number].as_bytes());
        scene.path(name).display().to_string()
    })
}

fn kit(scene: &Scene) -> (String, String) {
    let kit = scene.path("kit").display().to_string();
    let told = scene.expect(0, &["continuity", "kit", &kit, "--sign", "-r", "main", "--json"]);
    let sums = told.json_of("result")[0]["sums_sha256"].as_str().unwrap().to_owned();
    (kit, sums)
}

fn slots(scene: &Scene, storage: &str) -> Vec<String> {
    scene.files(&format!("{storage}/slots"))
}

fn checks<'r>(record: &'r Value, id: &str) -> &'r Value {
    let all = record["preflight"].as_array().unwrap();
    all.iter().find(|check| check["id"] == id).unwrap()
}

#[test]
fn storage_and_shares_alone_bring_everything_back_with_the_kit() {
    let (scene, shares) = two_places();
    let (kit, sums) = kit(&scene);
    scene.expect(0, &["-r", "main", "copy", "--to", "far", "-q"]);
    let before = slots(&scene, "far away");
    let ledger = scene.files("far away/ledger");
    let [one, two] = files(&scene, &shares);
    let blank = Blank::new(&scene);
    assert_eq!(rule(&scene, "R10"), "red");
    let with = ["--kit", &kit, "--share-file", &one, "--share-file", &two];
    let later = [&with[..], &["--operator", "binh", "--ledger-later"]].concat();
    let record = blank.drill(0, ("out", "far away"), &later);
    blank.assert_untouched();
    assert_eq!(record["drill"]["class"], "D3", "{record}");
    assert_eq!(record["verdict"], "pass", "{record}");
    let recovery = &record["recovery"];
    assert_eq!((&recovery["shares_count"], &recovery["needed_count"]), (&2.into(), &2.into()));
    assert_eq!(recovery["kit"]["sums_sha256"], sums.as_str(), "{recovery}");
    assert_eq!(recovery["kit"]["age_days"], 0, "{recovery}");
    assert!(recovery["kit"]["signed_at"].is_string(), "{recovery}");
    assert_eq!(record["people"]["substitute"], true, "{record}");
    for item in record["items"].as_array().unwrap() {
        assert_eq!((&item["target"], &item["domain"]), (&"far".into(), &"kho-tinh".into()));
        assert_eq!(item["proof_level"], "L6", "{item}");
    }
    for id in ["PF.kit", "PF.access"] {
        assert_eq!(checks(&record, id)["result"], "pass");
    }
    // No slot was added, nothing is left of what was restored, and the ledgers have not parted.
    assert_eq!(slots(&scene, "far away"), before);
    assert_eq!(scene.files("far away/ledger"), ledger);
    let left = scene.files("out");
    let is_restored = |path: &&String| path.contains("sandbox") || path.ends_with("cases.db");
    assert_eq!(left.iter().find(is_restored), None, "{left:?}");
    assert!(left.iter().any(|path| path.ends_with(".pdf")), "{left:?}");
    scene.expect(0, &["-r", "main", "copy", "--to", "far", "-q"]);

    // The office takes it in, once.
    let signed = left.iter().find(|path| path.ends_with("record.signed")).unwrap();
    let plain = left.iter().find(|path| path.ends_with("record.json")).unwrap();
    scene.expect(13, &["drill", "take-in", plain, "-r", "main"]);
    let bytes = std::fs::read(signed).unwrap();
    let text = String::from_utf8(bytes).unwrap().replacen("\"far\"", "\"fax\"", 1);
    scene.file("altered", text.as_bytes());
    let altered = scene.path("altered");
    scene.expect(13, &["drill", "take-in", altered.to_str().unwrap(), "-r", "main"]);
    assert_eq!(rule(&scene, "R10"), "red");
    scene.expect(0, &["drill", "take-in", signed, "-r", "main"]);
    assert_eq!(rule(&scene, "R10"), "green");
    scene.expect(13, &["drill", "take-in", signed, "-r", "main"]);
    // A plain storage takes it at once; without a kit it is no proof of one.
    let record = blank.drill(0, ("out2", "main"), &["--share-file", &one, "--share-file", &two]);
    assert_eq!(record["recovery"]["kit"], Value::Null, "{record}");
    assert!(record["ledger_code"].as_str().unwrap().len() == 23, "{record}");
    let names: Vec<&str> = record["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["dataset"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["cases", "files"]);
    blank.assert_untouched();
    scene.expect(0, &["drill", "bundle", "-r", "main", "--out", "bundle", "-q"]);
    scene.expect(0, &["drill", "verify-evidence", "bundle", "-q"]);
}

#[test]
fn without_enough_shares_it_is_not_proven_and_the_ledger_gets_to_know() {
    let (scene, shares) = two_places();
    let (kit, _) = kit(&scene);
    let [one, two] = files(&scene, &shares);
    let blank = Blank::new(&scene);
    let with = ["--kit", &kit, "--share-file", &one];
    let record = blank.drill(21, ("out", "main"), &with);
    assert_eq!(record["verdict"], "fail", "{record}");
    let items = record["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "the kit says what was to come back: {record}");
    for item in items {
        assert_eq!(item["failures"], serde_json::json!(["F6"]), "{item}");
    }
    assert_eq!(checks(&record, "PF.access")["code"], "F6");
    blank.assert_untouched();
    // The same share twice is one, and one that was misread is none.
    let twice = [&with[..], &["--share-file", &one]].concat();
    blank.drill(21, ("twice", "main"), &twice);
    let words = shares[2].replacen(' ', " zoo ", 1);
    scene.file("misread", words.as_bytes());
    let misread = scene.path("misread").display().to_string();
    blank.drill(21, ("misread-out", "main"), &[&with[..], &["--share-file", &misread]].concat());
    // A failed drill does not vanish: it waits for the office, where corrective actions open.
    let file = scene.files("out").into_iter().find(|it| it.ends_with("record.json")).unwrap();
    scene.expect(0, &["drill", "take-in", &file, "-r", "main"]);
    let open = scene.expect(0, &["drill", "actions", "-r", "main", "--json"]);
    assert_eq!(open.json_of("result").len(), 2, "{open}");
    assert_eq!(rule(&scene, "R10"), "red");
    // A storage that is not there proves nothing against the shares.
    let both = ["--share-file", &one, "--share-file", &two];
    let record = blank.drill(22, ("gone", "nowhere"), &both);
    assert_eq!(record["verdict"], "inconclusive", "{record}");
    // One that still reaches the office is not apart.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let answers = listener.local_addr().unwrap().to_string();
    let apart = |address| [&both[..], &["--isolation", "I2", "--apart-from", address]].concat();
    let record = blank.drill(22, ("plugged", "main"), &apart(&answers));
    assert_eq!(checks(&record, "PF.apart")["result"], "fail", "{record}");
    let record = blank.drill(0, ("unplugged", "main"), &apart("224.0.0.1:443"));
    assert_eq!(
        (&checks(&record, "PF.apart")["result"], &record["env"]["isolation"]),
        (&"pass".into(), &"I2".into())
    );
    let told = blank.run(
        Path::new(env!("CARGO_BIN_EXE_lifeboat")),
        &["drill", "from-nothing", "x", "-r", "/x", "--apart-from", "10.0.0.5"],
        "",
    );
    assert_eq!(told.code, Some(2), "{told}");
    // Names of a configuration are none of a computer that is blank.
    let folder = scene.path("named").display().to_string();
    let args = ["drill", "from-nothing", &folder, "-r", "main", "--share-file", &one];
    let told = blank.run(Path::new(env!("CARGO_BIN_EXE_lifeboat")), &args, "");
    assert_eq!(told.code, Some(2), "{told}");
    blank.assert_untouched();
}

#[test]
fn the_kit_is_checked_and_its_own_program_holds_the_drill() {
    let (scene, shares) = two_places();
    let (kit, _) = kit(&scene);
    let blank = Blank::new(&scene);
    // Another version of the program, by a byte behind its end.
    let mut bytes = std::fs::read(env!("CARGO_BIN_EXE_lifeboat")).unwrap();
    bytes.push(0);
    scene.file("other", &bytes);
    let other: PathBuf = scene.path("other");
    std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let (out, main) = (scene.path("out"), scene.path("main"));
    let args = ["drill", "from-nothing", out.to_str().unwrap(), "-r", main.to_str().unwrap()];
    let with = [&args[..], &["--kit", &kit, "--dataset", "cases"]].concat();
    let typed = format!("{}\n{}\n\n", shares[0], shares[2]);
    let told = blank.run(&other, &with, &typed);
    assert_eq!(told.code, Some(0), "{told}");
    assert!(told.stderr.contains("the kit's own program goes on"), "{told}");
    assert!(told.text().contains("cases"), "{told}");
    assert_eq!(rule(&scene, "R10"), "green");
    // Every share by a command; a file of the kit that was changed is told, and nothing begins.
    scene.file("kit/runbook-vi.pdf", b"other");
    let [one, two] = files(&scene, &shares);
    let commands = [one, two].map(|file| format!("cat {file}"));
    let by = ["--share-command", &commands[0], "--share-command", &commands[1], "--kit", &kit];
    let record = blank.drill(22, ("out2", "main"), &by);
    let checked = checks(&record, "PF.kit");
    assert_eq!((&checked["result"], &checked["code"]), (&"fail".into(), &"F7".into()));
    assert_eq!(record["items"], serde_json::json!([]), "{record}");
    blank.assert_untouched();
}
