//! A page that is filled from top to bottom.

use crate::document::font::Fonts;
use crate::document::font::Style;

/// Points in a millimetre.
pub const PT_PER_MM: f32 = 72.0 / 25.4;
/// A4.
pub const WIDTH_MM: f32 = 210.0;
pub const HEIGHT_MM: f32 = 297.0;
/// Of lines round tables and under blanks.
pub(in crate::document) const LINE_PT: f32 = 0.6;
/// Between a table's lines and its text.
pub(in crate::document) const CELL_PAD_PT: f32 = 3.0;

/// White round a code, in modules.
const QUIET_MODULES: usize = 4;

/// A document that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("a page has no room for `{what}`")]
    PageFull { what: String },
    #[error("the font that is built in cannot be read")]
    Font,
    #[error("the PDF cannot be written: {detail}")]
    Pdf { detail: String },
}

/// Width of the edges that stay white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margins {
    pub top_mm: f32,
    pub bottom_mm: f32,
    pub left_mm: f32,
    pub right_mm: f32,
}

impl Margins {
    /// Within what Nghị định 30/2020/NĐ-CP asks of documents.
    pub const OFFICE: Self = Self { top_mm: 20.0, bottom_mm: 20.0, left_mm: 30.0, right_mm: 15.0 };
}

/// Where a line of text begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Centre,
}

/// A square of dark and light modules, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Modules<'a> {
    pub side_count: usize,
    pub dark: &'a [bool],
}

/// Something drawn at a place; from the left and from the top, in points.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// Its baseline begins there; each of its spaces is wider by `spread_pt`.
    Text {
        at: (f32, f32),
        style: Style,
        text: String,
        spread_pt: f32,
    },
    Line {
        from: (f32, f32),
        to: (f32, f32),
        width_pt: f32,
    },
    Box {
        at: (f32, f32),
        size: (f32, f32),
    },
}

impl Mark {
    /// A text with spaces as wide as they are.
    pub(in crate::document) const fn text(at: (f32, f32), style: Style, text: String) -> Self {
        Self::Text { at, style, text, spread_pt: 0.0 }
    }
}

/// A page, and how far down it is filled.
#[derive(Debug)]
pub struct Page<'a> {
    fonts: &'a Fonts,
    margins: Margins,
    down_pt: f32,
    pub(in crate::document) marks: Vec<Mark>,
}

impl<'a> Page<'a> {
    #[must_use]
    pub fn new(fonts: &'a Fonts, margins: Margins) -> Self {
        Self { fonts, margins, down_pt: margins.top_mm * PT_PER_MM, marks: Vec::new() }
    }

    /// What is drawn on it.
    #[must_use]
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Where the edges end on the left.
    #[must_use]
    pub fn left_pt(&self) -> f32 {
        self.margins.left_mm * PT_PER_MM
    }

    /// How wide it is between its edges.
    #[must_use]
    pub fn width_pt(&self) -> f32 {
        (WIDTH_MM - self.margins.left_mm - self.margins.right_mm) * PT_PER_MM
    }

    /// How high it is between its edges.
    #[must_use]
    pub fn whole_pt(&self) -> f32 {
        (HEIGHT_MM - self.margins.top_mm - self.margins.bottom_mm) * PT_PER_MM
    }

    /// How much of it is free from here down.
    #[must_use]
    pub fn free_pt(&self) -> f32 {
        (HEIGHT_MM - self.margins.bottom_mm) * PT_PER_MM - self.down_pt
    }

