use unicode_normalization::UnicodeNormalization;

use super::Input;
use super::Language;
use super::form::paper;
use super::form::web;
use super::minutes::compose;
use super::model::Block;
use super::model::Document;
use super::model::Signature;
use super::model::Signatures;
use super::model::Span;
use super::model::Table;
use crate::document::font::Fonts;
use crate::document::font::Style;
use crate::document::page::HEIGHT_MM;
use crate::document::page::Mark;
use crate::document::page::PT_PER_MM;
use crate::document::page::Page;
use crate::document::page::WIDTH_MM;
use crate::drill::record::Action;
use crate::drill::record::Closing;
use crate::drill::record::Coverage;
use crate::drill::record::Org;
use crate::drill::record::People;
use crate::drill::record::Record;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Outcome;
use crate::drill::verdict::Verdict;

const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const CODE: &str = "01234-56789-ABC00-00000";

pub(in crate::report) fn record() -> Record {
    serde_json::from_str(include_str!("record.json")).unwrap()
}

fn closing() -> Closing {
    Closing {
        schema: crate::drill::record::CLOSING_SCHEMA.to_owned(),
        record_id: "r".to_owned(),
        record: None,
        destroyed_at: "2026-12-05T08:03:10+07:00".to_owned(),
        checks: Vec::new(),
        leftovers: Vec::new(),
        late: false,
    }
}

pub(in crate::report) fn made(record: &Record, language: Language) -> Document {
    let closing = closing();
    let input = Input {
        record,
        closing: Some(&closing),
        followed: &[],
        record_hash: HASH,
        code: Some(CODE),
        named: &named,
        told: &str::to_owned,
    };
    compose(&input, language).unwrap()
}

/// As the plan has them; the record has ids only.
fn named(id: &str) -> Option<String> {
    let name = match id {
        "giam-doc" => "Nguyễn Thị Hằng, Giám đốc",
        "van-thu" => "Trần Văn Bình",
        "cntt-1" => "Lê Quốc Khánh",
        "ke-toan-truong" => "Phạm Thị Lan, Kế toán trưởng",
        _ => return None,
    };
    Some(name.to_owned())
}

/// With everything that a plan would have said.
pub(in crate::report) fn planned() -> Record {
    let mut record = record();
    record.legal_profile = Some("vn-2026".to_owned());
    record.org = Some(Org {
        parent: "Ủy ban nhân dân tỉnh An Hòa".to_owned(),
        name: "Sở Tư pháp".to_owned(),
        abbr: "STP".to_owned(),
        place: "An Hòa".to_owned(),
    });
    record.people = Some(People {
        chair: Some("giam-doc".to_owned()),
        secretary: Some("van-thu".to_owned()),
        operator: Some("cntt-1".to_owned()),
        substitute: Some(false),
        owners: vec!["ke-toan-truong".to_owned()],
        witnesses: Vec::new(),
        absent: Vec::new(),
    });
    record.drill.location = Some("Phòng máy chủ, tầng 2".to_owned());
    record.drill.plan_ref = Some("Kế hoạch số 12/KH-STP".to_owned());
    record.coverage = Some(Coverage {
        covered: 2,
        total: 3,
        unprotected: vec!["ho-tich".to_owned()],
        oldest_proof_days: Some(30),
    });
    record
}

/// A drill with many datasets, of which some failed.
pub(in crate::report) fn long() -> Record {
    let mut record = record();
    let item = record.items[0].clone();
    for at in 0..40 {
        let mut item = item.clone();
        item.dataset = format!("dataset-{at}");
        item.snapshot = HASH.to_owned();
        if at % 10 == 0 {
            item.verdict = Verdict::Fail;
            item.failures = vec![FailureCode::F2, FailureCode::F4];
            item.checks[1].result = Outcome::Fail;
            item.checks[1].detail = Some("một chi tiết xyz ".repeat(300));
        }
        record.items.push(item);
    }
    record.verdict = Verdict::Fail;
    let action = Action {
        id: "A-1".to_owned(),
        finding: "dataset-0".to_owned(),
        action: "sao lưu lại".to_owned(),
        owner: None,
        due: "2026-12-12".to_owned(),
        redrill: true,
    };
    record.actions = vec![action];
    record
}

