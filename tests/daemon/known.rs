//! What is known of jobs, datasets and storages from their runs.

use serde_json::Value;

use crate::cli::daemon::Daemon;
use crate::cli::daemon::bytes_of;
use crate::cli::daemon::configure;
use crate::cli::daemon::fifo;
use crate::cli::daemon::files;
use crate::cli::daemon::job;
use crate::cli::daemon::office;
use crate::cli::daemon::runs;
use crate::cli::daemon::slow;
use crate::cli::daemon::status;

/// A command that printed nothing where something was demanded; then it is at work again.
#[test]
fn a_run_at_work_does_not_hide_that_the_one_before_failed() {
    let scene = office("");
    let pipe = fifo(&scene);
    configure(&scene, &format!("{}bytes_min = \"1KiB\"\n", slow("slow", &pipe)));
    let mut daemon = Daemon::start(&scene);
    scene.expect(0, &["run", "slow", "--detach"]);
    daemon.until("begins");
    drop(std::fs::OpenOptions::new().write(true).open(&pipe).unwrap());
    daemon.until("ended");
    scene.expect(0, &["run", "slow", "--detach"]);
    daemon.until("begins");
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let told = status(&scene, 3);
    let slow = job(&told, "backup:slow");
    assert_eq!((&slow["activity"], &slow["is_wrong"]), (&"at_work".into(), &true.into()), "{slow}");
    assert_eq!(
        (&slow["last"]["outcome"], &slow["last_ended"]["exit_code"]),
        (&Value::Null, &1.into())
    );
    let table = scene.expect(3, &["status"]).text();
    assert!(table.contains("at work; the run before: failed (1) "), "{table}");
    drop(writer);
    daemon.stop();
}

/// A little less each time is seen against what is usual, though never against the run before.
#[test]
fn a_dataset_that_becomes_small_and_the_size_of_its_storage_are_told() {
    let scene = office("");
    let leave = |count: usize| {
        drop(std::fs::remove_dir_all(scene.path("source")));
        for number in 0..count {
            scene.file(format!("source/{number}"), b"1234");
        }
    };
    let storage = |code: i32| status(&scene, code)["storages"].clone();
    configure(&scene, &files(&scene, "files", "source"));
    let daemon = Daemon::start(&scene);
    assert_eq!(storage(0), serde_json::json!([]));
    for count in [20, 20, 20, 12] {
        leave(count);
        scene.expect(0, &["run", "files"]);
    }
    let told = storage(0);
    assert_eq!(told[0]["bytes"], bytes_of(&scene.path("repository")), "{told}");
    let table = scene.expect(0, &["status"]).text();
    assert!(table.contains("storage `main` holds "), "{table}");
    leave(7);
    scene.expect(3, &["run", "files"]);
    let small = status(&scene, 3);
    let files = job(&small, "backup:files");
    assert_eq!((&files["is_wrong"], &files["last"]["problems_count"]), (&true.into(), &1.into()));
    let shrunk = &files["shrunk"];
    assert_eq!((&shrunk["files_count"], &shrunk["usual_files_count"]), (&7.into(), &20.into()));
    let table = scene.expect(3, &["status", "--lang", "vi"]).text();
    assert!(table.contains("ÍT HƠN HẲN THƯỜNG LỆ: 7 tệp"), "{table}");
    // It is a problem once, and stands until that is what is usual.
    for _ in 0..2 {
        scene.expect(0, &["run", "files"]);
        assert_eq!(job(&status(&scene, 3), "backup:files")["shrunk"]["usual_files_count"], 20);
    }
    scene.expect(0, &["run", "files"]);
    assert_eq!(job(&status(&scene, 0), "backup:files")["shrunk"], Value::Null);
    // All of it gone: the backup says so by itself, against the one before.
    leave(0);
    std::fs::create_dir(scene.path("source")).unwrap();
    scene.expect(3, &["run", "files"]);
    assert_eq!(runs(&scene)[0]["problems_count"], 1);
    daemon.stop();
    assert_eq!(job(&status(&scene, 3), "backup:files")["shrunk"]["usual_files_count"], 12);
}
