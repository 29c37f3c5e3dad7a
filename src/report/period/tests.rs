//! What a report says, and where it stands on paper.

use super::*;
use crate::continuity::fleet::Estimate;
use crate::continuity::fleet::Quantiles;
use crate::continuity::legal::Verified;
use crate::continuity::summary;
use crate::continuity::summary::Backups;
use crate::continuity::summary::HeldItem;
use crate::continuity::summary::trend::Month;
use crate::continuity::summary::trend::Share;
use crate::document::font::Fonts;
use crate::document::page::Mark;
use crate::document::page::Page;
use crate::report::form::paper;
use crate::report::form::web;

const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn held(code: &str, verdict: Verdict, datasets: &[&str]) -> Held {
    let item = |name: &&str| HeldItem {
        dataset: (*name).to_owned(),
        storage: "nas".to_owned(),
        stratum: "newest".to_owned(),
        verdict,
        level: Some(6),
        rto_s: Some(125),
        rto_target_s: Some(8 * 3600),
        rpo_s: Some(7200),
        rpo_target_s: Some(4 * 3600),
        throughput_bps: Some(80 << 20),
    };
    Held {
        code: code.to_owned(),
        class: "D2".to_owned(),
        is_real: false,
        ended: Default::default(),
        ended_at: "2026-11-05T08:03:10+07:00".to_owned(),
        verdict,
        is_announced: true,
        by_substitute: Some(true),
        items: datasets.iter().map(item).collect(),
    }
}

fn month(name: &str) -> Month {
    let all = Share { count: 2, of_count: 3 };
    Month {
        month: name.to_owned(),
        drills: all,
        items: all,
        covered: all,
        rto: all,
        rpo: all,
        throughput_bps: Some(80 << 20),
        oldest_proof_days: Some(27),
    }
}

/// One without a drill, and one with some.
fn months() -> Vec<Month> {
    let none = Share { count: 0, of_count: 0 };
    let without =
        Month { drills: none, throughput_bps: None, oldest_proof_days: None, ..month("2026-10") };
    vec![without, month("2026-11")]
}

fn scope(count: usize) -> summary::Scope {
    summary::Scope {
        services_count: 2,
        datasets_count: count,
        protected_count: count - 1,
        unprotected: vec![summary::Unprotected {
            id: "ho-tich".to_owned(),
            reason: "Hệ thống tập trung của Bộ".to_owned(),
            approved_by: Some("giam-doc".to_owned()),
            approved_on: Some("2026-11-23".to_owned()),
        }],
        without_copy: vec!["ke-toan".to_owned()],
    }
}

fn summary_of(datasets: &[&str]) -> Summary {
    let held = vec![
        held("D2-2026-11-05", Verdict::Pass, datasets),
        held("D2-2026-11-20", Verdict::Inconclusive, datasets),
    ];
    let proof = |name: &&str| Proof {
        dataset: (*name).to_owned(),
        service: Some("Tiếp nhận, giải quyết hồ sơ".to_owned()),
        age_days: Some(21),
        proven_on: Some("2026-11-05".to_owned()),
        is_covered: true,
        last: held[0].items.first().cloned(),
    };
    let backups = |name: &&str| Backups {
        dataset: (*name).to_owned(),
        planned_count: Some(720),
        done_count: 1700,
        problems_count: 2,
        failed_count: 1,
        broken_count: 0,
        missed_count: Some(17),
        longest_gap_s: 9 * 3600,
        rpo_s: Some(4 * 3600),
        first_bytes: Some(1 << 30),
        last_bytes: Some(3 << 29),
    };
    let mut proofs: Vec<Proof> = datasets.iter().map(proof).collect();
    proofs.push(Proof {
        dataset: "ke-toan".to_owned(),
        service: None,
        age_days: None,
        proven_on: None,
        is_covered: false,
        last: None,
    });
    Summary {
        schema: summary::SCHEMA,
        period: "2026-11".to_owned(),
        from: "2026-11-01".to_owned(),
        until: "2026-11-30".to_owned(),
        is_over: true,
        scope: scope(proofs.len()),
        backups: datasets.iter().map(backups).collect(),
        drills: summary::Drills {
            unannounced_count: 0,
            by_substitute_count: 2,
            leader_unknown_count: 0,
            covered_count: datasets.len(),
            fleet: Some(Estimate {
                first_critical: None,
                all_critical: None,
                all: Quantiles { p50_s: 7200, p90_s: 10_800 },
                basis_count: 5,
                operators_count: 2,
                seed: HASH.to_owned(),
            }),
            trend: months(),
            held,
            proofs,
        },
        restores: Vec::new(),
        actions: summary::Actions {
            opened_count: 1,
            closed_count: 0,
            open: vec!["CA-1 (cases)".to_owned()],
            overdue: Vec::new(),
        },
    }
}

fn rules() -> Vec<Rule> {
    let clause = |clause: &str| Clause { clause: clause.to_owned(), verified: Verified::Primary };
    let rule = |name: &str, colour, clauses: &[&str]| Rule {
        name: name.to_owned(),
        title: format!("quy tắc {name}"),
        colour,
        reasons: vec!["vì đã thấy".to_owned()],
        clauses: clauses.iter().map(|it| clause(it)).collect(),
    };
    vec![
        rule("R02", Some(Colour::Green), &["Điều 1", "Điều 2"]),
        rule("R03", Some(Colour::Red), &["Điều 2"]),
        rule("R04", Some(Colour::Amber), &[]),
        rule("R19", None, &["Điều 3", "Điều 1"]),
        rule("R20", Some(Colour::Green), &["Điều 4"]),
    ]
}

