//! Dumps as statements, as the tools of both servers write them for people who keep them as files.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use super::configured;
use super::copies::cat;
use super::copies::command;
use super::copies::green;
use super::copies::judged;
use super::copies::red;
use super::failing;
use super::item;
use crate::cli::scene::Scene;
use crate::databases::Mariadb;
use crate::databases::PASSWORD;
use crate::databases::Postgresql;
use crate::databases::in_front;
use crate::databases::private;
use crate::databases::told;

const ROWS: &str = "
create role clerk;
create table t (id integer primary key, name text not null);
create table u (id integer primary key references t, note text);
alter table t owner to clerk;
insert into t select g, 'Nguyễn Thị Hằng ' || g from generate_series(1, 20000) g;
insert into u select id, md5(name) from t";

/// A server, a scene, what tells the truth, and a whole dump.
fn office() -> (Postgresql, Scene, String, String) {
    let server = Postgresql::start();
    server.sql("postgres", "create database office");
    server.sql("office", ROWS);
    let scene = configured(&[]);
    private(&scene, "password", PASSWORD);
    let truth = server.source(&scene, ", database = \"office\"");
    let dump = server.client("pg_dump").args(["--dbname=office"]).output().unwrap();
    assert!(dump.status.success(), "{}", told(&dump));
    (server, scene, truth, String::from_utf8(dump.stdout).unwrap())
}

