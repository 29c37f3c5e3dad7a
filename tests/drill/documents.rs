//! Minutes of real drills, looked at with other people's programs.

use std::path::Path;
use std::path::PathBuf;

use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::folder;
use super::run;
use crate::cli::paper::printed;
use crate::cli::scene::Scene;
use crate::house;
use crate::reader::python;

/// Sections of minutes, in the order of Mẫu 1.9.
const PARTS: &[&str] = &[
    "/BB-",
    "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
    "Độc lập - Tự do - Hạnh phúc",
    "BIÊN BẢN",
    "Diễn tập khôi phục dữ liệu tháng",
    "Thời gian bắt đầu:",
    "Địa điểm:",
    "Thành phần tham dự:",
    "Vắng mặt (lý do):",
    "Chủ trì (chủ tọa):",
    "Thư ký (người ghi biên bản):",
    "Nội dung:",
    "1. Căn cứ:",
    "2. Mục tiêu:",
    "3. Phạm vi:",
    "4. Diễn biến:",
    "5. Kết quả:",
    "ĐẠT",
    "6. Dữ liệu cá nhân:",
    "7. Tồn tại, hạn chế:",
    "8. Kết luận của chủ trì:",
    "Kèm theo: Phụ lục I",
    "Cuộc diễn tập kết thúc vào",
    "THƯ KÝ",
    "CHỦ TỌA",
    "Nơi nhận:",
    "Lưu: VT, Hồ sơ.",
    "Phụ lục I",
    "NỘI DUNG KIỂM TRA VÀ KÝ XÁC NHẬN",
    "Ký xác nhận",
    "Phụ lục II",
    "MỐC THỜI GIAN VÀ SỐ ĐO",
    "Phụ lục III",
    "BẰNG CHỨNG VÀ MÃ ĐỐI CHIẾU",
];

fn held(more: &str) -> Scene {
    let scene = configured(&[]);
    scene.file("shared/ghi chú.txt", "Nguyễn Thị Hằng".as_bytes());
    configure(&scene, &[("shared", folder(&scene.path("shared")))], more);
    backup(&scene, "shared");
    scene
}

#[track_caller]
fn in_order(text: &str, parts: &[&str]) {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest = text.as_str();
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("`{part}` in its order:\n{text}"));
        rest = &rest[at + part.len()..];
    }
}

fn beside(record: &serde_json::Value) -> PathBuf {
    PathBuf::from(record["record_file"].as_str().unwrap()).parent().unwrap().to_owned()
}

