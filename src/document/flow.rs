//! Text that flows from page to page: paragraphs, blocks that stay whole, numbers and footers.

use crate::document::code::Square;
use crate::document::font::Fonts;
use crate::document::font::Style;
use crate::document::page::DocumentError;
use crate::document::page::HEIGHT_MM;
use crate::document::page::Margins;
use crate::document::page::Mark;
use crate::document::page::PT_PER_MM;
use crate::document::page::Page;
use crate::document::page::count;

/// What blanks are filled with.
const DOT: &str = "\u{2026}";
/// A blank of fewer dots gets a line of its own.
const DOTS_MIN: usize = 8;
/// Lines of a paragraph that may stand alone on a page.
const ALONE_MAX: usize = 1;
/// From the page's lower edge to the footer's baseline, and to the end of its code.
const FOOTER_MM: f32 = 9.0;
const FOOTER_CODE_EDGE_MM: f32 = 4.0;
/// Side of the code in a footer, its white edge included.
const FOOTER_CODE_MM: f32 = 15.0;
const RULE_PT: f32 = 0.7;
/// From a line to the rule under it.
const UNDER_PT: f32 = 2.5;

/// A part of a paragraph.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    Text {
        text: String,
        style: Style,
    },
    /// Dots to write on, to the end of the line; what follows begins a new one.
    Blank,
    Break,
}

/// Where lines stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    Left,
    Centre,
    /// From edge to edge, but the last of a paragraph.
    Justified,
}

/// How a paragraph is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    pub lines: Lines,
    /// Of the first line, and of each that follows a break.
    pub indent_pt: f32,
    pub before_pt: f32,
}

/// What stands in a block, from the top.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    Text {
        text: String,
        style: Style,
    },
    /// Under the last line, as long as so many hundredths of it.
    Rule {
        percent: u8,
    },
    Space {
        pt: f32,
    },
}

/// A column of a block that stays on one page.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Of the width between the edges, in thousandths.
    pub share: u16,
    pub lines: Lines,
    pub entries: Vec<Entry>,
}

/// What stands on every page.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    pub margins: Margins,
    /// Of page numbers, in the middle of the upper edge; a section's first page shows none.
    pub number: Style,
    pub footer: String,
    pub footer_style: Style,
    /// In the lower right corner of the first page.
    pub footer_code: Option<Square>,
}

/// Pages, of which the last is being filled.
#[derive(Debug)]
pub struct Flow<'f> {
    fonts: &'f Fonts,
    frame: Frame,
    pages: Vec<Page<'f>>,
    page: Page<'f>,
    /// Numbers of the first pages of sections.
    sections: Vec<usize>,
}

/// Words of one style that stand beside each other.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    text: String,
    style: Style,
}

#[derive(Debug, Clone, PartialEq)]
struct Line {
    runs: Vec<Run>,
    width_pt: f32,
    end: End,
}

/// Why a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is full.
    Full,
    /// It was to end here.
    Meant,
}

impl<'f> Flow<'f> {
    #[must_use]
    pub fn new(fonts: &'f Fonts, frame: Frame) -> Self {
        let page = Page::new(fonts, frame.margins);
        Self { fonts, frame, pages: Vec::new(), page, sections: vec![0] }
    }

