//! Paragraphs, lines and tables of a document, as Word has them.

use docx_rs::AlignmentType;
use docx_rs::BorderType;
use docx_rs::BreakType;
use docx_rs::LineSpacing;
use docx_rs::LineSpacingType;
use docx_rs::Paragraph;
use docx_rs::ParagraphBorder;
use docx_rs::ParagraphBorderPosition;
use docx_rs::ParagraphBorders;
use docx_rs::Run;
use docx_rs::SpecialIndentType;
use docx_rs::Tab;
use docx_rs::TabLeaderType;
use docx_rs::TabValueType;
use docx_rs::Table;
use docx_rs::TableBorder;
use docx_rs::TableBorderPosition;
use docx_rs::TableBorders;
use docx_rs::TableCell;
use docx_rs::TableCellMargins;
use docx_rs::TableLayoutType;
use docx_rs::TableRow;
use docx_rs::WidthType;
use unicode_normalization::UnicodeNormalization;

use crate::document::font::Slope;
use crate::document::font::Style;
use crate::document::font::Weight;
use crate::document::page::Margins;
use crate::document::page::PT_PER_MM;
use crate::document::page::WIDTH_MM;
use crate::report::form::paper::BETWEEN_PT;
use crate::report::form::paper::INDENT_PT;
use crate::report::form::paper::STRONG;
use crate::report::form::paper::TEXT;
use crate::report::form::steers;
use crate::report::form::word::mend::HEADS;
use crate::report::model;
use crate::report::model::Place;
use crate::report::model::Span;
use crate::report::model::Tone;

/// Around a cell's text.
const PAD_PT: f32 = 3.0;
const PAD_HIGH_PT: f32 = 1.5;
/// Lines, in eighths of a point: under heads, around cells.
const RULE_EIGHTHS: usize = 6;
const OUTLINE_EIGHTHS: usize = 4;
/// From a line of text to the rule under it, and below it.
const UNDER_PT: f32 = 2.5;

/// A length as Word counts it, in twentieths of a point. No cast: those are not looked at.
pub(super) fn twips(pt: f32) -> i32 {
    format!("{:.0}", pt * 20.0).parse().unwrap_or_default()
}

/// The same of what is never below nothing.
pub(super) fn wide(pt: f32) -> usize {
    usize::try_from(twips(pt)).unwrap_or_default()
}

pub(super) fn high(pt: f32) -> u32 {
    u32::try_from(twips(pt)).unwrap_or_default()
}

/// Of letters, in half points.
pub(super) fn size(style: Style) -> usize {
    wide(style.size_pt / 10.0)
}

/// Between the left and the right edge.
pub(super) fn width_pt() -> f32 {
    (WIDTH_MM - Margins::OFFICE.left_mm - Margins::OFFICE.right_mm) * PT_PER_MM
}

/// A text that can say nothing but itself, of letters that XML has.
pub(super) fn told(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for letter in text.nfc() {
        match letter {
            '\n' => told.push(letter),
            letter if steers(letter) => {
                told.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
            }
            letter => told.push(letter),
        }
    }
    told
}

pub(super) fn run(text: &str, style: Style) -> Run {
    let mut run = Run::new();
    for (at, line) in told(text).split('\n').enumerate() {
        if at > 0 {
            run = run.add_break(BreakType::TextWrapping);
        }
        run = run.add_text(line);
    }
    if style.weight != Weight::Regular {
        run = run.bold();
    }
    if style.slope == Slope::Slanted {
        run = run.italic();
    }
    if size(style) == size(TEXT) { run } else { run.size(size(style)) }
}

/// One paragraph of one style, close to the one above it.
pub(super) fn line(text: &str, style: Style, place: AlignmentType) -> Paragraph {
    Paragraph::new().add_run(run(text, style)).align(place)
}

/// Room of exactly so many points, which goes with what follows.
pub(super) fn room(pt: f32) -> Paragraph {
    let spacing = LineSpacing::new().line(twips(pt)).line_rule(LineSpacingType::Exact);
    Paragraph::new().line_spacing(spacing).keep_next(true)
}

/// A rule in the middle of a column, as long as it is asked to be.
pub(super) fn rule(long_pt: f32, column_pt: f32) -> Paragraph {
    let edge = twips((column_pt - long_pt).max(0.0) / 2.0);
    let border = ParagraphBorder::new(ParagraphBorderPosition::Bottom)
        .val(BorderType::Single)
        .size(RULE_EIGHTHS);
    let spacing = LineSpacing::new()
        .line(twips(UNDER_PT))
        .line_rule(LineSpacingType::Exact)
        .after(high(UNDER_PT));
    let mut paragraph =
        Paragraph::new().line_spacing(spacing).indent(Some(edge), None, Some(edge), None);
    let borders = ParagraphBorders::with_empty().set(border);
    paragraph.property = paragraph.property.set_borders(borders);
    paragraph
}