fn text_of(spans: &[Span]) -> String {
    let told = |span: &Span| match span {
        Span::Plain(text) => text.clone(),
        Span::Strong(text) => format!("**{text}**"),
        Span::Blank => "[blank]\n".to_owned(),
        Span::Break => "\n".to_owned(),
    };
    spans.iter().map(told).collect()
}

fn text_of_table(table: &Table) -> String {
    let heads: Vec<&str> = table.columns.iter().map(|column| column.head.as_str()).collect();
    let mut lines = vec![heads.join(" | ")];
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| cell.text.replace('\n', " ")).collect();
        lines.push(cells.join(" | "));
    }
    lines.join("\n")
}

fn text_of_block(block: &Block) -> String {
    match block {
        Block::Paragraph(spans) => text_of(spans).trim_end().to_owned(),
        Block::Title(title) => format!("### {title}"),
        Block::Table(table) => text_of_table(table),
        Block::Code { content, beside } => format!("[{content}] {beside}"),
    }
}

fn signed(document: &Document) -> &[Signature] {
    match &document.signatures {
        Signatures::Two(both) => both.as_slice(),
        Signatures::One(one) => std::slice::from_ref(one),
    }
}

/// Everything that a document says, in order.
fn text(minutes: &Document) -> String {
    let head = &minutes.head;
    let mut parts: Vec<String> = [
        &head.superior,
        &head.office,
        &head.number,
        &head.nation,
        &head.motto,
        &head.kind,
        &head.subject,
    ]
    .map(Clone::clone)
    .into();
    parts.extend(minutes.blocks.iter().map(text_of_block));
    parts.extend(signed(minutes).iter().map(|it| format!("{} {} {}", it.role, it.note, it.name)));
    parts.push(format!("{} {}", minutes.recipients.0, minutes.recipients.1.join(" ")));
    for annex in &minutes.annexes {
        parts.push(format!("# {}\n{}\n{}", annex.number, annex.title, annex.of));
        parts.extend(annex.blocks.iter().map(text_of_block));
    }
    parts.push(format!("{} | {}", minutes.footer, minutes.face));
    parts.join("\n\n")
}

#[test]
fn one_record_says_this_in_vietnamese() {
    insta::assert_snapshot!(text(&made(&planned(), Language::Vi)));
}

#[test]
fn one_record_says_this_in_english() {
    insta::assert_snapshot!(text(&made(&record(), Language::En)));
}

/// Texts of a page with their places and styles.
fn texts<'p>(page: &'p Page<'_>) -> Vec<((f32, f32), Style, &'p str, f32)> {
    let text = |mark: &'p Mark| match mark {
        Mark::Text { at, style, text, spread_pt } => Some((*at, *style, text.as_str(), *spread_pt)),
        _ => None,
    };
    page.marks().iter().filter_map(text).collect()
}

fn find(page: &Page<'_>, wanted: &str) -> ((f32, f32), Style) {
    let found = texts(page).into_iter().find(|(.., text, _)| text.contains(wanted));
    let (at, style, ..) = found.unwrap_or_else(|| panic!("`{wanted}` is not on the page"));
    (at, style)
}

const LEFT: f32 = 30.0 * PT_PER_MM;
const RIGHT: f32 = (WIDTH_MM - 15.0) * PT_PER_MM;
const TOP: f32 = 20.0 * PT_PER_MM;
const BOTTOM: f32 = (HEIGHT_MM - 20.0) * PT_PER_MM;
/// What rounding makes of a sum of widths.
const NEAR: f32 = 0.05;

