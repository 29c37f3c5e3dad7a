//! Documents on paper: pages of text, tables, lines and codes, as PDF.
//!
//! What it is: a page that is filled from top to bottom, fonts that hold Vietnamese, and the PDF of
//! both. Pages are those of Vietnamese offices: A4, wide on the left for the file, a serif of 13 or
//! 14 points.
//! Never: reads a clock or a file; knows what the text is about; draws over the page's edge or
//! leaves out what does not fit.
//! Invariants: the same content gives the same bytes; every letter is in an embedded font, and what
//! a font does not have is written as its number; text is composed (NFC), so marks stand on
//! letters.
//! Start reading at: [`page::Page`], then [`flow::Flow`] over many pages, and [`pdf::write`].

pub mod code;
pub mod flow;
pub mod font;
pub mod page;
pub mod pdf;
pub mod table;
#[cfg(test)]
mod tests;
