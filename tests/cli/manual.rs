//! Completions and manual pages, as a shell and a reader of manuals take them.

use std::path::Path;
use std::process::Command;

use super::scene::Scene;

const VERBS: [&str; 19] = [
    "config",
    "schedule",
    "quickstart",
    "init",
    "backup",
    "snapshots",
    "ls",
    "find",
    "diff",
    "stats",
    "tag",
    "cat",
    "restore",
    "dump",
    "check",
    "copy",
    "key",
    "completion",
    "man",
];

#[test]
fn completions_for_every_shell_know_every_verb_and_option() {
    let scene = Scene::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let text = scene.expect(0, &["completion", shell]).text();
        for word in VERBS.iter().chain(&["recovery", "files-from0", "allow", "last-line", "lang"]) {
            assert!(text.contains(word), "{shell}: {word}");
        }
        let line = &scene.expect(0, &["completion", shell, "--json"]).json_of("result")[0];
        assert_eq!((&line["shell"], &line["script"]), (&shell.into(), &text.into()));
    }
}

/// What bash offers behind these words.
fn offered(scene: &Scene, script: &Path, words: &[&str]) -> Vec<String> {
    let code = r#"source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _lifeboat lifeboat "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let output = Command::new("bash")
        .args(["--norc", "-c", code, "bash"])
        .arg(script)
        .args(words)
        .current_dir(scene.path("source"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_loads_its_completions_and_offers_what_there_is() {
    let scene = Scene::new();
    scene.file("completions", &scene.expect(0, &["completion", "bash"]).stdout);
    let script = scene.path("completions");
    let offered = |words: &[&str]| offered(&scene, &script, words);
    assert_eq!(offered(&["lifeboat", "rest"]), ["restore"]);
    let verbs = offered(&["lifeboat", ""]);
    for verb in VERBS {
        assert!(verbs.iter().any(|offered| offered == verb), "{verb}: {verbs:?}");
    }
    let options = offered(&["lifeboat", "backup", "--exclude-"]);
    assert!(options.contains(&"--exclude-caches".to_owned()), "{options:?}");
    assert_eq!(offered(&["lifeboat", "key", "recovery", "cr"]), ["create"]);
    assert_eq!(offered(&["lifeboat", "restore", "x", "--overwrite", "if-n"]), ["if-newer"]);
}

#[test]
fn every_verb_has_a_page_that_reads_without_a_warning() {
    let scene = Scene::new();
    let dir = scene.path("man");
    let told = scene.expect(0, &["man".as_ref(), dir.as_os_str(), "--json".as_ref()]);
    let pages: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(told.json_of("result")[0]["pages_count"], pages.len());
    for verb in VERBS.iter().chain(&["key-agent", "key-recovery", "key-recovery-create"]) {
        assert!(dir.join(format!("lifeboat-{verb}.1")).exists(), "{verb}");
    }
    for page in pages {
        let output = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww", "-rLL=100n", "-P-cbu"])
            .arg(&page)
            .output();
        let output = output.expect("groff, which `.ci/run` installs");
        let warnings = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && warnings.is_empty(), "{page:?}: {warnings}");
        let text = String::from_utf8(output.stdout).unwrap();
        for part in ["NAME", "SYNOPSIS", "EXIT STATUS", "wrong passphrase or key", "ENVIRONMENT"] {
            assert!(text.contains(part), "{page:?}: {part}");
        }
    }
    let page = std::fs::read_to_string(dir.join("lifeboat.1")).unwrap();
    for word in ["LIFEBOAT_REPOSITORY_FILE", "LIFEBOAT_CONFIG", "NO_COLOR", "AWS_", "repo"] {
        assert!(page.contains(word), "{word}");
    }
    assert_eq!(scene.run(&["man", "/dev/null/man"]).code, Some(1));
}
