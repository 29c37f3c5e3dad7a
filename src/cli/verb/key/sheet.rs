//! The sheet of one share: as text for a terminal, and as a page to print, seal and hand over.

use zeroize::Zeroizing;

use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::sheet as texts;
use crate::cli::language::text::Text;
use crate::cli::language::value::Value;
use crate::crypto::sealed::shares::Share;
use crate::path::escape;
use crate::repository::keys::recovery::Shares;
use crate::repository::keys::recovery::sheet;
use crate::repository::keys::recovery::words;
use crate::units::Timestamp;

/// Words in a row; it fits a page and a terminal.
const ROW_WORDS: usize = 4;

/// How a page looks in a browser and on A4 paper. There is no script and nothing from elsewhere.
const STYLE: &str = "\
    @page { size: A4; margin: 18mm } \
    body { font: 12pt/1.4 serif; color: #000; background: #fff; max-width: 174mm; margin: auto } \
    h1 { font-size: 18pt; text-align: center; border-bottom: 2pt solid } \
    .secret { font-weight: bold; text-align: center } \
    table { border-collapse: collapse; width: 100% } \
    th { text-align: left; font-weight: normal; width: 42mm } td, th { padding: 1mm 0 } \
    .words { font: 13pt monospace; border: 1pt solid; margin: 4mm 0 } \
    .words td { padding: 1mm 2mm } .words b { font-weight: normal; color: #555 } \
    .code { float: right; width: 52mm; margin-left: 6mm } .code svg { width: 52mm; height: 52mm } \
    .code p { font-size: 9pt; margin: 0; text-align: center } \
    .sign { clear: both; margin-top: 4mm } .sign td { border-bottom: 1pt dotted; height: 11mm }";

/// What stands on every sheet of a set.
#[derive(Debug)]
pub struct Sheet<'a> {
    pub shares: &'a Shares,
    pub made: Timestamp,
    pub language: Language,
}

impl Sheet<'_> {
    pub(super) fn words(&self, text: Text) -> &'static str {
        text.words(self.language)
    }

    pub(super) fn numbered(&self, text: Text, share: &Share) -> String {
        let said = match text {
            texts::TITLE => text.with("index", share.index).with("total", share.n),
            texts::WHAT => text.with("needed", share.k).with("total", share.n),
            _ => {
                let said = text.with("index", share.index).with("total", share.n);
                said.with("needed", share.k)
            }
        };
        Said::told_in(&said, self.language)
    }

    /// What names the share, row by row.
    pub(super) fn rows(&self, share: &Share) -> [(&'static str, String); 6] {
        let made = Value::from(self.made).told_in(self.language);
        [
            (self.words(texts::REPOSITORY), self.shares.repository.to_string()),
            (self.words(texts::STORAGE), escape(self.shares.location.as_bytes())),
            (self.words(texts::SET), sheet::set_name(share)),
            (self.words(texts::SHARE), self.numbered(texts::SHARE_OF, share)),
            (self.words(texts::CHECKSUM), sheet::checksum(share)),
            (self.words(texts::MADE), made),
        ]
    }

    pub(super) fn commands(&self) -> [(&'static str, &'static str); 2] {
        [
            (self.words(texts::TO_PROVE), "lifeboat key recovery check"),
            (self.words(texts::TO_OPEN), "lifeboat key recovery use"),
        ]
    }

    /// As plain text; it is as secret as the share.
    #[must_use]
    pub fn text(&self, share: &Share) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::with_capacity(4096));
        let (title, what) = (self.numbered(texts::TITLE, share), self.numbered(texts::WHAT, share));
        out.push_str(&format!("{title}\n\n{what}\n\n"));
        for (label, value) in self.rows(share) {
            out.push_str(&format!("{label:<12} {value}\n"));
        }
        out.push('\n');
        for (at, word) in words::encode(share).split(' ').enumerate() {
            let end = if (at + 1).is_multiple_of(ROW_WORDS) { "\n" } else { "   " };
            out.push_str(&Zeroizing::new(format!("{:>2}. {word:<9}{end}", at + 1)));
        }
        out.push('\n');
        for (label, command) in self.commands() {
            out.push_str(&format!("{label:<30} {command}\n"));
        }
        out.push_str(&format!("{}\n", self.words(texts::TYPE)));
        out
    }

    /// As one page to print; it is as secret as the share.
    #[must_use]
    pub fn page(&self, share: &Share) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::with_capacity(64 * 1024));
        let title = html(&self.numbered(texts::TITLE, share));
        let lang = match self.language {
            Language::En => "en",
            Language::Vi => "vi",
        };
        out.push_str(&format!(
            "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
             <p class=\"secret\">{}</p>\n<p>{}</p>\n",
            html(self.words(texts::SECRET)),
            html(&self.numbered(texts::WHAT, share)),
        ));
        // The drawing without its XML head, which may not stand inside a page.
        if let Some(drawn) = sheet::qr_svg(share)
            && let Some(at) = drawn.find("<svg")
        {
            out.push_str("<div class=\"code\">\n");
            out.push_str(drawn.get(at..).unwrap_or_default());
            out.push_str(&format!("\n<p>{}</p>\n</div>\n", html(self.words(texts::CODE))));
        }
        out.push_str("<table>\n");
        for (label, value) in self.rows(share) {
            out.push_str(&format!("<tr><th>{}</th><td>{}</td></tr>\n", html(label), html(&value)));
        }
        out.push_str("</table>\n<table class=\"words\">\n");
        let words = words::encode(share);
        let words: Vec<&str> = words.split(' ').collect();
        for (row, part) in words.chunks(ROW_WORDS).enumerate() {
            out.push_str("<tr>");
            for (at, word) in part.iter().enumerate() {
                let number = row * ROW_WORDS + at + 1;
                out.push_str(&Zeroizing::new(format!("<td><b>{number}.</b> {word}</td>")));
            }
            out.push_str("</tr>\n");
        }
        out.push_str(&format!("</table>\n<p>{}</p>\n<table>\n", html(self.words(texts::TYPE))));
        for (label, command) in self.commands() {
            out.push_str(&format!(
                "<tr><th>{}</th><td><code>{command}</code></td></tr>\n",
                html(label)
            ));
        }
        out.push_str("</table>\n<table class=\"sign\">\n");
        for label in [texts::HOLDER, texts::RECEIVED, texts::SEAL] {
            out.push_str(&format!("<tr><th>{}</th><td></td></tr>\n", html(self.words(label))));
        }
        out.push_str("</table>\n</body>\n</html>\n");
        out
    }
}

