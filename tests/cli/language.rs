//! Messages in Vietnamese; what programs read stays English.

use super::round_trip::with_files;
use super::scene::Scene;

fn vietnamese(mut scene: Scene) -> Scene {
    scene.set("LIFEBOAT_LANG", "vi");
    scene
}

#[test]
fn the_whole_way_from_a_repository_to_a_restore() {
    let scene = vietnamese(Scene::new());
    for n in 0..3 {
        scene.file(format!("source/tệp {n}"), &vec![n; 1_500_000]);
    }
    let made = scene.expect(0, &["init"]);
    assert!(made.text().starts_with("đã tạo kho sao lưu "), "{made}");
    assert!(made.stderr.starts_with("cảnh báo: "), "{made}");
    let told = scene.expect(0, &["backup", "."]).text();
    assert!(told.contains(" đã được lưu an toàn\ntệp: 3 mới, 0 thay đổi, 0 giữ nguyên; 4,2 MiB"));
    let told = scene.expect(0, &["snapshots"]).text();
    let title = told.lines().next().unwrap();
    let titles: Vec<&str> = title.split("  ").map(str::trim).filter(|t| !t.is_empty()).collect();
    let wanted =
        ["mã", "thời điểm", "máy", "nhãn", "đường dẫn", "số mục", "dung lượng", "vấn đề ghi nhận"];
    assert_eq!(titles, wanted);
    assert!(told.contains(" +07:00 ") && told.contains("4,2 MiB"), "{told}");
    let target = scene.path("target");
    let told = scene.expect(0, &["restore", "latest", "--target", target.to_str().unwrap()]);
    assert!(told.text().starts_with("đã khôi phục 4 trong 4 mục (4,2 MiB) vào /"), "{told}");
    let plan = scene.expect(0, &["restore", "latest", "-n", "--target", "new"]).text();
    assert!(plan.contains("tạo mới     /tệp 0\n"), "{plan}");
    let keys = scene.expect(0, &["key", "list"]).text();
    assert!(keys.contains("mở bằng") && keys.contains("mật khẩu"), "{keys}");
}

#[test]
fn errors_have_their_three_parts() {
    let mut scene = vietnamese(with_files());
    let told = scene.expect(1, &["backup", "không-có"]);
    let lines: Vec<&str> =
        told.stderr.lines().skip_while(|line| line.contains("cảnh báo")).collect();
    assert_eq!(lines[0], "lỗi: không đọc được nguồn dữ liệu", "{told}");
    assert!(lines[1].starts_with("     chi tiết: `không-có`"), "{told}");
    assert_eq!(lines[2], "     không tạo bản chụp; dữ liệu không bị mất", "{told}");
    assert_eq!(lines[3], "việc cần làm:  sửa lại đường dẫn", "{told}");
    scene.set("LIFEBOAT_PASSWORD", "sai");
    let told = scene.expect(12, &["snapshots"]);
    assert!(told.stderr.contains("lỗi: mật khẩu hoặc khóa không đúng\n"), "{told}");
    let told = scene.expect(2, &["ls", "mới-nhất"]);
    assert!(told.stderr.contains("việc cần làm:  xem `lifeboat snapshots`\n"), "{told}");
}

#[test]
fn what_programs_read_is_english() {
    let scene = vietnamese(with_files());
    let told = scene.expect(1, &["backup", "nowhere", "--json"]);
    let error = &told.json_of("error")[0];
    assert_eq!(error["next"], "correct the path");
    assert_eq!(error["meaning"], "no snapshot was made; nothing is lost");
    scene.expect(0, &["backup", "-q", "."]);
    let groups = scene.expect(0, &["snapshots", "--group-by", "paths", "--json"]);
    let group = groups.json_of("result")[0]["group"].as_str().unwrap().to_owned();
    assert!(group.starts_with("paths "), "{group}");
    let help = scene.expect(0, &["backup", "--help"]).text();
    assert!(help.contains("Make a snapshot"), "{help}");
}

