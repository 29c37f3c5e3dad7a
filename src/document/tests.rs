use super::flow::Flow;
use super::flow::Frame;
use super::flow::Lines;
use super::flow::Piece;
use super::flow::Setting;
use super::font::Fonts;
use super::font::Style;
use super::page::Align;
use super::page::DocumentError;
use super::page::Margins;
use super::page::Mark;
use super::page::Modules;
use super::page::Page;
use super::pdf;
use super::pdf::About;
use super::table::Cell;
use super::table::Head;
use super::table::Table;
use crate::units::Timestamp;

const TEXT: Style = Style::regular(13.0);

fn about() -> About {
    let made = Timestamp::from_unix_ms(1_800_000_000_000);
    About { title: "Mảnh khóa".to_owned(), language: "vi", made }
}

fn texts(page: &Page<'_>) -> Vec<(f32, String)> {
    let text = |mark: &Mark| match mark {
        Mark::Text { at, text, .. } => Some((at.0, text.clone())),
        _ => None,
    };
    page.marks.iter().filter_map(text).collect()
}

#[test]
fn fonts_have_every_vietnamese_letter_and_what_they_lack_is_a_number() {
    let fonts = Fonts::new().unwrap();
    let vowels = "aăâeêioôơuưy";
    let marks = ["", "\u{300}", "\u{301}", "\u{303}", "\u{309}", "\u{323}"];
    for vowel in vowels.chars().chain(vowels.to_uppercase().chars()) {
        for mark in marks {
            let drawable = fonts.drawable(&format!("{vowel}{mark}"));
            assert_eq!(drawable.chars().count(), 1, "{vowel}{mark} is one composed letter");
        }
    }
    assert_eq!(fonts.drawable("đĐ – “a” …"), "đĐ – “a” …");
    assert_eq!(fonts.drawable("a\u{4e2d}\u{7}"), "a\\u{4e2d}\\u{7}");
}

#[test]
fn a_paragraph_is_cut_at_spaces_and_stays_within_its_edges() {
    let fonts = Fonts::new().unwrap();
    let mut page = Page::new(&fonts, Margins::OFFICE);
    let words = "Cất mỗi mảnh ở một nơi khác nhau, trong phong bì có niêm phong. ".repeat(5);
    page.paragraph(words.trim_end(), TEXT, Align::Left).unwrap();
    let lines = texts(&page);
    assert!(lines.len() > 3);
    let joined = lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join(" ");
    assert_eq!(joined, words.trim_end());
    let width = 165.0 * 72.0 / 25.4;
    assert!(lines.iter().all(|(_, line)| fonts.width_pt(line, TEXT) <= width));
    let mut page = Page::new(&fonts, Margins::OFFICE);
    page.paragraph(&"x".repeat(500), TEXT, Align::Left).unwrap();
    let lines = texts(&page);
    assert!(lines.len() > 2 && lines.iter().all(|(_, it)| fonts.width_pt(it, TEXT) <= width));
}

#[test]
fn a_full_page_is_an_error_and_loses_nothing_in_silence() {
    let fonts = Fonts::new().unwrap();
    let mut page = Page::new(&fonts, Margins::OFFICE);
    let full = (0..200).try_for_each(|_| page.paragraph("một dòng", TEXT, Align::Left));
    assert_eq!(full, Err(DocumentError::PageFull { what: "một dòng".to_owned() }));
    let code = Modules { side_count: 2, dark: &[true, false, false, true] };
    assert!(page.code(&code, 50.0, ("", TEXT)).is_err());
}

#[test]
fn the_same_pages_are_the_same_bytes() {
    let fonts = Fonts::new().unwrap();
    let made = || {
        let mut page = Page::new(&fonts, Margins::OFFICE);
        page.paragraph("KHÓA KHÔI PHỤC", Style::bold(16.0), Align::Centre).unwrap();
        page.rule(1.0).unwrap();
        page.rows(&[("Kho sao lưu", "0123"), ("Nơi lưu", "/srv")], TEXT, 45.0).unwrap();
        page.table(&[vec!["1. abandon".to_owned(), "2. zoo".to_owned()]], TEXT).unwrap();
        page.blank("Người giữ", TEXT).unwrap();
        pdf::write(&fonts, &[page], &about()).unwrap()
    };
    let (one, two) = (made(), made());
    assert!(one.starts_with(b"%PDF-") && *one == *two);
    assert!(one.len() < 100_000, "only letters that are used are embedded: {}", one.len());
}

