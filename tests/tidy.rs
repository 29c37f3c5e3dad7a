//! What reviewers tire of: budgets, notes, names, links. Exceptions stand here with their reasons;
//! the lists should only shrink.

mod documents;
mod exceptions;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::house;
use crate::house::SourceFile;
use crate::house::none;
use crate::house::rust_text;

/// Lines of a source file, not counting its `#[cfg(test)]` items.
const FILE_LINES_MAX: usize = 500;
const LINE_CHARS_MAX: usize = 100;
const FOLDER_FILES_MAX: usize = 12;
const NOTE_LINES_MAX: usize = 30;
const NOTE_HEADS: [&str; 4] = ["What it is:", "Never:", "Invariants:", "Start reading at:"];

fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/")
}

fn all_rust() -> Vec<SourceFile> {
    ["src", "tests", "benches"].iter().flat_map(|folder| house::files(folder, "rs")).collect()
}

/// Lines that are not part of test items.
fn product_lines(text: &str) -> usize {
    let kept = rust_text::code_without_tests(text);
    let all = rust_text::code(text);
    // A line of a test item has code in the one text and none in the other.
    let gone = kept.lines().zip(all.lines()).filter(|(k, a)| k.trim() != a.trim()).count();
    text.lines().count() - gone
}

#[test]
fn files_and_lines_are_within_budget() {
    let mut found = Vec::new();
    for file in all_rust() {
        let count = product_lines(&file.text);
        if count > FILE_LINES_MAX {
            found.push(format!("{}: {count} lines, at most {FILE_LINES_MAX}", file.path));
        }
        for (index, line) in file.text.lines().enumerate() {
            let chars = line.chars().count();
            if chars > LINE_CHARS_MAX {
                found.push(format!("{}:{}: {chars} characters", file.path, index + 1));
            }
        }
    }
    none("over budget", &found);
}

#[test]
fn rooms_have_few_files() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for file in house::files("src", "rs").iter().filter(|file| !is_test_file(&file.path)) {
        let folder = file.path.rsplit_once('/').expect("a file under src").0;
        *counts.entry(folder.to_owned()).or_default() += 1;
    }
    let mut found = Vec::new();
    for (folder, count) in counts {
        let max = exceptions::folder_files_max(&folder).unwrap_or(FOLDER_FILES_MAX);
        if count > max {
            found.push(format!("{folder}: {count} files, at most {max}: make a sub-room"));
        }
    }
    none("crowded folders", &found);
}

/// The `//!` lines at the top of a file.
fn note(text: &str) -> Vec<&str> {
    text.lines().take_while(|line| line.starts_with("//!")).collect()
}

/// `src/room.rs` and `src/room/mod.rs`, but not the crate's roots.
fn is_room(path: &str) -> bool {
    let inner = path.trim_start_matches("src/");
    let top = !inner.contains('/') && inner != "lib.rs" && inner != "main.rs";
    top || (inner.ends_with("/mod.rs") && inner.matches('/').count() == 1)
}

fn note_findings(path: &str, text: &str) -> Vec<String> {
    let note = note(text);
    let mut found = Vec::new();
    if note.len() > NOTE_LINES_MAX {
        found.push(format!("{path}: a note of {} lines, at most {NOTE_LINES_MAX}", note.len()));
    }
    for head in NOTE_HEADS {
        if !note.iter().any(|line| line.starts_with(&format!("//! {head}"))) {
            found.push(format!("{path}: the note lacks `{head}`"));
        }
    }
    found
}

#[test]
fn rooms_open_with_a_note_of_four_heads() {
    let mut found = Vec::new();
    for file in house::files("src", "rs").iter().filter(|file| is_room(&file.path)) {
        // A room without any code holds a place and is no room yet.
        let to_come = exceptions::NOTES_TO_COME.contains(&file.path.as_str());
        if !to_come && !rust_text::code(&file.text).trim().is_empty() {
            found.extend(note_findings(&file.path, &file.text));
        }
    }
    none("notes", &found);
    let planted =
        "//! A room.\n//!\n//! What it is: one.\n//! Never: two.\n//! Invariants: three.\n";
    assert_eq!(
        note_findings("src/x.rs", planted),
        ["src/x.rs: the note lacks `Start reading at:`"]
    );
}

/// Imports that hide where a name comes from. Test modules may take all of what they test.
fn imports(path: &str, code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let import = line.trim_start();
        if import.starts_with("pub use ") {
            found.push(format!("{path}:{}: a re-export", index + 1));
        }
        if import.starts_with("use ") && (line.contains('{') || line.contains("::*")) {
            found.push(format!("{path}:{}: one import a line, by name", index + 1));
        }
    }
    found
}

