//! `cat`: records of a repository, and that no secret is among them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::round_trip::with_files;
use super::scene::Scene;

fn lines(scene: &Scene, args: &[&str]) -> Vec<Value> {
    scene.expect(0, &[&["cat", "--json"], args].concat()).json_of("result")
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field}: {value}"))
}

/// Every run of 64 hex digits in a text.
fn long_hex(text: &str, found: &mut BTreeSet<String>) {
    let words = text.split(|c: char| !c.is_ascii_hexdigit());
    found.extend(words.filter(|word| word.len() == 64).map(str::to_owned));
}

#[test]
fn records_that_need_no_key() {
    let mut scene = with_files();
    scene.unset("LIFEBOAT_PASSWORD");
    let config = lines(&scene, &["config"]);
    assert_eq!((config.len(), &config[0]["format_version"]), (1, &1.into()));
    assert!(config[0]["parameters"]["chunk_bytes_avg"].is_u64());
    let slots = lines(&scene, &["slots"]);
    assert_eq!(slots.len(), 1);
    assert_eq!(slots[0]["kind"]["name"], "passphrase");
    let fields: Vec<&String> = slots[0].as_object().unwrap().keys().collect();
    let known = ["created", "id", "item", "kind", "label", "message_type"];
    assert!(known.iter().all(|name| fields.contains(&&(*name).to_owned())), "{fields:?}");
    assert!(slots[0]["sealed_bytes"].is_u64() && slots[0].get("sealed").is_none());
    let recipients = lines(&scene, &["recipients"]);
    let roles = recipients[0]["recipients"].as_array().unwrap().iter().map(|r| text(r, "role"));
    assert_eq!(roles.collect::<Vec<_>>(), ["restore", "recovery"]);
    // For people: one document, laid out.
    let shown = scene.expect(0, &["cat", "config"]).text();
    assert!(shown.starts_with("{\n  \"") && shown.lines().count() > 10, "{shown}");
    let parsed: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(parsed["repository_id"], config[0]["repository_id"]);
    scene.expect(2, &["cat", "snapshot", "latest"]);
}

#[test]
fn from_a_manifest_down_to_the_sealed_bytes() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "--tag", "t", "."]);
    let id = scene.expect(0, &["snapshots", "--json"]).json_of("result")[0]["id"].clone();
    let manifest = &lines(&scene, &["manifest", "latest"])[0];
    assert_eq!(manifest["id"], id);
    assert_eq!(manifest["public"]["seq"], 1);
    assert_eq!(manifest["sealed"]["envelopes"].as_array().unwrap().len(), 2);
    let snapshot = &lines(&scene, &["snapshot", "latest"])[0];
    assert_eq!(
        (&snapshot["tags"][0], &snapshot["counts"]["files_count"]),
        (&"t".into(), &3.into())
    );
    assert_eq!(snapshot["root_sid"], manifest["public"]["root_sid"]);

    let nodes = lines(&scene, &["tree", "latest"]);
    assert_eq!(nodes[0]["sid"], snapshot["root_sid"]);
    let entries: Vec<&Value> =
        nodes.iter().filter_map(|node| node["entries"].as_array()).flatten().collect();
    let of = |path: &str| *entries.iter().find(|entry| entry["path"] == path).unwrap();
    assert_eq!(text(of("/a.txt"), "content_blake3"), blake3::hash(b"alpha").to_string());
    assert!(of("/sub/deep/large.bin")["content"]["extents"].is_array());

    let root = &lines(&scene, &["object", text(snapshot, "root_sid"), "--bytes"])[0];
    assert_eq!((&root["kind"], root["copies"].as_array().unwrap().len()), (&"branch".into(), 2));
    assert_eq!(root["children"][0], nodes[0]["children"][0]["sid"]);
    let hex = text(root, "bytes_hex").as_bytes();
    let digit = |c: u8| u8::try_from(char::from(c).to_digit(16).unwrap()).unwrap();
    let bytes: Vec<u8> = hex.chunks(2).map(|two| digit(two[0]) << 4 | digit(two[1])).collect();
    assert_eq!(blake3::hash(&bytes).to_string(), text(root, "sid"));

    let packs = lines(&scene, &["pack"]);
    let pack = text(&root["copies"][0], "pack");
    assert!(packs.iter().any(|line| line["id"] == pack));
    let table = &lines(&scene, &["pack", &pack[..12]])[0];
    let row = table["objects"].as_array().unwrap().iter().find(|row| row["sid"] == root["sid"]);
    assert_eq!(row.unwrap()["offset"], root["copies"][0]["offset"]);
    let index = text(&lines(&scene, &["index"])[0], "id").to_owned();
    let tables = &lines(&scene, &["index", &index])[0];
    assert!(tables["packs"].as_array().unwrap().contains(&without_envelope(table)), "{tables}");

    let found = scene.expect(
        0,
        &["find", "--object", text(of("/a.txt").pointer("/content").unwrap(), "bundle_sid")],
    );
    let found = found.text();
    assert!(found.contains("/a.txt") && found.contains("/sub/b.txt"), "{found}");
    assert!(!found.contains("large.bin"), "{found}");
}

