//! PostgreSQL.

use std::process::Stdio;

use super::backup;
use super::configure;
use super::configured;
use super::dumped;
use super::in_front;
use super::paths;
use super::server::Postgresql;
use super::server::fed;
use super::server::told;
use super::snapshots_count;
use crate::cli::scene::Scene;

/// A database with what an office's has.
const CASES: &str = "
create table people (id serial primary key, name text not null, photo bytea, born date);
create table moves (id bigint generated always as identity primary key,
  person integer not null references people, amount numeric(12, 2) check (amount <> 0));
create view debtors as select person, sum(amount) from moves group by person;
create function double(x integer) returns integer language sql as 'select x * 2';
insert into people (name, photo, born) select 'Nguyễn Thị Hằng ' || g,
  decode(md5(g::text) || '00ff', 'hex'), date '1970-01-01' + g from generate_series(1, 5000) g;
insert into moves (person, amount) select 1 + g % 5000, g + 0.25 from generate_series(1, 20000) g;
select lo_from_bytea(4711, decode(repeat('00ff10', 100000), 'hex'));
select setval('people_id_seq', 123456);
";

const MANY: &str = "
create table papers (id integer, text text);
insert into papers select g, md5(g::text) || md5((-g)::text) || ' công văn số ' || g
  from generate_series(1, 250000) g";

/// Rows, their digests, and what is no row.
const DIGEST: &str = "
select (select count(*) || md5(string_agg(p::text, E'\\n' order by id)) from people p),
  (select count(*) || md5(string_agg(m::text, E'\\n' order by id)) from moves m),
  (select last_value from people_id_seq), md5(lo_get(4711)),
  (select string_agg(conname || contype::text, ',' order by conname) from pg_constraint
    where conrelid in ('people'::regclass, 'moves'::regclass)),
  (select sum(sum) from debtors), double(21)";

fn filled() -> Postgresql {
    let server = Postgresql::start();
    server.sql("postgres", "create database \"hồ sơ\"");
    server.sql("hồ sơ", CASES);
    server.sql("postgres", "create role clerk login password 'x'");
    server
}

fn scene(server: &Postgresql, more: &str) -> Scene {
    let scene = configured(&[]);
    configure(&scene, &[("cases", &server.source(&scene, more))]);
    scene
}

/// Gives a dump to a fresh database of another name.
fn restored(server: &Postgresql, dump: &[u8], database: &str) {
    server.sql("postgres", &format!("create database \"{database}\""));
    let mut restore = server.client("pg_restore");
    restore.args(["--exit-on-error", "--no-password", "--dbname", database]);
    fed(restore, dump);
}

#[test]
fn every_database_comes_back_as_it_was() {
    let server = filled();
    // So much that a dump has many parts.
    server.sql("hồ sơ", MANY);
    let scene = scene(&server, "");
    let first = backup(&scene, 0, "cases");
    assert_eq!(
        paths(&scene, "cases"),
        [
            "/postgresql",
            "/postgresql/globals.sql",
            "/postgresql/hồ sơ.dump",
            "/postgresql/postgres.dump",
            "/postgresql/template1.dump"
        ]
    );
    restored(&server, &dumped(&scene, "cases", "/postgresql/hồ sơ.dump"), "again");
    assert_eq!(server.sql("again", DIGEST), server.sql("hồ sơ", DIGEST));
    let globals = String::from_utf8(dumped(&scene, "cases", "/postgresql/globals.sql")).unwrap();
    assert!(globals.contains("CREATE ROLE clerk") && globals.contains("SCRAM-SHA-256$"));

    // The same again: what is new is the head of an archive, which has a time.
    server.sql("postgres", "drop database again");
    let second = backup(&scene, 0, "cases");
    let bytes = |told: &crate::cli::scene::Told, key: &str| {
        told.json_of("result")[0][key].as_u64().unwrap()
    };
    let (all, again) = (bytes(&first, "stored_bytes"), bytes(&second, "stored_bytes"));
    println!("first {all} bytes stored, unchanged again {again} bytes");
    assert!(again * 2 < all, "{all} {again}");
    assert_eq!(second.json_of("result")[0]["parent_id"], first.json_of("result")[0]["snapshot_id"]);

    // Most of it is gone: a snapshot, and an alarm.
    server.sql("hồ sơ", "drop table papers; truncate moves; delete from people where id > 10");
    let third = backup(&scene, 3, "cases");
    assert!(third.json_of("problem").len() == 1, "{third}");
    assert_eq!(snapshots_count(&scene), 3);
}