    pub(in crate::document) const fn fonts(&self) -> &'f Fonts {
        self.fonts
    }

    pub(in crate::document) const fn page(&mut self) -> &mut Page<'f> {
        &mut self.page
    }

    /// Height that is left on this page.
    #[must_use]
    pub fn free_pt(&self) -> f32 {
        self.page.free_pt()
    }

    pub(in crate::document) fn turn(&mut self) {
        let next = Page::new(self.fonts, self.frame.margins);
        self.pages.push(std::mem::replace(&mut self.page, next));
    }

    /// What follows begins on a new page, and pages are counted anew.
    pub fn section(&mut self) {
        self.turn();
        self.sections.push(self.pages.len());
    }

    /// Turns the page unless so much is free.
    pub fn need(&mut self, height_pt: f32) {
        if self.page.free_pt() < height_pt && !self.page.is_fresh() {
            self.turn();
        }
    }

    /// Leaves some room, but not at the top of a page.
    pub fn space(&mut self, pt: f32) {
        if !self.page.is_fresh() {
            self.page.space(pt / PT_PER_MM);
        }
    }

    /// A paragraph; no line of it stands alone on a page.
    ///
    /// # Errors
    /// When a line is higher than a page.
    pub fn paragraph(&mut self, pieces: &[Piece], setting: &Setting) -> Result<(), DocumentError> {
        let width = self.page.width_pt();
        let lines = self.broken(pieces, (width - setting.indent_pt, width));
        let style = pieces.iter().find_map(|piece| match piece {
            Piece::Text { style, .. } => Some(*style),
            _ => None,
        });
        let Some(style) = style else { return Ok(()) };
        self.space(setting.before_pt);
        let mut left = lines.len();
        for (at, line) in lines.iter().enumerate() {
            if self.must_turn(left, lines.len(), style) {
                self.turn();
            }
            let before = at.checked_sub(1).and_then(|at| lines.get(at));
            let is_first = before.is_none_or(|before| before.end == End::Meant);
            let indent = if is_first { setting.indent_pt } else { 0.0 };
            self.line(line, setting.lines, (indent, style))?;
            left -= 1;
        }
        Ok(())
    }

    /// Whether the next of `left` lines belongs on the next page.
    fn must_turn(&self, left: usize, all: usize, style: Style) -> bool {
        let height = style.single_pt();
        let fits = |lines: usize| count(lines) * height <= self.page.free_pt();
        if self.page.is_fresh() || fits(left) {
            return false;
        }
        // A first line alone here, or a last line alone there.
        let begins_alone = left == all && !fits(ALONE_MAX + 1);
        let ends_alone = left == ALONE_MAX + 1 && !fits(left);
        !fits(1) || begins_alone || ends_alone
    }

    fn line(
        &mut self,
        line: &Line,
        lines: Lines,
        (indent, style): (f32, Style),
    ) -> Result<(), DocumentError> {
        let width = self.page.width_pt() - indent;
        let gaps: usize = line.runs.iter().map(|run| run.text.matches(' ').count()).sum();
        let is_spread = lines == Lines::Justified && line.end == End::Full && gaps > 0;
        let spread_pt = if is_spread { (width - line.width_pt) / count(gaps) } else { 0.0 };
        let offset = if lines == Lines::Centre { (width - line.width_pt) / 2.0 } else { 0.0 };
        let first = line.runs.first().map_or("a line", |run| run.text.as_str()).to_owned();
        let top = self.page.take(style.single_pt(), &first)?;
        let mut x = self.page.left_pt() + indent + offset;
        for run in &line.runs {
            let Run { text, style: own } = run.clone();
            let spaces = count(text.matches(' ').count());
            let advance = self.fonts.width_pt(&text, own) + spaces * spread_pt;
            let at = (x, top + style.rise_pt());
            self.page.marks.push(Mark::Text { at, style: own, text, spread_pt });
            x += advance;
        }
        Ok(())
    }

    /// Pieces as lines: the first of the one width, the others of the other.
    fn broken(&self, pieces: &[Piece], (first_pt, width_pt): (f32, f32)) -> Vec<Line> {
        let mut setter = Setter {
            fonts: self.fonts,
            lines: Vec::new(),
            line: Line { runs: Vec::new(), width_pt: 0.0, end: End::Full },
            word: Vec::new(),
            limits: (first_pt, width_pt),
            style: Style::regular(1.0),
        };
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text { text, style } => setter.text(text, *style),
                Piece::Break => setter.end_of_line(),
                Piece::Blank => {
                    setter.blank();
                    // Nothing follows a blank at the end.
                    if at + 1 < pieces.len() {
                        setter.end_of_line();
                    }
                }
            }
        }
        setter.end_of_line();
        setter.lines
    }

    /// Columns beside each other on one page.
    ///
    /// # Errors
    /// When they are higher than a page.
    pub fn columns(&mut self, columns: &[Column]) -> Result<(), DocumentError> {
        let height = columns.iter().map(|it| self.height_pt(it)).fold(0.0, f32::max);
        self.need(height);
        let top = self.page.take(height, "columns")?;
        let mut left = self.page.left_pt();
        for column in columns {
            let width = self.page.width_pt() * f32::from(column.share) / 1000.0;
            self.column(column, (left, top), width);
            left += width;
        }
        Ok(())
    }

    /// How high a column is.
    #[must_use]
    pub fn height_pt(&self, column: &Column) -> f32 {
        let width = self.page.width_pt() * f32::from(column.share) / 1000.0;
        let height = |entry: &Entry| match entry {
            Entry::Text { text, style } => {
                count(self.page.wrapped(text, *style, width).len()) * style.single_pt()
            }
            Entry::Rule { .. } => UNDER_PT * 2.0,
            Entry::Space { pt } => *pt,
        };
        column.entries.iter().map(height).sum()
    }

    fn column(&mut self, column: &Column, (left, top): (f32, f32), width: f32) {
        let mut down = top;
        let mut last = 0.0;
        for entry in &column.entries {
            match entry {
                Entry::Text { text, style } => {
                    for line in self.page.wrapped(text, *style, width) {
                        last = self.fonts.width_pt(&line, *style);
                        let free = if column.lines == Lines::Centre { width - last } else { 0.0 };
                        let at = (left + free / 2.0, down + style.rise_pt());
                        self.page.marks.push(Mark::text(at, *style, line));
                        down += style.single_pt();
                    }
                }
                Entry::Rule { percent } => {
                    let long = last * f32::from(*percent) / 100.0;
                    let x = left + (width - long) / 2.0;
                    let (from, to) = ((x, down + UNDER_PT), (x + long, down + UNDER_PT));
                    self.page.marks.push(Mark::Line { from, to, width_pt: RULE_PT });
                    down += UNDER_PT * 2.0;
                }
                Entry::Space { pt } => down += pt,
            }
        }
    }

    /// A code with text beside it.
    ///
    /// # Errors
    /// When they do not fit a page, or the text is higher than the code.
    pub fn code(
        &mut self,
        square: &Square,
        side_mm: f32,
        text: (&str, Style),
    ) -> Result<(), DocumentError> {
        self.need(side_mm * PT_PER_MM);
        self.page.code(&square.modules(), side_mm, text)
    }

    /// The pages with their numbers and footers.
    #[must_use]
    pub fn finish(mut self) -> Vec<Page<'f>> {
        self.turn();
        let Self { fonts, frame, mut pages, sections, .. } = self;
        let mut first = 0;
        for (at, page) in pages.iter_mut().enumerate() {
            let (left, width) = (page.left_pt(), page.width_pt());
            if sections.contains(&at) {
                first = at;
            } else {
                let text = (at - first + 1).to_string();
                let x = left + (width - fonts.width_pt(&text, frame.number)) / 2.0;
                let y = (frame.margins.top_mm * PT_PER_MM + frame.number.size_pt) / 2.0;
                page.marks.push(Mark::text((x, y), frame.number, text));
            }
            let text = fonts.drawable(&frame.footer);
            let down = (HEIGHT_MM - FOOTER_MM) * PT_PER_MM;
            page.marks.push(Mark::text((left, down), frame.footer_style, text));
        }
        if let (Some(page), Some(code)) = (pages.first_mut(), &frame.footer_code) {
            let side = FOOTER_CODE_MM * PT_PER_MM;
            let x = page.left_pt() + page.width_pt() - side;
            let y = (HEIGHT_MM - FOOTER_CODE_EDGE_MM) * PT_PER_MM - side;
            page.squares(&code.modules(), (x, y), side);
        }
        pages
    }
}

