//! Minutes as a DOCX, to go on writing in Word or LibreOffice.
//!
//! The same parts in the same order as on paper, and set as there: Nghị định 30/2020/NĐ-CP, Phụ
//! lục I. What a page decides on paper (how much room a signature has) is asked of the paper.

mod code;
mod layout;
mod mend;
mod package;
#[cfg(test)]
mod tests;

use docx_rs::AlignmentType;
use docx_rs::BuildXML;
use docx_rs::Document as Written;
use docx_rs::Footer;
use docx_rs::FooterReference;
use docx_rs::Header;
use docx_rs::HeaderReference;
use docx_rs::LineSpacing;
use docx_rs::PageMargin;
use docx_rs::PageNum;
use docx_rs::PageNumType;
use docx_rs::PageSize;
use docx_rs::Paragraph;
use docx_rs::Run;
use docx_rs::SectionProperty;

use crate::document::code::Square;
use crate::document::font::Fonts;
use crate::document::font::Style;
use crate::document::page::DocumentError;
use crate::document::page::HEIGHT_MM;
use crate::document::page::Margins;
use crate::document::page::PT_PER_MM;
use crate::document::page::Page;
use crate::document::page::WIDTH_MM;
use crate::report::form::paper;
use crate::report::form::word::code::Picture;
use crate::report::form::word::layout::high;
use crate::report::form::word::layout::line;
use crate::report::form::word::layout::room;
use crate::report::form::word::layout::rule;
use crate::report::form::word::layout::size;
use crate::report::form::word::layout::told;
use crate::report::form::word::layout::twips;
use crate::report::form::word::layout::width_pt;
use crate::report::form::word::package::About;
use crate::report::form::word::package::Parts;
use crate::report::model::Annex;
use crate::report::model::Block;
use crate::report::model::Document;
use crate::report::model::Signature;
use crate::report::model::Signatures;

/// From the upper edge of a page to its number, from the lower one to the footer.
const NUMBER_MM: f32 = 9.0;
const FOOTER_MM: f32 = 7.0;
/// The footer's text ends before the code.
const BESIDE_CODE_MM: f32 = 17.0;
/// Side of a code in the text, in millimetres.
const CODE_MM: u32 = 38;
const CODE_PAD_PT: f32 = 3.0;
/// Lines of another program may be higher or break elsewhere: what is kept free for it.
const SPARE_PT: f32 = 24.0;
/// Of the line that ends a section.
const ENDING_PT: f32 = 1.0;