/// What stands in code and should not.
fn habits(file: &SourceFile) -> Vec<String> {
    let code = rust_text::code(&file.text);
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        for word in ["crate::{", "super::super", "dbg!", "todo!", "unimplemented!"] {
            if line.contains(word) {
                found.push(format!("{}:{}: `{word}`", file.path, index + 1));
            }
        }
    }
    if !is_test_file(&file.path) {
        found.extend(imports(&file.path, &rust_text::code_without_tests(&file.text)));
    }
    for (index, line) in file.text.lines().enumerate() {
        let comment = line.split_once("//").map_or("", |(_, comment)| comment);
        for word in ["TO\x44O", "FIX\x4dE"] {
            if comment.contains(word) && !comment.contains("issue") {
                found.push(format!("{}:{}: `{word}` without an issue", file.path, index + 1));
            }
        }
    }
    found
}

#[test]
fn habits_are_kept() {
    let found: Vec<String> = all_rust().iter().flat_map(habits).collect();
    none("habits", &found);
    let text =
        "use crate::{a, b};\npub use x::Y;\nfn f() { dbg!(1) } // TO\x44O: later\nuse x::*;\n";
    let planted = SourceFile { path: "src/x.rs".to_owned(), text: text.to_owned() };
    assert_eq!(habits(&planted).len(), 6, "{:?}", habits(&planted));
}

/// Lints lifted in a file: the names in `#[expect(..)]` and `#[allow(..)]`.
fn lifted(text: &str) -> BTreeSet<String> {
    let code = rust_text::code_without_tests(text);
    let mut found = BTreeSet::new();
    for word in ["[expect(", "[allow("] {
        for (at, _) in code.match_indices(word) {
            let body = code[at + word.len()..].split(')').next().unwrap_or("");
            let names = body.split(',').map(str::trim);
            let names = names.filter(|name| !name.is_empty() && !name.starts_with("reason"));
            found.extend(names.map(str::to_owned));
        }
    }
    found
}

#[test]
fn lints_are_lifted_only_where_listed() {
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for file in house::files("src", "rs").iter().filter(|file| !is_test_file(&file.path)) {
        for lint in lifted(&file.text) {
            if exceptions::LIFTS.iter().any(|(path, name, _)| *path == file.path && *name == lint) {
                used.insert((file.path.clone(), lint));
            } else {
                found.push(format!("{}: `{lint}` is lifted and not listed", file.path));
            }
        }
    }
    for (path, lint, reason) in exceptions::LIFTS {
        assert!(!reason.is_empty(), "{path}: `{lint}` without a reason");
        if !used.contains(&((*path).to_owned(), (*lint).to_owned())) {
            found.push(format!("{path}: `{lint}` is listed and no longer lifted"));
        }
    }
    none("lifted lints", &found);
}

#[test]
fn lints_are_denied_with_our_thresholds() {
    let clippy = house::text("clippy.toml");
    for line in [
        "too-many-arguments-threshold = 5",
        "too-many-lines-threshold = 70",
        "max-fn-params-bools = 0",
        "max-struct-bools = 2",
    ] {
        assert!(clippy.lines().any(|found| found == line), "clippy.toml lacks `{line}`");
    }
    let manifest = house::text("Cargo.toml");
    let lints = manifest.split_once("[lints.rust]").expect("[lints.rust]").1;
    for name in ["unsafe_code", "unwrap_used", "expect_used", "panic", "disallowed_methods"] {
        assert!(lints.contains(&format!("{name} = \"deny\"")), "`{name}` is not denied");
    }
}

/// Files named by `mod x;` from a file on, itself included.
fn reachable(path: &str, into: &mut BTreeSet<String>) {
    let Ok(text) = std::fs::read_to_string(house::root().join(path)) else { return };
    into.insert(path.to_owned());
    let (folder, name) = path.rsplit_once('/').expect("a path with a folder");
    let stem = name.trim_end_matches(".rs");
    let base = match stem {
        "mod" | "main" | "lib" => folder.to_owned(),
        _ => format!("{folder}/{stem}"),
    };
    for line in rust_text::code(&text).lines() {
        let line = line.trim().trim_start_matches("pub ");
        if let Some(child) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            reachable(&format!("{base}/{child}.rs"), into);
            reachable(&format!("{base}/{child}/mod.rs"), into);
        }
    }
}

#[test]
fn every_rust_file_is_reachable() {
    let mut seen = BTreeSet::new();
    for root in ["src/lib.rs", "src/main.rs", "src/main/verify.rs", "tests/main.rs"] {
        reachable(root, &mut seen);
    }
    let lost = |file: &SourceFile| !seen.contains(&file.path);
    let files = ["src", "tests"].iter().flat_map(|folder| house::files(folder, "rs"));
    let found: Vec<String> = files.filter(lost).map(|file| file.path).collect();
    none("files that no `mod` names", &found);
}
