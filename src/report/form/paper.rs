//! Minutes as pages of A4, as Nghị định 30/2020/NĐ-CP, Phụ lục I, lays them out.

use zeroize::Zeroizing;

use crate::document::code::Square;
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
use crate::document::page::PT_PER_MM;
use crate::document::page::Page;
use crate::document::pdf;
use crate::document::pdf::About;
use crate::document::table;
use crate::report::model::Annex;
use crate::report::model::Block;
use crate::report::model::Document;
use crate::report::model::Place;
use crate::report::model::Signature;
use crate::report::model::Signatures;
use crate::report::model::Span;
use crate::report::model::Table;
use crate::report::model::Tone;

/// One set of sizes for the whole document.
pub(in crate::report) const NATION: Style = Style::bold(12.0);
pub(in crate::report) const MOTTO: Style = Style::bold(13.0);
pub(in crate::report) const SUPERIOR: Style = Style::regular(12.0);
pub(in crate::report) const OFFICE: Style = Style::bold(12.0);
pub(in crate::report) const TEXT: Style = Style::regular(13.0);
pub(in crate::report) const STRONG: Style = Style::bold(13.0);
pub(in crate::report) const TITLE: Style = Style::bold(14.0);
pub(in crate::report) const RECIPIENTS: Style = Style::bold(12.0).slanted();
pub(in crate::report) const RECIPIENT: Style = Style::regular(11.0);
pub(in crate::report) const PAGE_NUMBER: Style = Style::regular(13.0);
pub(in crate::report) const NOTE: Style = Style::regular(13.0).slanted();
pub(in crate::report) const ANNEX_NOTE: Style = Style::regular(14.0).slanted();
pub(in crate::report) const FOOTER: Style = Style::regular(8.0);
/// Tables of the body, and of annexes.
pub(in crate::report) const CELLS_PT: f32 = 11.0;
pub(in crate::report) const ANNEX_CELLS_PT: f32 = 10.0;

/// A first line begins one centimetre from the edge; paragraphs lie 6 points apart.
pub(in crate::report) const INDENT_PT: f32 = 10.0 * PT_PER_MM;
pub(in crate::report) const BETWEEN_PT: f32 = 6.0;
/// Left for a signature under its note: as much as the page has, within these.
pub(in crate::report) const SIGN_MIN_PT: f32 = 19.0;
const SIGN_MAX_PT: f32 = 80.0;
/// What the last paragraph takes, so that no signature stands alone on a page.
const ENDING_PT: f32 = 37.0;
/// What sums of heights may be off by.
const ROUNDING_PT: f32 = 1.0;
pub(in crate::report) const CODE_MM: f32 = 38.0;

/// Of the width, in thousandths: the office on the left, the nation on the right.
pub(in crate::report) const OFFICE_SHARE: u16 = 455;
pub(in crate::report) const NATION_SHARE: u16 = 545;

/// The document as a PDF.
///
/// # Errors
/// When a page has no room for something that must stay whole.
pub fn pdf(minutes: &Document) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
    let fonts = Fonts::new()?;
    let pages = pages(minutes, &fonts)?;
    let language = minutes.language.tag();
    let about = About { title: minutes.title.clone(), language, made: minutes.made };
    pdf::write(&fonts, &pages, &about)
}

/// Its pages.
///
/// # Errors
/// When a page has no room for something that must stay whole.
pub(in crate::report) fn pages<'f>(
    minutes: &Document,
    fonts: &'f Fonts,
) -> Result<Vec<Page<'f>>, DocumentError> {
    let mut flow = Flow::new(fonts, frame(minutes));
    let gap = body(&mut flow, minutes)?;
    let recipients = recipients(minutes);
    let beside = matches!(minutes.signatures, Signatures::One(_)).then(|| recipients.clone());
    let signed: Vec<Column> = beside.clone().into_iter().chain(signatures(minutes, gap)).collect();
    flow.columns(&signed)?;
    if beside.is_none() {
        flow.columns(&[recipients])?;
    }
    for it in &minutes.annexes {
        annex(&mut flow, it)?;
    }
    Ok(flow.finish())
}

/// Everything above the signatures; how much room there is to sign in, in points.
fn body(flow: &mut Flow<'_>, minutes: &Document) -> Result<f32, DocumentError> {
    head(flow, minutes)?;
    let (last, blocks) = match minutes.blocks.split_last() {
        Some((last, blocks)) => (Some(last), blocks),
        None => (None, minutes.blocks.as_slice()),
    };
    for block in blocks {
        put(flow, block, CELLS_PT)?;
    }
    let below = match &minutes.signatures {
        Signatures::Two(_) => flow.height_pt(&recipients(minutes)),
        Signatures::One(_) => 0.0,
    };
    let rest = below + signatures_pt(flow, minutes);
    flow.need(rest + SIGN_MIN_PT + ENDING_PT + BETWEEN_PT);
    if let Some(last) = last {
        put(flow, last, CELLS_PT)?;
    }
    let free = flow.free_pt() - rest - BETWEEN_PT - ROUNDING_PT;
    flow.space(BETWEEN_PT);
    Ok(free.clamp(SIGN_MIN_PT, SIGN_MAX_PT))
}

/// How much room there is to sign in, in points.
///
/// # Errors
/// When a page has no room for something that must stay whole.
pub(in crate::report) fn room_pt(minutes: &Document, fonts: &Fonts) -> Result<f32, DocumentError> {
    body(&mut Flow::new(fonts, frame(minutes)), minutes)
}

