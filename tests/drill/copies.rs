//! Copies that a command makes of something that lives: a database as a file or as statements, a
//! box of mail, what only the office's own program understands. Each copy that only looks whole
//! stands beside one that is.

use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use rusqlite::Connection;
use serde_json::Value;

use super::configure;
use super::configured;
use super::drill;
use super::failing;
use super::item;
use crate::cli::scene::Scene;

/// The output of a command as a source; `argv` is a list as the file has it.
pub(super) fn command(argv: &str, file_name: &str, truth: &str) -> String {
    format!("kind = \"command\", argv = {argv}, file_name = \"{file_name}\", truth = {{ {truth} }}")
}

/// A file as it is.
pub(super) fn cat(path: &Path, truth: &str) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    command(&format!("[\"cat\", \"{}\"]", path.display()), name, truth)
}

/// Backs this up as `cases`, drills it, and demands this exit code.
#[track_caller]
pub(super) fn judged(scene: &Scene, source: &str, code: i32) -> Value {
    configure(scene, &[("cases", source.to_owned())], "");
    // One case after another: that it is smaller than the one before says nothing here.
    let file = scene.path("lifeboat.toml");
    let args = ["backup", "--config", file.to_str().unwrap(), "--job", "cases", "--quiet"];
    scene.expect(0, &[&args[..], &["--shrink-max", "none"]].concat());
    drill(scene, code)
}

#[track_caller]
pub(super) fn red(record: &Value, code: &str, ids: &[&str]) {
    let cases = item(record, "cases");
    let found = failing(cases);
    for id in ids {
        assert!(found.contains(&(*id).to_owned()), "{id}: {found:?}");
    }
    assert_eq!(cases["verdict"], "fail", "{cases}");
    assert!(cases["failures"].as_array().unwrap().contains(&code.into()), "{cases}");
}

#[track_caller]
pub(super) fn green(record: &Value) {
    let cases = item(record, "cases");
    let mut found = failing(cases);
    // A word of advice, and a check that is there only where its package is.
    found.retain(|id| id != "L4.sqlite.wal_pair" && id != "L5.postgresql.amcheck");
    assert_eq!(found, [""; 0]);
    assert_eq!((&cases["verdict"], &cases["proof_level"]), (&"pass".into(), &"L6".into()));
}

