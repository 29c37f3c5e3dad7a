//! MariaDB.

use std::io::Write;
use std::process::Stdio;

use super::PASSWORD;
use super::backup;
use super::configure;
use super::configured;
use super::dumped;
use super::in_front;
use super::paths;
use super::server::Mariadb;
use super::server::fed;
use super::server::told;
use super::snapshots_count;
use crate::cli::scene::Scene;

const CASES: [&str; 7] = [
    "create table people (id int primary key auto_increment, name varchar(200) not null,
       photo blob) engine = innodb default charset = utf8mb4",
    "create table moves (id bigint primary key auto_increment, person int not null,
       amount decimal(12, 2) not null check (amount <> 0),
       foreign key (person) references people (id)) engine = innodb",
    "insert into people (name, photo) select concat('Nguyễn Thị Hằng 🛟 ', seq),
       unhex(concat(md5(seq), '00ff275c')) from seq_1_to_5000",
    "insert into moves (person, amount) select 1 + seq % 5000, seq + 0.25 from seq_1_to_20000",
    "create trigger upper_name before insert on people for each row set new.name = upper(new.name)",
    "create procedure twice(in x int) select x * 2",
    "create event nightly on schedule every 1 day do delete from moves where amount > 1e9",
];

const DIGEST: &str = "
select count(*), md5(group_concat(id, name, hex(photo) order by id)) from people;
select count(*), md5(group_concat(id, person, amount order by id)) from moves;
select count(*) from information_schema.triggers where trigger_schema = database();
select count(*) from information_schema.routines where routine_schema = database();
select count(*) from information_schema.events where event_schema = database();
select count(*) from information_schema.table_constraints where table_schema = database()";

fn filled() -> Mariadb {
    let server = Mariadb::start();
    server.sql("", "create database `hồ sơ` character set utf8mb4");
    for statement in CASES {
        server.sql("hồ sơ", statement);
    }
    server
}

fn digest(server: &Mariadb, database: &str) -> String {
    server.sql(database, &format!("set group_concat_max_len = 100000000; {DIGEST}"))
}

fn scene(server: &Mariadb, more: &str) -> Scene {
    let scene = configured(&[]);
    configure(&scene, &[("cases", &server.source(&scene, more))]);
    scene
}

fn restored(server: &Mariadb, dump: &[u8], database: &str) {
    let mut client = server.client("mariadb");
    if !database.is_empty() {
        server.sql("", &format!("create database `{database}` character set utf8mb4"));
        client.arg(database);
    }
    fed(client, dump);
}

#[test]
fn a_database_comes_back_with_its_programs() {
    let server = filled();
    let scene = scene(&server, ", database = \"hồ sơ\"");
    let first = backup(&scene, 0, "cases");
    assert_eq!(paths(&scene, "cases"), ["/mariadb", "/mariadb/hồ sơ.sql"]);
    restored(&server, &dumped(&scene, "cases", "/mariadb/hồ sơ.sql"), "again");
    let wanted = digest(&server, "hồ sơ");
    assert_eq!(digest(&server, "again"), wanted);
    assert!(wanted.starts_with("5000\t") && wanted.contains("\n20000\t"), "{wanted}");
    assert!(wanted.ends_with("\n1\n1\n1\n4"), "{wanted}");

    // Nothing changed, and a dump has no time in it: nothing of it is stored again.
    let second = backup(&scene, 0, "cases");
    let bytes = |told: &crate::cli::scene::Told| {
        told.json_of("result")[0]["stored_bytes"].as_u64().unwrap()
    };
    println!("first {} bytes stored, unchanged again {}", bytes(&first), bytes(&second));
    assert!(bytes(&second) * 20 < bytes(&first), "{second}");

    server.sql("hồ sơ", "delete from moves");
    let third = backup(&scene, 3, "cases");
    assert_eq!(third.json_of("problem").len(), 1, "{third}");
    assert_eq!(snapshots_count(&scene), 3);
}

