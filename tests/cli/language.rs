//! Messages in Vietnamese; what programs read stays English.

use super::round_trip::with_files;
use super::scene::Scene;
use super::scene::Told;
use crate::support::Random;

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
        "Tệp cấu hình ở",
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

/// No line on standard error is told in English only.
#[track_caller]
fn all_is_vietnamese(told: &Told) {
    for line in told.stderr.lines() {
        assert!(!line.is_ascii(), "`{line}` in {told}");
        for word in [" is ", " the ", " of ", " are ", "missing", "lost", "snapshot ", "pack:"] {
            assert!(!line.contains(word), "`{word}` in {told}");
        }
    }
}

fn blobs(scene: &Scene, folder: &str) -> Vec<String> {
    let folder = format!("/repository/{folder}/");
    let all = scene.files("repository").into_iter();
    all.filter(|path| path.contains(&folder) && std::path::Path::new(path).is_file()).collect()
}

#[test]
fn check_tells_what_is_whole_what_can_be_healed_and_what_is_lost() {
    let mut scene = vietnamese(with_files());
    scene.file("secret", b"x");
    scene.unset("LIFEBOAT_PASSWORD");
    let secret = scene.path("secret");
    scene.set("LIFEBOAT_PASSWORD_FILE", secret);
    scene.expect(0, &["backup", "-q", "."]);
    let told = scene.transcript(0, &["check"], "").text();
    assert!(told.starts_with("ĐẠT (mức liên kết): 1 bản chụp, "), "{told}");
    assert!(told.ends_with("; đã tìm từng khối dữ liệu; nội dung chưa được đọc\n"), "{told}");
    let told = scene.transcript(0, &["check", "--read-data"], "").text();
    assert!(told.starts_with("ĐẠT (mức mở): "), "{told}");
    assert!(told.contains("mở ra và đối chiếu; 0 tệp nhiều khối"), "{told}");

    let twin = blobs(&scene, "manifests.2").remove(0);
    let kept = std::fs::read(&twin).unwrap();
    std::fs::remove_file(&twin).unwrap();
    let told = scene.transcript(
        3,
        &["check"],
        "còn bản khác thay thế: manifests.2/#/#/1-#: bản kê: lần sao lưu bị ngắt giữa hai bản của \
         bản kê; lần sao lưu tới của thư mục này sẽ ghi bản còn thiếu\n",
    );
    assert!(told.text().starts_with("THIẾU BẢN DỰ PHÒNG (mức liên kết): "), "{told}");
    scene.file(&twin, &kept[..kept.len() - 1]);
    let told = scene.expect(3, &["check"]);
    all_is_vietnamese(&told);
    let end = " bị hỏng (nội dung không khớp mã băm trong tên); bản kia nguyên vẹn\n";
    assert!(told.stderr.ends_with(end), "{told}");
    std::fs::remove_file(&twin).unwrap();
    scene.file(&twin, &kept);

    for pack in blobs(&scene, "packs") {
        std::fs::remove_file(pack).unwrap();
    }
    let told = scene.expect(20, &["check"]);
    all_is_vietnamese(&told);
    assert!(told.text().starts_with("KHÔNG ĐẠT (mức liên kết): "), "{told}");
    for part in [
        ": gói: bị thiếu\n",
        ": không còn bản nào nguyên vẹn của khối dữ liệu này\n",
        "hư hỏng: đã mất: toàn bộ bản chụp ",
    ] {
        assert!(told.stderr.contains(part), "{part}: {told}");
    }
    let told = scene.expect(20, &["check", "--json"]);
    let problems = told.json_of("problem");
    assert!(problems.iter().all(|line| line.to_string().is_ascii()), "{told}");
    let lost = problems.iter().find(|line| line["subject"] == "lost").unwrap();
    assert!(lost["message"].as_str().unwrap().contains(" all of it: no good copy of "), "{lost}");
}

