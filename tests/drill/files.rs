//! Folders.

use std::io::Write;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::failing;
use super::folder;
use super::item;
use crate::cli::scene::Scene;

/// A document that opens, as an office program writes it.
pub(super) fn docx(text: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let body = format!("<w:document xmlns:w=\"x\"><w:t>{text}</w:t></w:document>");
    for (name, part) in [("[Content_Types].xml", "<Types/>"), ("word/document.xml", &body)] {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(part.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn shared() -> Scene {
    let scene = configured(&[]);
    for at in 0..20 {
        let text = format!("Công văn số {at} ").repeat(40);
        scene.file(format!("shared/Hồ sơ {}/công văn {at}.docx", at % 3), &docx(&text));
    }
    scene.file("shared/ghi chú.txt", "Nguyễn Thị Hằng".as_bytes());
    scene.file("shared/scan.pdf", b"%PDF-1.4\nx\nstartxref\n9\n%%EOF\n");
    std::os::unix::fs::symlink("scan.pdf", scene.path("shared/link")).unwrap();
    std::fs::hard_link(scene.path("shared/scan.pdf"), scene.path("shared/twin.pdf")).unwrap();
    configure(&scene, &[("shared", folder(&scene.path("shared")))], "");
    scene
}

#[test]
fn a_folder_that_comes_back_is_proven_to_the_truth_of_its_source() {
    let scene = shared();
    backup(&scene, "shared");
    let record = drill(&scene, 0);
    let shared = item(&record, "shared");
    assert_eq!(failing(shared), [""; 0]);
    assert_eq!((&shared["verdict"], &shared["proof_level"]), (&"pass".into(), &"L6".into()));
    assert_eq!(shared["capsule"], "interval");
    let files =
        shared["checks"].as_array().unwrap().iter().find(|it| it["id"] == "L6.capsule.files");
    assert_eq!(files.unwrap()["actual"], "23");
    // No name of a file in evidence.
    let text = record["items"].to_string();
    assert!(!text.contains("công văn") && !text.contains("docx"), "{text}");
    let shown = scene.expect(0, &["drill", "show", "--lang", "vi"]);
    assert!(format!("{shown}").contains("ĐẠT"), "{shown}");
    let listed = scene.expect(0, &["drill", "list", "--json"]).json_of("result");
    assert_eq!(listed.len(), 1);
}

/// FG16: a good archive that is no document.
#[test]
fn an_empty_shell_is_no_document() {
    let scene = shared();
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("x.txt", SimpleFileOptions::default()).unwrap();
    writer.write_all(b"x").unwrap();
    scene.file("shared/to-trinh.docx", &writer.finish().unwrap().into_inner());
    let unzip = std::process::Command::new("python3")
        .args(["-m", "zipfile", "-t"])
        .arg(scene.path("shared/to-trinh.docx"))
        .output()
        .unwrap();
    assert!(unzip.status.success(), "the naive answer");
    backup(&scene, "shared");
    let record = drill(&scene, 21);
    let shared = item(&record, "shared");
    assert_eq!(failing(shared), ["L4.files.open"]);
    assert_eq!((&shared["failures"][0], &shared["attack_signs"]), (&"F1".into(), &false.into()));
}

/// FG17: everything was encrypted before it was backed up.
#[test]
fn documents_that_were_encrypted_look_like_an_attack() {
    let scene = shared();
    backup(&scene, "shared");
    for at in 0..20 {
        let name = format!("shared/Hồ sơ {}/công văn {at}.docx", at % 3);
        let bytes = std::fs::read(scene.path(&name)).unwrap();
        let sealed: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x5a).collect();
        scene.file(&name, &sealed);
    }
    backup(&scene, "shared");
    let record = drill(&scene, 21);
    let shared = item(&record, "shared");
    assert_eq!(failing(shared), ["L4.files.open", "L4.files.drift"]);
    assert_eq!((&shared["failures"][0], &shared["attack_signs"]), (&"F1".into(), &true.into()));
    // What is restored is what was backed up, byte for byte: that alone proves nothing.
    let bytes = shared["checks"].as_array().unwrap().iter().find(|it| it["id"] == "L1.files.bytes");
    assert_eq!(bytes.unwrap()["result"], "pass");
}

/// FG18: a file of zeros with the size and time of the document that it was.
#[test]
fn a_file_of_zeros_does_not_open() {
    let scene = shared();
    let name = "shared/Hồ sơ 1/công văn 1.docx";
    let path = scene.path(name);
    let before = path.metadata().unwrap();
    scene.file(name, &vec![0; usize::try_from(before.len()).unwrap()]);
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    backup(&scene, "shared");
    let record = drill(&scene, 21);
    assert_eq!(failing(item(&record, "shared")), ["L4.files.open"]);
}

/// FG20: the disk was not mounted when the backup ran: after a good one an empty folder.
#[test]
fn a_dataset_without_a_snapshot_is_not_proven() {
    let scene = shared();
    let record = drill(&scene, 21);
    let shared = item(&record, "shared");
    assert_eq!(
        (failing(shared), &shared["failures"][0]),
        (vec!["L0.snapshot".to_owned()], &"F2".into())
    );
}

/// A file that the office names must be there.
#[test]
fn a_file_that_is_asked_for_must_be_there() {
    let scene = shared();
    let check = |path: &str| {
        format!("[[drill.check]]\nkind = \"file\"\ndataset = \"shared\"\npath = \"{path}\"\n")
    };
    let there = scene.path("shared/ghi chú.txt");
    let backups = [("shared", folder(&scene.path("shared")))];
    configure(&scene, &backups, &check(there.to_str().unwrap()));
    backup(&scene, "shared");
    drill(&scene, 0);
    configure(&scene, &backups, &check("/nowhere"));
    let record = drill(&scene, 21);
    assert_eq!(failing(item(&record, "shared")), ["L3.custom.1"]);
}

/// Locks of documents that are open, and what a Mac adds, are no documents.
#[test]
fn what_programs_leave_beside_documents_is_no_damage() {
    let scene = shared();
    for at in 0..5 {
        let mut lock = vec![0; 162];
        lock[..6].copy_from_slice(b"\x05Hang ");
        scene.file(format!("shared/Hồ sơ 1/~$ng văn {at}.docx"), &lock);
        scene.file(
            format!("shared/Hồ sơ 1/._công văn {at}.docx"),
            b"\x00\x05\x16\x07\x00\x02\x00\x00",
        );
    }
    backup(&scene, "shared");
    let record = drill(&scene, 0);
    assert_eq!(failing(item(&record, "shared")), [""; 0]);
}

/// What people named wrongly, or typed, is no sign of an attack.
#[test]
fn documents_under_another_formats_name_are_counted_and_no_failure() {
    let scene = shared();
    for at in 0..5 {
        scene.file(format!("shared/old/note {at}.doc"), "Kính gửi: Sở Tư pháp\r\n".as_bytes());
        scene.file(format!("shared/old/table {at}.xls"), b"<html><table></table></html>");
        scene.file(format!("shared/old/picture {at}.jpg"), b"\x89PNG\r\n\x1a\n....");
    }
    backup(&scene, "shared");
    let record = drill(&scene, 0);
    let shared = item(&record, "shared");
    assert_eq!((failing(shared), &shared["attack_signs"]), (Vec::new(), &false.into()));
    let open = shared["checks"].as_array().unwrap().iter().find(|it| it["id"] == "L4.files.open");
    let detail = open.unwrap()["detail"].as_str().unwrap();
    assert!(detail.contains("15 have another format's name"), "{detail}");
}

/// A program of the office sees what was restored, and neither a storage nor a network; what it
/// says of it decides.
#[test]
fn a_program_of_the_office_looks_at_what_was_restored() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = shared();
    let script = format!(
        "#!/bin/sh\nset -e\ntest \"$(find . -name '*.docx' | wc -l)\" = \"$1\"\n\
         ! test -e {}\n! test -e /proc\n! touch ./x 2>/dev/null\n! touch /x 2>/dev/null\n\
         ! perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); exit !connect(S, \
         sockaddr_in($ARGV[0], INADDR_LOOPBACK))' \"$2\"\n",
        scene.path("repository").display()
    );
    scene.file("count", script.as_bytes());
    let rights = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(scene.path("count"), rights).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let backups = [("shared", folder(&scene.path("shared")))];
    let asked = |count: &str| {
        let argv = format!("[\"{}\", \"{count}\", \"{port}\"]", scene.path("count").display());
        let check = "[[drill.check]]\nkind = \"command\"\ndataset = \"shared\"\n";
        configure(&scene, &backups, &format!("{check}argv = {argv}\n"));
    };
    asked("20");
    backup(&scene, "shared");
    let record = drill(&scene, 0);
    assert_eq!(failing(item(&record, "shared")), [""; 0]);
    asked("21");
    let record = drill(&scene, 21);
    assert_eq!(failing(item(&record, "shared")), ["L6.custom.1"]);
    assert_eq!(item(&record, "shared")["failures"], serde_json::json!(["F2"]));

    // One that cannot be started says nothing of the data.
    std::fs::remove_file(scene.path("count")).unwrap();
    let record = drill(&scene, 22);
    assert_eq!(failing(item(&record, "shared")), ["L6.custom.1"]);
    assert_eq!(item(&record, "shared")["failures"], serde_json::json!(["F8"]));
}
