//! The recovery runbook on paper: booklets that somebody under stress can follow.

#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

use crate::document::flow::Column;
use crate::document::flow::Entry;
use crate::document::flow::Flow;
use crate::document::flow::Frame;
use crate::document::flow::Lines;
use crate::document::flow::Piece;
use crate::document::flow::Setting;
use crate::document::font::Fonts;
use crate::document::font::Style;
use crate::document::page::DocumentError;
use crate::document::page::Margins;
use crate::document::page::Page;
use crate::document::page::count;
use crate::document::pdf;
use crate::document::pdf::About;
use crate::document::table;
use crate::report::Language;
use crate::units::Timestamp;

/// A page is read at arm's length.
const TITLE: Style = Style::bold(22.0);
const LEAD: Style = Style::regular(14.0).slanted();
const STEP: Style = Style::bold(17.0);
const TEXT: Style = Style::regular(14.0);
const CELL: Style = Style::regular(12.5);
const HEAD: Style = Style::bold(12.5);
const COMMAND: Style = Style::typed(11.0);
const NUMBER: Style = Style::regular(13.0);
const FOOTER: Style = Style::regular(9.0);
/// Commands want wide lines.
const MARGINS: Margins = Margins { top_mm: 20.0, bottom_mm: 18.0, left_mm: 20.0, right_mm: 12.0 };
const BETWEEN_PT: f32 = 6.0;
const BEFORE_STEP_PT: f32 = 14.0;
/// What a step's title takes with the beginning of what follows.
const STEP_PT: f32 = 110.0;
/// Of a table's width, in thousandths: what to type, what is seen, what to do else.
const COMMAND_SHARES: [u16; 3] = [560, 190, 250];
/// Letters of a command are smaller where one of its words would not fit a line.
const COMMAND_CHARS: usize = 41;
const COMMAND_PT_MIN: f32 = 6.5;

/// The whole of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runbook {
    pub language: Language,
    pub title: String,
    pub made: Timestamp,
    /// Heads of the table of commands.
    pub heads: [String; 3],
    pub footer: String,
    pub booklets: Vec<Booklet>,
}

/// One scenario; it begins on a page of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booklet {
    pub title: String,
    pub lead: String,
    pub steps: Vec<Step>,
}

/// What is done together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub title: String,
    pub place: Place,
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Here,
    NewPage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(String),
    /// A text, and dots to write on.
    Blank(String),
    Table(Table),
    Commands(Vec<Command>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// With their shares of the width, in thousandths.
    pub heads: Vec<(String, u16)>,
    pub rows: Vec<Vec<String>>,
}

/// What is typed, what is seen then, and what to do if it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub line: String,
    pub expected: String,
    pub otherwise: String,
}

/// The runbook as a PDF.
///
/// # Errors
/// When a page has no room for something that must stay whole.
pub fn pdf(runbook: &Runbook) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
    let fonts = Fonts::new()?;
    let pages = pages(runbook, &fonts)?;
    let language = runbook.language.tag();
    let about = About { title: runbook.title.clone(), language, made: runbook.made };
    pdf::write(&fonts, &pages, &about)
}

/// Its pages.
///
/// # Errors
/// When a page has no room for something that must stay whole.
pub(in crate::report) fn pages<'f>(
    runbook: &Runbook,
    fonts: &'f Fonts,
) -> Result<Vec<Page<'f>>, DocumentError> {
    let frame = Frame {
        margins: MARGINS,
        number: NUMBER,
        footer: runbook.footer.clone(),
        footer_style: FOOTER,
        footer_code: None,
    };
    let mut flow = Flow::new(fonts, frame);
    for (at, booklet) in runbook.booklets.iter().enumerate() {
        if at > 0 {
            flow.section();
        }
        let text = |text: &String, style| Entry::Text { text: text.clone(), style };
        let entries = vec![
            text(&booklet.title, TITLE),
            Entry::Space { pt: BETWEEN_PT },
            text(&booklet.lead, LEAD),
            Entry::Rule { percent: 100 },
        ];
        flow.columns(&[Column { share: 1000, lines: Lines::Centre, entries }])?;
        for step in &booklet.steps {
            put(&mut flow, step, &runbook.heads)?;
        }
    }
    Ok(flow.finish())
}

fn put(flow: &mut Flow<'_>, step: &Step, heads: &[String; 3]) -> Result<(), DocumentError> {
    match step.place {
        // More than a page has free: it is turned.
        Place::NewPage => flow.need(f32::MAX),
        Place::Here => flow.need(STEP_PT),
    }
    let set = |before_pt| Setting { lines: Lines::Left, indent_pt: 0.0, before_pt };
    let piece = |text: &String, style| Piece::Text { text: text.clone(), style };
    flow.paragraph(&[piece(&step.title, STEP)], &set(BEFORE_STEP_PT))?;
    for part in &step.parts {
        match part {
            Part::Text(text) => flow.paragraph(&[piece(text, TEXT)], &set(BETWEEN_PT))?,
            Part::Blank(text) => {
                flow.paragraph(&[piece(text, TEXT), Piece::Blank], &set(BETWEEN_PT))?;
            }
            Part::Table(table) => {
                flow.space(BETWEEN_PT);
                flow.table(&plain(table))?;
            }
            Part::Commands(commands) => {
                flow.space(BETWEEN_PT);
                flow.table(&typed(commands, heads))?;
            }
        }
    }
    Ok(())
}

fn head((text, share): (&String, u16)) -> table::Head {
    table::Head { text: text.clone(), share, lines: Lines::Left }
}

fn cell(text: &str, style: Style) -> table::Cell {
    table::Cell { text: text.to_owned(), style }
}

fn plain(table: &Table) -> table::Table {
    let row = |row: &Vec<String>| row.iter().map(|text| cell(text, CELL)).collect();
    table::Table {
        heads: table.heads.iter().map(|(text, share)| head((text, *share))).collect(),
        head_style: HEAD,
        rows: table.rows.iter().map(row).collect(),
    }
}

/// A word that is broken could be typed with a space in it: then letters are smaller.
fn style_of(line: &str) -> Style {
    let longest = line.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
    if longest <= COMMAND_CHARS {
        return COMMAND;
    }
    let smaller = COMMAND.size_pt * count(COMMAND_CHARS) / count(longest);
    Style::typed(smaller.max(COMMAND_PT_MIN))
}

fn typed(commands: &[Command], heads: &[String; 3]) -> table::Table {
    let row = |command: &Command| {
        vec![
            cell(&command.line, style_of(&command.line)),
            cell(&command.expected, CELL),
            cell(&command.otherwise, CELL),
        ]
    };
    table::Table {
        heads: heads.iter().zip(COMMAND_SHARES).map(head).collect(),
        head_style: HEAD,
        rows: commands.iter().map(row).collect(),
    }
}
