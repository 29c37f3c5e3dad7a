//! The DOCX as a reader of XML sees it.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::io::Read;

use unicode_normalization::UnicodeNormalization;

use super::docx;
use super::mend::Element;
use super::mend::Inner;
use super::mend::parse;
use crate::report::Language;
use crate::report::form::web;
use crate::report::model::Block;
use crate::report::model::Document;
use crate::report::model::Signatures;
use crate::report::model::Span;
use crate::report::tests::long;
use crate::report::tests::made;
use crate::report::tests::planned;
use crate::report::tests::record;

/// Children of some elements in the order of the schema (ECMA-376, Part 1, Annex A), all of them.
const SCHEMA: [(&str, &str); 9] = [
    (
        "w:pPr",
        "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr suppressLineNumbers \
         pBdr shd tabs suppressAutoHyphens kinsoku wordWrap overflowPunct topLinePunct autoSpaceDE \
         autoSpaceDN bidi adjustRightInd snapToGrid spacing ind contextualSpacing mirrorIndents \
         suppressOverlap jc textDirection textAlignment textboxTightWrap outlineLvl divId cnfStyle \
         rPr sectPr pPrChange",
    ),
    (
        "w:rPr",
        "rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline shadow emboss imprint \
         noProof snapToGrid vanish webHidden color spacing w kern position sz szCs highlight u \
         effect bdr shd fitText vertAlign rtl cs em lang eastAsianLayout specVanish oMath",
    ),
    (
        "w:sectPr",
        "headerReference footerReference footnotePr endnotePr type pgSz pgMar paperSrc pgBorders \
         lnNumType pgNumType cols formProt vAlign noEndnote titlePg textDirection bidi rtlGutter \
         docGrid printerSettings sectPrChange",
    ),
    (
        "w:tblPr",
        "tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize tblW jc \
         tblCellSpacing tblInd tblBorders shd tblLayout tblCellMar tblLook tblCaption",
    ),
    ("w:tblBorders", "top left start bottom right end insideH insideV"),
    ("w:tblCellMar", "top left start bottom right end"),
    (
        "w:tcPr",
        "cnfStyle tcW gridSpan hMerge vMerge tcBorders shd noWrap tcMar textDirection tcFitText \
         vAlign hideMark",
    ),
    ("w:tbl", "tblPr tblGrid tr"),
    (
        "w:style",
        "name aliases basedOn next link autoRedefine hidden uiPriority semiHidden unhideWhenUsed \
         qFormat locked pPr rPr tblPr trPr tcPr",
    ),
];

fn unpacked(docx: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(docx)).unwrap();
    let mut parts = BTreeMap::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        parts.insert(file.name().unwrap().to_string(), bytes);
    }
    parts
}

/// A part of the document as a tree.
fn part(document: &Document, name: &str) -> Element {
    parse(&unpacked(&docx(document).unwrap())[name]).unwrap()
}

fn body(document: &Document) -> Element {
    part(document, "word/document.xml")
}

fn all<'e>(element: &'e Element, name: &str) -> Vec<&'e Element> {
    let mut found = Vec::new();
    if element.name == name {
        found.push(element);
    }
    found.extend(element.elements().flat_map(|it| all(it, name)));
    found
}

fn value<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    element.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&apos;", "'").replace("&amp;", "&")
}

/// Letters of an element, a broken line as such.
fn text(element: &Element) -> String {
    let mut told = String::new();
    for inner in &element.inner {
        match inner {
            Inner::Element(it) if it.name == "w:br" => told.push('\n'),
            Inner::Element(it) => told.push_str(&text(it)),
            Inner::Text(it) if element.name == "w:t" => told.push_str(&unescaped(it)),
            Inner::Text(_) => {}
        }
    }
    told
}

fn paragraph<'e>(body: &'e Element, wanted: &str) -> &'e Element {
    let found = all(body, "w:p").into_iter().find(|it| text(it).contains(wanted));
    found.unwrap_or_else(|| panic!("`{wanted}` is in no paragraph"))
}

/// Property of a paragraph.
fn of<'e>(paragraph: &'e Element, name: &str) -> Option<&'e Element> {
    paragraph.first("w:pPr")?.first(name)
}

