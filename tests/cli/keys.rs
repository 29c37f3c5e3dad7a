//! `init` and `key`.

use super::scene::Scene;

#[test]
fn a_repository_is_made_once_and_opened_with_its_passphrase() {
    let mut scene = Scene::new();
    let made = scene.expect(0, &["init", "--json"]);
    assert_eq!(made.json_of("result")[0]["item"], "repository");
    let again = scene.expect(1, &["init"]);
    assert!(again.stderr.contains("already holds a repository"), "{again}");
    let mut slots = scene.expect(0, &["key", "list", "--json"]).json_of("result");
    slots.retain(|line| line["item"] == "slot");
    assert_eq!((slots.len(), &slots[0]["is_current"]), (1, &true.into()));
    scene.set("LIFEBOAT_PASSWORD", "wrong");
    let refused = scene.expect(12, &["key", "list"]);
    assert!(
        !refused.stderr.contains("wrong\n") && refused.stderr.contains("\nnext:  "),
        "{refused}"
    );
}

#[test]
fn the_passphrase_in_the_environment_warns_once_unless_quiet() {
    let scene = Scene::new();
    let told = scene.expect(0, &["init"]);
    assert_eq!(told.stderr.matches("LIFEBOAT_PASSWORD can be seen").count(), 1, "{told}");
    assert_eq!(scene.expect(0, &["-q", "key", "list"]).stderr, "");
}

/// `Tiếng Việt`, as one, two or three code points a letter.
#[test]
fn a_passphrase_opens_in_every_form_and_on_every_way() {
    let forms = [
        "Ti\u{1ebf}ng Vi\u{1ec7}t",
        "Ti\u{ea}\u{301}ng Vi\u{1eb9}\u{302}t",
        "Tie\u{302}\u{301}ng\u{a0}Vie\u{323}\u{302}t",
    ];
    let mut scene = Scene::new();
    scene.set("LIFEBOAT_PASSWORD", forms[2]);
    scene.expect(0, &["init", "-q"]);
    for form in forms {
        scene.set("LIFEBOAT_PASSWORD", form);
        scene.expect(0, &["-q", "key", "list"]);
        scene.file("secret", form.as_bytes());
        let file = scene.path("secret").to_str().unwrap().to_owned();
        scene.expect(0, &["key", "list", "--password-file", &file]);
        scene.expect(0, &["key", "list", "--password-command", &format!("cat {file}")]);
    }
    scene.set("LIFEBOAT_PASSWORD", "Tieng Viet");
    scene.expect(12, &["-q", "key", "list"]);
    scene.set("LIFEBOAT_PASSWORD", forms[0]);
    let file = scene.path("secret").to_str().unwrap().to_owned();
    scene.file("secret", "m\u{1ead}t kh\u{1ea9}u".as_bytes());
    scene.expect(0, &["-q", "key", "passwd", "--new-password-file", &file]);
    scene.set("LIFEBOAT_PASSWORD", "ma\u{323}\u{302}t kha\u{302}\u{309}u");
    scene.expect(0, &["-q", "key", "list"]);
}

#[test]
fn two_repositories_of_one_domain_store_the_same_objects() {
    let mut scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n / 7 % 253) as u8).collect();
    scene.file("source/large", &content);
    scene.expect(0, &["backup", "-q", "."]);
    let first = scene.path("repository").to_str().unwrap().to_owned();
    scene.file("first-secret", b"x");
    let secret = scene.path("first-secret").to_str().unwrap().to_owned();
    scene.set("LIFEBOAT_REPOSITORY", scene.path("second"));
    scene.set("LIFEBOAT_PASSWORD", "another");
    scene.expect(12, &["init", "-q", "--copy-domain-from", &first]);
    assert!(!scene.path("second").exists(), "nothing was made");
    scene.expect(2, &["init", "-q", "--from-password-file", &secret]);
    let from = ["--copy-domain-from", &first, "--from-password-file", &secret];
    scene.expect(0, &[&["init", "-q"], &from[..]].concat());
    scene.expect(0, &["backup", "-q", "."]);
    let told = scene.expect(0, &["check", "--read-data", "--json"]);
    assert_eq!(told.json_of("result")[0]["is_ok"], true);
    // Nobody can look inside, but equal objects in equal packs have equal lengths.
    let lengths = |name: &str| -> Vec<u64> {
        let packs = scene.files(name).into_iter().filter(|path| path.contains("/packs/"));
        let metas = packs.map(|path| std::fs::symlink_metadata(path).unwrap());
        let mut all: Vec<u64> = metas.filter(std::fs::Metadata::is_file).map(|m| m.len()).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(lengths("repository"), lengths("second"));
}

