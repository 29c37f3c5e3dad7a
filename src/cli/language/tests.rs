use std::path::Path;
use std::path::PathBuf;

use super::*;
use crate::cli::language::said::Tell;
use crate::cli::language::table::TABLES;
use crate::cli::language::table::backup;
use crate::cli::language::table::problems;
use crate::cli::language::text::Text;

/// Terms of the glossary: where the English text has the one, the Vietnamese has the other.
const TERMS: &[(&str, &str)] = &[
    ("snapshot", "bản chụp"),
    ("repository", "kho"),
    ("restore", "khôi phục"),
    ("restored", "khôi phục"),
    ("passphrase", "mật khẩu"),
    ("recovery key", "khóa khôi phục"),
    ("share", "mảnh"),
    ("shares", "mảnh"),
    ("dataset", "tập dữ liệu"),
    ("problems", "vấn đề ghi nhận"),
    ("seal", "niêm phong"),
    ("drill", "diễn tập"),
];

/// Words that no Vietnamese text has.
const NEVER: &[&str] = &[
    "thành công",
    "không có lỗi",
    "có lỗi nhỏ",
    "bỏ qua",
    "admin",
    "user",
    "snapshot",
    "backup",
    "vault",
    "chunk",
    "passphrase",
    "OK",
    "fail",
    "phục hồi",
    "sự cố mạng",
];

fn all() -> impl Iterator<Item = (String, Text)> {
    TABLES.iter().flat_map(|(table, texts)| {
        texts.iter().map(move |(name, text)| (format!("{table}::{name}"), *text))
    })
}

/// Those of messages too, which stand in a room below.
fn told() -> impl Iterator<Item = (String, Text)> {
    use crate::report::words;
    let told = crate::notify::words::ALL.iter();
    let told = told.map(|(name, it)| (format!("notify::{name}"), Text::new(it.en, it.vi)));
    let documents = [words::ALL, words::annex::ALL, words::check::ALL].into_iter().flatten();
    let documents =
        documents.map(|(name, it)| (format!("report::{name}"), Text::new(it.en, it.vi)));
    use crate::continuity::words as rules;
    let rules = rules::ALL.iter().chain(rules::title::ALL).chain(rules::programme::ALL);
    let rules = rules.map(|(name, it)| (format!("continuity::{name}"), Text::new(it.en, it.vi)));
    all().chain(told).chain(documents).chain(rules)
}

/// Without what a shell or a program reads: `code`, --options and VARIABLES.
fn prose(text: &str) -> String {
    let mut kept = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 0 {
            let is_prose = |word: &&str| !word.starts_with("--") && !word.contains("LIFEBOAT_");
            kept.push_str(&part.split(' ').filter(is_prose).collect::<Vec<_>>().join(" "));
        }
    }
    kept
}

