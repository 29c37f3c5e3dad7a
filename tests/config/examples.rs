//! Every file of `config/` resolves, and both languages say the same.

use crate::config::found;
use crate::house;

/// Plans of continuity go with a configuration and have tests of their own.
fn is_plan(path: &str) -> bool {
    path.ends_with("plan.toml")
}

#[test]
fn every_example_resolves() {
    let files: Vec<_> =
        house::files("config", "toml").into_iter().filter(|it| !is_plan(&it.path)).collect();
    assert!(files.len() >= 6, "{} examples", files.len());
    for file in files {
        let found = found(&file.text);
        assert!(found.mistakes.is_empty(), "{}: {:?}", file.path, found.mistakes);
        let config = found.config.expect("a file without a mistake");
        assert!(!config.backups.is_empty() && !config.jobs().is_empty(), "{}", file.path);
        // Good advice warns of nothing but what only time can show, and of a laptop's one disk.
        for warning in &found.warnings {
            let is_laptop = file.path.ends_with("laptop.toml");
            let fits = warning.what.starts_with("untested")
                || is_laptop && warning.what.starts_with("no second location")
                || is_laptop && warning.what.starts_with("in no drill");
            assert!(fits, "{}:{warning}", file.path);
        }
    }
}

#[test]
fn the_document_resolves() {
    let page = house::text("doc/configuration.md");
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let found = found(block.split("```").next().unwrap());
        assert!(found.mistakes.is_empty(), "{:?}", found.mistakes);
    }
}

#[test]
fn both_languages_have_the_same_values() {
    for file in house::files("config", "toml") {
        let Some(name) = file.path.strip_prefix("config/vi/").filter(|name| !is_plan(name)) else {
            continue;
        };
        let english = house::text(&format!("config/{name}"));
        let config = |text: &str| found(text).config.unwrap();
        let (mut one, mut two) = (config(&english), config(&file.text));
        for config in [&mut one, &mut two] {
            config.language = lifeboat::config::Language::En;
            for drill in &mut config.drills {
                drill.report = None;
                drill.at = 0;
            }
            config.backups.iter_mut().for_each(|backup| backup.at = 0);
            config.copies.iter_mut().for_each(|copy| copy.at = 0);
            for report in &mut config.reports {
                report.languages.clear();
                report.at = 0;
            }
        }
        assert_eq!(one, two, "{name}");
    }
}
