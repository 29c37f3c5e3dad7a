//! Databases of MariaDB: the cases of a dump that only looks whole, with the real tools.

use std::time::Duration;

use serde_json::Value;

use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::failing;
use super::item;
use crate::cli::scene::Scene;
use crate::databases::Mariadb;
use crate::databases::PASSWORD;
use crate::databases::fed;
use crate::databases::in_front;
use crate::databases::private;
use crate::support::tally::Watch;

const REAL: &str = "/usr/bin/mariadb-dump";
const BACKUP: &str = "/usr/bin/mariadb-backup";

/// Two tables, accounts that are in balance, and programs of every kind.
const OFFICE: [&str; 10] = [
    "create table t (id integer primary key, name varchar(100) not null) default charset utf8mb4",
    "create table u (id integer primary key, note text, foreign key (id) references t (id))",
    "create table entries (id integer primary key, no bigint not null, co bigint not null,
       at timestamp default '2026-01-02 03:04:05', part decimal(10, 3), photo blob)",
    "insert into t select seq, concat('Nguyễn Thị Hằng ', seq) from seq_1_to_20000",
    "insert into u select id, md5(name) from t",
    "insert into entries (id, no, co, part, photo) select seq, seq * 1000, seq * 1000, seq / 8,
       unhex(concat(md5(seq), '00ff275c0a')) from seq_1_to_5000",
    "create view v as select count(*) from t",
    "create trigger upper_note before insert on u for each row set new.note = upper(new.note)",
    "create procedure twice(in x int) select x * 2",
    "create event nightly on schedule every 1 day do delete from u where id > 1000000",
];

fn filled(database: &str) -> Mariadb {
    let server = Mariadb::start();
    server.sql("", &format!("create database `{database}` character set utf8mb4"));
    for statement in OFFICE {
        server.sql(database, statement);
    }
    server
}

fn scene(server: &Mariadb, more: &str, checks: &str) -> Scene {
    let scene = configured(&[]);
    private(&scene, "password", PASSWORD);
    configure(&scene, &[("cases", server.source(&scene, more))], checks);
    scene
}

/// A server with one database, and a configuration that backs it up.
fn office(checks: &str) -> (Mariadb, Scene) {
    let server = filled("hồ sơ");
    let scene = scene(&server, ", database = \"hồ sơ\"", checks);
    (server, scene)
}

/// A dump by other words than those that it is asked for, behind our back.
fn dumped_so(scene: &mut Scene, script: &str) {
    let version = format!("case $1 in --version) exec {REAL} $1;; esac\n");
    in_front(scene, "mariadb-dump", &format!("{version}{script}"));
}

/// Restores as most people do, into a server of its own.
fn restored_naively(scene: &Scene, database: &str) -> Mariadb {
    let path = format!("latest:/mariadb/{database}.sql");
    let dump = scene.expect(0, &["dump", &path, "--tag", "cases"]).stdout;
    let server = Mariadb::start();
    server.sql("", "create database again character set utf8mb4");
    let mut client = server.client("mariadb");
    client.arg("again");
    fed(client, &dump);
    let mut check = server.client("mariadb-check");
    check.args(["--extended", "--all-databases"]);
    let said = check.output().unwrap();
    assert!(said.status.success() && !String::from_utf8_lossy(&said.stdout).contains("error"));
    server
}

fn failing_of(record: &Value) -> Vec<String> {
    failing(item(record, "cases"))
}

fn code_of(record: &Value) -> &Value {
    &item(record, "cases")["failures"]
}

fn actual(record: &Value, id: &str) -> String {
    let mut all = item(record, "cases")["checks"].as_array().unwrap().iter();
    all.find(|it| it["id"] == id).unwrap()["actual"].as_str().unwrap().to_owned()
}

#[test]
fn databases_in_use_are_proven_to_their_very_rows() {
    let balance = "[[drill.check]]\nkind = \"sql\"\ndataset = \"cases\"\n\
                   query = \"select sum(no) - sum(co) from entries;\"\nmin = 0\nmax = 0\n";
    let (server, scene) = office(balance);
    backup(&scene, "cases");
    server.sql("hồ sơ", "drop table u");
    let record = drill(&scene, 0);
    assert_eq!(failing_of(&record), [""; 0]);
    let cases = item(&record, "cases");
    assert_eq!((&cases["capsule"], &cases["proof_level"]), (&"interval".into(), &"L6".into()));
    assert_eq!(actual(&record, "L6.capsule.rows"), "45000");
    assert_eq!(actual(&record, "L6.capsule.objects"), "3/1/1/1/0/1/0");
    assert_eq!(actual(&record, "L6.capsule.text"), "20000");
}