fn words(text: &str) -> Vec<String> {
    let split = text.split(|c: char| !c.is_alphanumeric());
    split.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

fn has_words(text: &str, term: &str) -> bool {
    let (text, term) = (words(text), words(term));
    text.windows(term.len()).any(|part| part == term)
}

#[test]
fn words_are_those_of_the_glossary() {
    let mut wrong = Vec::new();
    for (name, text) in told() {
        let (en, vi) = (prose(text.words(Language::En)), prose(text.words(Language::Vi)));
        for (term, meant) in TERMS {
            if has_words(&en, term) && !vi.to_lowercase().contains(meant) {
                wrong.push(format!("{name}: `{term}` is `{meant}` here"));
            }
        }
        for never in NEVER.iter().filter(|never| has_words(&vi, never)) {
            wrong.push(format!("{name}: `{never}` is not said in Vietnamese"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn vietnamese_pages_have_the_words_of_the_glossary() {
    use unicode_normalization::UnicodeNormalization;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("doc/vi");
    let pages = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut pages_count = 0;
    let mut wrong = Vec::new();
    for path in pages {
        let page = std::fs::read_to_string(&path).unwrap();
        assert!(page.chars().eq(page.nfc()), "{}", path.display());
        // Blocks of code are every other part.
        let told: String = page.split("```").step_by(2).map(prose).collect();
        for never in NEVER.iter().filter(|never| has_words(&told, never)) {
            wrong.push(format!("{}: `{never}`", path.display()));
        }
        pages_count += 1;
    }
    assert!(wrong.is_empty() && pages_count > 0, "{}", wrong.join("\n"));
}

#[test]
fn a_vietnamese_text_is_composed_and_differs() {
    use unicode_normalization::UnicodeNormalization;
    for (name, text) in all() {
        let (en, vi) = (text.words(Language::En), text.words(Language::Vi));
        assert!(vi.chars().eq(vi.nfc()), "{name}");
        // Whoever has nothing but places, names and marks needs no translation.
        let places = en.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
        let has_words = words(&prose(&places.collect::<Vec<_>>().join(" ")));
        assert!(en != vi || has_words.is_empty(), "{name} is not translated");
    }
}

#[test]
fn values_stand_in_their_places() {
    let said = backup::SAFE.with("id", "{id}");
    assert_eq!(said.told_in(Language::En), "snapshot {id} is safe");
    assert_eq!(said.told_in(Language::Vi), "bản chụp {id} đã được lưu an toàn");
    let nested = backup::FLAGGED.with("done", said).with("count", 1234_u64);
    assert!(nested.told_in(Language::Vi).contains("1.234 mục"), "{nested:?}");
    assert_eq!("as it is".said().told_in(Language::Vi), "as it is");
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("language") {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Words that no room says any more would be translated for nobody.
#[test]
fn what_rooms_say_stands_in_their_source() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    // A text that goes on in the next line is one text.
    let whole = |path: &PathBuf| {
        let source = std::fs::read_to_string(path).unwrap();
        let parts: Vec<&str> = source.split("\\\n").collect();
        let rest = parts.iter().skip(1).map(|part| part.trim_start());
        parts.iter().take(1).copied().chain(rest).collect::<String>()
    };
    let all: Vec<String> = files.iter().map(whole).collect();
    for (name, text) in problems::ROOMS.iter().copied().flatten() {
        let english = text.words(Language::En);
        let between = english.split('{').map(|part| part.split_once('}').map_or(part, |(_, s)| s));
        for words in between {
            let words = words.trim_matches(|c| c == ':' || c == ' ');
            assert!(all.iter().any(|source| source.contains(words)), "{name}: `{words}`");
        }
    }
}

#[test]
fn problems_are_told_as_far_as_they_are_known() {
    let vi = |message: &str| heard::told_in(Language::Vi, message);
    let message = "cannot open: Permission denied (os error 13)";
    assert_eq!(vi(message), "không mở được: không đủ quyền truy cập (os error 13)");
    assert_eq!(heard::told_in(Language::En, message), message);
    assert_eq!(vi("something new"), "something new");
    let denied = std::io::Error::from_raw_os_error(13).to_string();
    assert_ne!(vi(&denied), denied);
    assert_eq!(vi("cannot open: permission denied"), "không mở được: không đủ quyền truy cập");
    let length = "it has 1234 bytes, 99 are expected";
    assert_eq!(vi(length), "dài 1.234 byte, lẽ ra phải dài 99 byte");
    let nested = "the content of `a {rest}` is lost at byte 7: object ab: it is missing";
    let told = "nội dung của `a {rest}` bị mất tại byte 7: khối dữ liệu ab: bị thiếu";
    assert_eq!(vi(nested), told);
    let old = "program `pg_dump`: it is of version 14, the server of version 15: a dump takes a \
               program that is not older";
    let told = "chương trình `pg_dump`: thuộc phiên bản 14, còn máy chủ thuộc phiên bản 15: muốn \
                kết xuất thì chương trình không được cũ hơn máy chủ";
    assert_eq!(vi(old), told);
    let said = "command `pg_dump cases`: exit code 1: pg_dump: error: no";
    assert_eq!(vi(said), "lệnh `pg_dump cases`: mã kết thúc 1: pg_dump: error: no");
    let cut = "command `x`: it does not end as such a file does: it may be cut off";
    assert!(vi(cut).ends_with("có thể bị cụt"), "{}", vi(cut));
    let place = "server db:5433: it has no database `a: b` that this user may open";
    assert!(vi(place).starts_with("máy chủ db:5433: không có cơ sở dữ liệu `a: b`"), "{place}");
    // A name that is spelled as words are is told as it is.
    assert_eq!(vi("`missing`: something new"), "`missing`: something new");
    let twin = "a copy of a manifest is bad: x; the other one is good";
    assert!(vi(twin).ends_with("(x); bản kia nguyên vẹn"), "{}", vi(twin));
}

/// What stands between the parenthesis at `at` and its partner.
fn arguments(code: &str, at: usize) -> &str {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut before = ' ';
    for (offset, c) in code[at..].char_indices() {
        match c {
            '"' if before != '\\' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &code[at..at + offset];
        }
        before = c;
    }
    &code[at..]
}

/// Two words or more, places not counted.
fn is_sentence(text: &str) -> bool {
    let outside = text.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    let outside = outside.collect::<Vec<_>>().join(" ");
    let is_word = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() > 1;
    outside.split_whitespace().filter(is_word).count() > 1
}

/// Sentences that are told and stand in no table.
fn untold(code: &str) -> Vec<String> {
    let product = code.split("#[cfg(test)]").next().unwrap_or_default();
    let calls = [
        "Failure::new(",
        "Failure::usage(",
        ".meaning(",
        "output.note(",
        "output.warn(",
        "output.result(",
        "output.report(",
        "output.plan(",
        "context.problem(",
    ];
    let mut found = Vec::new();
    for call in calls {
        for (at, _) in product.match_indices(call) {
            let arguments = arguments(product, at + call.len() - 1);
            let texts = arguments.split('"').skip(1).step_by(2);
            found.extend(texts.filter(|text| is_sentence(text)).map(str::to_owned));
        }
    }
    found
}

#[test]
fn what_is_told_stands_in_the_table() {
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    for path in files.iter().filter(|path| !path.ends_with("tests.rs")) {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let found = untold(&std::fs::read_to_string(path).unwrap());
        wrong.extend(found.into_iter().map(|text| format!("{name}: \"{text}\"")));
    }
    let table = "put it into src/cli/language/table, in both languages";
    assert!(wrong.is_empty(), "{table}:\n{}", wrong.join("\n"));
    let planted = "Failure::usage(texts::A.with(\"path\", x), \"do ( this\")\n\
                   output.report(\"x\", &y, || format!(\"{a} words {b} here\"))";
    assert_eq!(untold(planted), ["do ( this", "{a} words {b} here"]);
}