/// Nghị định 30/2020/NĐ-CP, Phụ lục I.
#[test]
fn the_head_is_set_as_the_decree_says() {
    let fonts = Fonts::new().unwrap();
    let pages = paper::pages(&made(&planned(), Language::Vi), &fonts).unwrap();
    let page = &pages[0];
    let parts = [
        ("ỦY BAN NHÂN DÂN TỈNH AN HÒA", Style::regular(12.0)),
        ("SỞ TƯ PHÁP", Style::bold(12.0)),
        ("Số: ", Style::regular(13.0)),
        ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", Style::bold(12.0)),
        ("Độc lập - Tự do - Hạnh phúc", Style::bold(13.0)),
        ("BIÊN BẢN", Style::bold(14.0)),
        ("Diễn tập khôi phục dữ liệu tháng 12 năm 2026", Style::bold(14.0)),
        ("Thời gian bắt đầu: 08 giờ 00 phút, ngày 05 tháng 12 năm 2026.", Style::regular(13.0)),
        ("THƯ KÝ", Style::bold(13.0)),
        ("CHỦ TỌA", Style::bold(13.0)),
        ("Nơi nhận:", Style::bold(12.0).slanted()),
        ("- Lưu: VT, Hồ sơ.", Style::regular(11.0)),
    ];
    for (part, style) in parts {
        assert_eq!(find(page, part).1, style, "{part}");
    }
    // The office is on the left, the nation on the right, both in the first line.
    let (office, nation) = (find(page, parts[0].0).0, find(page, parts[3].0).0);
    assert!(office.0 < nation.0 && (office.1 - nation.1).abs() < NEAR);
    let (secretary, chair) = (find(page, "THƯ KÝ").0, find(page, "CHỦ TỌA").0);
    assert!(secretary.0 < chair.0 && (secretary.1 - chair.1).abs() < NEAR);
    // Rules: as long as the motto; a third to a half of the office's name and of the subject.
    let rules: Vec<((f32, f32), (f32, f32))> = page
        .marks()
        .iter()
        .filter_map(|mark| match mark {
            Mark::Line { from, to, width_pt } if *width_pt > 0.65 => Some((*from, *to)),
            _ => None,
        })
        .collect();
    assert_eq!(rules.len(), 3, "{rules:?}");
    for (part, shares) in [(parts[1], 0.33..0.51), (parts[4], 0.99..1.01), (parts[6], 0.33..0.51)] {
        let (at, style) = find(page, part.0);
        let wide = fonts.width_pt(part.0, style);
        let under = |rule: &&((f32, f32), (f32, f32))| {
            let (from, to) = **rule;
            let middle = (from.0 + to.0) / 2.0;
            (middle - at.0 - wide / 2.0).abs() < 0.5 && (0.0..10.0).contains(&(from.1 - at.1))
        };
        let (from, to) = rules.iter().find(under).unwrap_or_else(|| panic!("{}", part.0));
        assert!(shares.contains(&((to.0 - from.0) / wide)), "{}", part.0);
    }
}

#[test]
fn the_body_is_one_page_for_a_few_datasets_and_for_many() {
    let fonts = Fonts::new().unwrap();
    for record in [record(), planned(), long()] {
        for language in [Language::Vi, Language::En] {
            let pages = paper::pages(&made(&record, language), &fonts).unwrap();
            let filed = if language == Language::Vi { "Lưu: VT" } else { "Filed:" };
            find(&pages[0], filed);
            let annex = if language == Language::Vi { "Phụ lục I" } else { "Annex I" };
            find(&pages[1], annex);
        }
    }
}

