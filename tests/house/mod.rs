//! What the house tests share: finding source files and looking at Rust text.

pub mod rust_text;

use std::path::Path;
use std::path::PathBuf;

/// One file of the project.
pub struct SourceFile {
    /// Relative to the project's root, with `/`.
    pub path: String,
    pub text: String,
}

/// The project's root folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the project as text.
pub fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every file with the extension under a folder, sorted by path.
pub fn files(folder: &str, extension: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    let mut waiting = vec![root().join(folder)];
    while let Some(dir) = waiting.pop() {
        let Ok(rows) = std::fs::read_dir(&dir) else { continue };
        for row in rows {
            let path = row.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found.iter().map(PathBuf::as_path).map(read).collect()
}

fn read(path: &Path) -> SourceFile {
    let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
    SourceFile { text: text(&name), path: name }
}

/// Fails with every finding, one a line.
pub fn none(what: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{what}: {}\n{}", findings.len(), findings.join("\n"));
}