/// What is drawable is a letter in every face, not a box.
#[test]
fn every_face_has_every_vietnamese_letter() {
    let fonts = Fonts::new().unwrap();
    let vowels = "aăâeêioôơuưy";
    let marks = ["", "\u{300}", "\u{301}", "\u{303}", "\u{309}", "\u{323}"];
    let mut letters: String = "đĐ–…“”".to_owned();
    for vowel in vowels.chars().chain(vowels.to_uppercase().chars()) {
        letters.extend(marks.iter().map(|mark| fonts.drawable(&format!("{vowel}{mark}"))));
    }
    let (regular, bold) = (Style::regular(13.0), Style::bold(13.0));
    for style in [regular, bold, regular.slanted(), bold.slanted()] {
        for glyph in fonts.glyphs(&letters, style, 0.0) {
            let letter = &letters[glyph.text_range.clone()];
            assert_ne!(glyph.glyph_id.to_u32(), 0, "{letter} in {style:?}");
        }
    }
}

fn flow(fonts: &Fonts) -> Flow<'_> {
    Flow::new(
        fonts,
        Frame {
            margins: Margins::OFFICE,
            number: TEXT,
            footer: "chân trang".to_owned(),
            footer_style: Style::regular(8.0),
            footer_code: None,
        },
    )
}

/// Lines of text on each page, without numbers and footers.
fn lines(pages: &[Page<'_>]) -> Vec<Vec<String>> {
    let own = |page: &Page<'_>| {
        let is_text = |it: &&(f32, String)| it.1 != "chân trang" && it.1.parse::<u32>().is_err();
        texts(page).iter().filter(is_text).map(|(_, text)| text.clone()).collect()
    };
    pages.iter().map(own).collect()
}

/// Whatever stands above: neither the first nor the last line of a paragraph is alone on a page.
#[test]
fn no_line_of_a_paragraph_is_alone_on_a_page() {
    let fonts = Fonts::new().unwrap();
    let text = "đoạn văn ".repeat(40);
    let piece = Piece::Text { text: text.trim_end().to_owned(), style: TEXT };
    let setting = Setting { lines: Lines::Justified, indent_pt: 28.0, before_pt: 6.0 };
    let mut broken = 0;
    for above in 0..60 {
        let mut flow = flow(&fonts);
        flow.paragraph(&[Piece::Text { text: "trên".to_owned(), style: TEXT }], &setting).unwrap();
        flow.space(11.0 * above as f32);
        flow.paragraph(std::slice::from_ref(&piece), &setting).unwrap();
        let pages = lines(&flow.finish());
        let on_pages: Vec<usize> = pages
            .iter()
            .map(|page| page.iter().filter(|line| line.contains("đoạn")).count())
            .filter(|count| *count > 0)
            .collect();
        assert!(on_pages.iter().all(|count| *count > 1), "{above}: {on_pages:?}");
        assert_eq!(on_pages.iter().sum::<usize>(), 5, "{above}");
        broken += usize::from(on_pages.len() > 1);
    }
    assert!(broken > 1, "some were broken: {broken}");
}

#[test]
fn a_table_repeats_its_head_and_loses_no_row() {
    let fonts = Fonts::new().unwrap();
    let head = |text: &str| Head { text: text.to_owned(), share: 500, lines: Lines::Left };
    let row = |at: usize| {
        let cell = |text: String| Cell { text, style: TEXT };
        vec![cell(format!("hàng {at}.")), cell("ô".to_owned())]
    };
    let rows = (0..200).map(row).collect();
    let heads = vec![head("Tên"), head("Giá trị")];
    let mut flow = flow(&fonts);
    flow.table(&Table { heads, head_style: Style::bold(13.0), rows }).unwrap();
    let pages = lines(&flow.finish());
    assert!(pages.len() > 3, "{}", pages.len());
    assert!(pages.iter().all(|page| page[0] == "Tên" && page[2].starts_with("hàng")));
    let all: Vec<&String> = pages.iter().flatten().filter(|it| it.starts_with("hàng")).collect();
    let expected: Vec<String> = (0..200).map(|at| format!("hàng {at}.")).collect();
    assert_eq!(all, expected.iter().collect::<Vec<_>>());
}
