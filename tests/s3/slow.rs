//! The program with a bucket at the end of a slow line.

use crate::sftp::slow;
use crate::sftp::slow::SlowLine;

use super::program;
use super::server::OWNER;
use super::server::server;

#[test]
fn a_slow_line_is_all_that_is_waited_for() {
    let rgw = server();
    let bucket = rgw.new_bucket();
    let mut scene = program::scene(rgw, &bucket, OWNER);
    scene.expect(0, &["-q", "init"]);
    let line = SlowLine::to(rgw.port);
    let address = format!("s3:http://{}:{}/{bucket}/office", line.host, line.port);
    scene.set("LIFEBOAT_REPOSITORY", address);
    slow::hold(&line, &scene);
}