/// Weight, slope and half points of a paragraph's first run.
fn letters(paragraph: &Element) -> (bool, bool, usize) {
    let run = paragraph.first("w:r").and_then(|run| run.first("w:rPr"));
    let size =
        run.and_then(|it| value(it.first("w:sz")?, "w:val")).map_or(26, |it| it.parse().unwrap());
    let has = |name| run.is_some_and(|it| it.first(name).is_some());
    (has("w:b"), has("w:i"), size)
}

/// Nghị định 30/2020/NĐ-CP, Phụ lục I, as on paper.
#[test]
fn the_page_is_set_as_the_decree_says() {
    let document = made(&planned(), Language::Vi);
    let body = body(&document);
    let parts = [
        ("ỦY BAN NHÂN DÂN TỈNH AN HÒA", (false, false, 24), "center"),
        ("SỞ TƯ PHÁP", (true, false, 24), "center"),
        ("Số: ", (false, false, 26), "center"),
        ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", (true, false, 24), "center"),
        ("Độc lập - Tự do - Hạnh phúc", (true, false, 26), "center"),
        ("BIÊN BẢN", (true, false, 28), "center"),
        ("Diễn tập khôi phục dữ liệu tháng 12 năm 2026", (true, false, 28), "center"),
        ("Thời gian bắt đầu: 08 giờ", (false, false, 26), "both"),
        ("THƯ KÝ", (true, false, 26), "center"),
        ("CHỦ TỌA", (true, false, 26), "center"),
        ("Nơi nhận:", (true, true, 24), "left"),
        ("- Lưu: VT, Hồ sơ.", (false, false, 22), "left"),
    ];
    for (wanted, style, place) in parts {
        let found = paragraph(&body, wanted);
        assert_eq!(letters(found), style, "{wanted}");
        assert_eq!(value(of(found, "w:jc").unwrap(), "w:val"), Some(place), "{wanted}");
    }
    for section in all(&body, "w:sectPr") {
        let [size, margins] = ["w:pgSz", "w:pgMar"].map(|it| section.first(it).unwrap());
        assert_eq!([value(size, "w:w"), value(size, "w:h")], [Some("11906"), Some("16838")]);
        let edges =
            ["w:top", "w:bottom", "w:left", "w:right"].map(|it| value(margins, it).unwrap());
        assert_eq!(edges, ["1134", "1134", "1701", "850"]);
        assert!(section.first("w:titlePg").is_some());
        let number = section.first("w:pgNumType").unwrap();
        assert_eq!(value(number, "w:start"), Some("1"));
    }
    // Body and each annex.
    assert_eq!(all(&body, "w:sectPr").len(), 1 + document.annexes.len());
    let styles = part(&document, "word/styles.xml");
    let defaults = all(&styles, "w:rPrDefault")[0];
    let fonts = all(defaults, "w:rFonts")[0];
    assert!(fonts.attributes.iter().all(|(_, face)| face == "Times New Roman"));
    assert_eq!(value(all(defaults, "w:sz")[0], "w:val"), Some("26"));
    assert!(all(&body, "w:rFonts").is_empty(), "one face");
    // Rules under the office, the motto and the subject.
    let rules: Vec<usize> = all(&body, "w:p")
        .into_iter()
        .filter(|it| of(it, "w:pBdr").is_some())
        .map(|it| value(of(it, "w:ind").unwrap(), "w:left").unwrap().parse().unwrap())
        .collect();
    assert_eq!(rules.len(), 3 + document.annexes.len());
    let before = |at: usize, wanted: &str| {
        let (all, found) = (all(&body, "w:p"), paragraph(&body, wanted));
        let here = all.iter().position(|it| std::ptr::eq(*it, found)).unwrap();
        let lines = of(all[here + at], "w:pBdr").unwrap();
        let sides: Vec<&str> = lines.elements().map(Element::name).collect();
        assert_eq!(sides, ["w:bottom"], "{wanted}");
    };
    before(1, "SỞ TƯ PHÁP");
    before(1, "Độc lập - Tự do");
    before(1, "Diễn tập khôi phục dữ liệu tháng 12");
}

