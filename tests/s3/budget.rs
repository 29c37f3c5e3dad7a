//! How many ways there and back each step waits for, one after the other.

use crate::sftp::trips;
use crate::sftp::trips::LongLine;

use super::program;
use super::server::OWNER;
use super::server::server;

/// Some tenths above what each step does wait for.
const TRIPS: [u128; 5] = [23, 19, 7, 12, 12];

#[test]
fn every_step_keeps_its_budget_of_trips() {
    let rgw = server();
    let port = rgw.endpoint().rsplit(':').next().unwrap().parse().unwrap();
    let line = LongLine::to(port);
    trips::keep(TRIPS, || {
        let bucket = rgw.new_bucket();
        let mut scene = program::scene(rgw, &bucket, OWNER);
        scene.expect(0, &["-q", "init"]);
        let address = format!("s3:http://127.0.0.1:{}/{bucket}/office", line.port);
        scene.set("LIFEBOAT_REPOSITORY", address);
        trips::counted(&line, (&scene, "letters/two.txt"))
    });
}
