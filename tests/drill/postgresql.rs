//! Databases of PostgreSQL: the cases of a dump that only looks whole, with the real tools.

use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Output;
use std::process::Stdio;

use serde_json::Value;

use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::failing;
use super::item;
use crate::cli::scene::Scene;
use crate::databases::PASSWORD;
use crate::databases::Postgresql;
use crate::databases::in_front;
use crate::databases::private;
use crate::databases::told;

const REAL: &str = "/usr/bin/pg_dump";

/// Two tables of 20 000 rows, and accounts that are in balance.
const OFFICE: &str = "
create table t (id integer primary key, name text not null);
create table u (id integer primary key references t, note text);
create table entries (id integer primary key, no numeric not null, co numeric not null);
insert into t select g, 'Nguyễn Thị Hằng ' || g from generate_series(1, 20000) g;
insert into u select id, md5(name) from t;
insert into entries select g, g * 1000, g * 1000 from generate_series(1, 5000) g";

fn scene(server: &Postgresql, more: &str, checks: &str) -> Scene {
    let scene = configured(&[]);
    private(&scene, "password", PASSWORD);
    configure(&scene, &[("cases", server.source(&scene, more))], checks);
    scene
}

/// A server with one database, and a configuration that backs it up.
fn office(checks: &str) -> (Postgresql, Scene) {
    let server = Postgresql::start();
    server.sql("postgres", "create database office");
    server.sql("office", OFFICE);
    let scene = scene(&server, ", databases = [\"office\"]", checks);
    (server, scene)
}

/// A dump by other words than those that it is asked for, behind our back.
fn dumped_so(scene: &mut Scene, script: &str) {
    let version = format!("case $1 in --version) exec {REAL} $1;; esac\n");
    in_front(scene, "pg_dump", &format!("{version}{script}"));
}

/// Checks that did not pass; the server's own check is there only where its package is.
fn failing_of(record: &Value) -> Vec<String> {
    let mut all = failing(item(record, "cases"));
    all.retain(|id| id != "L5.postgresql.amcheck");
    let place = place_of(record);
    assert!(!place.iter().any(|place| place.exists()), "{place:?}");
    all
}

/// Where the server of a drill may have been.
fn place_of(record: &Value) -> [PathBuf; 2] {
    let id = record["record_id"].as_str().unwrap().replace('-', "");
    let name = format!("drill-pg-{}", &id[..20.min(id.len())]);
    [Path::new("/var/tmp").join(format!("lifeboat-{name}")), Path::new("/tmp").join(name)]
}

/// What the tool itself says of the archive that is in the backup, with these words.
fn naively(server: &Postgresql, scene: &Scene, words: &[&str]) -> Output {
    let path = "latest:/postgresql/office.dump";
    let archive = scene.expect(0, &["dump", path, "--tag", "cases"]).stdout;
    let mut restore = server.client("pg_restore");
    restore.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = restore.spawn().unwrap();
    // One that has seen enough closes its end.
    let _written = child.stdin.take().unwrap().write_all(&archive);
    child.wait_with_output().unwrap()
}

/// Restores as most people do, into a database of this name.
fn restored_naively(server: &Postgresql, scene: &Scene, name: &str) {
    server.sql("postgres", &format!("create database {name}"));
    let output = naively(server, scene, &["--no-password", "--dbname", name]);
    assert!(output.status.success(), "{}", told(&output));
}

fn code_of(record: &Value) -> &Value {
    &item(record, "cases")["failures"]
}