/// Margins, justified lines, numbers and footers, on every page of a short and a long document.
#[test]
fn nothing_stands_outside_its_place() {
    let fonts = Fonts::new().unwrap();
    for record in [record(), planned(), long()] {
        let minutes = made(&record, Language::Vi);
        let pages = paper::pages(&minutes, &fonts).unwrap();
        let mut number = 0;
        for (at, page) in pages.iter().enumerate() {
            let is_first = at == 0
                || texts(page)
                    .iter()
                    .any(|(.., it, _)| it.starts_with("Phụ lục ") && it.len() < 16);
            number = if is_first { 1 } else { number + 1 };
            let mut numbers = Vec::new();
            for ((x, y), style, text, spread) in texts(page) {
                let spaces = text.matches(' ').count() as f32;
                let end = x + fonts.width_pt(text, style) + spaces * spread;
                assert!(x >= LEFT - NEAR && end <= RIGHT + NEAR, "page {at}: `{text}` {x} {end}");
                assert_eq!(fonts.drawable(text), text, "page {at}");
                if y < TOP {
                    let middle = (x + end - LEFT - RIGHT).abs();
                    assert!(middle < 2.0 * NEAR && style == Style::regular(13.0), "`{text}`");
                    numbers.push(text.to_owned());
                } else if y > BOTTOM {
                    assert_eq!(text, format!("{} | {}", minutes.footer, minutes.face));
                } else {
                    assert!(y - style.rise_pt() >= TOP - NEAR, "page {at}: `{text}`");
                    assert!(y + style.size_pt * 0.2 <= BOTTOM + 1.0, "page {at}: `{text}`");
                }
            }
            let expected = if is_first { vec![] } else { vec![number.to_string()] };
            assert_eq!(numbers, expected, "page {at}");
            for mark in page.marks() {
                let ends = match mark {
                    Mark::Text { .. } => continue,
                    Mark::Line { from, to, .. } => [*from, *to],
                    Mark::Box { at, size } => [*at, (at.0 + size.0, at.1 + size.1)],
                };
                for (x, y) in ends {
                    assert!((LEFT - NEAR..=RIGHT + NEAR).contains(&x), "page {at}: {mark:?}");
                    assert!((TOP..HEIGHT_MM * PT_PER_MM - 8.0).contains(&y), "page {at}: {mark:?}");
                }
            }
        }
        // Full lines of text reach from edge to edge.
        let spread = texts(&pages[0]).iter().filter(|(.., spread)| *spread > 0.0).count();
        assert!(spread > 5, "{spread}");
    }
}

/// Paper has everything that the document says, in order: also over pages.
#[test]
fn nothing_is_lost_between_pages() {
    let fonts = Fonts::new().unwrap();
    let minutes = made(&long(), Language::Vi);
    let pages = paper::pages(&minutes, &fonts).unwrap();
    assert!(pages.len() > 30, "{}", pages.len());
    let drawn: String = pages
        .iter()
        .flat_map(|page| texts(page).into_iter().map(|(.., text, _)| text.to_owned()))
        .collect();
    let long = drawn.matches("xyz").count();
    assert_eq!(long, 4 * 300, "a row that is higher than a page is whole");
    for at in 0..40 {
        assert!(drawn.contains(&format!("dataset-{at}")), "{at}");
    }
    assert!(drawn.contains("KHÔNG ĐẠT 4/42"), "the body counts what it does not list");
}

#[test]
fn the_same_record_is_the_same_bytes() {
    let one = made(&planned(), Language::Vi);
    let two = made(&planned(), Language::Vi);
    let pdf = paper::pdf(&one).unwrap();
    assert!(*pdf == *paper::pdf(&two).unwrap() && web::html(&one) == web::html(&two));
    assert!(pdf.len() < 200_000, "{}", pdf.len());
}