#[test]
fn dump_tells_what_it_wrote_and_what_is_lost() {
    let mut scene = vietnamese(with_files());
    scene.file("secret", b"x");
    scene.unset("LIFEBOAT_PASSWORD");
    let secret = scene.path("secret");
    scene.set("LIFEBOAT_PASSWORD_FILE", secret);
    scene.file("source/noise", &Random::new(5).bytes(1_500_000));
    scene.expect(0, &["backup", "-q", "."]);
    let out = scene.path("out.tar").display().to_string();
    let told = scene.expect(0, &["dump", "latest", "--target", &out]);
    assert!(told.stderr.starts_with("đã ghi "), "{told}");
    assert!(told.stderr.contains(" tệp và thư mục (4,2 MiB) vào `"), "{told}");
    scene.transcript(
        1,
        &["dump", "latest", "--target", &out],
        "lỗi: `@/out.tar` đã có, và không ghi đè gì\nviệc cần làm:  nêu tệp khác, hoặc chuyển tệp \
         đó đi nơi khác\n",
    );
    let nowhere = scene.path("none/out.tar").display().to_string();
    scene.transcript(
        1,
        &["dump", "latest", "--target", &nowhere],
        "lỗi: `@/none/out.tar`: không có tệp hoặc thư mục đó (os error 2)\n     chưa có gì mang \
         tên đó\nviệc cần làm:  nêu một tệp trong thư mục mà bạn được quyền ghi\n",
    );
    let largest = blobs(&scene, "packs").into_iter().max_by_key(|path| len_of(path)).unwrap();
    let mut bytes = std::fs::read(&largest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&largest).unwrap();
    scene.file(&largest, &bytes);
    let told = scene.expect(20, &["dump", "latest:noise"]);
    all_is_vietnamese(&told);
    let shown = scene.shown(&told);
    let end = "lỗi: dữ liệu trong kho sao lưu bị hỏng hoặc mất\n     chi tiết: mất khối dữ liệu #: \
               có 1 bản, không bản nào nguyên vẹn\nviệc cần làm:  chạy `lifeboat check` để xem \
               phần nào bị ảnh hưởng\n";
    assert!(shown.ends_with(end), "{shown}");
    let other = scene.path("other.tar").display().to_string();
    let told = scene.expect(20, &["dump", "latest", "--target", &other]);
    all_is_vietnamese(&told);
    assert!(told.stderr.contains("hư hỏng: noise: "), "{told}");
    assert!(told.stderr.contains("cảnh báo: 1 mục không có trong"), "{told}");
}

fn len_of(path: &str) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

#[test]
fn differences_sizes_and_records() {
    let mut scene = vietnamese(with_files());
    scene.file("secret", b"x");
    scene.unset("LIFEBOAT_PASSWORD");
    let secret = scene.path("secret");
    scene.set("LIFEBOAT_PASSWORD_FILE", secret);
    scene.expect(0, &["backup", "-q", "."]);
    scene.file("source/a.txt", b"alpha and more");
    scene.file("source/new", b"1234");
    let told = scene.expect(0, &["diff", "latest", "--with", "."]).text();
    let last = told.lines().last().unwrap();
    assert!(last.starts_with("thêm 1 (4 B), mất 0 (0 B), thay đổi 1, chỉ khác thuộc tính "));
    scene.transcript(
        2,
        &["diff", "latest", "latest", "--content"],
        "lỗi: hai bản chụp được so sánh nguyên trạng: quy tắc loại trừ và --content không có tác \
         dụng\nviệc cần làm:  bỏ các tùy chọn đó, hoặc so sánh với một thư mục: `--with \
         THƯ-MỤC`\n",
    );
    let told = scene.transcript(0, &["stats", "--contents"], "").text();
    let title = told.lines().next().unwrap();
    for part in ["bản chụp", "thời điểm", "số tệp", "số thư mục", "thêm mới", "lưu thật"]
    {
        assert!(title.contains(part), "{part}: {told}");
    }
    let names = ["tại nguồn", "nội dung riêng", "khử trùng lặp", "đã nén", "lưu thật"];
    for (name, line) in names.iter().zip(told.lines().skip(3)) {
        assert!(line.starts_with(name), "{name}: {told}");
    }
    assert!(told.contains("2,8 MiB trong 3 tệp và "), "{told}");
    assert!(told.contains(" lần\n") && !told.contains("times"), "{told}");
    let told = scene.transcript(0, &["stats", "--no-key"], "").text();
    assert!(told.contains("\ngói dữ liệu") && told.contains("\nbản ghi khác"), "{told}");

    scene.transcript(
        2,
        &["cat", "manifest", "latest:/sub"],
        "lỗi: chỉ `cat tree` nhận đường dẫn\nviệc cần làm:  bỏ đường dẫn, hoặc dùng `lifeboat cat \
         tree`\n",
    );
    scene.transcript(
        1,
        &["cat", "pack", "ffffffffffff"],
        "lỗi: không có gói nào có mã bắt đầu bằng `ffffffffffff`\nviệc cần làm:  xem `lifeboat \
         cat pack`\n",
    );
    let told = scene.expect(2, &["cat", "object", "12"]);
    assert!(told.stderr.starts_with("lỗi: mã khối dữ liệu không đúng\n"), "{told}");
    let record = scene.expect(0, &["cat", "snapshot", "latest"]).text();
    assert!(record.contains("\"entries_count\""), "{record}");
}