/// Text that means nothing to a browser.
fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sealed::shares;
    use crate::ids::RepositoryId;
    use crate::secret::Secret32;

    fn made(location: &str) -> Shares {
        let shares = shares::split(&Secret32::new([0x3c; 32]), [9; 15], (2, 3)).unwrap();
        Shares { repository: RepositoryId::new([1; 16]), location: location.to_owned(), shares }
    }

    fn sheet(shares: &Shares, language: Language) -> Sheet<'_> {
        Sheet { shares, made: Timestamp::from_unix_ms(0), language }
    }

    #[test]
    fn a_sheet_fits_a_page_and_its_rows_can_be_typed_back() {
        let made = made("/mnt/disk");
        for language in [Language::En, Language::Vi] {
            let sheet = sheet(&made, language);
            for share in &made.shares {
                let text = sheet.text(share);
                assert!(text.lines().count() < 40);
                assert!(text.lines().all(|line| line.chars().count() <= 80), "{}", *text);
                assert!(text.contains("/mnt/disk") && text.contains(&sheet::set_name(share)));
                let is_row = |line: &&str| {
                    line.contains(". ") && line.starts_with([' ', '1', '2', '3', '4'])
                };
                let rows: Vec<&str> = text.lines().filter(is_row).collect();
                assert_eq!(words::decode(1, &rows.join("\n")).as_ref(), Ok(share));
            }
        }
    }

    #[test]
    fn a_page_has_everything_once_and_nothing_from_elsewhere() {
        let made = made("/mnt/<b>&disk");
        for language in [Language::En, Language::Vi] {
            let share = &made.shares[1];
            let page = sheet(&made, language).page(share);
            let count = |part: &str| page.matches(part).count();
            assert_eq!((count("<svg"), count("</svg>"), count("<?xml")), (1, 1, 0));
            assert!(page.contains("/mnt/&lt;b&gt;&amp;disk") && !page.contains("<b>&disk"));
            assert_eq!((count("<script"), count("src="), count("href=")), (0, 0, 0));
            for word in words::encode(share).split(' ') {
                assert!(page.contains(&format!("</b> {word}</td>")), "{word}");
            }
            for tag in ["table", "tr", "td", "th", "div", "p", "h1", "body", "html"] {
                let opened = count(&format!("<{tag}>")) + count(&format!("<{tag} "));
                assert_eq!(opened, count(&format!("</{tag}>")), "{tag}");
            }
        }
        let page = sheet(&made, Language::Vi).page(&made.shares[0]);
        for part in ["lang=\"vi\"", "MẢNH KHÓA 1 TRÊN 3", "01/01/1970", "Số niêm phong"] {
            assert!(page.contains(part), "{part}");
        }
    }
}