#[test]
fn databases_in_use_are_proven_to_their_very_rows() {
    let server = Postgresql::start();
    server.sql("postgres", "create role \"kế toán\" login");
    for name in ["hồ sơ", "office"] {
        server.sql("postgres", &format!("create database \"{name}\""));
        server.sql(name, OFFICE);
    }
    server.sql(
        "hồ sơ",
        "create table empty (a integer);
         create table \"Sổ \"\"A\"\"\" (\"Số\" serial, at timestamptz default now(), m money);
         insert into \"Sổ \"\"A\"\"\" (m) select g from generate_series(1, 100) g;
         alter table empty owner to \"kế toán\";
         create table parted (id integer, x text) partition by range (id);
         create table part_1 partition of parted for values from (0) to (100);
         alter table parted add primary key (id);
         insert into parted select g, 'x' from generate_series(1, 50) g;
         create table older (z integer, a text); create table younger (m integer) inherits (older);
         alter table older add column later text; insert into younger values (1, 'a', 2, 'l');
         create view v as select count(*) from t;
         create materialized view mv as select id from t where id < 100;
         create function double(x integer) returns integer language sql as 'select x * 2';
         create sequence back increment -5; select nextval('back');
         create table secret (id integer); alter table secret enable row level security;
         create policy few on secret using (id < 10);
         insert into secret select generate_series(1, 100);
         select lo_from_bytea(4711, decode(repeat('00ff10', 10000), 'hex'))",
    );
    let scene = scene(&server, "", "");
    backup(&scene, "cases");
    server.sql("hồ sơ", "drop table u; truncate t");
    let record = drill(&scene, 0);
    assert_eq!(failing_of(&record), [""; 0]);
    let cases = item(&record, "cases");
    assert_eq!((&cases["capsule"], &cases["proof_level"]), (&"same_point".into(), &"L6".into()));
    let check = |id: &str| {
        let mut all = cases["checks"].as_array().unwrap().iter();
        all.find(|it| it["id"] == id).unwrap()["actual"].as_str().unwrap().to_owned()
    };
    // t, u and entries twice; what is smaller; the bytes of a large object as one row.
    assert_eq!(check("L6.capsule.rows"), (2 * 45_000 + 100 + 50 + 1 + 100 + 1).to_string());
    assert_eq!(check("L5.postgresql.restore"), "4");
}

/// FG07: its table of contents is whole.
#[test]
fn fg07_an_archive_that_is_cut_is_not_proven() {
    let (server, mut scene) = office("");
    let cut = format!("{REAL} \"$@\" | head -c -200\nprintf '\\0\\0\\0\\0\\0'");
    dumped_so(&mut scene, &cut);
    backup(&scene, "cases");
    let listed = naively(&server, &scene, &["--list"]);
    assert!(listed.status.success(), "{}", told(&listed));
    let record = drill(&scene, 21);
    let found = failing_of(&record);
    assert!(found.contains(&"L5.postgresql.restore".to_owned()), "{found:?}");
    assert_eq!(code_of(&record)[0], "F1");
}

/// FG08: whole in itself, and a table, or its rows, were left out.
#[test]
fn fg08_a_table_that_was_left_out_is_missed() {
    let (server, mut scene) = office("");
    dumped_so(&mut scene, &format!("exec {REAL} \"$@\" --exclude-table=public.u"));
    backup(&scene, "cases");
    restored_naively(&server, &scene, "without");
    let record = drill(&scene, 21);
    let found = failing_of(&record);
    assert!(found.contains(&"L6.capsule.tables".to_owned()), "{found:?}");
    assert_eq!(code_of(&record), &serde_json::json!(["F2"]));

    dumped_so(&mut scene, &format!("exec {REAL} \"$@\" --exclude-table-data=public.u"));
    backup(&scene, "cases");
    restored_naively(&server, &scene, "hollow");
    assert_eq!(server.sql("hollow", "select count(*) from u"), "0");
    let record = drill(&scene, 21);
    assert_eq!(failing_of(&record), ["L6.capsule.rows", "L6.capsule.digest"]);
}

/// FG09: rows that the user of the dump could not see.
#[test]
fn fg09_rows_behind_a_policy_are_missed() {
    let (server, mut scene) = office("");
    let secret = PASSWORD.replace('\'', "''");
    server.sql("postgres", &format!("create role reader login password '{secret}'"));
    server.sql(
        "office",
        "drop table u; drop table entries; grant select on t to reader;
         alter table t enable row level security;
         create policy few on t to reader using (id <= 100)",
    );
    let as_reader = format!(
        "PGUSER=reader exec {REAL} --format=custom --compress=0 --no-password --dbname=office \
         --enable-row-security"
    );
    dumped_so(&mut scene, &as_reader);
    backup(&scene, "cases");
    restored_naively(&server, &scene, "few");
    assert_eq!(server.sql("few", "select count(*) from t"), "100");
    let record = drill(&scene, 21);
    assert_eq!(failing_of(&record), ["L6.capsule.rows", "L6.capsule.digest"]);
    assert_eq!(code_of(&record), &serde_json::json!(["F2"]));
}

