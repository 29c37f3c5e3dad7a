//! Bad input: a clear message and a documented code each, nothing lost.

use std::process::Stdio;

use super::round_trip::with_files;
use super::scene::Scene;

#[test]
fn a_path_that_does_not_exist_is_code_1_and_writes_nothing() {
    let scene = with_files();
    let before = scene.files("repository");
    scene.transcript(
        1,
        &["-q", "backup", "nowhere"],
        "error: `nowhere`: no such file or directory\n       no snapshot was made; nothing is \
         lost\nnext:  correct the path\n",
    );
    assert_eq!(scene.files("repository"), before);
    scene.expect(2, &["backup"]);
}

#[test]
fn a_wrong_passphrase_is_code_12_in_every_verb() {
    let mut scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    scene.set("LIFEBOAT_PASSWORD", "y");
    let verbs: [&[&str]; 5] =
        [&["backup", "."], &["snapshots"], &["ls", "latest"], &["key", "list"], &["find", "*"]];
    for args in verbs {
        scene.transcript(
            12,
            &[&["-q"], args].concat(),
            "error: wrong passphrase or key: none of 1 slots opens\nnext:  try another passphrase, \
             or `lifeboat key recovery use`\n",
        );
    }
    scene.set("LIFEBOAT_PASSWORD", "x");
    assert_eq!(scene.expect(0, &["snapshots", "--json"]).json_of("result").len(), 1);
}

#[test]
fn no_repository_is_code_10() {
    let scene = Scene::new();
    for args in [&["backup", "."][..], &["snapshots"], &["restore", "latest"]] {
        scene.transcript(
            10,
            &[&["-q"], args].concat(),
            "error: no repository in @/repository\nnext:  check the name, or make one with \
             `lifeboat init`\n",
        );
    }
    assert!(!scene.path("repository").exists());
}

#[test]
#[cfg(unix)]
fn an_interrupt_is_code_130_and_the_next_run_goes_on() {
    let scene = with_files();
    let mut child = scene.command(&["-q", "backup", "--stdin"]);
    let child = child.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut pipe, &vec![1; 8_000_000]).unwrap();
    let pid = child.id().to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    drop(pipe);
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: interrupted\n       what was sent before is kept and reused; earlier snapshots are \
         untouched\nnext:  run the same command again; it goes on from there\n"
    );
    assert!(scene.expect(0, &["snapshots", "--json"]).json_of("result").is_empty());
    scene.expect(0, &["backup", "-q", "."]);
}
