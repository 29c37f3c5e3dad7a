//! Sheets of the recovery key as PDF, looked at with other people's programs.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::scene::Scene;

/// What a program prints; each stands in the list of `.ci/run`.
pub fn printed(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e}; `.ci/run` installs it"));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {args:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

fn numbered_words(text: &str) -> Vec<String> {
    let mut words: Vec<(usize, String)> = Vec::new();
    let parts: Vec<&str> = text.split_whitespace().collect();
    for pair in parts.windows(2) {
        let number = pair[0].strip_suffix('.').and_then(|number| number.parse().ok());
        let is_word = pair[1].bytes().all(|c| c.is_ascii_lowercase());
        if let (Some(number), true) = (number, is_word) {
            words.push((number, pair[1].to_owned()));
        }
    }
    words.sort_unstable();
    words.into_iter().map(|(_, word)| word).collect()
}

fn made(language: &str) -> (Scene, String) {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    let file = scene.path("sheets.pdf").to_str().unwrap().to_owned();
    let args = ["key", "recovery", "create", "--shares", "2/3", "--pdf", &file];
    let told = scene.expect(0, &[&args[..], &["--lang", language]].concat());
    assert!(!told.text().contains("1. "), "nothing secret goes to the terminal: {told}");
    (scene, file)
}

#[test]
fn every_page_holds_one_share_as_words_and_as_a_code() {
    for language in ["en", "vi"] {
        let (mut scene, file) = made(language);
        let mode = Path::new(&file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let about = printed("pdfinfo", &[&file]);
        let line = |name: &str| about.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line("Pages:").ends_with(" 3") && line("Page size:").contains("A4"), "{about}");
        let fonts = printed("pdffonts", &[&file]);
        let rows: Vec<&str> = fonts.lines().skip(2).collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.contains("yes yes yes")), "{fonts}");
        let mut shares = Vec::new();
        for page in ["1", "2", "3"] {
            let text = printed("pdftotext", &["-layout", "-f", page, "-l", page, &file, "-"]);
            let words = numbered_words(&text);
            assert_eq!(words.len(), 40, "{text}");
            let image = scene.path(format!("page-{page}")).to_str().unwrap().to_owned();
            let range = ["-f", page, "-l", page, "-r", "150", "-png", "-singlefile"];
            printed("pdftoppm", &[&range[..], &[&file, &image]].concat());
            let code = printed("zbarimg", &["-q", "--raw", &format!("{image}.png")]);
            assert_eq!(code.trim().to_lowercase(), words.join(" "));
            scene.file(format!("share-{page}"), words.join(" ").as_bytes());
            shares.push(scene.path(format!("share-{page}")).to_str().unwrap().to_owned());
            let wanted = match language {
                "vi" => ["KHÓA KHÔI PHỤC", "Người giữ", "Số niêm phong", "diễn tập"],
                _ => ["RECOVERY KEY", "Holder", "Number of the seal", "drill"],
            };
            assert!(wanted.iter().all(|part| text.contains(part)), "{text}");
        }
        let typed: Vec<&str> = shares[1..].iter().flat_map(|it| ["--share-file", it]).collect();
        scene.unset("LIFEBOAT_PASSWORD");
        scene.expect(0, &[&["key", "recovery", "check"], &typed[..]].concat());
    }
}

#[test]
fn a_file_that_is_there_stays_and_a_failure_leaves_none() {
    let (scene, file) = made("en");
    let before = std::fs::read(&file).unwrap();
    let args = ["key", "recovery", "create", "--pdf", &file];
    let told = scene.expect(1, &args);
    assert!(told.stderr.contains("sheets.pdf"), "{told}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let missing = scene.path("nowhere/sheets.pdf").to_str().unwrap().to_owned();
    scene.expect(1, &["key", "recovery", "create", "--pdf", &missing]);
    scene.expect(2, &["init", "--pdf", &missing]);
    let told = scene.expect(1, &["key", "recovery", "create", "--pdf", "/dev/stdout"]);
    assert!(told.stdout.is_empty(), "{told}");
}
