//! Who names whom, read from the source.

use crate::house;
use crate::house::rust_text;

/// One module names another.
pub struct Edge {
    pub file: String,
    pub line: usize,
    pub from: String,
    pub to: String,
}

/// The module of a file under `src`: `src/crypto/mod.rs` is `crypto`.
pub fn module_of(file: &str) -> String {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    path.trim_end_matches("/mod").replace('/', "::")
}

fn is_test_code(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// Every edge of the project outside test code.
pub fn all() -> Vec<Edge> {
    let files = house::files("src", "rs");
    files.iter().flat_map(|file| of(&file.path, &file.text)).collect()
}

/// The edges of one file.
pub fn of(file: &str, text: &str) -> Vec<Edge> {
    let module = module_of(file);
    // The crate's root names every room by declaring it.
    if is_test_code(file) || module == "lib" {
        return Vec::new();
    }
    let code = rust_text::code_without_tests(text);
    let is_program = module.split("::").next() == Some("main");
    let root = if is_program { "lifeboat" } else { "crate" };
    let parent = module.rsplit_once("::").map_or(String::new(), |(parent, _)| parent.to_owned());
    let mut edges = Vec::new();
    for (first, base) in [(root, ""), ("super", parent.as_str())] {
        for path in rust_text::paths(&code, first) {
            let mut to: Vec<&str> = base.split("::").filter(|part| !part.is_empty()).collect();
            to.extend(path.segments.iter().map(String::as_str));
            let edge = Edge {
                file: file.to_owned(),
                line: path.line,
                from: module.clone(),
                to: to.join("::"),
            };
            edges.push(edge);
        }
    }
    edges
}

#[test]
fn modules_have_the_names_that_rust_gives_them() {
    assert_eq!(module_of("src/crypto/mod.rs"), "crypto");
    assert_eq!(module_of("src/crypto/sealed/mod.rs"), "crypto::sealed");
    assert_eq!(module_of("src/run/monitor.rs"), "run::monitor");
    assert_eq!(module_of("src/ids.rs"), "ids");
}