/// Both forms have the same parts in the same order.
#[test]
fn a_page_of_the_web_says_what_paper_says() {
    for (record, language) in [(planned(), Language::Vi), (record(), Language::En)] {
        let minutes = made(&record, language);
        let page = web::html(&minutes);
        for never in ["<script", "http:", "https:", "src=", "url(", "@import"] {
            assert!(!page.contains(never), "{never}");
        }
        assert!(page.contains("@page") && page.chars().eq(page.nfc()));
        let mut rest = page.as_str();
        let head = &minutes.head;
        let mut parts = vec![&head.office, &head.nation, &head.kind, &head.subject];
        for block in minutes.blocks.iter().chain(minutes.annexes.iter().flat_map(|it| &it.blocks)) {
            match block {
                Block::Paragraph(spans) => parts.extend(spans.iter().filter_map(|it| match it {
                    Span::Plain(text) | Span::Strong(text) => Some(text),
                    Span::Blank | Span::Break => None,
                })),
                Block::Title(title) => parts.push(title),
                Block::Table(table) => {
                    parts.extend(table.rows.iter().flatten().map(|cell| &cell.text));
                }
                Block::Code { beside, .. } => parts.push(beside),
            }
        }
        for part in parts.into_iter().filter(|part| !part.contains(['\n', '"', '&', '<'])) {
            let at = rest.find(part.as_str()).unwrap_or_else(|| panic!("`{part}` in its order"));
            rest = &rest[at + part.len()..];
        }
    }
}

/// What comes from elsewhere is text and nothing else.
#[test]
fn names_cannot_steer_a_document() {
    let mut record = record();
    record.items[0].dataset = "<script>alert(1)</script>\u{202e}\u{7}&".to_owned();
    record.drill.title = "x\u{0}".to_owned();
    let minutes = made(&record, Language::Vi);
    let page = web::html(&minutes);
    assert!(!page.contains("<script") && !page.contains('\u{202e}') && !page.contains('\u{7}'));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;\\u{202e}\\u{7}&amp;"));
    paper::pdf(&minutes).unwrap();
}

/// Nothing is said that the record does not know.
#[test]
fn what_is_unknown_is_left_to_write_on() {
    let mut record = record();
    record.items.clear();
    record.verdict = Verdict::Inconclusive;
    let input = Input {
        record: &record,
        closing: None,
        followed: &[],
        record_hash: HASH,
        code: None,
        named: &|_| None,
        told: &str::to_owned,
    };
    let minutes = compose(&input, Language::Vi).unwrap();
    let told = text(&minutes);
    for part in [
        "Số: ……",
        "Địa điểm: [blank]",
        "Thành phần tham dự: [blank]",
        "Vắng mặt (lý do): [blank]",
        "Chủ trì (chủ tọa): [blank]",
        "Thư ký (người ghi biên bản): [blank]",
        "Người thực hiện: [blank]",
        "0/………… tập dữ liệu",
        "không khôi phục tập dữ liệu nào",
        "CHƯA CÓ bản ghi hủy môi trường diễn tập",
        "**KHÔNG KẾT LUẬN**. Ý kiến: [blank]",
    ] {
        assert!(told.contains(part), "`{part}`\n{told}");
    }
    assert!(!told.contains("không phát hiện") && minutes.footer_code.is_none());
    paper::pdf(&minutes).unwrap();
    let mut other = record.clone();
    other.legal_profile = Some("nowhere".to_owned());
    let input = Input { record: &other, ..input };
    assert!(compose(&input, Language::Vi).unwrap_err().to_string().contains("vn-2026"));
}

/// A check that was not carried out is counted and named, in the body and in the annex.
#[test]
fn what_was_not_carried_out_is_named() {
    let told = text(&made(&record(), Language::Vi));
    let names = "không thực hiện 1 (Độ lệch đồng hồ)";
    assert!(told.contains(names), "{told}");
    assert!(told.contains("Không thực hiện: Độ lệch đồng hồ."), "{told}");
    assert!(told.contains("không đo yếu tố con người"));
    let failed = text(&made(&long(), Language::Vi));
    let counted =
        "F2 Thiếu hoặc sai dữ liệu: 4/42 tập dữ liệu (Phụ lục I); F4 Chậm hơn mục tiêu (RTO)";
    assert!(failed.contains(counted), "{failed}");
    let mut few = long();
    few.items.truncate(3);
    let failed = text(&made(&few, Language::Vi));
    assert!(failed.contains("dataset-0: F2 Thiếu hoặc sai dữ liệu, F4 Chậm hơn mục tiêu (RTO)"));
    assert!(failed.contains("Diễn tập lại trong 7 ngày."));
}