    /// Whether nothing stands on it.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.marks.is_empty()
    }

    /// Leaves some room.
    pub fn space(&mut self, mm: f32) {
        self.down_pt += mm * PT_PER_MM;
    }

    /// Takes the next `height_pt`; where they begin.
    pub(in crate::document) fn take(
        &mut self,
        height_pt: f32,
        what: &str,
    ) -> Result<f32, DocumentError> {
        let top = self.down_pt;
        if height_pt > self.free_pt() {
            let what = what.chars().take(40).collect();
            return Err(DocumentError::PageFull { what });
        }
        self.down_pt += height_pt;
        Ok(top)
    }

    /// Text in as many lines as it needs; a line break in it begins a new line.
    ///
    /// # Errors
    /// When the page is full.
    pub fn paragraph(
        &mut self,
        text: &str,
        style: Style,
        align: Align,
    ) -> Result<(), DocumentError> {
        let (left, width) = (self.left_pt(), self.width_pt());
        for line in self.wrapped(text, style, width) {
            let free = width - self.fonts.width_pt(&line, style);
            let x = left + if align == Align::Centre { free / 2.0 } else { 0.0 };
            let top = self.take(style.line_pt(), &line)?;
            self.marks.push(Mark::text((x, top + style.size_pt), style, line));
        }
        Ok(())
    }

    /// A line from edge to edge.
    ///
    /// # Errors
    /// When the page is full.
    pub fn rule(&mut self, width_pt: f32) -> Result<(), DocumentError> {
        let top = self.take(width_pt, "a line")?;
        let (left, right) = (self.left_pt(), self.left_pt() + self.width_pt());
        self.marks.push(Mark::Line { from: (left, top), to: (right, top), width_pt });
        Ok(())
    }

    /// Names on the left, what they stand for on the right, both in as many lines as they need.
    ///
    /// # Errors
    /// When the page is full.
    pub fn rows(
        &mut self,
        rows: &[(&str, &str)],
        style: Style,
        names_mm: f32,
    ) -> Result<(), DocumentError> {
        let names = names_mm * PT_PER_MM;
        let (left, width) = (self.left_pt(), self.width_pt());
        for (name, value) in rows {
            let name = self.wrapped(name, style, names - CELL_PAD_PT);
            let value = self.wrapped(value, style, width - names);
            for at in 0..name.len().max(value.len()) {
                let top = self.take(style.line_pt(), name.first().map_or("", String::as_str))?;
                let columns = [(left, name.get(at)), (left + names, value.get(at))];
                for (x, text) in columns {
                    let Some(text) = text.cloned() else { continue };
                    self.marks.push(Mark::text((x, top + style.size_pt), style, text));
                }
            }
        }
        Ok(())
    }

    /// A table with lines round each cell and columns of equal width.
    ///
    /// # Errors
    /// When the page is full.
    pub fn table(&mut self, rows: &[Vec<String>], style: Style) -> Result<(), DocumentError> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let (left, width) = (self.left_pt(), self.width_pt());
        let cell = width / count(columns.max(1));
        for row in rows {
            let texts: Vec<Vec<String>> = row
                .iter()
                .map(|text| self.wrapped(text, style, cell - 2.0 * CELL_PAD_PT))
                .collect();
            let lines = texts.iter().map(Vec::len).max().unwrap_or(0);
            let height = count(lines) * style.line_pt() + 2.0 * CELL_PAD_PT;
            let first = row.first().map_or("a table", String::as_str).to_owned();
            let top = self.take(height, &first)?;
            for (number, lines) in texts.into_iter().enumerate() {
                let x = left + cell * count(number);
                self.outline((x, top), (cell, height));
                for (line, text) in lines.into_iter().enumerate() {
                    let down = CELL_PAD_PT + style.size_pt + count(line) * style.line_pt();
                    let at = (x + CELL_PAD_PT, top + down);
                    self.marks.push(Mark::text(at, style, text));
                }
            }
        }
        Ok(())
    }

    pub(in crate::document) fn outline(&mut self, (x, y): (f32, f32), (width, height): (f32, f32)) {
        let corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)];
        for pair in corners.windows(2) {
            let [from, to] = pair else { continue };
            self.marks.push(Mark::Line { from: *from, to: *to, width_pt: LINE_PT });
        }
    }

    /// A name, and a line to write on.
    ///
    /// # Errors
    /// When the page is full.
    pub fn blank(&mut self, name: &str, style: Style) -> Result<(), DocumentError> {
        let name = self.fonts.drawable(name);
        let height = style.line_pt() * 1.6;
        let top = self.take(height, &name)?;
        let base = top + height - style.size_pt * 0.3;
        let begin = self.left_pt() + self.fonts.width_pt(&name, style) + style.size_pt * 0.5;
        let end = self.left_pt() + self.width_pt();
        self.marks.push(Mark::text((self.left_pt(), base), style, name));
        self.marks.push(Mark::Line { from: (begin, base), to: (end, base), width_pt: LINE_PT });
        Ok(())
    }

    /// A code, and text on its right. It is surrounded by at least four modules of white.
    ///
    /// # Errors
    /// When the page is full.
    pub fn code(
        &mut self,
        modules: &Modules<'_>,
        side_mm: f32,
        (text, style): (&str, Style),
    ) -> Result<(), DocumentError> {
        let side = side_mm * PT_PER_MM;
        let module = module_pt(modules, side);
        let top = self.take(side, "a code")?;
        let left = self.left_pt();
        self.squares(modules, (left, top), side);
        let beside = left + side + CELL_PAD_PT;
        let lines = self.wrapped(text, style, self.width_pt() - side - CELL_PAD_PT);
        if count(lines.len()) * style.line_pt() > side - 8.0 * module {
            return Err(DocumentError::PageFull { what: text.chars().take(40).collect() });
        }
        for (number, text) in lines.into_iter().enumerate() {
            let down = module * 4.0 + style.size_pt + count(number) * style.line_pt();
            self.marks.push(Mark::text((beside, top + down), style, text));
        }
        Ok(())
    }

    /// A code with its white edge at a place.
    pub(in crate::document) fn squares(
        &mut self,
        modules: &Modules<'_>,
        (left, top): (f32, f32),
        side_pt: f32,
    ) {
        let module = module_pt(modules, side_pt);
        for (row, line) in modules.dark.chunks(modules.side_count.max(1)).enumerate() {
            // Neighbours are one box: hairlines between two confuse a reader.
            let mut at = 0;
            for run in line.chunk_by(|one, two| one == two) {
                if run.first() == Some(&true) {
                    let x = left + module * count(at + QUIET_MODULES);
                    let y = top + module * count(row + QUIET_MODULES);
                    let size = (module * count(run.len()), module);
                    self.marks.push(Mark::Box { at: (x, y), size });
                }
                at += run.len();
            }
        }
    }

    /// Lines of at most this width, cut at spaces, and within a word only if it is wider.
    #[must_use]
    pub fn wrapped(&self, text: &str, style: Style, width_pt: f32) -> Vec<String> {
        let mut lines = Vec::new();
        for part in text.split('\n') {
            let part = self.fonts.drawable(part);
            let mut line = String::new();
            for word in part.split(' ') {
                let longer =
                    if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
                if self.fonts.width_pt(&longer, style) <= width_pt {
                    line = longer;
                    continue;
                }
                if !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
                for letter in word.chars() {
                    line.push(letter);
                    if self.fonts.width_pt(&line, style) > width_pt && line.chars().count() > 1 {
                        line.pop();
                        lines.push(std::mem::replace(&mut line, letter.to_string()));
                    }
                }
            }
            lines.push(line);
        }
        lines
    }
}

fn module_pt(modules: &Modules<'_>, side_pt: f32) -> f32 {
    side_pt / count(modules.side_count + 2 * QUIET_MODULES)
}

/// A small number as a length's factor: lines and modules of a page.
#[must_use]
pub fn count(number: usize) -> f32 {
    f32::from(u16::try_from(number).unwrap_or(u16::MAX))
}