#[test]
fn all_databases_come_back_on_another_server() {
    let server = filled();
    let scene = scene(&server, "");
    backup(&scene, 0, "cases");
    assert_eq!(paths(&scene, "cases"), ["/mariadb", "/mariadb/all.sql"]);
    let other = Mariadb::start();
    restored(&other, &dumped(&scene, "cases", "/mariadb/all.sql"), "");
    assert_eq!(digest(&other, "hồ sơ"), digest(&server, "hồ sơ"));
    let users = "select count(*) from mysql.user where user = 'backup'";
    assert_eq!(other.sql("", users), "1");
    // A table that no transaction holds is a problem, and in the dump all the same.
    server.sql("hồ sơ", "create table cũ (id int) engine = aria");
    let told = backup(&scene, 3, "cases").json_of("problem");
    assert!(told.len() == 1 && told[0].to_string().contains("hồ sơ.cũ"), "{told:?}");
    let dump = String::from_utf8(dumped(&scene, "cases", "/mariadb/all.sql")).unwrap();
    assert!(dump.contains("CREATE TABLE `cũ`"));
}

#[test]
fn a_database_is_restored_into_a_running_server() {
    let server = filled();
    let scene = scene(&server, ", database = \"hồ sơ\"");
    backup(&scene, 0, "cases");
    let wanted = digest(&server, "hồ sơ");
    let other = Mariadb::start();
    let restore = |code: i32, name: &str, more: &[&str]| {
        let into = format!("mariadb://backup@{}/{name}", other.folder().replace('/', "%2F"));
        let file = scene.path("password");
        let mut args = vec!["restore", "latest", "--database", "hồ sơ", "--into", &into];
        args.extend(["--database-password-file", file.to_str().unwrap()]);
        args.extend(more);
        let told = format!("{}", scene.expect(code, &args));
        assert!(!told.contains("hush"), "{told}");
        told
    };
    assert!(restore(0, "", &[]).contains("2 tables"));
    assert_eq!(digest(&other, "hồ sơ"), wanted);
    other.sql("hồ sơ", "delete from moves");
    assert!(restore(13, "", &[]).contains("has 2 tables"));
    assert_eq!(other.sql("hồ sơ", "select count(*) from moves"), "0");
    restore(0, "", &["--overwrite", "always"]);
    assert_eq!(digest(&other, "hồ sơ"), wanted);
    restore(0, "m%60i'%5C", &[]);
    assert_eq!(digest(&other, "m`i'\\"), wanted);
    // A server that takes a part of it only.
    other.sql("", "set global max_allowed_packet = 1024");
    let told = restore(1, "part", &[]);
    assert!(told.contains("exit code 1") && told.contains("removed again"), "{told}");
    let there = "select count(*) from information_schema.schemata where schema_name = 'part'";
    assert_eq!(other.sql("", there), "0");
}

