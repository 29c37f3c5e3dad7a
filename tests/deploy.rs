//! What `deploy/` has, as the service manager reads it.

use std::process::Command;

use crate::house;

/// A unit with the program that this build made.
fn unit(name: &str, folder: &std::path::Path) -> std::path::PathBuf {
    let text = house::text(&format!("deploy/{name}"));
    let program = "/usr/bin/lifeboat";
    assert!(text.contains(program));
    let text = text.replace(program, env!("CARGO_BIN_EXE_lifeboat"));
    let path = folder.join("lifeboat.service");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    path
}

fn analyze(args: &[&str], unit: &std::path::Path) -> String {
    let mut command = Command::new("systemd-analyze");
    command.args(args).arg(unit).env("XDG_RUNTIME_DIR", unit.parent().unwrap());
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert!(output.status.success(), "{args:?}: {text}");
    text
}

#[test]
fn the_unit_has_no_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let told = analyze(&["verify", "--man=no"], &unit("lifeboat.service", folder.path()));
    assert!(!told.contains("lifeboat.service"), "{told}");
}

#[test]
fn the_unit_of_one_person_has_no_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let unit = unit("lifeboat-user.service", folder.path());
    let told = analyze(&["verify", "--user", "--man=no"], &unit);
    assert!(!told.contains("lifeboat.service"), "{told}");
}

#[test]
fn the_package_has_the_version_of_the_program() {
    let first = format!("lifeboat ({}-1) ", env!("CARGO_PKG_VERSION"));
    assert!(house::text("deploy/debian/changelog").starts_with(&first), "{first}");
}

#[test]
fn the_unit_is_as_closed_as_its_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let told = analyze(&["security", "--offline=true"], &unit("lifeboat.service", folder.path()));
    let (_, score) = told.split_once("exposure level for lifeboat.service: ").expect(&told);
    let score = score.split_whitespace().next().unwrap();
    let page = house::text("deploy/README.md");
    assert!(page.contains(&format!("**{score}**")), "deploy/README.md does not say {score}");
    assert!(score.parse::<f64>().unwrap() < 3.0, "{score}");
}

#[test]
fn scripts_are_read_by_a_shell() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/lifeboat.openrc");
    for script in [script, concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/debian/postrm")] {
        assert!(Command::new("sh").arg("-n").arg(script).status().unwrap().success(), "{script}");
    }
}
