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
