//! Options, variables, help, completions and man pages.

use std::process::Stdio;

use super::scene::Scene;

#[test]
fn help_and_version_are_results() {
    let scene = Scene::new();
    let told = scene.expect(0, &["--help"]);
    assert!(told.text().contains("Usage: lifeboat [OPTIONS] <COMMAND>"), "{told}");
    assert!(told.stderr.is_empty(), "{told}");
    assert!(scene.expect(0, &["--version"]).text().starts_with("lifeboat "));
}

#[test]
fn wrong_options_are_code_2_with_and_without_json() {
    let scene = Scene::new();
    for args in [&["--no-such-option"][..], &["no-such-verb"], &[], &["completion", "tcl"]] {
        let told = scene.run(args);
        assert_eq!(told.code, Some(2), "{told}");
        assert!(told.stdout.is_empty() && !told.stderr.is_empty(), "{told}");
    }
    let told = scene.expect(2, &["--json", "no-such-verb"]);
    let lines = told.json();
    assert_eq!(lines.len(), 2, "{told}");
    assert_eq!(lines[0]["message_type"], "error");
    assert!(lines[0]["message"].as_str().unwrap().contains("no-such-verb"), "{told}");
}

#[test]
fn a_variable_that_does_not_parse_is_code_2() {
    for (name, value) in [("LIFEBOAT_COMPRESSION", "99"), ("LIFEBOAT_PROGRESS_FPS", "-1")] {
        let mut scene = Scene::new();
        scene.set(name, value);
        let told = scene.expect(2, &["completion", "bash"]);
        assert!(told.stderr.starts_with(&format!("error: {name}: expected ")), "{told}");
        assert!(told.stderr.contains("\nnext:  "), "{told}");
    }
}

#[test]
fn a_repository_file_has_to_name_a_repository() {
    let mut scene = Scene::new();
    scene.unset("LIFEBOAT_REPOSITORY");
    scene.file("where", b"\n");
    scene.set("LIFEBOAT_REPOSITORY_FILE", scene.path("where"));
    let told = scene.expect(2, &["completion", "bash"]);
    assert!(told.stderr.contains("LIFEBOAT_REPOSITORY_FILE"), "{told}");
}

#[test]
fn completions_for_every_shell() {
    let scene = Scene::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let told = scene.expect(0, &["completion", shell]);
        assert!(told.text().contains("lifeboat"), "{shell}");
        let line = &scene.expect(0, &["completion", shell, "--json"]).json_of("result")[0];
        assert_eq!((&line["shell"], &line["script"]), (&shell.into(), &told.text().into()));
    }
}

#[test]
fn man_pages_name_variables_and_codes() {
    let scene = Scene::new();
    let dir = scene.path("man");
    let told = scene.expect(0, &["man".as_ref(), dir.as_os_str(), "--json".as_ref()]);
    let pages_count = std::fs::read_dir(&dir).unwrap().count();
    assert_eq!(told.json_of("result")[0]["pages_count"], pages_count);
    let page = std::fs::read_to_string(dir.join("lifeboat.1")).unwrap();
    for word in ["LIFEBOAT_REPOSITORY_FILE", "EXIT STATUS", "wrong passphrase", "repo"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(dir.join("lifeboat-man.1").exists());
    assert_eq!(scene.run(&["man", "/dev/null/man"]).code, Some(1));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_output_is_a_failure_and_a_closed_one_is_not() {
    let scene = Scene::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = scene.command(&["completion", "bash"]).stdout(full).stderr(Stdio::null()).status();
    assert_eq!(status.unwrap().code(), Some(1));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = scene.command(&["completion", "bash"]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}