#[test]
fn slots_come_and_go_and_the_last_one_stays() {
    let mut scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    scene.file("new", b"second\nnot this line\n");
    let new = scene.path("new");
    let new = new.to_str().unwrap();
    let added = scene.expect(0, &["key", "add", "--new-password-file", new, "--json"]);
    let id = added.json_of("result")[0]["id"].as_str().unwrap().to_owned();
    scene.set("LIFEBOAT_PASSWORD", "second");
    scene.expect(0, &["key", "list"]);
    scene.expect(0, &["key", "remove", &id[..12], "-q"]);
    scene.expect(12, &["key", "list"]);
    scene.set("LIFEBOAT_PASSWORD", "x");
    let last = scene.expect(0, &["key", "list", "--json"]).json_of("result");
    let refused = scene.expect(13, &["key", "remove", last[0]["id"].as_str().unwrap()]);
    assert!(refused.stderr.contains("key add"), "{refused}");
    scene.expect(1, &["key", "remove", "ffff"]);
    scene.expect(0, &["key", "passwd", "-q", "--new-password-file", new]);
    scene.expect(12, &["key", "list"]);
}

#[test]
fn a_keyset_for_another_machine_is_a_new_private_file() {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    let file = scene.path("other.keyset");
    let args = ["key", "agent", "other", "--output", file.to_str().unwrap(), "-q"];
    scene.expect(0, &args);
    assert!(file.metadata().unwrap().len() > 100);
    scene.expect(1, &args);
}

#[test]
fn shares_give_back_access_without_the_passphrase() {
    let mut scene = Scene::new();
    let made = scene.expect(0, &["init", "--shares", "2/3", "--json"]);
    let words: Vec<String> = made
        .json_of("result")
        .iter()
        .filter_map(|line| line["words"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(words.len(), 3);
    for (name, words) in ["one", "two"].into_iter().zip(&words[1..]) {
        scene.file(name, words.as_bytes());
    }
    scene.file("new", b"regained");
    let path = |name: &str| scene.path(name).to_str().unwrap().to_owned();
    let (one, two, new) = (path("one"), path("two"), path("new"));
    let shares = ["--share-file", one.as_str(), "--share-file", two.as_str()];
    scene.unset("LIFEBOAT_PASSWORD");
    let run = |verb: &str, more: &[&str]| scene.run(&[&["key", "recovery", verb], more].concat());
    assert_eq!(run("check", &shares).code, Some(0));
    assert_eq!(run("check", &shares[..2]).code, Some(12));
    let told = run("use", &[&shares[..], &["--new-password-file", &new]].concat());
    assert_eq!(told.code, Some(0), "{told}");
    scene.set("LIFEBOAT_PASSWORD", "regained");
    scene.expect(0, &["key", "list"]);
}

#[test]
fn a_repository_needs_a_name_a_place_and_a_passphrase() {
    let mut scene = Scene::new();
    assert_eq!(scene.expect(10, &["key", "list", "--json"]).json_of("error").len(), 1);
    scene.expect(0, &["init", "-q"]);
    scene.unset("LIFEBOAT_PASSWORD");
    let told = scene.expect(2, &["key", "list"]);
    assert!(told.stderr.contains("LIFEBOAT_PASSWORD_FILE"), "{told}");
    scene.unset("LIFEBOAT_REPOSITORY");
    scene.expect(2, &["key", "list"]);
}