/// First lines, blanks, what stays together.
#[test]
fn lines_begin_and_end_where_they_should() {
    let document = made(&record(), Language::Vi);
    let body = body(&document);
    for wanted in ["Thời gian bắt đầu:", "Thành phần tham dự:", "1. Căn cứ:", "5. Kết quả"]
    {
        let found = paragraph(&body, wanted);
        assert_eq!(value(of(found, "w:ind").unwrap(), "w:firstLine"), Some("567"), "{wanted}");
        assert_eq!(value(of(found, "w:ind").unwrap(), "w:left"), Some("0"), "{wanted}");
    }
    let place = paragraph(&body, "Địa điểm:");
    let stop = of(place, "w:tabs").unwrap().first("w:tab").unwrap();
    let told = ["w:val", "w:leader", "w:pos"].map(|it| value(stop, it).unwrap());
    assert_eq!(told, ["right", "dot", "9354"]);
    let last = place.elements().last().unwrap();
    assert!(last.first("w:tab").is_some(), "dots to the end of the line");
    let model = document.blocks.iter().chain(document.annexes.iter().flat_map(|it| &it.blocks));
    let blanks: usize = model
        .map(|block| match block {
            Block::Paragraph(spans) => spans.iter().filter(|it| **it == Span::Blank).count(),
            _ => 0,
        })
        .sum();
    let tabs = all(&body, "w:r").into_iter().filter(|it| it.first("w:tab").is_some()).count();
    assert!(blanks > 3 && tabs == blanks, "{tabs} of {blanks}");
    // The last words of the text, signatures and recipients are on one page.
    let paragraphs = all(&body, "w:p");
    let at = |wanted| {
        let found = paragraph(&body, wanted);
        paragraphs.iter().position(|it| std::ptr::eq(*it, found)).unwrap()
    };
    for kept in &paragraphs[at("THƯ KÝ") - 2..at("- Lưu: VT")] {
        let is_listed = text(kept).starts_with("- ");
        assert!(is_listed || of(kept, "w:keepNext").is_some(), "{}", text(kept));
    }
}

#[test]
fn tables_repeat_their_heads_and_keep_their_rows() {
    let body = body(&made(&long(), Language::Vi));
    let mut count = 0;
    for table in all(&body, "w:tbl") {
        let rows: Vec<&Element> = table.elements().filter(|it| it.name == "w:tr").collect();
        let is_bare = all(table, "w:insideH").is_empty();
        count += usize::from(!is_bare);
        for (at, row) in rows.iter().enumerate() {
            let properties = row.first("w:trPr").unwrap();
            assert!(properties.first("w:cantSplit").is_some());
            assert_eq!(properties.first("w:tblHeader").is_some(), at == 0 && !is_bare);
        }
        let widths: Vec<u32> = all(table, "w:gridCol")
            .iter()
            .map(|it| value(it, "w:w").unwrap().parse().unwrap())
            .collect();
        assert!(all(table, "w:gridCol").iter().all(|it| it.attributes.len() == 1));
        let whole: u32 = widths.iter().sum();
        assert!((9350..=9358).contains(&whole), "{widths:?}");
        for row in rows {
            assert_eq!(all(row, "w:tc").len(), widths.len());
        }
    }
    assert!(count > 4, "{count}");
    // Tables beside each other would be one.
    let inner: Vec<&str> = body.first("w:body").unwrap().elements().map(Element::name).collect();
    assert!(inner.windows(2).all(|it| it != ["w:tbl", "w:tbl"]));
}