/// A line's own fields taken off.
fn without_envelope(line: &Value) -> Value {
    let mut line = line.clone();
    let fields = line.as_object_mut().unwrap();
    for name in ["message_type", "v", "item"] {
        fields.remove(name);
    }
    line
}

/// A key of an object has 32 bytes; so whatever has 64 digits must be something public.
#[test]
fn no_key_is_ever_shown() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    let mut known = BTreeSet::new();
    let packs = lines(&scene, &["pack"]);
    for pack in &packs {
        let shown = scene.expect(0, &["cat", "pack", text(pack, "id")]).text();
        long_hex(&shown, &mut known);
    }
    long_hex(&scene.expect(0, &["cat", "index"]).text(), &mut known);
    long_hex(&scene.expect(0, &["snapshots", "--json"]).text(), &mut known);
    let root_key = text(&lines(&scene, &["config"])[0], "root_public_hex").to_owned();
    known.insert(root_key);
    let large = vec![7; 3_000_000];
    for content in [&b"alpha"[..], b"beta", &large] {
        known.insert(blake3::hash(content).to_string());
    }
    let mut shown = BTreeSet::new();
    for args in [&["snapshot", "latest"][..], &["manifest", "latest"], &["config"], &["slots"]] {
        long_hex(&scene.expect(0, &[&["cat"], args].concat()).text(), &mut shown);
    }
    let sid = text(&lines(&scene, &["snapshot", "latest"])[0], "root_sid").to_owned();
    long_hex(&scene.expect(0, &["cat", "object", &sid]).text(), &mut shown);
    let tree = scene.expect(0, &["cat", "tree", "latest"]).text();
    // Digests of chunks are what `b3sum` says of the bytes at their place.
    for document in serde_json::Deserializer::from_str(&tree).into_iter::<Value>() {
        let node = document.unwrap();
        for entry in node["entries"].as_array().into_iter().flatten() {
            let mut at = 0;
            for extent in entry["content"]["extents"].as_array().into_iter().flatten() {
                let len = usize::try_from(extent["bytes"].as_u64().unwrap()).unwrap();
                known.insert(blake3::hash(&large[at..at + len]).to_string());
                at += len;
            }
        }
    }
    long_hex(&tree, &mut shown);
    let strange: Vec<&String> = shown.difference(&known).collect();
    assert!(strange.is_empty() && shown.len() > 5, "{strange:?}");
}

#[test]
fn what_is_not_there_is_told_with_a_next_step() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    let none = "f".repeat(64);
    let cases: [(i32, &[&str]); 7] = [
        (2, &["cat", "object", "abc"]),
        (20, &["cat", "object", &none]),
        (1, &["cat", "pack", "ffffffffffffff"]),
        (1, &["cat", "index", "zz"]),
        (1, &["cat", "tree", "latest:nowhere"]),
        (2, &["cat", "snapshot", "latest:a.txt"]),
        (1, &["cat", "manifest", "ffffffffffff"]),
    ];
    for (code, args) in cases {
        let told = scene.expect(code, args);
        assert!(told.stderr.contains("\nnext:  "), "{told}");
    }
    let part = lines(&scene, &["tree", "latest:sub/b.txt"]);
    let entries = part.last().unwrap()["entries"].as_array().unwrap();
    assert_eq!((entries.len(), &entries[0]["path"]), (1, &"/sub/b.txt".into()));
}
