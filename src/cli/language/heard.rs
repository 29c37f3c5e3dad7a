//! What rooms and systems say in English, in the reader's language as far as the table has it.

use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::problems;
use crate::cli::language::text::Text;
use crate::cli::language::value::Value;

/// What a system adds to its words.
const NUMBER: &str = " (os error ";

/// The message in the reader's language; what the table does not have is told as it is.
#[must_use]
pub fn told_in(language: Language, message: &str) -> String {
    if language == Language::En {
        return message.to_owned();
    }
    let rows = problems::ROOMS.iter().chain(&[problems::system::ALL]).copied().flatten();
    let fitting = rows.filter_map(|(_, text)| Some((words_len(text), said(text, message)?)));
    // The row that says most: others may take its words for what stands in their places.
    match fitting.max_by_key(|(len, _)| *len) {
        Some((_, said)) => said.told_in(language),
        None => without_number(language, message).unwrap_or_else(|| message.to_owned()),
    }
}

/// The row with what stands in its places; `None` if the message is another one.
fn said(text: &Text, message: &str) -> Option<Said> {
    let mut said = Said::from(*text);
    let (mut pattern, mut left) = (text.words(Language::En), message);
    while let Some((before, after)) = pattern.split_once('{') {
        left = left.strip_prefix(before)?;
        let (place, behind) = after.split_once('}')?;
        let literal = behind.split('{').next().unwrap_or_default();
        let end = match literal {
            "" => left.len(),
            // The last words stand at the end, whatever stands in the place.
            _ if literal.len() == behind.len() => left.len().checked_sub(literal.len())?,
            _ => left.find(literal)?,
        };
        let found = left.get(..end).filter(|found| !found.is_empty())?;
        said = said.with(place, value(place, found));
        (pattern, left) = (behind, left.get(end..)?);
    }
    (pattern == left).then_some(said)
}

/// Letters of a row that stand outside of its places.
fn words_len(text: &Text) -> usize {
    let parts = text.words(Language::En).split('{');
    parts.map(|part| part.split_once('}').map_or(part, |(_, words)| words).len()).sum()
}

fn value(place: &str, found: &str) -> Value {
    match (place, found.parse::<u64>()) {
        ("rest", _) => Said::heard(found).into(),
        ("count" | "bytes" | "wanted", Ok(count)) => Value::Count(count),
        _ => Value::Text(found.to_owned()),
    }
}

/// Rooms leave out a system's number and its capital letter.
fn without_number(language: Language, message: &str) -> Option<String> {
    problems::system::ALL.iter().find_map(|(_, text)| {
        let (english, _) = text.words(Language::En).split_once(NUMBER)?;
        let is_it = english.eq_ignore_ascii_case(message);
        is_it.then(|| text.words(language).split(NUMBER).next().unwrap_or_default().to_owned())
    })
}
