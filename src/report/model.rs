//! What a document says, before it is known whether it becomes paper or a page of the web.

use crate::report::Language;

/// A part of a paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    Plain(String),
    Strong(String),
    /// Dots to the end of the line, to write on.
    Blank,
    Break,
}

impl Span {
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Plain(text.into())
    }

    pub fn strong(text: impl Into<String>) -> Self {
        Self::Strong(text.into())
    }
}

/// A table with its heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub head: String,
    /// Of the table's width, in thousandths.
    pub share: u16,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Left,
    Centre,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub text: String,
    pub tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Strong,
}

impl Cell {
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    pub fn strong(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Strong }
    }
}

impl Column {
    #[must_use]
    pub fn left(head: &str, share: u16) -> Self {
        Self { head: head.to_owned(), share, place: Place::Left }
    }

    #[must_use]
    pub fn centre(head: &str, share: u16) -> Self {
        Self { head: head.to_owned(), share, place: Place::Centre }
    }
}

/// What stands below each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Paragraph(Vec<Span>),
    /// A title within an annex.
    Title(String),
    Table(Table),
    /// A code for telephones, and what is said beside it.
    Code {
        content: String,
        beside: String,
    },
}

impl Block {
    #[must_use]
    pub fn text(text: String) -> Self {
        Self::Paragraph(vec![Span::Plain(text)])
    }
}

/// The two columns on top, and what stands below them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub superior: String,
    pub office: String,
    pub number: String,
    pub nation: String,
    pub motto: String,
    /// Place and date, of documents that have them.
    pub dated: Option<String>,
    pub kind: String,
    pub subject: String,
    /// To whom it is written.
    pub address: Option<String>,
}

/// Who signs on one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub role: String,
    pub note: String,
    pub name: String,
}

/// Who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signatures {
    /// The secretary on the left, the chair on the right; recipients below.
    Two(Box<[Signature; 2]>),
    /// On the right, beside the recipients.
    One(Signature),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annex {
    /// `Phụ lục I`.
    pub number: String,
    pub title: String,
    pub of: String,
    pub blocks: Vec<Block>,
}

/// A whole document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub language: Language,
    pub title: String,
    pub made: crate::units::Timestamp,
    pub head: Head,
    pub blocks: Vec<Block>,
    pub signatures: Signatures,
    /// `Nơi nhận`, and to whom it goes.
    pub recipients: (String, Vec<String>),
    pub annexes: Vec<Annex>,
    pub footer: String,
    /// What the letters are, where the form itself has them.
    pub face: String,
    /// In the corner of the first page.
    pub footer_code: Option<String>,
}