#[test]
fn nothing_is_called_a_snapshot_that_is_none() {
    let mut server = filled();
    let mut scene = scene(&server, ", database = \"hồ sơ\"");
    let real = "/usr/bin/mariadb-dump";
    let with =
        |end: &str| format!("case $1 in --version) exec {real} $1;; esac\n{real} \"$@\"{end}");
    in_front(&mut scene, "mariadb-dump", &with(" | head -c 100000"));
    assert!(format!("{}", backup(&scene, 1, "cases")).contains("cut off"));
    in_front(&mut scene, "mariadb-dump", &with("; exit 7"));
    let refused = format!("{}", backup(&scene, 1, "cases"));
    assert!(refused.contains("mariadb-dump hồ sơ`: exit code 7"), "{refused}");
    in_front(&mut scene, "mariadb-dump", "echo 'Ver 10.19 Distrib 5.5.1-MariaDB'");
    assert!(format!("{}", backup(&scene, 1, "cases")).contains("of version 5.5.1"));
    scene.set("PATH", "/nonexistent");
    assert!(format!("{}", backup(&scene, 1, "cases")).contains("program `mariadb`: cannot start"));
    scene.set("PATH", "/usr/local/bin:/usr/bin:/bin");

    configure(&scene, &[("none", &server.source(&scene, ", database = \"nothere\""))]);
    assert!(format!("{}", backup(&scene, 1, "none")).contains("`nothere`"));
    super::private(&scene, "password", "hush wrong");
    assert!(format!("{}", backup(&scene, 1, "none")).contains("Access denied"));
    super::private(&scene, "password", PASSWORD);
    configure(&scene, &[("cases", &server.source(&scene, ", database = \"hồ sơ\""))]);

    // It dies while it is asked for a table that somebody else keeps locked.
    let mut lock = server.client("mariadb");
    lock.args(["hồ sơ", "--unbuffered", "--skip-column-names"]);
    let mut lock = lock.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut locking = lock.stdin.take().unwrap();
    locking.write_all(b"lock table people write; select 'locked';\n").unwrap();
    let mut line = String::new();
    let mut answers = std::io::BufReader::new(lock.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut answers, &mut line).unwrap();
    assert_eq!(line, "locked\n");
    let file = scene.path("lifeboat.toml");
    let args = ["backup", "--config", file.to_str().unwrap(), "--job", "cases"];
    let mut command = scene.command(&args);
    let running = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let waiting = "select count(*) from information_schema.processlist where user = 'backup' and \
                   state like '%lock%'";
    assert!((0..3000).any(|_| server.sql("", waiting) != "0"), "the dump never came to its table");
    server.kill();
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    drop(locking);
    lock.wait().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("mariadb-dump hồ sơ`: exit code"), "{said}");
    assert_eq!(snapshots_count(&scene), 0);
}

/// The files of a running server, which somebody writes into meanwhile, and a server on them.
#[test]
fn the_files_of_a_server_start_again() {
    let server = filled();
    let mut scene = scene(&server, ", method = \"physical\"");
    let wanted = digest(&server, "hồ sơ");
    let told = backup(&scene, 0, "cases");
    assert!(!told.to_string().contains("hush"), "{told}");
    assert_eq!(paths(&scene, "cases"), ["/mariadb", "/mariadb/base.mbstream"]);
    server.sql("hồ sơ", "delete from moves");
    let folder = scene.path("data").display().to_string();
    let args = ["restore", "latest", "--tag", "cases", "--server-files", &folder];
    assert!(scene.expect(0, &args).text().contains("the files of MariaDB are in"));
    let refused = scene.expect(13, &args);
    assert!(refused.stderr.contains("is not empty"), "{refused}");
    let again = Mariadb::started_on(&scene.path("data"));
    assert_eq!(digest(&again, "hồ sơ"), wanted);
    let none = ["restore", "latest", "--tag", "cases", "--database", "x", "--into", "mariadb://x/"];
    assert!(scene.expect(1, &none).stderr.contains("/mariadb/x.sql"), "a dump is something else");

    // One that cannot be made ready is not called whole, and one that is cut off no snapshot.
    let real = "/usr/bin/mariadb-backup";
    let with =
        |end: &str| format!("case $1 in --version) exec {real} $1;; esac\n{real} \"$@\"{end}");
    in_front(&mut scene, "mariadb-backup", "exit 9");
    let half = scene.path("half").display().to_string();
    let args = ["restore", "latest", "--tag", "cases", "--server-files", &half];
    let told = scene.expect(1, &args);
    assert!(
        told.stderr.contains("exit code 9") && told.stderr.contains("start no server"),
        "{told}"
    );
    in_front(&mut scene, "mariadb-backup", &with(" | head -c 1000000"));
    assert!(format!("{}", backup(&scene, 1, "cases")).contains("cut off"));
    in_front(&mut scene, "mariadb-backup", &with("; exit 7"));
    let refused = format!("{}", backup(&scene, 1, "cases"));
    assert!(refused.contains("mariadb-backup`: exit code 7"), "{refused}");
    assert_eq!(snapshots_count(&scene), 1);
}