/// A DOCX that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum WordError {
    #[error("a part of the DOCX is no XML: {detail}")]
    Part { detail: String },
    #[error("a code is too large for a picture")]
    Picture,
    #[error("the DOCX cannot be packed: {0}")]
    Packed(#[from] zip::result::ZipError),
    #[error("the DOCX cannot be written: {0}")]
    Written(#[from] std::io::Error),
    #[error(transparent)]
    Font(#[from] DocumentError),
}

/// The document as a DOCX.
///
/// # Errors
/// When a part is no XML, or the archive of all parts cannot be made.
pub fn docx(minutes: &Document) -> Result<Vec<u8>, WordError> {
    let fonts = Fonts::new()?;
    let mut sheet = Sheet {
        page: Page::new(&fonts, Margins::OFFICE),
        fonts: &fonts,
        written: Written::new(),
        pictures: Vec::new(),
    };
    sheet.head(minutes);
    sheet.body(minutes)?;
    let mut section = section(package::BELOW_FIRST);
    for (at, annex) in minutes.annexes.iter().enumerate() {
        sheet.end(std::mem::take(&mut section));
        // Later ones have the edges of the first.
        section = if at == 0 { self::section(package::BELOW_ANNEX) } else { counted() };
        sheet.annex(annex)?;
    }
    sheet.put(room(ENDING_PT).keep_next(false));
    let Sheet { written, pictures, .. } = sheet;
    let corner = minutes.footer_code.as_deref().and_then(Square::of);
    let corner = corner.map(|it| Picture::of(&it, "corner".to_owned())).transpose()?;
    let written = written.default_section_property(section);
    let edges = edges(minutes, corner.as_ref())?;
    let parts = Parts { document: mend::mended(&written.build())?, edges, pictures, corner };
    let about = About {
        title: &told(&minutes.title),
        language: minutes.language,
        made: minutes.made,
        size: size(paper::TEXT),
    };
    package::packed(parts, &about)
}

/// Pages that are counted anew; the first shows no number.
fn counted() -> SectionProperty {
    let Margins { top_mm, bottom_mm, left_mm, right_mm } = Margins::OFFICE;
    let mm = |mm: f32| twips(mm * PT_PER_MM);
    let margin = PageMargin {
        top: mm(top_mm),
        bottom: mm(bottom_mm),
        left: mm(left_mm),
        right: mm(right_mm),
        header: mm(NUMBER_MM),
        footer: mm(FOOTER_MM),
        gutter: 0,
    };
    let size = PageSize::new().size(high(WIDTH_MM * PT_PER_MM), high(HEIGHT_MM * PT_PER_MM));
    SectionProperty::new()
        .page_size(size)
        .page_margin(margin)
        .page_num_type(PageNumType::new().start(1))
        .title_pg()
}

/// The same, with what stands above and below its pages.
fn section(first_below: &str) -> SectionProperty {
    SectionProperty {
        header_reference: Some(HeaderReference::new("default", package::NUMBERED)),
        first_header_reference: Some(HeaderReference::new("first", package::UNNUMBERED)),
        footer_reference: Some(FooterReference::new("default", package::BELOW)),
        first_footer_reference: Some(FooterReference::new("first", first_below)),
        ..counted()
    }
}

/// What stands above and below pages.
fn edges(
    minutes: &Document,
    corner: Option<&Picture>,
) -> Result<Vec<(&'static str, Vec<u8>)>, WordError> {
    let number = Paragraph::new().align(AlignmentType::Center).add_page_num(PageNum::new());
    let numbered = Header::new().add_paragraph(number);
    let unnumbered = Header::new().add_paragraph(Paragraph::new());
    let below = || line(&minutes.footer, paper::FOOTER, AlignmentType::Left);
    let plain = || Footer::new().add_paragraph(below());
    let first = match corner {
        Some(code) => {
            let edge = twips(BESIDE_CODE_MM * PT_PER_MM);
            let text = below().indent(None, None, Some(edge), None);
            Footer::new().add_paragraph(text.add_run(Run::new().add_image(code.in_corner())))
        }
        None => plain(),
    };
    Ok(vec![
        (package::NUMBERED, mend::mended(&numbered.build())?),
        (package::UNNUMBERED, mend::mended(&unnumbered.build())?),
        (package::BELOW, mend::mended(&plain().build())?),
        (package::BELOW_FIRST, mend::mended(&first.build())?),
        (package::BELOW_ANNEX, mend::mended(&plain().build())?),
    ])
}

/// The document while it is written.
struct Sheet<'f> {
    fonts: &'f Fonts,
    /// Says how wide lines are.
    page: Page<'f>,
    written: Written,
    pictures: Vec<Picture>,
}

impl Sheet<'_> {
    fn put(&mut self, paragraph: Paragraph) {
        self.written = std::mem::take(&mut self.written).add_paragraph(paragraph);
    }

    fn columns(&mut self, columns: Vec<(f32, Vec<Paragraph>)>) {
        let table = layout::columns(columns);
        self.written = std::mem::take(&mut self.written).add_table(table);
    }

    /// What follows begins on a new page.
    fn end(&mut self, section: SectionProperty) {
        self.put(room(ENDING_PT).keep_next(false).section_property(section));
    }

    /// A rule under a text in the middle of a column: so many hundredths of its last line.
    fn rule(&self, (text, style): (&str, Style), column_pt: f32, percent: u8) -> Paragraph {
        let lines = self.page.wrapped(&told(text), style, column_pt);
        let last = lines.last().map_or(0.0, |line| self.fonts.width_pt(line, style));
        rule(last * f32::from(percent) / 100.0, column_pt)
    }

    fn head(&mut self, minutes: &Document) {
        let head = &minutes.head;
        let share = |share: u16| width_pt() * f32::from(share) / 1000.0;
        let (left, right) = (share(paper::OFFICE_SHARE), share(paper::NATION_SHARE));
        let centred = |text: &str, style| line(text, style, AlignmentType::Center);
        let office = vec![
            centred(&head.superior, paper::SUPERIOR),
            centred(&head.office, paper::OFFICE),
            self.rule((&head.office, paper::OFFICE), left, 40),
            centred(&head.number, paper::TEXT),
        ];
        let mut nation = vec![
            centred(&head.nation, paper::NATION),
            centred(&head.motto, paper::MOTTO),
            self.rule((&head.motto, paper::MOTTO), right, 100),
        ];
        nation.extend(head.dated.as_ref().map(|dated| centred(dated, paper::NOTE)));
        self.columns(vec![(left, office), (right, nation)]);
        let before = LineSpacing::new().before(high(paper::BETWEEN_PT));
        self.put(centred(&head.kind, paper::TITLE).line_spacing(before.clone()));
        self.put(centred(&head.subject, paper::TITLE));
        self.put(self.rule((&head.subject, paper::TITLE), width_pt(), 40));
        if let Some(address) = &head.address {
            self.put(centred(address, paper::TEXT).line_spacing(before));
        }
    }

    /// The text, who signs it and to whom it goes.
    fn body(&mut self, minutes: &Document) -> Result<(), WordError> {
        for block in &minutes.blocks {
            self.block(block, paper::CELLS_PT)?;
        }
        // No signature stands on a page without words of the text.
        let last = self.written.children.last_mut();
        if let Some(docx_rs::DocumentChild::Paragraph(last)) = last {
            **last = (**last).clone().keep_next(true);
        }
        let free = paper::room_pt(minutes, self.fonts).unwrap_or_default();
        let gap = (free - SPARE_PT).max(paper::SIGN_MIN_PT);
        self.put(room(paper::BETWEEN_PT));
        let half = width_pt() / 2.0;
        match &minutes.signatures {
            Signatures::Two(both) => {
                self.columns(both.iter().map(|it| (half, signature(it, gap))).collect());
                self.put(room(paper::BETWEEN_PT / 2.0));
                recipients(minutes).into_iter().for_each(|it| self.put(it));
            }
            Signatures::One(one) => {
                let left = (half, recipients(minutes));
                self.columns(vec![left, (half, signature(one, gap))]);
            }
        }
        Ok(())
    }

    fn block(&mut self, block: &Block, cells_pt: f32) -> Result<(), WordError> {
        match block {
            Block::Paragraph(spans) => {
                layout::paragraph(spans).into_iter().for_each(|it| self.put(it));
            }
            Block::Title(title) => self.put(layout::title(title)),
            Block::Table(table) => {
                // Tables without a paragraph between them would be one.
                self.put(room(paper::BETWEEN_PT / 2.0));
                let table = layout::table(table, cells_pt);
                self.written = std::mem::take(&mut self.written).add_table(table);
            }
            Block::Code { content, beside } => {
                // Too much for a code: the same stands in the text.
                let Some(square) = Square::of(content) else { return Ok(()) };
                let picture = Picture::of(&square, format!("code{}", self.pictures.len() + 1))?;
                let drawn = Paragraph::new().add_run(Run::new().add_image(picture.inline(CODE_MM)));
                let side = paper::CODE_MM * PT_PER_MM + CODE_PAD_PT;
                let before = LineSpacing::new().before(high(paper::BETWEEN_PT));
                let text = line(beside, paper::TEXT, AlignmentType::Left).line_spacing(before);
                self.put(room(paper::BETWEEN_PT));
                self.columns(vec![(side, vec![drawn]), (width_pt() - side, vec![text])]);
                self.pictures.push(picture);
            }
        }
        Ok(())
    }

    fn annex(&mut self, annex: &Annex) -> Result<(), WordError> {
        let centred = |text: &str, style| line(text, style, AlignmentType::Center);
        self.put(centred(&annex.number, paper::TITLE));
        self.put(centred(&annex.title, paper::TITLE));
        self.put(centred(&annex.of, paper::ANNEX_NOTE));
        self.put(self.rule((&annex.of, paper::ANNEX_NOTE), width_pt(), 40));
        annex.blocks.iter().try_for_each(|block| self.block(block, paper::ANNEX_CELLS_PT))
    }
}

/// Whoever signs, and the room for it; it stays with what follows.
fn signature(signature: &Signature, gap_pt: f32) -> Vec<Paragraph> {
    let centred = |text: &str, style| line(text, style, AlignmentType::Center).keep_next(true);
    vec![
        centred(&signature.role, paper::STRONG),
        centred(&signature.note, paper::NOTE),
        room(gap_pt),
        centred(&signature.name, paper::STRONG),
    ]
}

fn recipients(minutes: &Document) -> Vec<Paragraph> {
    let (title, list) = &minutes.recipients;
    let title = line(title, paper::RECIPIENTS, AlignmentType::Left).keep_next(true);
    let one = |it: &String| line(it, paper::RECIPIENT, AlignmentType::Left);
    std::iter::once(title).chain(list.iter().map(one)).collect()
}