fn made(summary: &Summary, language: Language) -> Document {
    let org = Org {
        parent: "Ủy ban nhân dân tỉnh An Hòa".to_owned(),
        name: "Sở Tư pháp".to_owned(),
        abbr: "STP".to_owned(),
        place: "An Hòa".to_owned(),
    };
    let rules = rules();
    let codes = vec![("main".to_owned(), "01234-56789-ABC00-00000".to_owned())];
    let named = |id: &str| (id == "giam-doc").then(|| "Nguyễn Thị Hằng, Giám đốc".to_owned());
    let input = Input {
        summary,
        rules: &rules,
        org: &org,
        legal_profile: Some("vn-2026"),
        signer: Some(("Giám đốc", "Nguyễn Thị Hằng")),
        made_at: "2026-12-03T10:00:00+07:00",
        unread: &["usb".to_owned()],
        data_hash: HASH,
        plan_hash: HASH,
        codes: &codes,
        named: &named,
    };
    compose(&input, language).unwrap()
}

/// Everything on paper, page after page.
fn said(document: &Document) -> Vec<String> {
    let fonts = Fonts::new().unwrap();
    let pages = paper::pages(document, &fonts).unwrap();
    let text = |page: &Page<'_>| {
        let text = |mark: &Mark| match mark {
            Mark::Text { text, .. } => Some(text.clone()),
            _ => None,
        };
        page.marks().iter().filter_map(text).collect::<Vec<_>>().join(" ")
    };
    pages.iter().map(text).collect()
}

#[test]
fn an_official_reads_one_page_and_the_rest_stands_in_annexes() {
    let pages = said(&made(&summary_of(&["cases", "files"]), Language::Vi));
    assert_eq!(pages.len(), 5, "{pages:#?}");
    for part in [
        "ỦY BAN NHÂN DÂN TỈNH AN HÒA",
        "SỞ TƯ PHÁP",
        "/BC-STP",
        "An Hòa, ngày",
        "BÁO CÁO",
        "Kết quả sao lưu và diễn tập khôi phục dữ liệu tháng 11 năm 2026",
        "Kính gửi:",
        "từ 01/11/2026 đến 30/11/2026",
        "2 dịch vụ nghiệp vụ với 3 tập dữ liệu",
        "Chưa có bản sao: ke-toan.",
        "người duyệt: Nguyễn Thị Hằng, Giám đốc",
        "3.406 lượt chạy: đạt 3.400",
        "34 lượt theo lịch không chạy",
        "Đã tổ chức 2 cuộc: đạt 1",
        "không kết luận 1",
        "Lần gần nhất đạt mục tiêu: thời gian khôi phục 2/3, mức mất dữ liệu 2/3 tập",
        "Chưa từng được chứng minh: ke-toan.",
        "Ước tính toàn đơn vị: 2 giờ (P50), 3 giờ (P90), căn cứ 5 cuộc",
        "Mở 1, đóng 0; đang mở: CA-1 (cases); quá hạn: không.",
        "Trong 4 điều khoản có quy tắc đối chiếu: đáp ứng đầy đủ 1, chưa đáp ứng đầy đủ 1,",
        "chưa xét 2. Quy tắc: xanh 2, vàng 1, đỏ 1, chưa xét 1 (Phụ lục III).",
        "Ưu tiên khắc phục: R03 quy tắc R03.",
        "GIÁM ĐỐC",
        "Nguyễn Thị Hằng",
        "Nơi nhận:",
    ] {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&pages[0]).contains(part), "`{part}` in {}", words(&pages[0]));
    }
    for (page, part) in [(1, "1.700"), (2, "D2-2026-11-20"), (3, "Điều 4"), (4, "ABC00")] {
        assert!(pages[page].contains(part), "{part}: {}", pages[page]);
    }
}

#[test]
fn many_datasets_go_to_the_annex() {
    let names: Vec<String> = (0..60).map(|at| format!("tap-{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut summary = summary_of(&names);
    summary.scope.without_copy.clear();
    let document = made(&summary, Language::Vi);
    assert!(!document.blocks.iter().any(|it| matches!(it, Block::Table(_))));
    let pages = said(&document);
    assert!(pages[0].contains("Nơi nhận:"), "{}", pages[0]);
    assert!(pages.iter().any(|page| page.contains("tap-59")));
}

#[test]
fn both_languages_and_both_forms_say_the_same_parts() {
    let summary = summary_of(&["cases"]);
    let (vi, en) = (made(&summary, Language::Vi), made(&summary, Language::En));
    assert_eq!((vi.blocks.len(), vi.annexes.len()), (en.blocks.len(), en.annexes.len()));
    let page = web::html(&vi);
    let months = ["Diễn biến theo tháng", "tháng 10 năm 2026", "2/3", "27 ngày", "chưa có"];
    for part in months {
        assert!(page.contains(part), "{part}");
    }
    for part in ["BÁO CÁO", "Kính gửi:", "GIÁM ĐỐC", "Phụ lục IV", HASH] {
        assert!(page.contains(part), "{part}");
    }
    assert!(en.head.subject.contains("November 2026"), "{}", en.head.subject);
    let year = Summary { period: "2026".to_owned(), is_over: false, ..summary };
    let told = web::html(&made(&year, Language::Vi));
    assert!(told.contains("năm 2026") && told.contains("Kỳ báo cáo chưa kết thúc."), "{told}");
}

#[test]
fn nothing_held_and_nothing_run_is_said() {
    let mut summary = summary_of(&["cases"]);
    summary.backups.iter_mut().for_each(|it| *it = Backups::default());
    summary.drills.held.clear();
    let told = web::html(&made(&summary, Language::En));
    for part in ["No run is on record.", "None was held.", "None is on record"] {
        assert!(told.contains(part), "{part}");
    }
}
