//! Pages to PDF.

use krilla::Document;
use krilla::SerializeSettings;
use krilla::geom::PathBuilder;
use krilla::geom::Point;
use krilla::geom::Rect;
use krilla::metadata::DateTime;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::paint::Stroke;
use krilla::surface::Surface;
use zeroize::Zeroizing;

use crate::document::font::Fonts;
use crate::document::page::DocumentError;
use crate::document::page::HEIGHT_MM;
use crate::document::page::Mark;
use crate::document::page::Page;
use crate::document::page::WIDTH_MM;
use crate::units::Timestamp;

/// What a document says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    pub title: String,
    /// A language tag, such as `vi`.
    pub language: &'static str,
    pub made: Timestamp,
}

/// The pages as a PDF. It may hold secrets, so its bytes are wiped.
///
/// # Errors
/// When the PDF cannot be made.
pub fn write(
    fonts: &Fonts,
    pages: &[Page<'_>],
    about: &About,
) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
    let mut document = Document::new_with(SerializeSettings::default());
    let metadata = Metadata::new()
        .title(about.title.clone())
        .language(about.language.to_owned())
        .creator("Lifeboat".to_owned());
    document.set_metadata(match date(about.made) {
        Some(date) => metadata.creation_date(date),
        None => metadata,
    });
    let (width, height) = (WIDTH_MM * 72.0 / 25.4, HEIGHT_MM * 72.0 / 25.4);
    for page in pages {
        let size = PageSettings::from_wh(width, height);
        let size =
            size.ok_or_else(|| DocumentError::Pdf { detail: "size of a page".to_owned() })?;
        let mut drawn = document.start_page_with(size);
        let mut surface = drawn.surface();
        for mark in &page.marks {
            draw(&mut surface, fonts, mark);
        }
        surface.finish();
        drawn.finish();
    }
    let bytes = document.finish();
    bytes.map(Zeroizing::new).map_err(|error| DocumentError::Pdf { detail: format!("{error:?}") })
}

fn draw(surface: &mut Surface<'_>, fonts: &Fonts, mark: &Mark) {
    match mark {
        Mark::Text { at: (x, y), style, text, spread_pt } => {
            let glyphs = fonts.glyphs(text, *style, *spread_pt);
            let font = fonts.drawn(*style);
            surface.set_stroke(None);
            surface.set_fill(Some(Fill::default()));
            let start = Point::from_xy(*x, *y);
            surface.draw_glyphs(start, &glyphs, font, text, style.size_pt, false);
        }
        Mark::Line { from, to, width_pt } => {
            let mut path = PathBuilder::new();
            path.move_to(from.0, from.1);
            path.line_to(to.0, to.1);
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke { width: *width_pt, ..Stroke::default() }));
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
        Mark::Box { at, size } => {
            surface.set_stroke(None);
            surface.set_fill(Some(Fill::default()));
            let mut path = PathBuilder::new();
            if let Some(rect) = Rect::from_xywh(at.0, at.1, size.0, size.1) {
                path.push_rect(rect);
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
}

fn date(at: Timestamp) -> Option<DateTime> {
    let at = jiff::Timestamp::from_millisecond(at.unix_ms).ok()?;
    let at = at.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let small = |number: i8| u8::try_from(number).ok();
    let date = DateTime::new(u16::try_from(at.year()).ok()?)
        .month(small(at.month())?)
        .day(small(at.day())?)
        .hour(small(at.hour())?)
        .minute(small(at.minute())?)
        .second(small(at.second())?);
    Some(date.utc_offset_hour(0).utc_offset_minute(0))
}
