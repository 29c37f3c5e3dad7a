//! What rooms and systems say in English, in the reader's language as far as the table has it.

use crate::cli::language::Language;
use crate::cli::language::table::problems;
use crate::cli::language::text::Text;

/// The message in the reader's language; what the table does not have is told as it is.
#[must_use]
pub fn told_in(language: Language, message: &str) -> String {
    if language == Language::En {
        return message.to_owned();
    }
    let rows = problems::ALL.iter().chain(problems::system::ALL);
    let mut matching = rows.filter_map(|(_, text)| Some((text, rest(text, message)?)));
    match matching.next() {
        None => message.to_owned(),
        Some((text, "")) => text.words(language).to_owned(),
        Some((text, rest)) => {
            let rest = told_in(language, rest);
            text.words(language).replace("{rest}", &rest)
        }
    }
}

/// What stands in the place at a text's end; empty for a text without one.
fn rest<'m>(text: &Text, message: &'m str) -> Option<&'m str> {
    let english = text.words(Language::En);
    match english.strip_suffix("{rest}") {
        Some(start) => message.strip_prefix(start).filter(|rest| !rest.is_empty()),
        None => (english == message).then_some(""),
    }
}
