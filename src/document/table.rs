//! Tables that go on from page to page, with their heads.

use crate::document::flow::Flow;
use crate::document::flow::Lines;
use crate::document::font::Style;
use crate::document::page::CELL_PAD_PT;
use crate::document::page::DocumentError;
use crate::document::page::Mark;
use crate::document::page::count;

/// Above and below a cell's text; letters have some room of their own.
const CELL_GAP_PT: f32 = 1.5;

/// A row that goes over pages begins where so many heads would fit.
const ROOMY: f32 = 3.0;

/// A column: what stands over it, how wide it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub text: String,
    /// Of the table's width, in thousandths.
    pub share: u16,
    pub lines: Lines,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub text: String,
    pub style: Style,
}

/// A table; its heads are bold and stand in the middle.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub heads: Vec<Head>,
    pub head_style: Style,
    pub rows: Vec<Vec<Cell>>,
}

/// A cell as lines.
struct Set {
    lines: Vec<String>,
    style: Style,
    place: Lines,
}

impl Flow<'_> {
    /// A table. Rows stay whole where they fit a page; the head is on every page.
    ///
    /// # Errors
    /// When the head is higher than a page.
    pub fn table(&mut self, table: &Table) -> Result<(), DocumentError> {
        let head = |head: &Head| Cell { text: head.text.clone(), style: table.head_style };
        let heads: Vec<Cell> = table.heads.iter().map(head).collect();
        let mut head = self.set(&table.heads, &heads);
        head.iter_mut().for_each(|cell| cell.place = Lines::Centre);
        let first = table.rows.first().map(|row| height_pt(&self.set(&table.heads, row)));
        self.need(height_pt(&head) + first.unwrap_or_default());
        self.row(&table.heads, &head)?;
        for row in &table.rows {
            let mut row = self.set(&table.heads, row);
            // What fits no page may begin here, if it is more than a line.
            let is_endless = height_pt(&row) > self.page().whole_pt() - height_pt(&head);
            let begins = is_endless && self.free_pt() > height_pt(&head) * ROOMY;
            if height_pt(&row) > self.free_pt() && !begins {
                self.turn();
                self.row(&table.heads, &head)?;
            }
            // Higher than a page: as many lines as it takes, and the rest on the next.
            while height_pt(&row) > self.free_pt() {
                let part = self.part(&mut row);
                self.row(&table.heads, &part)?;
                self.turn();
                self.row(&table.heads, &head)?;
            }
            self.row(&table.heads, &row)?;
        }
        Ok(())
    }

    /// Takes off a row's front what fits this page, one line at least.
    fn part(&self, row: &mut [Set]) -> Vec<Set> {
        let line = row.iter().map(|cell| cell.style.single_pt()).fold(1.0, f32::max);
        let mut fitting = 1;
        while count(fitting + 1) * line + 2.0 * CELL_GAP_PT <= self.free_pt() {
            fitting += 1;
        }
        let off = |cell: &mut Set| {
            let rest = cell.lines.split_off(fitting.min(cell.lines.len()));
            let lines = std::mem::replace(&mut cell.lines, rest);
            Set { lines, style: cell.style, place: cell.place }
        };
        row.iter_mut().map(off).collect()
    }

    fn set(&mut self, heads: &[Head], row: &[Cell]) -> Vec<Set> {
        let width = self.page().width_pt();
        let set = |(head, cell): (&Head, &Cell)| {
            let wide = width * f32::from(head.share) / 1000.0 - 2.0 * CELL_PAD_PT;
            let lines = self.page().wrapped(&cell.text, cell.style, wide);
            Set { lines, style: cell.style, place: head.lines }
        };
        heads.iter().zip(row).map(set).collect()
    }

    fn row(&mut self, heads: &[Head], row: &[Set]) -> Result<(), DocumentError> {
        let height = height_pt(row);
        let what = row.first().and_then(|cell| cell.lines.first()).cloned().unwrap_or_default();
        let fonts = self.fonts();
        let page = self.page();
        let top = page.take(height, &what)?;
        let (mut left, width) = (page.left_pt(), page.width_pt());
        for (head, cell) in heads.iter().zip(row) {
            let wide = width * f32::from(head.share) / 1000.0;
            page.outline((left, top), (wide, height));
            for (number, line) in cell.lines.iter().enumerate() {
                let free = wide - 2.0 * CELL_PAD_PT - fonts.width_pt(line, cell.style);
                let offset = if cell.place == Lines::Centre { free / 2.0 } else { 0.0 };
                let down = CELL_GAP_PT + cell.style.rise_pt();
                let y = top + down + count(number) * cell.style.single_pt();
                let at = (left + CELL_PAD_PT + offset, y);
                page.marks.push(Mark::text(at, cell.style, line.clone()));
            }
            left += wide;
        }
        Ok(())
    }
}

fn height_pt(row: &[Set]) -> f32 {
    let cell = |cell: &Set| count(cell.lines.len()) * cell.style.single_pt();
    row.iter().map(cell).fold(0.0, f32::max) + 2.0 * CELL_GAP_PT
}