#[test]
fn named_databases_and_a_user_who_is_no_superuser() {
    let server = filled();
    server.sql("postgres", "create database empty");
    server.sql(
        "postgres",
        &format!("alter role clerk password '{}'", super::PASSWORD.replace('\'', "''")),
    );
    server.sql("postgres", "grant pg_read_all_data to clerk");
    let scene = scene(&server, ", databases = [\"empty\"]");
    backup(&scene, 0, "cases");
    let wanted = ["/postgresql", "/postgresql/empty.dump", "/postgresql/globals.sql"];
    assert_eq!(paths(&scene, "cases"), wanted);

    let source =
        server.source(&scene, ", database = \"empty\"").replace("\"postgres\"", "\"clerk\"");
    configure(&scene, &[("clerk", &source)]);
    backup(&scene, 0, "clerk");
    let name = "/postgresql/globals-without-passwords.sql";
    assert_eq!(paths(&scene, "clerk"), ["/postgresql", "/postgresql/empty.dump", name]);
    assert!(!String::from_utf8(dumped(&scene, "clerk", name)).unwrap().contains("SCRAM"));

    // Rows that the user may not see are no small dump but none.
    server.sql("empty", "create table t (id int); insert into t select generate_series(1, 100)");
    server.sql("empty", "alter table t enable row level security");
    server.sql("empty", "create policy few on t using (id < 10)");
    let refused = backup(&scene, 1, "clerk");
    assert!(format!("{refused}").contains("row-level security"), "{refused}");

    configure(&scene, &[("none", &server.source(&scene, ", database = \"nothere\""))]);
    let refused = backup(&scene, 1, "none");
    assert!(format!("{refused}").contains("nothere"), "{refused}");
    assert_eq!(snapshots_count(&scene), 2);
}

#[test]
fn nothing_is_called_a_snapshot_that_is_none() {
    let server = filled();
    let mut scene = scene(&server, ", database = \"hồ sơ\"");
    // A dump that is cut while everything ends with 0.
    let real = "/usr/bin/pg_dump";
    let cut =
        format!("case $1 in --version) exec {real} $1;; esac\n{real} \"$@\" | head -c 300000");
    in_front(&mut scene, "pg_dump", &cut);
    let refused = backup(&scene, 1, "cases");
    assert!(format!("{refused}").contains("cut off"), "{refused}");
    // A tool that prints something else, one that is too old, one that fails, one that is absent.
    in_front(&mut scene, "pg_dump", "echo 'pg_dump (PostgreSQL) 99.1'");
    assert!(format!("{}", backup(&scene, 1, "cases")).contains("does not begin"));
    in_front(&mut scene, "pg_dump", "echo 'pg_dump (PostgreSQL) 9.6.24'");
    let refused = format!("{}", backup(&scene, 1, "cases"));
    assert!(refused.contains("of version 9") && refused.contains("install"), "{refused}");
    let fails = format!("case $1 in --version) exec {real} $1;; esac\n{real} \"$@\"; exit 7");
    in_front(&mut scene, "pg_dump", &fails);
    let refused = format!("{}", backup(&scene, 1, "cases"));
    assert!(refused.contains("exit code 7") && refused.contains("pg_dump hồ sơ"), "{refused}");
    // Whoever reads beside a dump is gone with it.
    let clients = "select count(*) from pg_stat_activity where backend_type = 'client backend' and \
                   pid <> pg_backend_pid()";
    assert!((0..3000).any(|_| server.sql("postgres", clients) == "0"), "somebody stays connected");
    scene.set("PATH", "/nonexistent");
    let refused = format!("{}", backup(&scene, 1, "cases"));
    assert!(refused.contains("program `pg_dump`: cannot start"), "{refused}");
    scene.set("PATH", "/usr/local/bin:/usr/bin:/bin");

    super::private(&scene, "password", "hush wrong");
    let refused = format!("{}", backup(&scene, 1, "cases"));
    assert!(refused.contains("password authentication failed"), "{refused}");
    super::private(&scene, "password", super::PASSWORD);
    backup(&scene, 0, "cases");
    server.kill();
    let refused = format!("{}", backup(&scene, 1, "cases"));
    assert!(refused.contains("refused"), "{refused}");
    assert_eq!(snapshots_count(&scene), 1);
}

#[test]
fn a_server_that_dies_in_mid_dump_makes_no_snapshot() {
    let server = Postgresql::start();
    server.sql(
        "postgres",
        "create unlogged table big as select g, repeat(md5(g::text), 8) from \
         generate_series(1, 500000) g",
    );
    let scene = scene(&server, ", database = \"postgres\"");
    let file = scene.path("lifeboat.toml");
    let args = ["backup", "--config", file.to_str().unwrap(), "--job", "cases"];
    let mut command = scene.command(&args);
    let running = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let copying = "select count(*) from pg_stat_activity where query like 'COPY public.big%'";
    let is_copying = (0..3000).any(|_| server.sql("postgres", copying) != "0");
    assert!(is_copying, "the dump never came to its table");
    server.kill();
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("pg_dump postgres`: exit code 1"), "{said}");
    assert!(said.contains("no snapshot was made"), "{said}");
    assert_eq!(snapshots_count(&scene), 0);
}