/// FG10: as many rows, and other values. A number that the office knows tells it too.
#[test]
fn fg10_right_counts_with_wrong_values_are_found() {
    let balance = "[[drill.check]]\nkind = \"sql\"\ndataset = \"cases\"\n\
                   query = \"select sum(no) - sum(co) from entries;\"\nmin = 0\nmax = 0\n";
    let (server, mut scene) = office(balance);
    backup(&scene, "cases");
    assert_eq!(failing_of(&drill(&scene, 0)), [""; 0]);
    server.sql("postgres", "create database twin template office");
    server.sql("twin", "update entries set co = 0 where id > 4000");
    let other = format!("exec {REAL} --format=custom --compress=0 --no-password --dbname=twin");
    dumped_so(&mut scene, &other);
    backup(&scene, "cases");
    restored_naively(&server, &scene, "naive");
    let counts = "select (select count(*) from t), (select count(*) from entries)";
    assert_eq!(server.sql("naive", counts), server.sql("office", counts));
    let record = drill(&scene, 21);
    assert_eq!(failing_of(&record), ["L6.capsule.digest", "L6.custom.1"]);
    assert_eq!(code_of(&record), &serde_json::json!(["F2"]));
}

/// A server's files, as they are and, with `more` done to them in the folder `x`, as they are not.
fn taken_so(scene: &mut Scene, more: &str) {
    let script = format!(
        "case $1 in --version) exec /usr/bin/pg_basebackup $1;; esac\nset -e\nd=$(mktemp -d)\n\
         trap 'rm -rf $d' EXIT\ncd $d\n/usr/bin/pg_basebackup --pgdata=$d/x --format=plain \
         --wal-method=fetch --checkpoint=fast --no-password\n\
         f=$(psql -d office -Atc \"select pg_relation_filepath('t')\")\n{more}\ntar -cf - -C x ."
    );
    in_front(scene, "pg_basebackup", &script);
}

/// FG11: the checksums of all that is there are right, the server starts and dumps.
#[test]
fn fg11_a_table_whose_file_was_emptied_is_missed() {
    let (server, _) = office("");
    let mut scene = scene(&server, ", method = \"physical\"", "");
    backup(&scene, "cases");
    let record = drill(&scene, 0);
    assert_eq!(failing_of(&record), [""; 0]);
    let cases = item(&record, "cases");
    assert_eq!((&cases["capsule"], &cases["proof_level"]), (&"interval".into(), &"L6".into()));

    // Whoever emptied it had no manifest to change.
    taken_so(&mut scene, ": > x/$f; rm x/backup_manifest");
    backup(&scene, "cases");
    scene.file("naive.tar", &dumped(&scene));
    let naive = Postgresql::unpacked(&scene.path("naive.tar"));
    naive.run();
    assert_eq!(naive.sql("office", "select count(*) from t"), "0");
    let record = drill(&scene, 21);
    let found = failing_of(&record);
    assert!(found.contains(&"L6.capsule.rows".to_owned()), "{found:?}");
    assert_eq!(code_of(&record), &serde_json::json!(["F2"]));

    taken_so(&mut scene, ": > x/$f");
    backup(&scene, "cases");
    let record = drill(&scene, 21);
    assert_eq!(failing_of(&record), ["L5.postgresql.verifybackup"]);
    let mut all = item(&record, "cases")["checks"].as_array().unwrap().iter();
    let verify = all.find(|it| it["id"] == "L5.postgresql.verifybackup").unwrap();
    let detail = verify["detail"].as_str().unwrap();
    assert!(detail.contains("has size 0") && detail.contains("base/"), "{detail}");
    assert_eq!(code_of(&record), &serde_json::json!(["F1"]));
}

/// Nobody wrote a manifest, and what the server reads first is no more.
#[test]
fn a_server_that_does_not_start_on_its_files_is_told_as_that() {
    let (server, _) = office("");
    let mut scene = scene(&server, ", method = \"physical\"", "");
    taken_so(&mut scene, "rm x/backup_manifest; : > x/global/pg_control");
    backup(&scene, "cases");
    let record = drill(&scene, 21);
    let failing = failing_of(&record);
    assert!(failing.iter().any(|check| check == "L5.postgresql.start"), "{failing:?}");
    assert!(code_of(&record).as_array().unwrap().contains(&"F3".into()), "{record}");
}

