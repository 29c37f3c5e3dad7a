//! SIGKILL of the real program at delays spread over its whole run. Whatever was acknowledged
//! before restores, and the next backup works without help.

mod calls;

use std::time::Duration;

use crate::support::Random;
use crate::support::compare::Tree;
use crate::support::compare::assert_alike;
use crate::support::compare::look;
use crate::support::generate;
use crate::support::mutate::mutate;
use crate::torture::Place;

const KILLS: u64 = 12;

/// Starts a backup and kills it after `delay`; whether the kill came in time.
fn killed(place: &Place, delay: Duration) -> bool {
    let mut child = place.command(&["backup", "--quiet", "tree"]).spawn().unwrap();
    // A receiver that nobody sends to: waiting on it is waiting for the delay.
    let (_sender, receiver) = std::sync::mpsc::channel::<()>();
    assert!(receiver.recv_timeout(delay).is_err());
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

#[test]
fn a_killed_backup_hinders_nobody() {
    let place = Place::new();
    let tree = place.path("tree");
    generate::small(&tree, 21);
    generate::put(&tree.join("large"), &Random::new(1).bytes(3_000_000));
    place.expect(0, &["backup", "--quiet", "tree"]);
    let first: Tree = look(&tree);
    let mut random = Random::new(2);
    let mut kills = 0;
    for round in 0..KILLS {
        mutate(&tree, 1000 + round, 5);
        // Log-uniform from 1 ms to about a second.
        let exponent = random.below(1000) as f64 / 1000.0 * 3.0;
        kills += u64::from(killed(&place, Duration::from_secs_f64(0.001 * 10_f64.powf(exponent))));
    }
    println!("{kills} of {KILLS} backups were killed");
    assert!(kills > 0);
    assert_only_twins_are_missing(&place);
    place.expect(0, &["backup", "--quiet", "tree"]);
    place.assert_restores("after the kills", &tree);
    place.expect(0, &["check", "--quiet", "--read-data"]);
    let listed = place.expect(0, &["snapshots", "--json"]);
    let oldest = listed
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|line| line["message_type"] == "result")
        .find_map(|line| find_first_id(&line))
        .expect("a snapshot's id");
    let target = place.path("oldest");
    place.expect(0, &["restore", "--quiet", &oldest, "--target", target.to_str().unwrap()]);
    assert_alike("the first snapshot", &first, &look(&target.join("tree")));
}

/// A kill between the two copies of a manifest leaves one, which the next backup completes: that is
/// healable, and nothing else may be amiss.
fn assert_only_twins_are_missing(place: &Place) {
    let output = place.command(&["check", "--quiet", "--read-data"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let expected = if told.trim().is_empty() { 0 } else { 3 };
    assert_eq!(output.status.code(), Some(expected), "{told}");
    let mut lines = told.lines().filter(|line| !line.trim().is_empty());
    let is_twin = |line: &str| {
        line.starts_with("healable: manifests/")
            && line.ends_with("the next backup of this folder writes it")
    };
    assert!(lines.all(is_twin), "{told}");
}

/// The id of the first snapshot listed.
fn find_first_id(line: &serde_json::Value) -> Option<String> {
    let rows = line["snapshots"].as_array().cloned().unwrap_or_else(|| vec![line.clone()]);
    let oldest = rows.iter().min_by_key(|row| row["seq"].as_u64().unwrap_or(u64::MAX))?;
    oldest["id"].as_str().map(str::to_owned)
}
