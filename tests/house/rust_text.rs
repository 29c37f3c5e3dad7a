//! Rust source as the house tests see it: without comments, strings and test code.

/// The same lines with comments, strings and character literals blanked.
pub fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skipped_until(&chars, at);
        if end > at {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// Where the comment or literal that starts at `at` ends; `at` if none does.
fn skipped_until(chars: &[char], at: usize) -> usize {
    let next = |n: usize| chars.get(at + n).copied().unwrap_or(' ');
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if next(1) == '/' => line_end(chars, at),
        '/' if next(1) == '*' => block_end(chars, at),
        '"' => string_end(chars, at + 1),
        '\'' => char_end(chars, at),
        'r' if !in_word => raw_end(chars, at, 1),
        'b' if !in_word && next(1) == 'r' => raw_end(chars, at, 2),
        _ => at,
    }
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| at + n)
}

fn block_end(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    chars.len()
}

fn string_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// A character literal ends with a quote; a lifetime does not.
fn char_end(chars: &[char], at: usize) -> usize {
    let get = |n: usize| chars.get(at + n).copied().unwrap_or(' ');
    if get(1) == '\\' {
        let close = chars[at + 3..].iter().position(|c| *c == '\'');
        return close.map_or(chars.len(), |n| at + 3 + n + 1);
    }
    if get(2) == '\'' { at + 3 } else { at }
}

/// `r"..."`, `r#"..."#`; `at` if it is no raw string.
fn raw_end(chars: &[char], at: usize, prefix: usize) -> usize {
    let mut open = at + prefix;
    while chars.get(open) == Some(&'#') {
        open += 1;
    }
    if chars.get(open) != Some(&'"') {
        return at;
    }
    let hashes = open - at - prefix;
    let mut end = open + 1;
    while end < chars.len() {
        let closes = chars[end] == '"'
            && end + hashes < chars.len()
            && chars[end + 1..=end + hashes].iter().all(|c| *c == '#');
        if closes {
            return end + hashes + 1;
        }
        end += 1;
    }
    chars.len()
}

/// Code whose items under `#[cfg(test)]` are blanked too.
pub fn code_without_tests(text: &str) -> String {
    let mut out = code(text);
    while let Some(start) = out.find("#[cfg(test)]") {
        let rest = &out[start..];
        let semicolon = rest.find(';').unwrap_or(rest.len());
        let brace = rest.find('{').unwrap_or(rest.len());
        let end = if semicolon < brace { semicolon + 1 } else { block_len(rest, brace) };
        let blank: String =
            rest[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..start + end, &blank);
    }
    out
}

fn block_len(text: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// A place where a word stands, and the path that follows it, such as `crate::run::Run`.
pub struct PathUse {
    pub line: usize,
    pub segments: Vec<String>,
}

/// Every path that begins with `first` followed by `::`.
pub fn paths(code: &str, first: &str) -> Vec<PathUse> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        for (at, _) in line.match_indices(&format!("{first}::")) {
            let before = line[..at].chars().next_back().unwrap_or(' ');
            // `pub(in crate::room)` grants, it does not name.
            let scope = line[..at].ends_with("(in ");
            if scope || before.is_alphanumeric() || before == '_' || before == ':' {
                continue;
            }
            let path: String = line[at..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':')
                .collect();
            let segments = path.split("::").skip(1).map(str::to_owned).collect();
            found.push(PathUse { line: index + 1, segments });
        }
    }
    found
}

#[test]
fn comments_strings_and_tests_are_no_code() {
    let text = "let a = \"crate::no\"; // crate::no\n\
                let b = 'x'; /* crate::no /* */ */ crate::yes;\n\
                let c = r#\"crate::no \"\"#; fn f<'a>(x: &'a str) {} let d = '\\'';\n\
                #[cfg(test)]\nmod tests { use crate::no; fn g() { {} } }\ncrate::also::Yes";
    let code = code_without_tests(text);
    assert_eq!(code.lines().count(), text.lines().count());
    assert!(!code.contains("no"), "{code}");
    let found: Vec<_> = paths(&code, "crate").iter().map(|p| p.segments.join("::")).collect();
    assert_eq!(found, ["yes", "also::Yes"]);
    assert!(code.contains("fn f<'a>(x: &'a str)"));
}