#[test]
fn an_option_stands_before_the_variable_and_another_language_is_refused() {
    let mut scene = vietnamese(with_files());
    scene.unset("LIFEBOAT_PASSWORD");
    let told = scene.expect(2, &["snapshots", "--lang", "en"]);
    assert!(told.stderr.starts_with("error: a passphrase is needed"), "{told}");
    let told = scene.expect(2, &["snapshots"]);
    assert!(told.stderr.starts_with("lỗi: cần mật khẩu"), "{told}");
    let told = scene.expect(2, &["snapshots", "--lang", "tlh"]);
    assert!(told.stderr.starts_with("error: --lang: expected `en` or `vi`"), "{told}");
    scene.set("LIFEBOAT_LANG", "VI");
    let told = scene.expect(2, &["snapshots"]);
    assert!(told.stderr.starts_with("error: LIFEBOAT_LANG: expected `en` or `vi`"), "{told}");
}

#[test]
fn the_proof_of_quickstart() {
    let mut scene = vietnamese(Scene::new());
    scene.unset("LIFEBOAT_REPOSITORY");
    scene.unset("LIFEBOAT_PASSWORD");
    scene.file("source/a", &vec![7; 3_000_000]);
    let told = scene.expect(0, &["quickstart", "."]).text();
    for part in [
        "ĐẠT: dữ liệu đã sao lưu được khôi phục thử và so sánh đúng từng byte.",
        "  sao lưu    ",
        " giây  2,8 MiB trong 1 tệp; thêm ",
        "2 mục, 0 mục khác nhau",
        "Mật khẩu kho ở",
        "khóa khôi phục in trên giấy",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn share_sheets_for_officials() {
    let scene = vietnamese(Scene::new());
    std::fs::create_dir(scene.path("sheets")).unwrap();
    let sheets = scene.path("sheets");
    let args = ["init", "-q", "--shares", "2/3", "--sheets", sheets.to_str().unwrap()];
    let told = scene.expect(0, &args);
    assert!(told.stdout.is_empty(), "{told}");
    let files = scene.files("sheets");
    let of =
        |end: &str| -> Vec<&String> { files.iter().filter(|name| name.ends_with(end)).collect() };
    assert_eq!((of(".html").len(), of(".txt").len(), files.len()), (3, 3, 6), "{files:?}");
    for name in &files {
        let text = std::fs::read_to_string(name).unwrap();
        for part in ["KHÓA KHÔI PHỤC LIFEBOAT - MẢNH KHÓA", "Kho sao lưu", "Mã đối chiếu"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&files[0]).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // What stands on two of the sheets opens the repository.
    let rows = |name: &String| {
        let text = std::fs::read_to_string(name).unwrap();
        let is_row = |line: &&str| {
            line.contains(". ") && line.trim_start().starts_with(|c: char| c.is_ascii_digit())
        };
        text.lines().filter(is_row).collect::<Vec<_>>().join("\n")
    };
    let texts = of(".txt");
    scene.file("one", rows(texts[0]).as_bytes());
    scene.file("two", rows(texts[2]).as_bytes());
    let path = |name: &str| scene.path(name).to_str().unwrap().to_owned();
    let check = ["key", "recovery", "check", "--share-file", &path("one"), "--share-file"];
    let told = scene.expect(0, &[&check[..], &[&path("two")]].concat());
    assert!(told.text().contains("kho đã được bảo vệ khi mất mật khẩu"), "{told}");
    scene.expect(2, &["init", "--sheets", "x"]);
}

#[test]
#[cfg(unix)]
fn problems_that_are_known_are_told_too() {
    let scene = vietnamese(with_files());
    scene.expect(0, &["backup", "-q", "."]);
    let target = scene.path("target");
    scene.file("target/keep", b"");
    std::fs::create_dir_all(target.join("a.txt/in the way")).unwrap();
    let told = scene.expect(3, &["restore", "latest", "--target", target.to_str().unwrap()]);
    assert!(told.stderr.contains("vấn đề ghi nhận: a.txt: "), "{told}");
    assert!(told.text().contains("; 1 không khôi phục được"), "{told}");
}
