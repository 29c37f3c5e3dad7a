//! Secrets stay where they belong: passphrases, key files and every key of a repository are looked
//! for in all that the program prints, logs and keeps, in the clear and in the usual codings.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use lifeboat::clock::SystemClock;
use lifeboat::crypto::sealed::keyset::RestoreKeyset;
use lifeboat::crypto::sealed::slot::SlotSecret;
use lifeboat::ids::RunId;
use lifeboat::repository::keys::unlock;
use lifeboat::run::Run;
use lifeboat::run::monitor::Silent;
use lifeboat::secret::SecretBytes;
use lifeboat::storage::open;
use lifeboat::storage::open::Location;

use crate::cli::continuity::runbook::two_places;
use crate::cli::round_trip::with_files;
use crate::cli::scene::Scene;
use crate::cli::scene::Told;
use crate::support::Random;

const PASSPHRASE: &str = "x";
const SECOND: &str = "canary: correct horse battery staple";
const THIRD: &str = "canary: purple monkey dishwasher 3";
const CONTENT: &[u8] = b"canary content that nobody but the owner may read";
const NAME: &str = "canary name of a file";

/// A secret in every form that is looked for.
struct Planted {
    what: String,
    forms: Vec<Vec<u8>>,
    /// This machine's own keyset holds it by right, in a file that nobody else may read.
    in_keyset: bool,
}

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What is the same in every base64 text that holds `bytes` behind `before` other bytes.
fn base64_core(bytes: &[u8], before: usize) -> Vec<u8> {
    let padded = [&vec![0; before][..], bytes].concat();
    let mut bits = padded.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1));
    let mut text = Vec::new();
    for _ in 0..padded.len() * 8 / 6 {
        let value = bits.by_ref().take(6).fold(0_u8, |value, bit| value << 1 | bit);
        text.push(ALPHABET[usize::from(value)]);
    }
    text.split_off((before * 8).div_ceil(6))
}