fn frame(minutes: &Document) -> Frame {
    Frame {
        margins: Margins::OFFICE,
        number: PAGE_NUMBER,
        footer: format!("{} | {}", minutes.footer, minutes.face),
        footer_style: FOOTER,
        footer_code: minutes.footer_code.as_deref().and_then(Square::of),
    }
}

fn text(text: &str, style: Style) -> Entry {
    Entry::Text { text: text.to_owned(), style }
}

fn head(flow: &mut Flow<'_>, minutes: &Document) -> Result<(), DocumentError> {
    let head = &minutes.head;
    let office = vec![
        text(&head.superior, SUPERIOR),
        text(&head.office, OFFICE),
        Entry::Rule { percent: 40 },
        text(&head.number, TEXT),
    ];
    let mut nation =
        vec![text(&head.nation, NATION), text(&head.motto, MOTTO), Entry::Rule { percent: 100 }];
    nation.extend(head.dated.as_ref().map(|dated| text(dated, NOTE)));
    let column = |share, entries| Column { share, lines: Lines::Centre, entries };
    flow.columns(&[column(OFFICE_SHARE, office), column(NATION_SHARE, nation)])?;
    flow.space(BETWEEN_PT / 2.0);
    let title =
        vec![text(&head.kind, TITLE), text(&head.subject, TITLE), Entry::Rule { percent: 40 }];
    flow.columns(&[column(1000, title)])?;
    let Some(address) = &head.address else { return Ok(()) };
    flow.space(BETWEEN_PT);
    flow.columns(&[column(1000, vec![text(address, TEXT)])])
}

fn pieces(spans: &[Span]) -> Vec<Piece> {
    let piece = |span: &Span| match span {
        Span::Plain(text) => Piece::Text { text: text.clone(), style: TEXT },
        Span::Strong(text) => Piece::Text { text: text.clone(), style: STRONG },
        Span::Blank => Piece::Blank,
        Span::Break => Piece::Break,
    };
    spans.iter().map(piece).collect()
}

fn put(flow: &mut Flow<'_>, block: &Block, cells_pt: f32) -> Result<(), DocumentError> {
    let setting = Setting { lines: Lines::Justified, indent_pt: INDENT_PT, before_pt: BETWEEN_PT };
    match block {
        Block::Paragraph(spans) => flow.paragraph(&pieces(spans), &setting),
        Block::Title(title) => {
            // A title goes with what follows it.
            flow.need(TITLE.single_pt() * 5.0);
            let pieces = [Piece::Text { text: title.clone(), style: STRONG }];
            flow.paragraph(&pieces, &Setting { lines: Lines::Left, ..setting })
        }
        Block::Table(table) => {
            flow.space(BETWEEN_PT / 2.0);
            flow.table(&set(table, cells_pt))
        }
        Block::Code { content, beside } => match Square::of(content) {
            Some(square) => {
                flow.space(BETWEEN_PT);
                flow.code(&square, CODE_MM, (beside, TEXT))
            }
            // Too much for a code: the same stands in the text.
            None => Ok(()),
        },
    }
}

fn set(model: &Table, cells_pt: f32) -> table::Table {
    let head = |column: &crate::report::model::Column| table::Head {
        text: column.head.clone(),
        share: column.share,
        lines: match column.place {
            Place::Left => Lines::Left,
            Place::Centre => Lines::Centre,
        },
    };
    let cell = |cell: &crate::report::model::Cell| table::Cell {
        text: cell.text.clone(),
        style: match cell.tone {
            Tone::Plain => Style::regular(cells_pt),
            Tone::Strong => Style::bold(cells_pt),
        },
    };
    table::Table {
        heads: model.columns.iter().map(head).collect(),
        head_style: Style::bold(cells_pt),
        rows: model.rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
    }
}

/// Whoever signs, from left to right.
fn signatures(minutes: &Document, gap_pt: f32) -> Vec<Column> {
    let column = |signature: &Signature| Column {
        share: 500,
        lines: Lines::Centre,
        entries: vec![
            text(&signature.role, STRONG),
            text(&signature.note, NOTE),
            Entry::Space { pt: gap_pt },
            text(&signature.name, STRONG),
        ],
    };
    match &minutes.signatures {
        Signatures::Two(both) => both.iter().map(column).collect(),
        Signatures::One(one) => vec![column(one)],
    }
}

/// Their height without the room to sign in.
fn signatures_pt(flow: &Flow<'_>, minutes: &Document) -> f32 {
    signatures(minutes, 0.0).iter().map(|it| flow.height_pt(it)).fold(0.0, f32::max)
}

fn recipients(minutes: &Document) -> Column {
    let (title, list) = &minutes.recipients;
    let mut entries = vec![Entry::Space { pt: BETWEEN_PT / 2.0 }, text(title, RECIPIENTS)];
    entries.extend(list.iter().map(|it| text(it, RECIPIENT)));
    Column { share: 500, lines: Lines::Left, entries }
}

fn annex(flow: &mut Flow<'_>, annex: &Annex) -> Result<(), DocumentError> {
    flow.section();
    let entries = vec![
        text(&annex.number, TITLE),
        text(&annex.title, TITLE),
        text(&annex.of, ANNEX_NOTE),
        Entry::Rule { percent: 40 },
    ];
    flow.columns(&[Column { share: 1000, lines: Lines::Centre, entries }])?;
    annex.blocks.iter().try_for_each(|block| put(flow, block, ANNEX_CELLS_PT))
}