/// `report` of the configuration: documents lie beside the record and are named.
#[test]
fn minutes_of_a_drill_are_paper_that_says_what_the_record_says() {
    let scene = held("report = { formats = [\"pdf\", \"html\", \"json\"] }\n");
    let record = drill(&scene, 0);
    let folder = beside(&record);
    // Backed up within the second in which the loss is taken to have happened.
    assert!(record["items"][0]["measures"]["rpo_s"].is_u64(), "{record}");
    let named: Vec<&str> =
        record["documents"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let files = ["minutes.vi.pdf", "minutes.vi.html", "record.json"];
    let expected: Vec<String> =
        files.iter().map(|name| folder.join(name).to_str().unwrap().to_owned()).collect();
    assert_eq!(named, expected);
    let pdf = &expected[0];
    let about = printed("pdfinfo", &[pdf]);
    assert!(about.contains("A4"), "{about}");
    let fonts = printed("pdffonts", &[pdf]);
    let rows: Vec<&str> = fonts.lines().skip(2).collect();
    let is_own = |row: &&str| row.contains("LiberationSerif") && row.contains("yes yes yes");
    assert!(rows.len() >= 4 && rows.iter().all(is_own), "{fonts}");
    let text = printed("pdftotext", &["-raw", pdf, "-"]);
    in_order(&text, PARTS);
    // What checks say is told in the language of the document.
    assert!(text.contains("tách rời") && !text.contains("apart"), "{text}");
    // The official's page is one.
    let first = printed("pdftotext", &["-raw", "-l", "1", pdf, "-"]);
    assert!(first.contains("Lưu: VT, Hồ sơ."), "{first}");
    // The hash is the one that everybody gets of the record's file.
    let hash = printed("sha256sum", &[&expected[2]]);
    let hash = hash.split(' ').next().unwrap();
    assert!(text.contains(hash), "{text}");
    // So does the ledger's code, on every page.
    let ledger = record["ledger_code"].as_str().unwrap();
    assert!(text.matches(ledger).count() >= 4, "{ledger} {text}");
    // A telephone reads the code of the third annex.
    let image = scene.path("page").to_str().unwrap().to_owned();
    printed("pdftoppm", &["-r", "150", "-png", pdf, &image]);
    let pages = std::fs::read_dir(scene.path("")).unwrap().map(|it| it.unwrap().path());
    let mut pages: Vec<PathBuf> =
        pages.filter(|path| path.extension().is_some_and(|it| it == "png")).collect();
    pages.sort();
    let code = printed("zbarimg", &["-q", "--raw", pages.last().unwrap().to_str().unwrap()]);
    let id = record["record_id"].as_str().unwrap();
    assert!(code.contains(id) && code.contains(hash), "{code}");
    let page = std::fs::read_to_string(&expected[1]).unwrap();
    in_order(&page, PARTS);
    use std::os::unix::fs::PermissionsExt as _;
    for file in &expected {
        let mode = Path::new(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_report_is_made_again_from_the_record_alone() {
    let scene = held("");
    let record = drill(&scene, 0);
    assert_eq!(record["documents"], serde_json::json!([]));
    // Neither configuration nor repository is needed.
    std::fs::remove_dir_all(scene.path("repository")).unwrap();
    let id = &record["record_id"].as_str().unwrap()[..8];
    let made = |args: &[&str]| {
        scene.expect(0, &[&["drill", "report", id, "--json"], args].concat()).json_of("result")
    };
    let told = made(&["--format", "pdf,html", "--lang", "en"]);
    let files = told[0]["files"].as_array().unwrap();
    let text = printed("pdftotext", &["-raw", files[0].as_str().unwrap(), "-"]);
    let english =
        ["SOCIALIST REPUBLIC", "MINUTES", "1. Grounds", "PROVEN", "SECRETARY", "Annex III"];
    in_order(&text, &english);
    let first = std::fs::read(files[0].as_str().unwrap()).unwrap();
    made(&["--format", "pdf", "--lang", "en"]);
    assert!(first == std::fs::read(files[0].as_str().unwrap()).unwrap(), "the same bytes");
    // A file of one's own: one format, and nothing that is there is replaced.
    let out = scene.path("bien-ban.pdf").to_str().unwrap().to_owned();
    made(&["--lang", "vi", "--out", &out]);
    let kept = std::fs::read(&out).unwrap();
    assert!(kept.starts_with(b"%PDF-"));
    let told = scene.expect(1, &["drill", "report", id, "--out", &out]);
    assert!(told.stderr.contains("bien-ban.pdf"), "{told}");
    assert!(kept == std::fs::read(&out).unwrap());
    scene.expect(2, &["drill", "report", id, "--out", &out, "--format", "pdf,html"]);
    scene.expect(2, &["drill", "report", "nothing"]);
    let json = scene.path("record.json").to_str().unwrap().to_owned();
    made(&["--format", "json", "--out", &json]);
    let record_file = record["record_file"].as_str().unwrap();
    assert_eq!(std::fs::read(json).unwrap(), std::fs::read(record_file).unwrap());
}

/// Words of a page of HTML, without its head.
fn words_of_page(page: &str) -> Vec<String> {
    let body = page.split_once("<main>").unwrap().1;
    // Marks within a line part no words.
    let mut text = body.replace("</span><span class=\"line\">", " ");
    for mark in ["<b>", "</b>", "<i>", "</i>", "</span>", "<span class=\"line\">"] {
        text = text.replace(mark, "");
    }
    let mut told = String::new();
    for part in text.split('<') {
        let after = part.split_once('>').map_or(part, |(_, after)| after);
        told.push_str(&format!(" {after}"));
    }
    let told = told.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    told.replace("&amp;", "&").split_whitespace().map(str::to_owned).collect()
}

/// What another reader sees in a DOCX: set as the decree says, with the words of the other forms.
#[test]
fn minutes_are_a_file_to_go_on_writing_in() {
    let scene = held("");
    let record = drill(&scene, 0);
    let id = &record["record_id"].as_str().unwrap()[..8];
    for (language, tag, title) in [("vi", "vi-VN", "Biên bản"), ("en", "en-GB", "Minutes")] {
        let args = ["drill", "report", id, "--lang", language, "--format", "docx,html", "--json"];
        let told = scene.expect(0, &args).json_of("result").remove(0);
        let [docx, html] = [0, 1].map(|at| told["files"][at].as_str().unwrap().to_owned());
        let folder = beside(&record);
        assert_eq!(Path::new(&docx), folder.join(format!("minutes.{language}.docx")));
        let pictures = scene.path(language).to_str().unwrap().to_owned();
        std::fs::create_dir(&pictures).unwrap();
        let reader = house::root().join("tests/reader/word.py").to_str().unwrap().to_owned();
        let python = python().to_str().unwrap().to_owned();
        let seen = printed(&python, &["-B", &reader, &docx, &pictures]);
        let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
        let sections = seen["sections"].as_array().unwrap();
        assert_eq!(sections.len(), 4, "the body and three annexes");
        let footer = sections[0]["other"][1].as_str().unwrap();
        for section in sections {
            assert_eq!(section["mm"], serde_json::json!([210.0, 297.0, 20.0, 20.0, 30.0, 15.0]));
            assert_eq!(section["first"], serde_json::json!(["", footer]));
            assert_eq!(section["other"], serde_json::json!(["1", footer]));
            assert_eq!(section["is_first_unlike"], true);
        }
        assert_eq!(seen["fields"], serde_json::json!(["PAGE"]));
        assert_eq!(seen["faces"], serde_json::json!(["Times New Roman"]));
        assert_eq!((&seen["size"], &seen["language"]), (&"26".into(), &tag.into()));
        assert!(seen["title"].as_str().unwrap().starts_with(title), "{seen}");
        let ended = record["drill"]["ended_at"].as_str().unwrap();
        let ended: jiff::Timestamp = ended.parse().unwrap();
        assert_eq!(seen["created"], ended.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string());
        assert!(seen["heads"].as_array().unwrap().len() >= 4, "{seen}");
        // Word for word and in the same order.
        let lines = seen["lines"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
        let text = lines.chain([footer]).collect::<Vec<_>>().join("\n");
        let words: Vec<&str> = text.split_whitespace().collect();
        let page = words_of_page(&std::fs::read_to_string(html).unwrap());
        let (same, face) = page.split_at(words.len());
        assert_eq!(words, same);
        // That is no matter of a file whose reader brings the letters.
        assert!(face.join(" ").contains("Liberation Serif") && !text.contains("Liberation"));
        if language == "vi" {
            in_order(&text, PARTS);
        }
        // A telephone reads the codes.
        let read = |name: &str| {
            let file = Path::new(&pictures).join(name).to_str().unwrap().to_owned();
            printed("zbarimg", &["-q", "--raw", &file])
        };
        let ledger = record["ledger_code"].as_str().unwrap();
        assert!(read("corner.png").contains(ledger));
        assert!(read("code1.png").contains(record["record_id"].as_str().unwrap()));
        let first = std::fs::read(&docx).unwrap();
        scene.expect(0, &args);
        assert!(first == std::fs::read(&docx).unwrap(), "the same bytes");
    }
}

/// What a drill could not carry out is named on its paper, which is sent all the same.
#[test]
fn minutes_of_a_drill_without_conclusion_say_so() {
    let scene = configured(&[]);
    let sent = scene.path("sent").display().to_string();
    let more = format!(
        "report = {{ formats = [\"pdf\"], languages = [\"vi\", \"en\"], to = [\"out\"] }}\n\
         [channel.out]\nkind = \"command\"\nargv = [\"sh\", \"-c\", \"cat > {sent}\"]\n"
    );
    scene.file("shared/a.txt", b"a");
    let outer = scene.path("shared").parent().unwrap().to_owned();
    let sources = [("shared", folder(&outer.join("shared"))), ("all", folder(&outer))];
    configure(&scene, &sources, &more);
    backup(&scene, "shared");
    let told = run(&scene, 22, &["monthly"]);
    let sent = std::fs::read_to_string(sent).unwrap();
    assert!(sent.contains("minutes.vi.pdf") && sent.contains("minutes.en.pdf"), "{sent}");
    let record = told.json_of("result").remove(0);
    let documents = record["documents"].as_array().unwrap();
    assert_eq!(documents.len(), 2);
    let text = printed("pdftotext", &["-raw", documents[0].as_str().unwrap(), "-"]);
    in_order(
        &text,
        &[
            "4. Diễn biến:",
            "không khôi phục tập dữ liệu nào",
            "7. Tồn tại, hạn chế: kiểm tra trước:",
            "Nguyên nhân:",
            "8. Kết luận của chủ trì:",
            "KHÔNG",
            "Không đạt",
        ],
    );
    assert!(!text.contains("không phát hiện"), "{text}");
}
