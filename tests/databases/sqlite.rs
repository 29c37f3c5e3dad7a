//! SQLite.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::Connection;

use super::backup;
use super::configure;
use super::configured;
use super::dumped;
use super::paths;
use super::snapshots_count;
use crate::cli::scene::Scene;

/// What two tables hold together, always.
const TOTAL: i64 = 1_000_000;

fn open(path: &Path, journal: &str) -> Connection {
    let base = Connection::open(path).unwrap();
    base.busy_timeout(Duration::from_secs(60)).unwrap();
    let mode: String =
        base.query_row(&format!("pragma journal_mode = {journal}"), [], |row| row.get(0)).unwrap();
    assert_eq!(mode, journal);
    base
}

fn filled(path: &Path, journal: &str) -> Connection {
    let base = open(path, journal);
    base.execute_batch(
        "create table cash (amount integer); create table bank (amount integer);
         create table moves (id integer primary key, name text, filling blob);
         insert into cash values (1000000); insert into bank values (0);
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
         insert into moves (name, filling) select 'Nguyễn Thị Hằng ' || i, randomblob(1000) from n",
    )
    .unwrap();
    base
}

fn scene() -> Scene {
    let scene = configured(&[]);
    let path = scene.path("cases.sqlite");
    configure(&scene, &[("cases", &format!("kind = \"sqlite\", path = \"{}\"", path.display()))]);
    scene
}

/// Rows of the copy in a snapshot, if its invariants hold.
fn checked(scene: &Scene) -> i64 {
    let name = "copy.sqlite";
    scene.file(name, &dumped(scene, "cases", "/cases.sqlite"));
    let copy = Connection::open(scene.path(name)).unwrap();
    let one = |query: &str| copy.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    let fine: String = copy.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(fine, "ok");
    let bank = one("select sum(amount) from bank");
    assert_eq!(one("select sum(amount) from cash") + bank, TOTAL);
    let moves = one("select count(*) from moves");
    // Each move adds a row.
    assert_eq!(moves, 20_000 + bank);
    moves
}

fn copied_while_written(journal: &str) {
    let scene = scene();
    let path = scene.path("cases.sqlite");
    let base = filled(&path, journal);
    let (is_over, moved) = (AtomicBool::new(false), AtomicU64::new(0));
    let counts = std::thread::scope(|scope| {
        let (over, count) = (&is_over, &moved);
        scope.spawn(move || {
            while !over.load(Ordering::Relaxed) {
                base.execute_batch(
                    "begin immediate; update cash set amount = amount - 1;
                     insert into moves (name, filling) values ('x', randomblob(1000));
                     update bank set amount = amount + 1; commit",
                )
                .unwrap();
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut counts = Vec::new();
        for _ in 0..3 {
            let before = moved.load(Ordering::Relaxed);
            while moved.load(Ordering::Relaxed) == before {
                std::thread::yield_now();
            }
            backup(&scene, 0, "cases");
            counts.push(checked(&scene));
        }
        is_over.store(true, Ordering::Relaxed);
        counts
    });
    assert!(counts.is_sorted() && counts[0] > 20_000 && counts[2] > counts[0], "{counts:?}");
    assert_eq!(paths(&scene, "cases"), ["/cases.sqlite"]);
    let left = scene.files("cache");
    assert!(!left.iter().any(|path| path.contains("sqlite-")), "{left:?}");
}

#[test]
fn a_copy_is_one_state_while_others_write_a_log() {
    copied_while_written("wal");
}

#[test]
fn a_copy_is_one_state_while_others_write_a_journal() {
    copied_while_written("delete");
}

#[test]
fn what_is_no_sound_database_is_not_called_a_backup() {
    let scene = scene();
    let path = scene.path("cases.sqlite");
    let refused = format!("{}", backup(&scene, 1, "cases"));
    assert!(refused.contains("cases.sqlite"), "{refused}");
    scene.file("cases.sqlite", &[b'x'; 10_000]);
    let refused = format!("{}", backup(&scene, 1, "cases"));
    assert!(refused.contains("not a database"), "{refused}");

    std::fs::remove_file(&path).unwrap();
    drop(filled(&path, "delete"));
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    for page in bad.chunks_mut(4096).skip(20).take(2000).step_by(50) {
        page[..8].copy_from_slice(&[0xee; 8]);
    }
    scene.file("cases.sqlite", &bad);
    let refused = format!("{}", backup(&scene, 1, "cases"));
    assert!(refused.contains("damaged"), "{refused}");
    assert_eq!(snapshots_count(&scene), 0);

    scene.file("cases.sqlite", &good);
    backup(&scene, 0, "cases");
    assert_eq!(checked(&scene), 20_000);
    // Most of it is gone.
    let base = Connection::open(&path).unwrap();
    base.execute_batch("delete from moves; vacuum").unwrap();
    backup(&scene, 3, "cases");
}
