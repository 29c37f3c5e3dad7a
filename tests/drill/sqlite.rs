//! SQLite databases.

use std::path::Path;

use rusqlite::Connection;

use super::backup;
use super::configure;
use super::configured;
use super::database;
use super::drill;
use super::failing;
use super::item;
use crate::cli::scene::Scene;

fn filled(path: &Path) -> Connection {
    let base = Connection::open(path).unwrap();
    base.execute_batch(
        "pragma journal_mode = wal;
         create table t(id integer primary key, name text);
         create table u(t references t(id), amount integer);
         create index i on u(t); create view v as select count(*) from t;
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
         insert into t select i, 'Nguyễn Thị Hằng ' || i from n;
         insert into u select id, id * 3 from t",
    )
    .unwrap();
    base
}

fn scene() -> Scene {
    let scene = configured(&[]);
    configure(&scene, &[("cases", database(&scene.path("cases.sqlite")))], "");
    scene
}

#[test]
fn a_database_in_use_is_proven_to_its_very_rows() {
    let scene = scene();
    let base = filled(&scene.path("cases.sqlite"));
    base.execute_batch("insert into t values (9001, 'not checkpointed')").unwrap();
    backup(&scene, "cases");
    base.execute_batch("delete from u where amount < 300").unwrap();
    let record = drill(&scene, 0);
    let cases = item(&record, "cases");
    assert_eq!(failing(cases), [""; 0]);
    assert_eq!((&cases["capsule"], &cases["proof_level"]), (&"same_point".into(), &"L6".into()));
    let rows = cases["checks"].as_array().unwrap().iter().find(|it| it["id"] == "L6.capsule.rows");
    assert_eq!(rows.unwrap()["actual"], "10001");
}

#[test]
fn an_empty_database_is_as_good_as_a_full_one() {
    let scene = scene();
    let base = Connection::open(scene.path("cases.sqlite")).unwrap();
    base.execute_batch("create table t(a)").unwrap();
    backup(&scene, "cases");
    drill(&scene, 0);
}

/// A number that the office knows: debit is credit.
#[test]
fn a_query_of_the_office_decides() {
    let scene = scene();
    let base = filled(&scene.path("cases.sqlite"));
    let check = |min: u32| {
        format!(
            "[[drill.check]]\nkind = \"sql\"\ndataset = \"cases\"\n\
             query = \"select sum(amount) from u\"\nmin = {min}\n"
        )
    };
    let backups = [("cases", database(&scene.path("cases.sqlite")))];
    configure(&scene, &backups, &check(37_507_500));
    backup(&scene, "cases");
    drill(&scene, 0);
    configure(&scene, &backups, &check(37_507_501));
    let record = drill(&scene, 21);
    assert_eq!(failing(item(&record, "cases")), ["L6.custom.1"]);
    drop(base);
}

/// What was recorded goes along with a copy, as it is and into other keys; a reader written from
/// the pages finds it.
#[test]
fn a_copy_is_proven_too() {
    let scene = scene();
    drop(filled(&scene.path("cases.sqlite")));
    backup(&scene, "cases");
    let main = scene.path("repository");
    let (twin, other) = (scene.path("twin"), scene.path("other"));
    let of = |path: &Path| path.to_str().unwrap().to_owned();
    scene.expect(0, &["init", "-q", "-r", &of(&twin), "--twin-of", &of(&main)]);
    scene.expect(0, &["init", "-q", "-r", &of(&other)]);
    for to in [&twin, &other] {
        scene.expect(0, &["copy", "-q", "-r", &of(&main), "--to", &of(to)]);
        let text = std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap();
        let moved =
            text.replace(&format!("path = \"{}\"", of(&main)), &format!("path = \"{}\"", of(to)));
        scene.file("lifeboat.toml", moved.as_bytes());
        let record = drill(&scene, 0);
        assert_eq!(item(&record, "cases")["capsule"], "same_point", "{}", of(to));
        scene.file("lifeboat.toml", text.as_bytes());
        let read = crate::reader::reader(to, ("LIFEBOAT_PASSWORD", "x"), &["verify"]);
        let told = String::from_utf8_lossy(&read.stdout).into_owned();
        assert!(
            told.contains("\"capsules\": 1"),
            "{told} {}",
            String::from_utf8_lossy(&read.stderr)
        );
    }
}
