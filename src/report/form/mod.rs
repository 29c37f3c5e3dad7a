//! What becomes of a document: pages of paper, a page of the web, a file to work on.

pub mod paper;
pub mod web;
pub mod word;

/// Whether a letter would steer a page or the direction of others, or is none that XML may have:
/// it is written as its number.
fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{fffe}' | '\u{ffff}')
}