#[test]
fn all_databases_of_a_server_are_proven_at_once() {
    let server = filled("hồ sơ");
    server.sql("", "create database other character set latin1");
    server
        .sql("other", "create table x (id int, at datetime(6), b bit(9), j json, e enum('a','b'))");
    server.sql("other", "insert into x values (1, '2026-11-26 01:02:03.000456', 5, '{}', 'b')");
    server.sql("other", "create table empty (id int)");
    let scene = scene(&server, "", "");
    backup(&scene, "cases");
    let record = drill(&scene, 0);
    assert_eq!(failing_of(&record), [""; 0]);
    assert_eq!(actual(&record, "L6.capsule.databases"), "2");
    assert_eq!(actual(&record, "L6.capsule.tables"), "5");
}

/// FG12: it was cut, and says of itself that it is whole.
#[test]
fn fg12_a_dump_that_is_cut_is_not_proven() {
    let (_server, mut scene) = office("");
    let cut = format!("{REAL} \"$@\" | sed '/^UNLOCK TABLES/q'\necho '-- Dump completed'");
    dumped_so(&mut scene, &cut);
    backup(&scene, "cases");
    let naive = restored_naively(&scene, "hồ sơ");
    assert_eq!(naive.sql("again", "show tables"), "entries");
    let record = drill(&scene, 21);
    let found = failing_of(&record);
    for id in ["L6.capsule.tables", "L6.capsule.rows"] {
        assert!(found.contains(&id.to_owned()), "{found:?}");
    }
    assert_eq!(code_of(&record), &serde_json::json!(["F2"]));
}

/// FG13: the usual words leave programs out.
#[test]
fn fg13_programs_that_were_left_out_are_missed() {
    let (_server, mut scene) = office("");
    let without = "for word; do shift; case $word in --routines|--events) ;; *) set -- \"$@\" \
                   \"$word\";; esac; done";
    dumped_so(&mut scene, &format!("{without}\nexec {REAL} \"$@\""));
    backup(&scene, "cases");
    let naive = restored_naively(&scene, "hồ sơ");
    assert_eq!(naive.sql("again", "select * from v"), "20000");
    let record = drill(&scene, 21);
    assert_eq!(failing_of(&record), ["L6.capsule.objects"]);
    assert_eq!(actual(&record, "L6.capsule.objects"), "3/1/1/0/0/0/0");
}

/// FG14: every name has lost its letters.
#[test]
fn fg14_names_without_their_letters_are_found() {
    // A name with such letters could not even be said.
    let server = filled("office");
    let mut scene = scene(&server, ", database = \"office\"", "");
    let flat = "for word; do shift; case $word in --default-character-set=*) word=\
                --default-character-set=latin1;; esac; set -- \"$@\" \"$word\"; done";
    dumped_so(&mut scene, &format!("{flat}\nexec {REAL} \"$@\""));
    backup(&scene, "cases");
    let naive = restored_naively(&scene, "office");
    assert_eq!(naive.sql("again", "select count(*) from t"), "20000");
    assert!(naive.sql("again", "select name from t where id = 1").contains("Nguy?n Th? H?ng"));
    let record = drill(&scene, 21);
    assert_eq!(failing_of(&record), ["L6.capsule.digest", "L6.capsule.text"]);
}

/// Files instead of statements: a server of their own kind runs on them, and tells of events too.
#[test]
fn files_of_a_server_are_proven_to_their_very_rows() {
    let server = filled("hồ sơ");
    let scene = scene(&server, ", method = \"physical\"", "");
    // Nobody's password opens the server that the drill starts on them.
    server.sql("", "alter user root@localhost identified by 'hush' account lock");
    backup(&scene, "cases");
    let record = drill(&scene, 0);
    assert_eq!(failing_of(&record), [""; 0]);
    let cases = item(&record, "cases");
    assert_eq!((&cases["capsule"], &cases["proof_level"]), (&"interval".into(), &"L6".into()));
    assert_eq!(actual(&record, "L6.capsule.rows"), "45000");
    assert_eq!(actual(&record, "L6.capsule.objects"), "3/1/1/1/0/1/0");
    assert_eq!(actual(&record, "L5.mariadb.prepare"), "one moment");
}

