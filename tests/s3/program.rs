//! The program with a repository in a bucket.

use crate::cli::scene::Scene;

use super::locks::locking_bucket;
use super::server::GUEST;
use super::server::OWNER;
use super::server::Rgw;
use super::server::User;
use super::server::server;

/// A scene whose repository is in a bucket of this gateway, with the keys of a user.
pub(super) fn scene(rgw: &Rgw, bucket: &str, user: User) -> Scene {
    let mut scene = Scene::new();
    scene.set("AWS_ACCESS_KEY_ID", user.access);
    scene.set("AWS_SECRET_ACCESS_KEY", user.secret);
    scene.set("LIFEBOAT_REPOSITORY", address(rgw, bucket));
    scene.file("source/letters/one.txt", b"Dear office,\n");
    scene.file("source/letters/two.txt", &vec![b'x'; 300_000]);
    scene
}

fn address(rgw: &Rgw, bucket: &str) -> String {
    format!("s3:{}/{bucket}/office", rgw.endpoint())
}

#[test]
fn a_repository_lives_in_a_bucket() {
    let rgw = server();
    let bucket = rgw.new_bucket();
    let scene = scene(rgw, &bucket, OWNER);
    scene.expect(10, &["-q", "snapshots"]);
    scene.expect(0, &["-q", "init"]);
    let tested = scene.expect(0, &["storage", "test", "--json"]).json_of("result");
    // All but what nobody has asked of this bucket.
    for row in &tested {
        assert_eq!(row["holds"], row["check"] != "locked", "{row}");
    }
    assert!(tested.iter().any(|row| row["found"] == "the bucket has no lock"), "{tested:?}");
    scene.expect(0, &["-q", "backup", "."]);
    scene.file("source/letters/three.txt", b"more");
    scene.expect(0, &["-q", "backup", "."]);
    assert_eq!(scene.expect(0, &["snapshots", "--json"]).json_of("result").len(), 2);
    scene.expect(0, &["-q", "check", "--read-data"]);
    let dumped = scene.expect(0, &["dump", "latest:letters/two.txt"]);
    assert_eq!(dumped.stdout.len(), 300_000);
    scene.expect(0, &["-q", "forget", "--keep-last", "1"]);
    let prune = ["-q", "prune", "--empty-trash", "--max-delete", "100%", "--max-unused", "0%"];
    scene.expect(0, &prune);
    scene.expect(0, &["-q", "check", "--read-data"]);
    assert_eq!(scene.expect(0, &["snapshots", "--json"]).json_of("result").len(), 1);
    // A copy on this machine.
    let copy = scene.path("copy").display().to_string();
    scene.expect(0, &["-q", "-r", &copy, "init", "--twin-of", &address(rgw, &bucket)]);
    scene.expect(0, &["-q", "copy", "--to", &copy]);
    scene.expect(0, &["-q", "-r", &copy, "check", "--read-data"]);
}

/// The lock of a bucket is tried on a blob that is new, and the way there is named.
#[test]
fn a_test_of_the_storage_tries_the_lock() {
    let rgw = server();
    for (bucket, is_locking, words) in [
        (locking_bucket(), true, "30 days; nobody lifts it"),
        (rgw.new_locked_bucket(), false, "the bucket can lock, and locks nothing by itself"),
    ] {
        let scene = scene(rgw, &bucket, OWNER);
        let tested = scene.expect(3, &["storage", "test", "--json"]).json_of("result");
        let row = |check: &str| tested.iter().find(|row| row["check"] == check).unwrap();
        assert_eq!(row("locked")["holds"], is_locking, "{tested:?}");
        assert!(row("locked")["found"].as_str().unwrap().starts_with(words), "{tested:?}");
        assert_eq!(row("private")["found"], "http, to a server on this machine");
        let told = scene.expect(3, &["storage", "test"]);
        let costs = "who has keys that delete can remove the backups";
        assert_eq!(told.stderr.contains(costs), !is_locking, "{told}");
    }
}

#[test]
fn what_is_wrong_with_a_bucket_is_told_with_its_code() {
    let rgw = server();
    let mut scene = scene(rgw, &rgw.new_bucket(), GUEST);
    // Others' bucket, no such bucket, no such key, nobody there: nothing is made in any of them.
    let told = scene.expect(1, &["init"]);
    assert!(!told.stderr.contains(GUEST.secret), "{told}");
    scene.set("LIFEBOAT_REPOSITORY", address(rgw, "no-such-bucket-anywhere"));
    for args in [&["snapshots"][..], &["init"]] {
        let told = scene.expect(15, args);
        assert!(told.stderr.contains("no such bucket"), "{told}");
    }
    scene.set("AWS_SECRET_ACCESS_KEY", "wrong-secret-that-nobody-has");
    let told = scene.expect(1, &["snapshots"]);
    assert!(!told.stderr.contains("wrong-secret"), "{told}");
    scene.set("LIFEBOAT_REPOSITORY", "s3:http://127.0.0.1:1/bucket");
    scene.expect(15, &["snapshots"]);
    scene.set("LIFEBOAT_REPOSITORY", "s3:http://key:hush@127.0.0.1:1/bucket");
    let told = scene.expect(2, &["snapshots"]);
    assert!(!told.stderr.contains("hush"), "{told}");
}

/// Keys of the configuration come from files, and are in no listing of processes or values.
#[test]
fn a_configuration_says_all_of_a_bucket() {
    let rgw = server();
    let bucket = rgw.new_bucket();
    let mut scene = scene(rgw, &bucket, OWNER);
    scene.unset("AWS_ACCESS_KEY_ID");
    scene.unset("AWS_SECRET_ACCESS_KEY");
    scene.set("SECRET_OF_THE_BUCKET", OWNER.secret);
    let text = format!(
        "version = 1\n[storage.offsite]\nkind = \"s3\"\nendpoint = \"{}\"\nbucket = \"{bucket}\"\n\
         access_key = {{ command = [\"/bin/echo\", \"{}\"] }}\n\
         secret_key = {{ env = \"SECRET_OF_THE_BUCKET\" }}\n",
        rgw.endpoint(),
        OWNER.access,
    );
    scene.file("lifeboat.toml", text.as_bytes());
    scene.set("LIFEBOAT_CONFIG", scene.path("lifeboat.toml"));
    scene.set("LIFEBOAT_REPOSITORY", "offsite");
    scene.expect(0, &["-q", "init"]);
    scene.expect(0, &["-q", "backup", "."]);
    let shown = scene.expect(0, &["config", "show"]);
    assert!(!format!("{shown}").contains(OWNER.secret), "{shown}");
}