/// What the tool says.
fn sqlite(path: &Path, words: &str) -> String {
    let output = Command::new("sqlite3").arg(path).arg(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn truth_of(path: &Path) -> String {
    format!("kind = \"sqlite\", path = \"{}\"", path.display())
}

const ROWS: &str = "
    create table t(id integer primary key, name text);
    create table u(t references t(id), amount integer);
    create index i on u(t); create view v as select count(*) from t;
    create trigger g after insert on u begin select case when 1 then 2 end;
        update t set name = name || ';END;' where id = 0; end;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
    insert into t select i, 'Nguyễn Thị ; '' Hằng ' || i from n;
    insert into u select id, id * 3 from t";

/// A database that lives, closed; and a copy of it.
fn living(scene: &Scene) -> (std::path::PathBuf, std::path::PathBuf) {
    let (live, copy) = (scene.path("live.sqlite"), scene.path("copy.sqlite"));
    Connection::open(&live).unwrap().execute_batch(ROWS).unwrap();
    std::fs::copy(&live, &copy).unwrap();
    (live, copy)
}

#[test]
fn fg01_an_empty_file_is_no_database() {
    let scene = configured(&[]);
    let (live, copy) = living(&scene);
    scene.file("copy.sqlite", b"");
    for words in ["pragma integrity_check", "pragma quick_check"] {
        assert_eq!(sqlite(&copy, words), "ok", "the naive answer");
    }
    let record = judged(&scene, &cat(&copy, &truth_of(&live)), 21);
    red(&record, "F2", &["L4.sqlite.header", "L6.capsule.tables"]);
    std::fs::copy(&live, &copy).unwrap();
    green(&judged(&scene, &cat(&copy, &truth_of(&live)), 0));

    // One that was empty at the source is as it was, taken in either way.
    for name in ["live.sqlite", "copy.sqlite"] {
        scene.file(name, b"");
    }
    green(&judged(&scene, &cat(&copy, &truth_of(&live)), 0));
    let own = format!("kind = \"sqlite\", path = \"{}\"", live.display());
    green(&judged(&scene, &own, 0));
}

#[test]
fn fg02_a_log_that_was_left_behind_is_missed() {
    let scene = configured(&[]);
    let (live, copy) = (scene.path("live.sqlite"), scene.path("copy.sqlite"));
    let base = Connection::open(&live).unwrap();
    let rows = "pragma wal_checkpoint(truncate);
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
        insert into t select i from n";
    base.execute_batch(&format!(
        "pragma journal_mode = wal; pragma wal_autocheckpoint = 0; create table t(a); {rows}"
    ))
    .unwrap();
    std::fs::copy(&live, &copy).unwrap();
    assert_eq!(sqlite(&copy, "pragma integrity_check"), "ok", "the naive answer");
    assert_eq!(sqlite(&copy, "select count(*) from t"), "0");
    for more in ["copy.sqlite-wal", "copy.sqlite-shm"] {
        let _none = std::fs::remove_file(scene.path(more));
    }
    let record = judged(&scene, &cat(&copy, &truth_of(&live)), 21);
    red(&record, "F2", &["L6.capsule.rows", "L6.capsule.digest"]);
    assert!(failing(item(&record, "cases")).contains(&"L4.sqlite.wal_pair".to_owned()));

    // Closed cleanly, it looks the same and holds everything.
    drop(base);
    std::fs::copy(&live, &copy).unwrap();
    let record = judged(&scene, &cat(&copy, &truth_of(&live)), 0);
    green(&record);
    assert!(failing(item(&record, "cases")).contains(&"L4.sqlite.wal_pair".to_owned()));
}

#[test]
fn fg03_a_torn_transaction_is_found_though_every_row_is_there() {
    let scene = configured(&[]);
    let (live, copy) = (scene.path("live.sqlite"), scene.path("copy.sqlite"));
    let base = Connection::open(&live).unwrap();
    base.execute_batch(
        "create table t(id integer primary key, name text);
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
         insert into t select i, printf('%.200c', 'x') from n;
         pragma cache_size = 5; begin;
         update t set name = printf('%.200c', 'y') where id < 1500",
    )
    .unwrap();
    std::fs::copy(&live, &copy).unwrap();
    base.execute_batch("rollback").unwrap();
    assert_eq!(sqlite(&copy, "pragma integrity_check"), "ok", "the naive answer");
    assert_eq!(sqlite(&copy, "select count(*) from t"), "2000");
    let torn = sqlite(&copy, "select count(*) from t where name like 'y%'");
    assert!(torn.parse::<u32>().unwrap() > 1000, "{torn}");
    let record = judged(&scene, &cat(&copy, &truth_of(&live)), 21);
    red(&record, "F2", &["L6.capsule.digest"]);
    assert_eq!(failing(item(&record, "cases")), ["L6.capsule.digest"]);
    std::fs::copy(&live, &copy).unwrap();
    green(&judged(&scene, &cat(&copy, &truth_of(&live)), 0));
}

#[test]
fn fg04_a_dump_that_is_cut_is_not_proven() {
    let scene = configured(&[]);
    let (live, _) = living(&scene);
    let whole = sqlite(&live, ".dump") + "\n";
    let lines: Vec<&str> = whole.lines().collect();
    scene.file("dump.sql", (lines[..3000].join("\n") + "\n").as_bytes());
    let dump = scene.path("dump.sql");
    let naive = Command::new("sqlite3")
        .arg(scene.path("naive.sqlite"))
        .stdin(Stdio::from(std::fs::File::open(&dump).unwrap()))
        .output()
        .unwrap();
    assert!(naive.status.success(), "the naive answer");
    assert_eq!(sqlite(&scene.path("naive.sqlite"), "pragma integrity_check"), "ok");
    let record = judged(&scene, &cat(&dump, &truth_of(&live)), 21);
    red(&record, "F2", &["L5.sqlite.trailer", "L4.sqlite.header", "L6.capsule.tables"]);
    scene.file("dump.sql", whole.as_bytes());
    green(&judged(&scene, &cat(&dump, &truth_of(&live)), 0));
    // Packed as people pack them.
    let packed = scene.path("dump.sql.gz");
    assert!(Command::new("gzip").arg("-k").arg(&dump).status().unwrap().success());
    green(&judged(&scene, &cat(&packed, &truth_of(&live)), 0));
}

/// A table that grew while the copy was made lies between two readings.
#[test]
fn a_table_that_grew_meanwhile_is_no_failure() {
    let scene = configured(&[]);
    let (live, copy) = living(&scene);
    let script = format!(
        "set -e; sqlite3 {live} '.backup {copy}'; cat {copy}; \
         sqlite3 {live} 'insert into t(name) values (1); insert into u values (1, 1)'",
        live = live.display(),
        copy = copy.display()
    );
    let argv = format!("[\"sh\", \"-c\", \"{script}\"]");
    let record = judged(&scene, &command(&argv, "copy.sqlite", &truth_of(&live)), 0);
    green(&record);
    let mut checks = item(&record, "cases")["checks"].as_array().unwrap().iter();
    let rows = checks.find(|it| it["id"] == "L6.capsule.rows").unwrap();
    assert_eq!((&rows["expected"], &rows["actual"]), (&"10000..10002".into(), &"10000".into()));
}

/// A message of its own number; every tenth has an attachment.
fn message(number: u32) -> String {
    let (kind, body) = match number % 10 {
        0 => (
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"q\"",
            "--q\nContent-Type: text/plain\n\nKèm tệp.\n--q\nContent-Type: application/pdf\n\
             Content-Disposition: attachment; filename=a.pdf\n\n%PDF-1.4\n--q--\n",
        ),
        _ => ("Content-Type: text/plain; charset=utf-8", "Kính gửi: Sở Tư pháp\n"),
    };
    format!(
        "From a@example.org Thu Nov 26 10:00:00 2026\nFrom: a@example.org\nTo: b@example.org\n\
         Subject: so {number}\nMessage-ID: <{number}@example.org>\n\
         Date: Thu, 26 Nov 2026 01:{:02}:{:02} +0700\n{kind}\n\n{body}\n",
        number / 60,
        number % 60
    )
}

fn mailbox(count: u32) -> String {
    (0..count).map(message).collect()
}

/// How many messages Python's reader of mailboxes counts.
fn counted(path: &Path) -> String {
    let script = "import mailbox, sys; print(len(mailbox.mbox(sys.argv[1])))";
    let output = Command::new("python3").args(["-c", script]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn fg19_half_a_mailbox_is_missed() {
    let scene = configured(&[]);
    let all = mailbox(100);
    scene.file("live.mbox", all.as_bytes());
    let begin = "From a@example.org Thu Nov 26 10:00:00 2026\n";
    let middle = all.match_indices(begin).nth(50).unwrap().0;
    // Half of its bytes, in the middle of a message.
    scene.file("half.mbox", &all.as_bytes()[..middle + 150]);
    assert_eq!(counted(&scene.path("half.mbox")), "51", "the naive answer");
    let truth = format!("kind = \"mail\", path = \"{}\"", scene.path("live.mbox").display());
    let record = judged(&scene, &cat(&scene.path("half.mbox"), &truth), 21);
    red(&record, "F2", &["L6.capsule.messages", "L4.mail.last_message"]);
    let mut checks = item(&record, "cases")["checks"].as_array().unwrap().iter();
    let messages = checks.find(|it| it["id"] == "L6.capsule.messages").unwrap();
    assert_eq!((&messages["expected"], &messages["actual"]), (&"100".into(), &"51".into()));
    green(&judged(&scene, &cat(&scene.path("live.mbox"), &truth), 0));

    // One that nobody could read at the source either.
    let odd = format!("{all}From nobody\nno line of a header\n\n\u{1}\u{2}\n\n");
    scene.file("live.mbox", odd.as_bytes());
    green(&judged(&scene, &cat(&scene.path("live.mbox"), &truth), 0));
}

/// Boxes of both forms in a folder; what is taken out of them after they were counted is missed.
#[test]
fn mail_of_a_folder_is_counted_box_by_box() {
    let scene = configured(&[]);
    scene.file("post/inbox", mailbox(30).as_bytes());
    for number in 0..20 {
        let text = message(number);
        let text = text.split_once('\n').unwrap().1;
        let folder = if number % 2 == 0 { "cur" } else { "new" };
        scene.file(format!("post/Sent/{folder}/{number}.host:2,S"), text.as_bytes());
    }
    scene.file("post/ghi chú.txt", b"no mail");
    let source = format!(
        "kind = \"files\", paths = [\"{0}\"], mail = [\"{0}\"]",
        scene.path("post").display()
    );
    let record = judged(&scene, &source, 0);
    green(&record);
    let cases = item(&record, "cases");
    let check = |id: &str| {
        let mut all = cases["checks"].as_array().unwrap().iter();
        all.find(|it| it["id"] == id).unwrap()["actual"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (check("L6.capsule.messages"), check("L6.capsule.attachments")),
        ("50".into(), "5".into())
    );
    assert_eq!(check("L4.mail.open"), "0");
    // What mail tells of its age is a number of the record; nobody asked for more.
    assert!(cases["measures"]["rpo_content_s"].is_u64(), "{cases}");
    assert!(!record["items"].to_string().contains("example.org"));
}

/// What only the office's own program understands.
#[test]
fn a_program_of_the_office_tells_what_a_copy_has_to_hold() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = configured(&[]);
    scene.file("live/data", b"a\nb\nc\n");
    scene.file("copy/data", b"a\nb\n");
    scene.file(
        "truth",
        b"#!/bin/sh\necho lines $(wc -l < \"$1/data\")\necho first $(head -n 1 \"$1/data\")\n",
    );
    let rights = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(scene.path("truth"), rights).unwrap();
    let program = scene.path("truth").display().to_string();
    let truth = |restored: &str| {
        format!(
            "kind = \"command\", argv = [\"{program}\", \"{}\"], restored = {restored}",
            scene.path("live").display()
        )
    };
    let script = "echo lines $(wc -l < data); echo first $(head -n 1 data)";
    let restored = format!("[\"sh\", \"-c\", \"{script}\"]");
    let record = judged(&scene, &cat(&scene.path("copy/data"), &truth(&restored)), 21);
    red(&record, "F2", &["L6.capsule.told"]);
    let text = item(&record, "cases")["checks"].to_string();
    assert!(text.contains("other values of lines"), "{text}");
    green(&judged(&scene, &cat(&scene.path("live/data"), &truth(&restored)), 0));
    // One that cannot be started says nothing of the data.
    let record = judged(&scene, &cat(&scene.path("live/data"), &truth("[\"/nowhere\"]")), 22);
    assert_eq!(failing(item(&record, "cases")), ["L6.stream.told"]);
}

/// FG28: no server to restore it into, and its own check says nothing of what is in it.
#[test]
fn fg28_a_backup_without_a_server_to_take_it_in_is_no_conclusion() {
    let scene = configured(&[]);
    scene.file("cases.bak", b"TAPE\0\0\x03\0\x8c\0\x0e\x01");
    let record = judged(&scene, &cat(&scene.path("cases.bak"), "kind = \"mssql\""), 22);
    let cases = item(&record, "cases");
    assert_eq!(failing(cases), ["L5.mssql.start"]);
    assert_eq!(cases["failures"], serde_json::json!(["F8"]));
    let mut checks = cases["checks"].as_array().unwrap().iter();
    assert_eq!(checks.find(|it| it["id"] == "L5.mssql.start").unwrap()["result"], "skip");
}