/// Everything that the web's page says, in the same order.
#[test]
fn it_says_what_the_other_forms_say() {
    for (record, language) in [(planned(), Language::Vi), (record(), Language::En)] {
        let document = made(&record, language);
        let body = body(&document);
        let lines: Vec<String> = all(&body, "w:p").into_iter().map(text).collect();
        let told = lines.join("\n");
        assert!(told.chars().eq(told.nfc()));
        let mut parts: Vec<String> = Vec::new();
        let blocks = |blocks: &[Block], parts: &mut Vec<String>| {
            for block in blocks {
                match block {
                    Block::Paragraph(spans) => {
                        parts.extend(spans.iter().filter_map(|it| match it {
                            Span::Plain(text) | Span::Strong(text) => Some(text.clone()),
                            Span::Blank | Span::Break => None,
                        }))
                    }
                    Block::Title(title) => parts.push(title.clone()),
                    Block::Table(table) => {
                        parts.extend(table.columns.iter().map(|it| it.head.clone()));
                        parts.extend(table.rows.iter().flatten().map(|it| it.text.clone()));
                    }
                    Block::Code { beside, .. } => parts.push(beside.clone()),
                }
            }
        };
        let head = document.head.clone();
        parts.extend([head.superior, head.office, head.number, head.nation, head.motto]);
        parts.extend([head.kind, head.subject]);
        blocks(&document.blocks, &mut parts);
        let Signatures::Two(both) = &document.signatures else { panic!("minutes have two") };
        for it in both.iter() {
            parts.extend([it.role.clone(), it.note.clone(), it.name.clone()]);
        }
        parts.push(document.recipients.0.clone());
        parts.extend(document.recipients.1.clone());
        for annex in &document.annexes {
            parts.extend([annex.number.clone(), annex.title.clone(), annex.of.clone()]);
            blocks(&annex.blocks, &mut parts);
        }
        let mut rest = told.as_str();
        for part in &parts {
            let at = rest.find(part.as_str()).unwrap_or_else(|| panic!("`{part}` in its order"));
            rest = &rest[at + part.len()..];
        }
        let page = web::html(&document);
        assert!(
            parts.iter().all(|it| page.contains(&it.replace('"', "&quot;").replace('\n', "<br>")))
        );
        for name in ["word/footer1.xml", "word/footer2.xml", "word/footer3.xml"] {
            assert_eq!(text(&part(&document, name)), document.footer, "{name}");
        }
    }
}

#[test]
fn every_part_is_named_and_in_the_order_of_the_schema() {
    for (record, language) in [(planned(), Language::Vi), (long(), Language::En)] {
        let document = made(&record, language);
        let parts = unpacked(&docx(&document).unwrap());
        let kinds = String::from_utf8(parts["[Content_Types].xml"].clone()).unwrap();
        let mut ids = Vec::new();
        for (name, bytes) in parts.iter().filter(|(name, _)| !name.ends_with(".png")) {
            let root = parse(bytes).unwrap();
            let is_named = name.ends_with(".rels") || name.starts_with('[');
            assert!(is_named || kinds.contains(&format!("\"/{name}\"")), "{name}");
            in_order(&root, name);
            assert!(!String::from_utf8_lossy(bytes).contains("paraId"), "{name}");
            // What a part refers to is there.
            let (folder, own) = name.rsplit_once('/').unwrap_or(("", name));
            let links = parts.get(&format!("{folder}/_rels/{own}.rels"));
            let links = links.map(|it| parse(it).unwrap());
            let targets: BTreeMap<&str, &str> = links
                .iter()
                .flat_map(|it| it.elements())
                .map(|it| (value(it, "Id").unwrap(), value(it, "Target").unwrap()))
                .collect();
            for target in targets.values() {
                assert!(parts.contains_key(&format!("{folder}/{target}")), "{name}: {target}");
            }
            used(&root, &mut |id| assert!(targets.contains_key(id), "{name}: {id}"));
            let drawn = all(&root, "wp:docPr").into_iter();
            ids.extend(drawn.map(|it| (name, value(it, "id").unwrap().to_owned())));
        }
        let unlike: std::collections::BTreeSet<_> = ids.iter().collect();
        assert!(ids.len() >= 2 && unlike.len() == ids.len(), "{ids:?}");
    }
}

fn used(element: &Element, seen: &mut impl FnMut(&str)) {
    for (name, id) in &element.attributes {
        if name == "r:id" || name == "r:embed" {
            seen(id);
        }
    }
    element.elements().for_each(|it| used(it, seen));
}

fn in_order(element: &Element, part: &str) {
    if let Some((_, order)) = SCHEMA.iter().find(|(name, _)| *name == element.name) {
        let rank = |it: &Element| {
            let name = it.name().trim_start_matches("w:");
            let at = order.split_whitespace().position(|known| known == name);
            at.unwrap_or_else(|| panic!("{part}: `{}` in `{}`", it.name(), element.name))
        };
        assert!(element.elements().map(rank).is_sorted(), "{part}: `{}`", element.name);
    }
    element.elements().for_each(|it| in_order(it, part));
}