fn planted(what: impl Into<String>, bytes: &[u8]) -> Planted {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![bytes.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
    for before in 0..3 {
        let text = base64_core(bytes, before);
        let url = text.iter().map(|c| match c {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        });
        forms.push(url.collect());
        forms.push(text);
    }
    forms.push(format!("{bytes:?}").trim_matches(['[', ']']).as_bytes().to_vec());
    Planted { what: what.into(), forms, in_keyset: false }
}

impl Planted {
    fn is_in(&self, haystack: &[u8]) -> bool {
        let found = |form: &Vec<u8>| haystack.windows(form.len()).any(|window| window == form);
        self.forms.iter().any(found)
    }
}

/// The keyset that a passphrase opens.
fn keyset_of(repository: PathBuf, passphrase: &str) -> RestoreKeyset {
    let run = Run::new(RunId::new([1; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 1);
    let storage = open::open(&run, &Location::Folder(repository)).unwrap();
    let secret = SlotSecret::Passphrase(SecretBytes::new(passphrase.as_bytes().to_vec()));
    unlock::unlock(&run, &storage, &secret).unwrap().keyset
}

fn secrets_of(scene: &Scene, key_file: &[u8]) -> Vec<Planted> {
    let keyset = keyset_of(scene.path("repository"), PASSPHRASE);
    assert!(keyset.recovery.is_some() && keyset.root.is_some());
    let mut all = vec![
        planted("second passphrase", SECOND.as_bytes()),
        planted("third passphrase", THIRD.as_bytes()),
        planted("key file", key_file),
    ];
    all.extend(in_keyset(&keyset));
    all
}

fn in_keyset(keyset: &RestoreKeyset) -> Vec<Planted> {
    let mut all = vec![
        planted("restore secret", keyset.restore.secret().expose()),
        planted("administrator's seed", keyset.admin.seed().expose()),
    ];
    let recovery = keyset.recovery.as_ref();
    all.extend(recovery.map(|it| planted("recovery secret", it.secret().expose())));
    all.extend(keyset.root.as_ref().map(|it| planted("root seed", it.seed().expose())));
    for (generation, key) in keyset.store.generations() {
        let key = planted(format!("store key {generation}"), key.expose());
        all.push(Planted { in_keyset: true, ..key });
    }
    for domain in &keyset.domains {
        let secret = planted("domain secret", domain.secret.expose());
        all.push(Planted { in_keyset: true, ..secret });
    }
    all
}

/// Every command line that is run, as people read it and as programs do.
fn commands(scene: &Scene, id: &str) -> Vec<Vec<String>> {
    let path = |name: &str| scene.path(name).display().to_string();
    let words = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
    let with = |line: &str, more: &[String]| [words(line), more.to_vec()].concat();
    vec![
        words("backup ."),
        words("backup . --dry-run"),
        words("snapshots"),
        words("ls latest -R -l"),
        words("find canary*"),
        words("diff latest latest"),
        words("check --read-data"),
        words("key list"),
        with("key add --new-password-file", &[path("third")]),
        with("key add --new-key-file", &[path("key")]),
        with("key agent other --output", &[path("other.keyset")]),
        words("dump latest:a.txt"),
        with(&format!("restore {id} --target"), &[path("target")]),
        with("man", &[path("man")]),
        words("completion bash"),
        words("init"),
        words("key remove ffff"),
        words("key recovery check"),
        with("quickstart . --storage", &[path("quick")]),
    ]
}

/// Verbs that the help names and [`commands`] does not run: with nothing and with a snapshot.
fn other_verbs(scene: &Scene, known: &[Vec<String>]) -> Vec<Vec<String>> {
    let help = scene.expect(0, &["--help"]).text();
    let chapter = help.split_once("Commands:\n").expect("a list of commands").1;
    let listed: BTreeSet<&str> = chapter
        .lines()
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(listed.len() > 10, "{help}");
    let is_known = |verb: &str| known.iter().any(|line| line[0] == verb);
    let new: Vec<&str> = listed.into_iter().filter(|verb| !is_known(verb)).collect();
    let line = |verb: &str, more: &[&str]| {
        [&[verb], more].concat().into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    new.into_iter().flat_map(|verb| [line(verb, &[]), line(verb, &["latest"])]).collect()
}

#[track_caller]
fn assert_silent(what: &str, told: &Told, secrets: &[Planted]) {
    for secret in secrets {
        assert!(!secret.is_in(&told.stdout), "{what}: the {} is printed", secret.what);
        assert!(!secret.is_in(told.stderr.as_bytes()), "{what}: the {} is logged", secret.what);
    }
}

fn assert_kept_out(scene: &Scene, folder: &str, secrets: &[Planted]) -> u32 {
    let mut looked_at = 0;
    for name in scene.files(folder) {
        let path = Path::new(&name);
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(path).unwrap();
        let is_keyset = name.contains("keyset");
        for secret in secrets.iter().filter(|secret| !(is_keyset && secret.in_keyset)) {
            assert!(!secret.is_in(&bytes), "{name} holds the {}", secret.what);
            assert!(!secret.is_in(name.as_bytes()), "{name} is named by the {}", secret.what);
        }
        looked_at += 1;
    }
    looked_at
}

#[test]
fn secrets_are_printed_logged_and_kept_nowhere() {
    let mut scene = with_files();
    let key_file = Random::new(77).bytes(40);
    scene.file("key", &key_file);
    scene.file("third", THIRD.as_bytes());
    scene.file(format!("source/{NAME}"), CONTENT);
    scene.file("second", SECOND.as_bytes());
    let second = scene.path("second");
    scene.expect(0, &["-q", "backup", "."]);
    scene.expect(0, &["-q", "key", "add", "--new-password-file", &second.display().to_string()]);
    let secrets = secrets_of(&scene, &key_file);
    let found = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    let id = found[0]["id"].as_str().unwrap().to_owned();
    // From here on the passphrase is one that can be looked for.
    scene.set("LIFEBOAT_PASSWORD", SECOND);
    let mut lines = commands(&scene, &id);
    lines.extend(other_verbs(&scene, &lines));
    let mut runs = 0;
    for line in &lines {
        for mode in [&["-vv"][..], &["-vv", "--json"]] {
            let args: Vec<&str> =
                mode.iter().copied().chain(line.iter().map(String::as_str)).collect();
            assert_silent(&args.join(" "), &scene.run(&args), &secrets);
            runs += 1;
        }
    }
    // Wrong ones are secrets too: they may be right elsewhere, or nearly right here.
    scene.set("LIFEBOAT_PASSWORD", THIRD.to_uppercase());
    let wrong = [planted("wrong passphrase", THIRD.to_uppercase().as_bytes())];
    for line in [&["-vv", "snapshots"][..], &["-vv", "backup", "."], &["--json", "key", "list"]] {
        assert_silent(&line.join(" "), &scene.expect(12, line), &wrong);
    }
    assert!(runs >= 38, "{runs}");
    for folder in ["repository", "cache", "volatile", "quick"] {
        let looked_at = assert_kept_out(&scene, folder, &secrets);
        println!("{folder}: {looked_at} files");
        assert!(looked_at > 0 || folder == "volatile", "{folder}");
    }
    let private = [planted("content", CONTENT), planted("name", NAME.as_bytes())];
    for folder in ["repository", "cache", "quick"] {
        assert_kept_out(&scene, folder, &private);
    }
}

/// A kit is carried about: neither its files nor what is told of it hold a secret, whichever way
/// the configuration names it.
#[test]
fn a_kit_holds_no_secret() {
    const WORDS: &str = "no other file has these words";
    const HOOK: &str = "https://canary.invalid/hook-5f1c09";
    let (mut scene, shares) = two_places();
    scene.set("CANARY_HOOK", HOOK);
    scene.file("third", THIRD.as_bytes());
    let mode = |name: &str, bits: u32| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(bits);
        std::fs::set_permissions(scene.path(name), mode).unwrap();
    };
    mode("third", 0o600);
    let config = std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap();
    let with_token = |token: String| {
        let channel = "[channel.post]\nkind = \"webhook\"\nurl = { env = \"CANARY_HOOK\" }";
        let text = format!("{config}{channel}\ntoken = {{ {token} }}\n");
        scene.file("lifeboat.toml", text.as_bytes());
    };
    with_token(format!("file = \"{}\"", scene.path("third").display()));
    let mut secrets = in_keyset(&keyset_of(scene.path("main"), WORDS));
    secrets.extend(shares.iter().map(|share| planted("share", share.as_bytes())));
    for (what, text) in [("passphrase", WORDS), ("hook", HOOK), ("token", THIRD)] {
        secrets.push(planted(what, text.as_bytes()));
    }
    let path = |name: &str| scene.path(name).display().to_string();
    let (kit, pdf) = (path("kit"), path("runbook.pdf"));
    for line in [
        &["-vv", "continuity", "kit", &kit][..],
        &["-vv", "continuity", "kit", "--check", &kit],
        &["--json", "continuity", "runbook", "-o", &pdf],
    ] {
        assert_silent(&line.join(" "), &scene.expect(0, line), &secrets);
    }
    let has_mode = |name: &str, bits: u32| {
        let found = std::fs::metadata(scene.path(name)).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&found) & 0o777, bits, "{name}");
    };
    for folder in ["kit", "kit/format", "kit/format/format", "kit/lifeboat"] {
        has_mode(folder, 0o700);
    }
    // The program is the one that was built, before there was any of these secrets.
    let program = scene.path("kit/lifeboat");
    assert!(
        std::fs::read(&program).unwrap() == std::fs::read(env!("CARGO_BIN_EXE_lifeboat")).unwrap()
    );
    std::fs::remove_file(program).unwrap();
    for file in scene.files("kit").iter().filter(|it| Path::new(it).is_file()) {
        has_mode(file, 0o600);
    }
    assert!(assert_kept_out(&scene, "kit", &secrets) >= 10);

    // An argument stands in the file, which a kit has as it is.
    with_token(format!("command = [\"/bin/echo\", \"{THIRD}\"]"));
    let other = path("other");
    let told = scene.expect(13, &["-vv", "continuity", "kit", &other]);
    assert_silent("kit", &told, &secrets);
    assert!(told.stderr.contains("channel.post.token"), "{}", told.stderr);
    assert!(!scene.path("other").exists());
    with_token(format!("command = [\"{}\"]", path("third")));
    scene.expect(0, &["continuity", "kit", &other]);
}

#[test]
fn the_search_finds_what_is_planted() {
    let secret = planted("test", b"\x00\xff canary \xfe\x01");
    let forms: [&[u8]; 4] = [
        b"AP8gY2FuYXJ5IP4B",
        b"00ff2063616e61727920fe01",
        b"key: [0, 255, 32, 99, 97, 110, 97, 114, 121, 32, 254, 1]",
        b"QUEA/yBjYW5hcnkg/gFBQQ==",
    ];
    for form in forms {
        assert!(secret.is_in(form), "{}", String::from_utf8_lossy(form));
    }
    assert!(!secret.is_in(b"canary"));
}