/// What the client says of these statements in a new database.
fn naively(server: &Postgresql, name: &str, dump: &Path, words: &[&str]) {
    server.sql("postgres", &format!("create database {name}"));
    let mut psql = server.client("psql");
    psql.args(["-Xq", "-d", name]).args(words);
    psql.stdin(Stdio::from(std::fs::File::open(dump).unwrap()));
    let output = psql.stdout(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
}

fn lines_to(whole: &str, end: impl Fn(&[&str]) -> bool) -> String {
    let lines: Vec<&str> = whole.lines().collect();
    let at = (1..lines.len()).find(|at| end(&lines[..*at])).unwrap();
    lines[..at].join("\n") + "\n"
}

#[test]
fn fg05_a_dump_that_is_cut_inside_its_rows_is_not_proven() {
    let (server, scene, truth, whole) = office();
    let begins = |line: &&str| line.starts_with("COPY public.t ");
    let cut = lines_to(&whole, |lines| {
        lines.iter().position(begins).is_some_and(|at| lines.len() == at + 9)
    });
    let dump = scene.path("office.sql");
    scene.file("office.sql", cut.as_bytes());
    let file = dump.to_str().unwrap();
    let stop = ["-v", "ON_ERROR_STOP=1", "-f", file];
    naively(&server, "one", &dump, &[]);
    naively(&server, "two", &dump, &stop);
    naively(&server, "three", &dump, &[&stop[..], &["--single-transaction"]].concat());
    for name in ["one", "two", "three"] {
        assert_eq!(server.sql(name, "select count(*) from t"), "8", "the naive answer: {name}");
    }
    let record = judged(&scene, &cat(&dump, &truth), 21);
    red(&record, "F2", &["L5.postgresql.trailer", "L6.capsule.rows"]);
    let mut checks = item(&record, "cases")["checks"].as_array().unwrap().iter();
    let rows = checks.find(|it| it["id"] == "L6.capsule.rows").unwrap();
    assert_eq!((&rows["expected"], &rows["actual"]), (&"40000".into(), &"8".into()));
    scene.file("office.sql", whole.as_bytes());
    green(&judged(&scene, &cat(&dump, &truth), 0));
    // With the line that newer versions write behind the last one.
    let newer = format!("\\restrict x\n\n{}\n\\unrestrict x\n\n", whole.trim_end());
    if !whole.contains("\\restrict") {
        scene.file("office.sql", newer.as_bytes());
        green(&judged(&scene, &cat(&dump, &truth), 0));
    }
}

#[test]
fn fg06_a_dump_that_is_cut_between_statements_is_not_proven() {
    let (server, scene, truth, whole) = office();
    let cut = lines_to(&whole, |lines| lines.last() == Some(&"\\."));
    let dump = scene.path("office.sql");
    scene.file("office.sql", cut.as_bytes());
    let words = ["-v", "ON_ERROR_STOP=1", "--single-transaction", "-f", dump.to_str().unwrap()];
    naively(&server, "naive", &dump, &words);
    let again = server.client("pg_dump").args(["--dbname=naive"]).output().unwrap();
    assert!(again.status.success(), "the naive answer");
    assert_eq!(server.sql("naive", "select count(*) from t"), "20000");
    let record = judged(&scene, &cat(&dump, &truth), 21);
    let ids = ["L5.postgresql.trailer", "L6.capsule.rows", "L6.capsule.constraints"];
    red(&record, "F2", &ids);
    scene.file("office.sql", whole.as_bytes());
    green(&judged(&scene, &cat(&dump, &truth), 0));
    // One that makes its database itself, and an archive.
    for (name, words) in [("made.sql", &["--create"][..]), ("office.dump", &["--format=custom"])] {
        let made = server.client("pg_dump").args(words).arg("--dbname=office").output().unwrap();
        assert!(made.status.success(), "{}", told(&made));
        scene.file(name, &made.stdout);
        green(&judged(&scene, &cat(&scene.path(name), &truth), 0));
    }
}

/// Packs what a failing command gives, behind a pipe that forgets it; where that is.
fn piped(scene: &Scene, failing: &str) -> (PathBuf, String) {
    let path = scene.path("x.sql.gz");
    let script = format!("{failing} 2>/dev/null | gzip");
    let naive = Command::new("sh").args(["-c", &format!("{script} > {}", path.display())]).status();
    assert!(naive.unwrap().success(), "the naive answer");
    let tested = Command::new("gzip").arg("-t").arg(&path).status().unwrap();
    assert!(tested.success(), "the naive answer");
    assert_eq!(path.metadata().unwrap().len(), 20);
    (path, format!("[\"sh\", \"-c\", \"{script}\"]"))
}

#[test]
fn fg15_a_dump_that_failed_behind_a_pipe_is_not_proven() {
    let (server, scene, truth, whole) = office();
    let (path, argv) = piped(&scene, "pg_dump --host=/nowhere --dbname=nosuch");
    naively(&server, "naive", Path::new("/dev/null"), &["-v", "ON_ERROR_STOP=1"]);
    let record = judged(&scene, &command(&argv, "x.sql.gz", &truth), 21);
    red(&record, "F2", &["L5.postgresql.trailer", "L6.capsule.rows"]);
    // Without a pipe the program's end is seen, and there is no snapshot to be taken for one.
    let argv = "[\"pg_dump\", \"--host=/nowhere\", \"--dbname=nosuch\"]";
    super::configure(&scene, &[("cases", command(argv, "x.sql", &truth))], "");
    let file = scene.path("lifeboat.toml");
    let args = ["backup", "--config", file.to_str().unwrap(), "--job", "cases", "--quiet"];
    let told = scene.run(&args);
    assert!(told.code != Some(0) && told.stderr.contains("exit code 1"), "{told}");
    scene.file("whole.sql", whole.as_bytes());
    assert!(Command::new("gzip").arg(scene.path("whole.sql")).status().unwrap().success());
    rustix::fs::rename(scene.path("whole.sql.gz"), &path).unwrap();
    green(&judged(&scene, &cat(&path, &truth), 0));
}

/// FG12 and FG15 for dumps of MariaDB that are kept as files.
#[test]
fn fg15_the_same_of_mariadb() {
    let server = Mariadb::start();
    server.sql("", "create database office character set utf8mb4");
    for statement in [
        "create table t (id integer primary key, name varchar(100) not null)",
        "create table u (id integer primary key, foreign key (id) references t (id))",
        "insert into t select seq, concat('Nguyễn Thị Hằng ', seq) from seq_1_to_20000",
        "insert into u select id from t",
    ] {
        server.sql("office", statement);
    }
    let scene = configured(&[]);
    private(&scene, "password", PASSWORD);
    let truth = server.source(&scene, ", database = \"office\"");
    let (_, argv) = piped(&scene, "mariadb-dump --socket=/nowhere nosuch");
    let record = judged(&scene, &command(&argv, "x.sql.gz", &truth), 21);
    red(&record, "F2", &["L5.mariadb.trailer", "L6.capsule.tables", "L6.capsule.rows"]);
    let mut dump = server.client("mariadb-dump");
    let dump = dump.args(["--single-transaction", "office"]).output().unwrap();
    assert!(dump.status.success(), "{}", told(&dump));
    let whole = String::from_utf8(dump.stdout).unwrap();
    let cut = lines_to(&whole, |lines| lines.last() == Some(&"UNLOCK TABLES;"));
    scene.file("office.sql", cut.as_bytes());
    let path = scene.path("office.sql");
    let record = judged(&scene, &cat(&path, &truth), 21);
    red(&record, "F2", &["L5.mariadb.trailer", "L6.capsule.tables"]);
    scene.file("office.sql", whole.as_bytes());
    green(&judged(&scene, &cat(&path, &truth), 0));
}

/// FG25: the stream is cut on its way, and whoever counted it would agree with it.
#[test]
fn fg25_a_truth_is_never_that_of_the_stream() {
    let (server, mut scene, _, _) = office();
    let source = server.source(&scene, ", databases = [\"office\"]");
    let real = "case $1 in --version) exec /usr/bin/pg_dump $1;; esac\n/usr/bin/pg_dump \"$@\"";
    in_front(&mut scene, "pg_dump", &format!("{real} | head -c 1048576"));
    super::configure(&scene, &[("cases", source.clone())], "");
    let file = scene.path("lifeboat.toml");
    let args = ["backup", "--config", file.to_str().unwrap(), "--job", "cases", "--json"];
    // The backup tells it at once: there is no snapshot to be taken for one.
    let told = scene.expect(1, &args);
    assert!(format!("{told}").contains("cut off"), "{told}");
    assert!(scene.expect(0, &["snapshots", "--json"]).json_of("result").is_empty());
    // And where even its end looks right, its source knows better.
    let forged = "head -c 1048576\nprintf '\\0\\0\\0\\0\\0'";
    in_front(&mut scene, "pg_dump", &format!("{real} | {forged}"));
    super::backup(&scene, "cases");
    let record = super::drill(&scene, 21);
    let found = failing(item(&record, "cases"));
    assert!(found.contains(&"L6.capsule.rows".to_owned()), "{found:?}");
    assert!(item(&record, "cases")["failures"].to_string().contains("F2"));
    in_front(&mut scene, "pg_dump", &format!("{real} | cat"));
    super::backup(&scene, "cases");
    let record = super::drill(&scene, 0);
    let mut found = failing(item(&record, "cases"));
    found.retain(|id| id != "L5.postgresql.amcheck");
    assert_eq!(found, [""; 0]);
}
