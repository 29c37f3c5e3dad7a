//! `stats`: every number is compared with what is known from elsewhere.

use serde_json::Value;

use super::round_trip::with_files;
use super::scene::Scene;
use super::scene::Told;

/// Two snapshots: three files in three folders, then one more file and a copy of another.
fn with_two() -> Scene {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    scene.file("source/new.txt", &[b'n'; 1000]);
    scene.file("source/alpha again", b"alpha");
    scene.expect(0, &["backup", "-q", "."]);
    scene
}

fn item(told: &Told, item: &str) -> Vec<Value> {
    told.json_of("result").into_iter().filter(|line| line["item"] == item).collect()
}

fn number(line: &Value, field: &str) -> u64 {
    line[field].as_u64().unwrap_or_else(|| panic!("{field}: {line}"))
}

/// Files beneath a folder of the repository, and their bytes.
fn on_disk(scene: &Scene, folder: &str) -> (u64, u64) {
    let files = scene.files(&format!("repository/{folder}")).into_iter();
    let sizes = files.map(|name| std::fs::metadata(name).unwrap()).filter(|meta| meta.is_file());
    sizes.fold((0, 0), |(count, bytes), meta| (count + 1, bytes + meta.len()))
}

#[test]
fn snapshots_are_counted_as_they_are_and_as_they_are_kept() {
    let scene = with_two();
    let told = scene.expect(0, &["stats", "--contents", "--json"]);
    let rows = item(&told, "snapshot");
    assert_eq!(rows.len(), 2, "{told}");
    let first = 3_000_000 + 5 + 4;
    for (row, files, bytes) in [(&rows[0], 3, first), (&rows[1], 5, first + 1005)] {
        assert_eq!(number(row, "files_count"), files, "{row}");
        assert_eq!(number(row, "folders_count"), 3, "{row}");
        assert_eq!(number(row, "content_bytes"), bytes, "{row}");
    }
    // Small files of one backup lie in one bundle; those known before are not stored again.
    assert_eq!(number(&rows[1], "data_count"), 1, "{told}");
    assert!((1000..=1005).contains(&number(&rows[1], "data_raw_bytes")), "{told}");
    let sums = &item(&told, "stats")[0];
    assert_eq!(number(sums, "content_bytes"), 2 * first + 1005);
    assert_eq!(number(sums, "contents_count"), 4, "{told}");
    assert_eq!(number(sums, "contents_bytes"), first + 1000);
    // Nothing else is in the repository, so what snapshots take is all there is.
    let taken = ["data_stored_bytes", "nodes_stored_bytes", "copies_stored_bytes"];
    let taken: u64 = taken.iter().map(|field| number(sums, field)).sum();
    let kept = number(sums, "objects_bytes") + number(sums, "object_copies_bytes");
    assert_eq!(taken, kept, "{told}");
    assert_eq!(number(sums, "nodes_count"), number(sums, "copies_count"), "{told}");
    let (packs, bytes) = on_disk(&scene, "packs");
    assert_eq!((number(sums, "packs_count"), number(sums, "packs_bytes")), (packs, bytes));
    assert!(kept < bytes && number(sums, "padding_max_bytes") < kept / 5, "{told}");
    let ratio = sums["deduplication_ratio"].as_f64().unwrap();
    assert!((1.9..=200.0).contains(&ratio), "{ratio}");
    let text = scene.expect(0, &["stats"]).text();
    for part in ["snapshot", "at the source", "deduplicated", "second copies", "of padding"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn each_snapshot_may_be_counted_alone() {
    let scene = with_two();
    let together = item(&scene.expect(0, &["stats", "--json"]), "snapshot");
    let each = item(&scene.expect(0, &["stats", "--each", "--json"]), "snapshot");
    assert_eq!(together[0], each[0]);
    assert!(number(&each[1], "data_count") > number(&together[1], "data_count"));
    let id = each[1]["short_id"].as_str().unwrap();
    let one = item(&scene.expect(0, &["stats", id, "--json"]), "snapshot");
    assert_eq!(one, each[1..]);
    let text = scene.expect(0, &["stats", "--each"]).text();
    assert!(!text.contains("at the source") && text.contains("repository"), "{text}");
    scene.expect(1, &["stats", "ffffffffffff"]);
}

#[test]
fn without_a_key_sizes_are_shown_and_nothing_is_opened() {
    let mut scene = with_two();
    scene.unset("LIFEBOAT_PASSWORD");
    scene.expect(2, &["stats"]);
    let told = scene.expect(0, &["stats", "--no-key", "--json"]);
    let shown = &told.json_of("result")[0];
    for (folder, count, bytes) in
        [("packs", "packs_count", "packs_bytes"), ("index", "index_files_count", "index_bytes")]
    {
        assert_eq!((number(shown, count), number(shown, bytes)), on_disk(&scene, folder));
    }
    assert_eq!(number(shown, "manifests_count"), 4);
    assert!(scene.expect(0, &["stats", "--no-key"]).text().contains("manifests"));
    scene.expect(2, &["stats", "--no-key", "latest"]);
}

#[test]
fn a_lost_pack_is_told_and_not_counted_as_nothing() {
    let scene = with_two();
    for path in scene.files("repository/packs") {
        if std::fs::metadata(&path).is_ok_and(|meta| meta.is_file()) {
            std::fs::remove_file(path).unwrap();
        }
    }
    let told = scene.expect(20, &["stats", "--json"]);
    assert!(!told.json_of("problem").is_empty(), "{told}");
    assert!(number(&item(&told, "stats")[0], "bad_packs_count") > 0, "{told}");
}