/// Sets words into lines.
struct Setter<'f> {
    fonts: &'f Fonts,
    lines: Vec<Line>,
    line: Line,
    /// What has been read of a word that may go on in the next piece.
    word: Vec<Run>,
    /// Width of a first line, and of the others.
    limits: (f32, f32),
    style: Style,
}

impl Setter<'_> {
    fn limit(&self) -> f32 {
        match self.lines.last() {
            Some(before) if before.end == End::Full => self.limits.1,
            _ => self.limits.0,
        }
    }

    fn text(&mut self, text: &str, style: Style) {
        self.style = style;
        for (at, part) in self.fonts.drawable(text).split(' ').enumerate() {
            if at > 0 {
                self.end_of_word();
            }
            if !part.is_empty() {
                self.word.push(Run { text: part.to_owned(), style });
            }
        }
    }

    fn end_of_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        if word.is_empty() {
            return;
        }
        let wide: f32 = word.iter().map(|run| self.fonts.width_pt(&run.text, run.style)).sum();
        let space = match self.line.runs.last() {
            Some(run) => self.fonts.width_pt(" ", run.style),
            None => 0.0,
        };
        if self.line.width_pt + space + wide > self.limit() && !self.line.runs.is_empty() {
            self.end(End::Full);
        }
        if wide > self.limit() {
            self.cut(word);
            return;
        }
        if let Some(run) = self.line.runs.last_mut() {
            run.text.push(' ');
            self.line.width_pt += space;
        }
        word.into_iter().for_each(|run| self.push(run));
    }

    fn push(&mut self, run: Run) {
        self.line.width_pt += self.fonts.width_pt(&run.text, run.style);
        match self.line.runs.last_mut().filter(|last| last.style == run.style) {
            Some(last) => last.text.push_str(&run.text),
            None => self.line.runs.push(run),
        }
    }

    /// A word that is wider than a line, letter by letter.
    fn cut(&mut self, word: Vec<Run>) {
        for run in word {
            for letter in run.text.chars() {
                let letter = Run { text: letter.to_string(), style: run.style };
                let wide = self.fonts.width_pt(&letter.text, letter.style);
                if self.line.width_pt + wide > self.limit() {
                    self.end(End::Full);
                }
                self.push(letter);
            }
        }
    }

    fn blank(&mut self) {
        self.end_of_word();
        let style = self.style;
        let dot = self.fonts.width_pt(DOT, style);
        let fitting = |free_pt: f32| {
            let mut dots = 0;
            while count(dots + 1) * dot <= free_pt {
                dots += 1;
            }
            dots
        };
        let space = self.fonts.width_pt(" ", style);
        let mut dots = fitting(self.limit() - self.line.width_pt - space);
        if dots < DOTS_MIN {
            self.end(End::Meant);
            dots = fitting(self.limit() - space);
        }
        self.word.push(Run { text: DOT.repeat(dots), style });
        self.end_of_word();
    }

    fn end_of_line(&mut self) {
        self.end_of_word();
        if !self.line.runs.is_empty() {
            self.end(End::Meant);
        }
    }

    fn end(&mut self, end: End) {
        let fresh = Line { runs: Vec::new(), width_pt: 0.0, end: End::Full };
        let line = std::mem::replace(&mut self.line, fresh);
        self.lines.push(Line { end, ..line });
    }
}
