//! Minutes as one page of HTML: no script, nothing fetched, ready to be printed on A4.

use unicode_normalization::UnicodeNormalization;

use crate::document::code::Square;
use crate::report::form::steers;
use crate::report::model::Annex;
use crate::report::model::Block;
use crate::report::model::Document;
use crate::report::model::Head;
use crate::report::model::Place;
use crate::report::model::Signature;
use crate::report::model::Signatures;
use crate::report::model::Span;
use crate::report::model::Table;
use crate::report::model::Tone;

const STYLE: &str = include_str!("web.css");

/// The document as HTML.
#[must_use]
pub fn html(minutes: &Document) -> String {
    let mut page = String::with_capacity(32 * 1024);
    let title = shown(&minutes.title);
    let language = minutes.language.tag();
    page.push_str(&format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n<title>\
         {title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    ));
    head(&mut page, &minutes.head);
    minutes.blocks.iter().for_each(|it| block(&mut page, it));
    let (name, list) = &minutes.recipients;
    let list = list.iter().map(|it| shown(it)).collect::<Vec<_>>().join("<br>");
    let name = shown(name);
    let recipients = format!("<p class=\"recipients\"><b>{name}</b><br>{list}</p>\n");
    page.push_str("<div class=\"pair signatures\">\n");
    match &minutes.signatures {
        Signatures::Two(both) => {
            both.iter().for_each(|it| signature(&mut page, it));
            page.push_str(&format!("</div>\n{recipients}"));
        }
        Signatures::One(one) => {
            page.push_str(&format!("<div>{recipients}</div>\n"));
            signature(&mut page, one);
            page.push_str("</div>\n");
        }
    }
    page.push_str("</main>\n");
    minutes.annexes.iter().for_each(|it| annex(&mut page, it));
    let code = minutes.footer_code.as_deref().map_or_else(String::new, svg);
    let footer = shown(&format!("{} | {}", minutes.footer, minutes.face));
    page.push_str(&format!("<footer><span>{footer}</span>{code}</footer>\n</body>\n</html>\n"));
    page
}

/// A text that can say nothing but itself: what steers a page or the direction of letters is a
/// number.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.nfc() {
        match letter {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\n' => shown.push_str("<br>"),
            letter if steers(letter) => {
                shown.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
            }
            letter => shown.push(letter),
        }
    }
    shown
}

fn head(page: &mut String, head: &Head) {
    let Head { superior, office, number, nation, motto, dated, kind, subject, address } = head;
    let line = |class: &str, text: &Option<String>| match text {
        Some(text) => format!("<p class=\"{class}\">{}</p>", shown(text)),
        None => String::new(),
    };
    let (dated, address) = (line("dated", dated), line("address", address));
    let [superior, office, number] = [superior, office, number].map(|it| shown(it));
    let [nation, motto, kind, subject] = [nation, motto, kind, subject].map(|it| shown(it));
    page.push_str(&format!(
        "<header class=\"pair\">\n<div><p>{superior}</p><p class=\"own ruled\"><b>{office}</b></p>\
         <p class=\"number\">{number}</p></div>\n<div><p><b>{nation}</b></p><p class=\"motto\">\
         <b>{motto}</b></p>{dated}</div>\n</header>\n<h1 class=\"ruled\">{kind}<br>{subject}</h1>\n\
         {address}"
    ));
}

fn block(page: &mut String, block: &Block) {
    match block {
        Block::Paragraph(spans) => {
            page.push_str("<p class=\"text\"><span class=\"line\">");
            let last = spans.len().saturating_sub(1);
            for (at, span) in spans.iter().enumerate() {
                match span {
                    Span::Plain(text) => page.push_str(&shown(text)),
                    Span::Strong(text) => page.push_str(&format!("<b>{}</b>", shown(text))),
                    Span::Blank => page.push_str("<span class=\"blank\"></span>"),
                    Span::Break => {}
                }
                if matches!(span, Span::Blank | Span::Break) && at < last {
                    page.push_str("</span><span class=\"line\">");
                }
            }
            page.push_str("</span></p>\n");
        }
        Block::Title(title) => page.push_str(&format!("<h3>{}</h3>\n", shown(title))),
        Block::Table(it) => table(page, it),
        Block::Code { content, beside } => {
            let beside = shown(beside);
            page.push_str(&format!("<div class=\"code\">{}<p>{beside}</p></div>\n", svg(content)));
        }
    }
}

fn table(page: &mut String, table: &Table) {
    page.push_str("<table>\n<colgroup>");
    for column in &table.columns {
        let (whole, tenth) = (column.share / 10, column.share % 10);
        page.push_str(&format!("<col style=\"width:{whole}.{tenth}%\">"));
    }
    page.push_str("</colgroup>\n<thead><tr>");
    for column in &table.columns {
        page.push_str(&format!("<th>{}</th>", shown(&column.head)));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        page.push_str("<tr>");
        for (column, cell) in table.columns.iter().zip(row) {
            let class = match column.place {
                Place::Left => "",
                Place::Centre => " class=\"centre\"",
            };
            let text = shown(&cell.text);
            match cell.tone {
                Tone::Plain => page.push_str(&format!("<td{class}>{text}</td>")),
                Tone::Strong => page.push_str(&format!("<td{class}><b>{text}</b></td>")),
            }
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n");
}

fn signature(page: &mut String, signature: &Signature) {
    let Signature { role, note, name } = signature;
    let [role, note, name] = [role, note, name].map(|it| shown(it));
    page.push_str(&format!(
        "<div><p><b>{role}</b></p><p><i>{note}</i></p><p class=\"name\"><b>{name}</b></p></div>\n"
    ));
}

fn annex(page: &mut String, annex: &Annex) {
    let [number, title, of] = [&annex.number, &annex.title, &annex.of].map(|it| shown(it));
    page.push_str(&format!(
        "<section>\n<h2 class=\"ruled\">{number}<br>{title}<br><i>{of}</i></h2>\n"
    ));
    annex.blocks.iter().for_each(|it| block(page, it));
    page.push_str("</section>\n");
}

/// A code as a drawing in the page; nothing if the content is too long for one.
fn svg(content: &str) -> String {
    let Some(square) = Square::of(content) else { return String::new() };
    let side = square.side_count + 8;
    let mut path = String::new();
    for (row, line) in square.dark.chunks(square.side_count.max(1)).enumerate() {
        let mut at = 0;
        for run in line.chunk_by(|one, two| one == two) {
            if run.first() == Some(&true) {
                let (x, y, long) = (at + 4, row + 4, run.len());
                path.push_str(&format!("M{x} {y}h{long}v1h-{long}z"));
            }
            at += run.len();
        }
    }
    format!("<svg viewBox=\"0 0 {side} {side}\" role=\"img\"><path d=\"{path}\"/></svg>")
}
