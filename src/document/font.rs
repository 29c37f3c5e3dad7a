//! The fonts, and how wide a text is.

use krilla::text::Font;
use krilla::text::GlyphId;
use krilla::text::KrillaGlyph;
use skrifa::FontRef;
use skrifa::MetadataProvider;
use skrifa::instance::LocationRef;
use skrifa::instance::Size;
use unicode_normalization::UnicodeNormalization;

use crate::document::page::DocumentError;

/// Liberation Serif, as wide as Times New Roman; its licence lies beside it.
const REGULAR: &[u8] = include_bytes!("fonts/LiberationSerif-Regular.ttf");
const BOLD: &[u8] = include_bytes!("fonts/LiberationSerif-Bold.ttf");
const SLANTED: &[u8] = include_bytes!("fonts/LiberationSerif-Italic.ttf");
/// Of the same family: every letter as wide as the next.
const TYPED: &[u8] = include_bytes!("fonts/LiberationMono-Bold.ttf");
const BOLD_SLANTED: &[u8] = include_bytes!("fonts/LiberationSerif-BoldItalic.ttf");

/// Name of the face, for whoever has to say what a document is set in.
pub const FACE: &str = "Liberation Serif";
/// How far the letters rise above their baseline, and how far one line lies below the next where
/// nothing is between them: those of the face, for a size of 1.
const RISE: f32 = 0.891;
const SINGLE: f32 = 1.149;

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
    /// Bold, each letter as wide as the next: what is to be typed as it stands.
    Typed,
}

/// Whether letters lean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slope {
    Upright,
    Slanted,
}

/// Letters of a text: how heavy, whether they lean, how large in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    pub weight: Weight,
    pub slope: Slope,
    pub size_pt: f32,
}

impl Style {
    #[must_use]
    pub const fn regular(size_pt: f32) -> Self {
        Self { weight: Weight::Regular, slope: Slope::Upright, size_pt }
    }

    #[must_use]
    pub const fn bold(size_pt: f32) -> Self {
        Self { weight: Weight::Bold, slope: Slope::Upright, size_pt }
    }

    #[must_use]
    pub const fn typed(size_pt: f32) -> Self {
        Self { weight: Weight::Typed, slope: Slope::Upright, size_pt }
    }

    /// The same, leaning.
    #[must_use]
    pub const fn slanted(self) -> Self {
        Self { slope: Slope::Slanted, ..self }
    }

    /// From one line to the next of a text that is set close.
    #[must_use]
    pub fn single_pt(&self) -> f32 {
        self.size_pt * SINGLE
    }

    /// From a line's top to its baseline.
    #[must_use]
    pub fn rise_pt(&self) -> f32 {
        self.size_pt * RISE
    }

    /// From one line to the next.
    #[must_use]
    pub fn line_pt(&self) -> f32 {
        self.size_pt * 1.25
    }
}

/// All faces.
pub struct Fonts {
    regular: Face,
    bold: Face,
    slanted: Face,
    bold_slanted: Face,
    typed: Face,
}

struct Face {
    drawn: Font,
    measured: FontRef<'static>,
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fonts")
    }
}

impl Face {
    fn new(bytes: &'static [u8]) -> Result<Self, DocumentError> {
        let drawn = Font::new(bytes.into(), 0).ok_or(DocumentError::Font)?;
        let measured = FontRef::new(bytes).map_err(|_| DocumentError::Font)?;
        Ok(Self { drawn, measured })
    }
}

impl Fonts {
    /// # Errors
    /// When what is built in is no font.
    pub fn new() -> Result<Self, DocumentError> {
        Ok(Self {
            regular: Face::new(REGULAR)?,
            bold: Face::new(BOLD)?,
            slanted: Face::new(SLANTED)?,
            bold_slanted: Face::new(BOLD_SLANTED)?,
            typed: Face::new(TYPED)?,
        })
    }

    const fn face(&self, style: Style) -> &Face {
        match (style.weight, style.slope) {
            (Weight::Regular, Slope::Upright) => &self.regular,
            (Weight::Bold, Slope::Upright) => &self.bold,
            (Weight::Regular, Slope::Slanted) => &self.slanted,
            (Weight::Bold, Slope::Slanted) => &self.bold_slanted,
            (Weight::Typed, _) => &self.typed,
        }
    }

    /// What can be drawn of a text: composed, and letters that no font has as numbers.
    #[must_use]
    pub fn drawable(&self, text: &str) -> String {
        let letters = self.regular.measured.charmap();
        let mut drawable = String::with_capacity(text.len());
        for letter in text.nfc() {
            if letter.is_control() || letters.map(letter).is_none() {
                drawable.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
            } else {
                drawable.push(letter);
            }
        }
        drawable
    }

    /// How wide a drawable text is.
    #[must_use]
    pub fn width_pt(&self, text: &str, style: Style) -> f32 {
        self.glyphs(text, style, 0.0).iter().map(|it| it.x_advance * style.size_pt).sum()
    }

    /// The glyphs of a drawable text, in units of the font's size; each space is wider by so much.
    pub(in crate::document) fn glyphs(
        &self,
        text: &str,
        style: Style,
        spread_pt: f32,
    ) -> Vec<KrillaGlyph> {
        let face = &self.face(style).measured;
        let letters = face.charmap();
        let widths = face.glyph_metrics(Size::new(1.0), LocationRef::default());
        let glyph = |(at, letter): (usize, char)| {
            let id = letters.map(letter).unwrap_or_default();
            let spread = if letter == ' ' { spread_pt / style.size_pt } else { 0.0 };
            let advance = widths.advance_width(id).unwrap_or_default() + spread;
            let range = at..at + letter.len_utf8();
            KrillaGlyph::new(GlyphId::new(id.to_u32()), advance, 0.0, 0.0, 0.0, range, None)
        };
        text.char_indices().map(glyph).collect()
    }

    pub(in crate::document) fn drawn(&self, style: Style) -> Font {
        self.face(style).drawn.clone()
    }
}
