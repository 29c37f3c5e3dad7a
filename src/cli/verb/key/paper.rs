//! The sheets of a set as one PDF: a page of A4 for each share.

use zeroize::Zeroizing;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::keys;
use crate::cli::language::table::sheet as texts;
use crate::cli::verb::key::sheet::Sheet;
use crate::crypto::sealed::shares::Share;
use crate::document::font::Fonts;
use crate::document::font::Style;
use crate::document::page::Align;
use crate::document::page::DocumentError;
use crate::document::page::Margins;
use crate::document::page::Modules;
use crate::document::page::Page;
use crate::document::pdf;
use crate::document::pdf::About;
use crate::repository::keys::recovery::sheet;
use crate::repository::keys::recovery::words;

const TITLE: Style = Style::bold(15.0);
const STRONG: Style = Style::bold(12.0);
const TEXT: Style = Style::regular(12.0);
/// Words in a row of the table.
const COLUMNS: usize = 5;
const CODE_MM: f32 = 46.0;
const NAMES_MM: f32 = 62.0;
/// More of a storage's name would push the words off the page.
const LOCATION_CHARS_MAX: usize = 160;

impl Sheet<'_> {
    /// As secret as all of the shares together.
    ///
    /// # Errors
    /// When a page has no room, or the PDF cannot be made.
    pub fn paper(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let failed = |error: DocumentError| {
            let message = keys::PDF_FAILED.with("detail", Said::heard(error));
            Failure::new(Exit::Failed, message, keys::USE_FOLDER)
        };
        let fonts = Fonts::new().map_err(failed)?;
        let mut pages = Vec::new();
        for share in &self.shares.shares {
            pages.push(self.paper_page(&fonts, share).map_err(failed)?);
        }
        let title = texts::PDF_TITLE.words(self.language).to_owned();
        let language = match self.language {
            Language::En => "en",
            Language::Vi => "vi",
        };
        pdf::write(&fonts, &pages, &About { title, language, made: self.made }).map_err(failed)
    }

    fn paper_page<'f>(&self, fonts: &'f Fonts, share: &Share) -> Result<Page<'f>, DocumentError> {
        let mut page = Page::new(fonts, Margins::OFFICE);
        page.paragraph(&self.numbered(texts::TITLE, share), TITLE, Align::Centre)?;
        page.rule(1.0)?;
        page.space(2.0);
        page.paragraph(self.words(texts::SECRET), STRONG, Align::Centre)?;
        page.space(2.0);
        let what = self.numbered(texts::WHAT, share).replace('\n', " ");
        page.paragraph(&what, TEXT, Align::Left)?;
        page.space(2.0);
        let rows = self.rows(share).map(|(name, value)| (name, shortened(&value)));
        let rows: Vec<(&str, &str)> = rows.iter().map(|(name, it)| (*name, it.as_str())).collect();
        page.rows(&rows, TEXT, NAMES_MM)?;
        page.space(2.0);
        page.table(&cells(share), TEXT)?;
        page.space(1.0);
        page.paragraph(self.words(texts::TYPE), TEXT, Align::Left)?;
        page.rows(&self.commands(), TEXT, NAMES_MM)?;
        page.space(1.0);
        if let Some(code) = sheet::modules(share) {
            let modules = Modules { side_count: code.side_count, dark: &code.dark };
            page.code(&modules, CODE_MM, (self.words(texts::CODE), TEXT))?;
        }
        for name in [texts::HOLDER, texts::RECEIVED_ON, texts::SIGNATURE, texts::SEAL] {
            page.blank(self.words(name), TEXT)?;
        }
        Ok(page)
    }
}

/// The words with their numbers, row by row.
fn cells(share: &Share) -> Vec<Vec<String>> {
    let words = words::encode(share);
    let numbered = words.split(' ').enumerate().map(|(at, word)| format!("{}. {word}", at + 1));
    numbered.collect::<Vec<_>>().chunks(COLUMNS).map(<[String]>::to_vec).collect()
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LOCATION_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(LOCATION_CHARS_MAX).chain(['…']).collect()
}