#[test]
fn a_database_is_restored_into_a_running_server() {
    let server = filled();
    server.sql("hồ sơ", "alter table people owner to clerk");
    let scene = scene(&server, ", database = \"hồ sơ\"");
    backup(&scene, 0, "cases");
    let wanted = server.sql("hồ sơ", DIGEST);
    let other = Postgresql::start();
    let restore = |code: i32, name: &str, more: &[&str]| {
        let into = format!("postgresql://postgres@127.0.0.1:{}/{name}", other.port);
        let file = scene.path("password");
        let mut args = vec!["restore", "latest", "--database", "hồ sơ", "--into", &into];
        args.extend(["--database-password-file", file.to_str().unwrap()]);
        args.extend(more);
        let told = format!("{}", scene.expect(code, &args));
        assert!(!told.contains("hush"), "{told}");
        told
    };
    let names = "select string_agg(datname, ',' order by datname) from pg_database";
    // The owner of a table is not there: what was loaded goes again.
    let told = restore(1, "", &[]);
    assert!(told.contains("exit code 1") && told.contains("globals.sql"), "{told}");
    assert_eq!(other.sql("postgres", names), "postgres,template0,template1");
    other.sql("postgres", "create role clerk");
    let told = restore(0, "", &[]);
    assert!(told.contains("3 tables"), "{told}");
    assert_eq!(other.sql("hồ sơ", DIGEST), wanted);
    // One that has tables is kept unless it is to be replaced.
    other.sql("hồ sơ", "delete from moves");
    assert!(restore(13, "", &[]).contains("has 3 tables"));
    assert_eq!(other.sql("hồ sơ", "select count(*) from moves"), "0");
    restore(0, "", &["--overwrite", "always"]);
    assert_eq!(other.sql("hồ sơ", DIGEST), wanted);
    // Somebody is connected: he goes on with what is there.
    let mut other_user = other.client("psql");
    other_user.args(["-XAtq", "-d", "hồ sơ"]).stdin(Stdio::piped());
    let mut connected = other_user.spawn().unwrap();
    let typing = connected.stdin.take().unwrap();
    let there = "select count(*) from pg_stat_activity where datname = 'hồ sơ' and \
                 backend_type = 'client backend'";
    assert!((0..3000).any(|_| other.sql("postgres", there) != "0"), "he never came");
    let told = restore(1, "", &["--overwrite", "always"]);
    assert!(told.contains("being accessed by other users") && told.contains("removed"), "{told}");
    drop(typing);
    connected.wait().unwrap();
    assert_eq!(other.sql("postgres", names), "hồ sơ,postgres,template0,template1");
    // Under another name, and into one that is there and empty.
    other.sql("postgres", "create database \"m\"\"i'\"");
    restore(0, "m%22i'", &[]);
    assert_eq!(other.sql("m\"i'", DIGEST), wanted);
    // A restore that fails leaves what is there.
    other.sql("postgres", "reassign owned by clerk to postgres");
    for name in ["hồ sơ", "m\"i'"] {
        other.sql(name, "reassign owned by clerk to postgres");
    }
    other.sql("postgres", "drop role clerk");
    restore(1, "", &["--overwrite", "always"]);
    assert_eq!(other.sql("hồ sơ", DIGEST), wanted);
    assert_eq!(other.sql("postgres", names), "hồ sơ,m\"i',postgres,template0,template1");
    let none = ["restore", "latest", "--database", "x", "--into", "postgresql://u:hush@h/x"];
    let told = format!("{}", scene.expect(2, &none));
    assert!(told.contains("--database-password-file") && !told.contains("hush"), "{told}");
}

#[test]
fn the_files_of_a_server_start_again() {
    let server = filled();
    let scene = scene(&server, ", method = \"physical\"");
    backup(&scene, 0, "cases");
    assert_eq!(paths(&scene, "cases"), ["/postgresql", "/postgresql/base.tar"]);
    scene.file("base.tar", &dumped(&scene, "cases", "/postgresql/base.tar"));
    let wanted = server.sql("hồ sơ", DIGEST);
    let again = Postgresql::started_from(&scene.path("base.tar"));
    assert_eq!(again.sql("hồ sơ", DIGEST), wanted);
    let folder = scene.path("data");
    let args = ["restore", "latest", "--server-files", folder.to_str().unwrap()];
    assert!(scene.expect(0, &args).text().contains("the files of PostgreSQL are in"));
    let mut verify = std::process::Command::new(super::server::installed("pg_verifybackup"));
    assert!(verify.arg(&folder).status().unwrap().success());
}
