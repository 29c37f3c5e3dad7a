use super::*;
use crate::document::page::Mark;

fn step(number: usize, place: Place) -> Step {
    let command = Command {
        line: "lifeboat restore latest --tag ho-so --target ho-so --verify".to_owned(),
        expected: "đã khôi phục".to_owned(),
        otherwise: "gọi người thay thế".to_owned(),
    };
    Step {
        title: format!("{number}. Khôi phục dữ liệu"),
        place,
        parts: vec![
            Part::Text("Gõ từng dòng, từ trên xuống.".to_owned()),
            Part::Commands(vec![command; 3]),
            Part::Blank("Giờ hoàn thành: ".to_owned()),
        ],
    }
}

fn runbook() -> Runbook {
    let booklet = |title: &str| Booklet {
        title: title.to_owned(),
        lead: "Khi máy chủ hỏng".to_owned(),
        steps: vec![step(1, Place::Here), step(2, Place::NewPage), step(3, Place::Here)],
    };
    Runbook {
        language: Language::Vi,
        title: "Sổ tay khôi phục".to_owned(),
        made: Timestamp::from_unix_ms(0),
        heads: ["Gõ", "Phải thấy", "Nếu khác"].map(str::to_owned),
        footer: "Sở A".to_owned(),
        booklets: vec![booklet("MÁY CHỦ"), booklet("MẤT TRỤ SỞ")],
    }
}

fn texts<'p>(page: &'p Page<'_>) -> Vec<(&'p str, Style)> {
    let text = |mark: &'p Mark| match mark {
        Mark::Text { text, style, .. } => Some((text.as_str(), *style)),
        _ => None,
    };
    page.marks().iter().filter_map(text).collect()
}

#[test]
fn booklets_and_services_begin_on_pages_of_their_own() {
    let fonts = Fonts::new().unwrap();
    let pages = pages(&runbook(), &fonts).unwrap();
    assert_eq!(pages.len(), 4);
    let has = |at: usize, what: &str| texts(&pages[at]).iter().any(|(text, _)| *text == what);
    assert!(has(0, "MÁY CHỦ") && has(0, "1. Khôi phục dữ liệu") && !has(0, "2. Khôi phục dữ liệu"));
    assert!(has(1, "2. Khôi phục dữ liệu") && has(1, "3. Khôi phục dữ liệu"));
    assert!(has(2, "MẤT TRỤ SỞ"));
}

#[test]
fn type_is_large_and_commands_stand_as_they_are_typed() {
    let fonts = Fonts::new().unwrap();
    let pages = pages(&runbook(), &fonts).unwrap();
    let all: Vec<_> = pages.iter().flat_map(texts).collect();
    let smallest = all.iter().filter(|it| it.1 != FOOTER).map(|it| it.1.size_pt);
    assert!(smallest.fold(f32::MAX, f32::min) >= 11.0);
    let typed: Vec<&str> = all.iter().filter(|it| it.1 == COMMAND).map(|it| it.0).collect();
    let line = "lifeboat restore latest --tag ho-so --target ho-so --verify";
    // Lines end at spaces, none within a word.
    assert_eq!(typed.join(" "), [line; 18].join(" "));
    let long = format!("export LIFEBOAT_REPOSITORY=/{}", "x".repeat(40));
    let smaller = style_of(&long);
    assert!(smaller.size_pt < COMMAND.size_pt && smaller.size_pt > COMMAND_PT_MIN);
    let mut longer = runbook();
    longer.booklets[0].steps.truncate(1);
    longer.booklets[0].steps[0].parts = vec![Part::Commands(vec![Command {
        line: long.clone(),
        expected: String::new(),
        otherwise: String::new(),
    }])];
    let pages = super::pages(&longer, &fonts).unwrap();
    let typed: Vec<&str> =
        texts(&pages[0]).iter().filter(|it| it.1 == smaller).map(|it| it.0).collect();
    assert_eq!(typed.join(" "), long);
    assert!(pdf(&runbook()).unwrap().starts_with(b"%PDF"));
}