/// FG11 for this server: the stream is whole, and what is in it is not.
#[test]
fn fg11_files_of_a_server_that_lack_rows_are_not_proven() {
    let version = format!("case $1 in --version) exec {BACKUP} $1;; esac\nset -e");
    let (server, other) = (filled("office"), filled("office"));
    let mut scene = scene(&server, ", method = \"physical\"", "");
    // Those of another server, such as one that does not follow any more.
    other.sql("office", "delete from u where id > 100");
    let socket = format!("{}/mysqld.sock", other.folder());
    let elsewhere = "--no-defaults --backup --stream=mbstream --user=root";
    let script = format!("{version}\nunset MYSQL_PWD\nexec {BACKUP} {elsewhere} --socket={socket}");
    in_front(&mut scene, "mariadb-backup", &script);
    backup(&scene, "cases");
    let record = drill(&scene, 21);
    let found = failing_of(&record);
    assert!(found.contains(&"L6.capsule.rows".to_owned()), "{found:?}");
    assert!(found.iter().all(|id| id.starts_with("L6.capsule.")), "{found:?}");
}

/// What `mariadb-backup` sends, unpacked, changed and packed again.
fn sent_so(scene: &mut Scene, change: &str) {
    let script = format!(
        "case $1 in --version) exec {BACKUP} $1;; esac\nset -e\nd=$(mktemp -d)\n\
         trap 'rm -rf $d' EXIT\n{BACKUP} \"$@\" > $d/stream\nmkdir $d/x\n\
         mbstream -x -C $d/x < $d/stream\ncd $d/x\n{change}\n\
         {{ find . -type f ! -name '*_info' -printf '%P\\n'; ls *_info; }} | xargs mbstream -c"
    );
    in_front(scene, "mariadb-backup", &script);
}

/// Until what was written is in the tables' own files, and not in the log alone.
fn settled(server: &Mariadb) {
    let wanted = "innodb_max_dirty_pages_pct";
    server.sql("", &format!("set global {wanted} = 0, global {wanted}_lwm = 0"));
    let age = "select variable_value from information_schema.global_status
               where variable_name = 'innodb_checkpoint_age'";
    let watch = Watch::start();
    while server.sql("", age).parse::<u64>().unwrap() > 1000 {
        assert!(watch.elapsed() < Duration::from_secs(60), "it writes nothing out");
    }
}

/// FG11 for this server, as for PostgreSQL. What was just written is in the log too, from which the
/// tool makes it again: then nothing is missing, and nothing is said.
#[test]
fn fg11_a_table_whose_file_was_emptied_is_missed_or_made_again() {
    let server = filled("office");
    let mut scene = scene(&server, ", method = \"physical\"", "");
    sent_so(&mut scene, ": > office/t.ibd");
    backup(&scene, "cases");
    let record = drill(&scene, 0);
    assert_eq!(failing_of(&record), [""; 0]);
    assert_eq!(actual(&record, "L6.capsule.rows"), "45000");
    settled(&server);
    backup(&scene, "cases");
    let record = drill(&scene, 21);
    let found = failing_of(&record);
    assert!(!found.is_empty() && found.iter().all(|id| id != "L5.mariadb.prepare"), "{found:?}");
    assert_eq!(code_of(&record), &serde_json::json!(["F1"]));
}

/// Its parts have checksums of their own.
#[test]
fn a_stream_with_a_damaged_part_is_not_proven() {
    let server = filled("office");
    let mut scene = scene(&server, ", method = \"physical\"", "");
    let script = format!(
        "case $1 in --version) exec {BACKUP} $1;; esac\nset -e\n\
         {BACKUP} \"$@\" | sed 's/Nguyễn Thị Hằng 777/Nguyễn Thị Hằng 778/'"
    );
    in_front(&mut scene, "mariadb-backup", &script);
    backup(&scene, "cases");
    let record = drill(&scene, 21);
    let found = failing_of(&record);
    assert_eq!(found, ["L5.mariadb.unpack"]);
}

/// FG23 for this server: nothing failed, for nothing was looked at.
#[test]
fn fg23_without_its_engine_there_is_no_conclusion() {
    let (_server, mut scene) = office("");
    let newer = "s/\\[\"10\\.[0-9]*/[\"99.1/";
    in_front(&mut scene, "mariadb", &format!("/usr/bin/mariadb \"$@\" | sed '{newer}'"));
    backup(&scene, "cases");
    let record = drill(&scene, 22);
    assert_eq!(failing_of(&record), ["L5.mariadb.start"]);
    assert_eq!(code_of(&record), &serde_json::json!(["F8"]));
}