fn dumped(scene: &Scene) -> Vec<u8> {
    let path = "latest:/postgresql/base.tar";
    scene.expect(0, &["dump", path, "--tag", "cases"]).stdout
}

/// FG23: nothing failed, for nothing was looked at.
#[test]
fn fg23_without_its_engine_there_is_no_conclusion() {
    let (_server, mut scene) = office("");
    let newer = "s/\"version_num\": [0-9]*/\"version_num\": 990001/";
    in_front(&mut scene, "psql", &format!("/usr/bin/psql \"$@\" | sed -u '{newer}'"));
    backup(&scene, "cases");
    let record = drill(&scene, 22);
    assert_eq!(failing_of(&record), ["L5.postgresql.start"]);
    assert_eq!(record["verdict"], "inconclusive");
    assert_eq!(code_of(&record), &serde_json::json!(["F8"]));
    let told = item(&record, "cases")["checks"].as_array().unwrap().iter();
    let start = { told }.find(|it| it["id"] == "L5.postgresql.start").unwrap();
    assert_eq!(start["result"], "skip");
    assert!(start["detail"].as_str().unwrap().contains("version 99"), "{start}");
}

/// Command lines that name the place of a drill's server.
fn processes(place: &str) -> Vec<String> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let text = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).replace('\0', " ");
        if text.contains(place) {
            all.push(format!("{} {text}", entry.file_name().display()));
        }
    }
    all
}

/// Looks until it is so: what is waited for has no other sign.
#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    assert!((0..50_000).any(|_| is_so()), "never: {what}");
}

/// A drill that hangs in a query is ended by its lease, by a signal and by a kill; its server is
/// gone each time, and the next drill clears what a killed one left.
#[test]
fn no_server_outlives_its_drill() {
    let hanging = "[[drill.check]]\nkind = \"sql\"\ndataset = \"cases\"\n\
                   query = \"select 1 from pg_sleep(600)\"\nmin = 1\n";
    let (server, scene) = office(hanging);
    backup(&scene, "cases");
    let file = scene.path("lifeboat.toml");
    for signal in ["TERM", "KILL"] {
        let args = ["drill", "run", "--config", file.to_str().unwrap(), "monthly"];
        let mut child = scene.command(&args).stderr(Stdio::null()).spawn().unwrap();
        let id = || {
            let mut all = std::fs::read_dir(scene.path("drills")).into_iter().flatten().flatten();
            let named = |entry: &std::fs::DirEntry| {
                let name = entry.file_name().into_string().unwrap();
                let id = name.strip_prefix("drill-").filter(|id| !id.starts_with("pg"));
                id.map(|id| id.replace('-', ""))
            };
            all.find_map(|entry| named(&entry))
        };
        let place = || id().map(|id| format!("drill-pg-{}", &id[..20]));
        until("a server that is asked", || {
            let all = processes("drill-pg-");
            let is_own = |of: &String, line: &String| line.contains(of) && line.contains("psql");
            place().is_some_and(|of| all.iter().any(|line| is_own(&of, line)))
        });
        let place = place().unwrap();
        let mut kill = std::process::Command::new("kill");
        kill.args(["-s", signal, &child.id().to_string()]);
        assert!(kill.status().unwrap().success());
        child.wait().unwrap();
        // One that was just being kept apart may be left: the next drill ends it.
        let is_server = |line: &String| !line.contains(" bwrap ");
        until("an end of the server", || !processes(&place).iter().any(is_server));
        let common = Path::new("/var/tmp").join(format!("lifeboat-{place}"));
        assert!(signal == "KILL" || !common.exists());
        if signal == "KILL" {
            // The next one clears it, and its own lease ends.
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.replace("/drills\" }", "/drills\", lease = \"15s\" }");
            scene.file("lifeboat.toml", text.as_bytes());
            let record = drill(&scene, 22);
            assert!(!common.exists());
            until("an end of everything", || processes(&place).is_empty());
            assert_eq!(record["verdict"], "inconclusive");
            assert!(!place_of(&record).iter().any(|place| place.exists()));
        }
    }
    drop(server);
}