#[test]
fn it_names_its_language_its_title_and_its_time() {
    for (language, tag) in [(Language::Vi, "vi-VN"), (Language::En, "en-GB")] {
        let document = made(&record(), language);
        let core = part(&document, "docProps/core.xml");
        let told = |name| match &all(&core, name)[0].inner[..] {
            [Inner::Text(text)] => unescaped(text),
            _ => panic!("{name}"),
        };
        assert_eq!(told("dc:title"), document.title);
        assert_eq!(told("dc:language"), tag);
        assert_eq!(told("dcterms:created"), document.made.to_rfc3339().replace(".000Z", "Z"));
        let styles = part(&document, "word/styles.xml");
        assert_eq!(value(all(&styles, "w:lang")[0], "w:val"), Some(tag));
    }
}

/// Nothing of a clock, of other documents or of other threads is in it.
#[test]
fn the_same_document_is_the_same_bytes() {
    let one = docx(&made(&planned(), Language::Vi)).unwrap();
    docx(&made(&long(), Language::En)).unwrap();
    let two = docx(&made(&planned(), Language::Vi)).unwrap();
    let other = std::thread::spawn(|| docx(&made(&planned(), Language::Vi)).unwrap());
    assert!(one == two && one == other.join().unwrap());
    assert!(one.len() < 60_000, "{}", one.len());
    let mut archive = zip::ZipArchive::new(Cursor::new(&one)).unwrap();
    for at in 0..archive.len() {
        let time = archive.by_index(at).unwrap().last_modified().unwrap();
        assert_eq!((time.year(), time.month(), time.day()), (1980, 1, 1));
    }
}

/// Letters that XML does not have, or that would turn the order of others, are numbers.
#[test]
fn no_text_breaks_the_file() {
    let mut record = planned();
    let hostile: String = (0..0x20_u8).map(char::from).collect();
    let hostile =
        format!("{hostile}\u{7f}\u{85}\u{fffe}\u{ffff}\u{202e}</w:t>&amp;]]>\"'<!--\u{1f600}");
    record.drill.location = Some(hostile.clone());
    record.items[0].dataset.clone_from(&hostile);
    record.org.as_mut().unwrap().name.clone_from(&hostile);
    let mut document = made(&record, Language::Vi);
    document.title.clone_from(&hostile);
    document.footer.clone_from(&hostile);
    document.head.subject.clone_from(&hostile);
    for bytes in unpacked(&docx(&document).unwrap()).iter().filter(|it| !it.0.ends_with("png")) {
        let (name, text) = (bytes.0, std::str::from_utf8(bytes.1).unwrap());
        let is_known = |letter: char| match letter {
            '\n' => true,
            letter => {
                !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{ffff}' | '\u{202e}')
            }
        };
        assert!(text.chars().all(is_known), "{name}");
        parse(bytes.1).unwrap();
    }
    let body = body(&document);
    let told: String = all(&body, "w:p").into_iter().map(text).collect();
    for wanted in ["\\u{0}", "\\u{1f}", "\\u{fffe}", "\\u{202e}</w:t>&amp;]]>\"'<!--\u{1f600}"] {
        assert!(told.contains(wanted), "{wanted}");
    }
}

/// What a telephone reads: module for module.
#[test]
fn a_code_is_a_picture_of_it() {
    let document = made(&planned(), Language::Vi);
    let parts = unpacked(&docx(&document).unwrap());
    let png = &parts["word/media/corner.png"];
    let code = document.footer_code.as_deref().unwrap();
    let square = crate::document::code::Square::of(code).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let side = u32::from_be_bytes(png[16..20].try_into().unwrap()) as usize;
    assert_eq!(side, (square.side_count + 8) * 8);
    let length = u32::from_be_bytes(png[33..37].try_into().unwrap()) as usize;
    assert_eq!(&png[37..41], b"IDAT");
    let mut lines = Vec::new();
    flate2::read::ZlibDecoder::new(&png[41..41 + length]).read_to_end(&mut lines).unwrap();
    for (at, dark) in square.dark.iter().enumerate() {
        let (x, y) = (at % square.side_count + 4, at / square.side_count + 4);
        // A byte is eight pixels, which are a module's width.
        let byte = lines[y * 8 * (side / 8 + 1) + 1 + x];
        assert_eq!(byte, if *dark { 0 } else { 0xff }, "{x} {y}");
    }
    assert!(parts.contains_key("word/media/code1.png"));
}