/// A paragraph of the body; each of its lines that was to end is one of Word's, so that its first
/// words stand where they should; they stay on one page.
pub(super) fn paragraph(spans: &[Span]) -> Vec<Paragraph> {
    let mut made = Vec::new();
    let mut runs: Vec<Run> = Vec::new();
    let mut end = |runs: &mut Vec<Run>| {
        if runs.is_empty() {
            return;
        }
        let before = if made.is_empty() { high(BETWEEN_PT) } else { 0 };
        let tab =
            Tab::new().val(TabValueType::Right).leader(TabLeaderType::Dot).pos(wide(width_pt()));
        let first = SpecialIndentType::FirstLine(twips(INDENT_PT));
        let paragraph = Paragraph::new()
            .align(AlignmentType::Both)
            .indent(Some(0), Some(first), None, None)
            .line_spacing(LineSpacing::new().before(before))
            .add_tab(tab);
        made.push(std::mem::take(runs).into_iter().fold(paragraph, Paragraph::add_run));
    };
    for span in spans {
        match span {
            Span::Plain(text) => runs.push(run(text, TEXT)),
            Span::Strong(text) => runs.push(run(text, STRONG)),
            Span::Blank => {
                runs.push(Run::new().add_tab());
                end(&mut runs);
            }
            Span::Break => end(&mut runs),
        }
    }
    end(&mut runs);
    let last = made.len().saturating_sub(1);
    let kept = |(at, it): (usize, Paragraph)| if at < last { it.keep_next(true) } else { it };
    made.into_iter().enumerate().map(kept).collect()
}

/// A title within an annex, which goes with what follows it.
pub(super) fn title(text: &str) -> Paragraph {
    let first = SpecialIndentType::FirstLine(twips(INDENT_PT));
    line(text, STRONG, AlignmentType::Left)
        .indent(Some(0), Some(first), None, None)
        .line_spacing(LineSpacing::new().before(high(BETWEEN_PT)))
        .keep_next(true)
}

/// Columns beside each other, without lines; each with its width in points.
pub(super) fn columns(columns: Vec<(f32, Vec<Paragraph>)>) -> Table {
    let widths: Vec<usize> = columns.iter().map(|(pt, _)| wide(*pt)).collect();
    let cells = columns.into_iter().map(|(pt, paragraphs)| {
        let cell = TableCell::new().width(wide(pt), WidthType::Dxa);
        paragraphs.into_iter().fold(cell, TableCell::add_paragraph)
    });
    Table::without_borders(vec![TableRow::new(cells.collect()).cant_split()])
        .width(widths.iter().sum(), WidthType::Dxa)
        .layout(TableLayoutType::Fixed)
        .margins(TableCellMargins::new().margin(0, 0, 0, 0))
        .set_grid(widths)
}

/// A table with its heads, letters of so many points.
pub(super) fn table(table: &model::Table, cells_pt: f32) -> Table {
    let widths: Vec<usize> = table
        .columns
        .iter()
        .map(|column| wide(width_pt() * f32::from(column.share) / 1000.0))
        .collect();
    let heads = table.columns.iter().zip(&widths).map(|(column, wide)| {
        let paragraph = Paragraph::new().style(HEADS);
        let paragraph = paragraph.add_run(run(&column.head, Style::bold(cells_pt)));
        TableCell::new().width(*wide, WidthType::Dxa).add_paragraph(paragraph)
    });
    let mut rows = vec![TableRow::new(heads.collect()).cant_split()];
    for row in &table.rows {
        let cells = table.columns.iter().zip(row).zip(&widths).map(|((column, cell), wide)| {
            let place = match column.place {
                Place::Left => AlignmentType::Left,
                Place::Centre => AlignmentType::Center,
            };
            let style = match cell.tone {
                Tone::Plain => Style::regular(cells_pt),
                Tone::Strong => Style::bold(cells_pt),
            };
            let paragraph = line(&cell.text, style, place);
            TableCell::new().width(*wide, WidthType::Dxa).add_paragraph(paragraph)
        });
        rows.push(TableRow::new(cells.collect()).cant_split());
    }
    let (side, high) = (wide(PAD_PT), wide(PAD_HIGH_PT));
    Table::new(rows)
        .width(widths.iter().sum(), WidthType::Dxa)
        .layout(TableLayoutType::Fixed)
        .margins(TableCellMargins::new().margin(high, side, high, side))
        .set_borders(outlines())
        .set_grid(widths)
}

fn outlines() -> TableBorders {
    let places = [
        TableBorderPosition::Top,
        TableBorderPosition::Left,
        TableBorderPosition::Bottom,
        TableBorderPosition::Right,
        TableBorderPosition::InsideH,
        TableBorderPosition::InsideV,
    ];
    let border = |place| TableBorder::new(place).size(OUTLINE_EIGHTHS);
    places.into_iter().map(border).fold(TableBorders::new(), TableBorders::set)
}
