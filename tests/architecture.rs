//! Dependencies point down: the table of rooms, and the test that holds it.
//!
//! A room may name the rooms of its row and nothing else; the longest listed path wins, so that a
//! sub-room can have a row of its own. To add a room, add its line here and its row in
//! `doc/ARCHITECTURE.md`. Test code inside `src` is not looked at: it may check one room by
//! another.

mod edges;
mod table;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::house;

use self::edges::Edge;
use self::table::ROOMS;
use self::table::Room;
use self::table::SOON;
use self::table::WORDS;

/// From the first room no chain of grants used may lead to any of the others.
const UNREACHABLE: [(&str, &[&str]); 1] = [(
    "vault",
    &["crypto::sealed", "repository", "backup", "restore", "verify", "capsule", "drill"],
)];
/// Words that may not stand in the code of a room at all.
const BANNED: [(&str, &str); 8] = [
    ("vault", "ObjectKey"),
    // Whoever counted what is backed up would agree with a stream that was cut on its way (FG25).
    ("capsule", "StreamSource"),
    ("source::census", "StreamSource"),
    ("source::told", "StreamSource"),
    ("source::database::truth", "StreamSource"),
    ("source::database::session", "StreamSource"),
    ("source::database::mariadb::truth", "StreamSource"),
    ("source::database::postgresql::around", "StreamSource"),
];

fn row<'a>(rooms: &'a [Room], module: &str) -> Option<&'a Room> {
    rooms
        .iter()
        .filter(|room| module == room.name || module.starts_with(&format!("{}::", room.name)))
        .max_by_key(|room| room.name.len())
}

/// What a row grants, with the word rooms written out.
fn granted(room: &Room) -> BTreeSet<&'static str> {
    let own = room.may.iter().filter(|name| **name != "words").copied();
    let words: &[&str] = if room.may.contains(&"words") { &WORDS } else { &[] };
    own.chain(words.iter().copied()).collect()
}

/// Every edge that no row grants.
fn violations(rooms: &[Room], edges: &[Edge]) -> Vec<String> {
    let mut found = Vec::new();
    for edge in edges {
        let at = format!("{}:{}", edge.file, edge.line);
        let Some(from) = row(rooms, &edge.from) else {
            found.push(format!("{at}: `{}` is in no row of the table", edge.from));
            continue;
        };
        let Some(to) = row(rooms, &edge.to) else {
            found.push(format!("{at}: `{}` names `{}`, in no row", from.name, edge.to));
            continue;
        };
        if from.name != to.name && !granted(from).contains(to.name) {
            found.push(format!("{at}: `{}` may not name `{}`", from.name, to.name));
        }
    }
    found
}

/// Every chain from a room to one that it must not reach, with one way there.
fn chains(rooms: &[Room], edges: &[Edge]) -> Vec<String> {
    let mut next: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    for edge in edges {
        if let (Some(from), Some(to)) = (row(rooms, &edge.from), row(rooms, &edge.to)) {
            let at = format!("`{}` at {}:{}", to.name, edge.file, edge.line);
            next.entry(from.name).or_default().entry(to.name).or_insert(at);
        }
    }
    let mut found = Vec::new();
    for (start, forbidden) in UNREACHABLE {
        let inside = |name: &str| name == start || name.starts_with(&format!("{start}::"));
        let starts = rooms.iter().map(|room| room.name).filter(|name| inside(name));
        let mut way: BTreeMap<&str, String> = starts.map(|s| (s, format!("`{s}`"))).collect();
        let mut waiting: Vec<&str> = way.keys().copied().collect();
        while let Some(room) = waiting.pop() {
            for (to, at) in next.get(room).into_iter().flatten() {
                if !way.contains_key(to) {
                    way.insert(to, format!("{} -> {at}", way[room]));
                    waiting.push(to);
                }
            }
        }
        let reached = |name: &&&str| way.contains_key(**name);
        found.extend(forbidden.iter().filter(reached).map(|name| way[*name].clone()));
    }
    found
}

#[test]
fn rooms_name_only_what_their_row_grants() {
    let edges = edges::all();
    assert!(edges.len() > 20, "only {} edges found: is the scanner blind?", edges.len());
    house::none("edges that are not granted", &violations(ROOMS, &edges));
}

#[test]
fn no_chain_leads_from_the_vault_to_a_key() {
    house::none("chains", &chains(ROOMS, &edges::all()));
    let files = house::files("src", "rs");
    house::none(
        "banned words",
        &BANNED.iter().flat_map(|it| banned(*it, &files)).collect::<Vec<_>>(),
    );
    for (room, _) in BANNED {
        let is_there = |file: &house::SourceFile| is_in(room, &file.path);
        assert!(files.iter().any(is_there), "`{room}` is gone: where does its code stand now?");
    }
    let plant = |path: &str| house::SourceFile {
        path: path.to_owned(),
        text: "fn read(stream: &StreamSource) {}\n".to_owned(),
    };
    let planted = [plant("src/capsule/compare/rows.rs"), plant("src/source/database/tool.rs")];
    let expected = ["src/capsule/compare/rows.rs: `StreamSource` may not stand in `capsule`"];
    assert_eq!(banned(("capsule", "StreamSource"), &planted), expected);
}

fn is_in(room: &str, path: &str) -> bool {
    let module = edges::module_of(path);
    module == room || module.starts_with(&format!("{room}::"))
}

/// Files of a room with the word in their code.
fn banned((room, word): (&str, &str), files: &[house::SourceFile]) -> Vec<String> {
    let own = files.iter().filter(|file| is_in(room, &file.path));
    let found = own.filter(|file| house::rust_text::code(&file.text).contains(word));
    found.map(|file| format!("{}: `{word}` may not stand in `{room}`", file.path)).collect()
}

#[test]
fn every_listed_room_is_there_and_grants_only_listed_rooms() {
    let modules: BTreeSet<String> =
        house::files("src", "rs").iter().map(|file| edges::module_of(&file.path)).collect();
    let mut found = Vec::new();
    for (index, room) in ROOMS.iter().enumerate() {
        if !modules.contains(room.name) && !SOON.contains(&room.name) {
            found.push(format!("`{}` is listed and is gone", room.name));
        }
        for name in granted(room) {
            match ROOMS.iter().position(|other| other.name == name) {
                None => found.push(format!("`{}` is granted `{name}`, in no row", room.name)),
                Some(at) if at >= index && !WORDS.contains(&name) => {
                    found.push(format!("`{}` is granted `{name}`, which stands above", room.name));
                }
                Some(_) => {}
            }
        }
    }
    house::none("rows", &found);
}

#[test]
fn the_document_holds_the_same_table() {
    let found: BTreeMap<String, Vec<String>> = table::documented();
    let listed: BTreeMap<String, Vec<String>> = ROOMS
        .iter()
        .map(|room| (room.name.to_owned(), room.may.iter().map(|n| (*n).to_owned()).collect()))
        .collect();
    for name in found.keys().chain(listed.keys()) {
        assert_eq!(
            found.get(name),
            listed.get(name),
            "`{name}` in doc/ARCHITECTURE.md (left) and in tests/architecture/table.rs (right)"
        );
    }
}

#[test]
fn planted_violations_are_found() {
    let rooms = &[
        Room { name: "run", may: &[] },
        Room { name: "crypto", may: &["run"] },
        Room { name: "crypto::sealed", may: &["run", "crypto"] },
        Room { name: "format", may: &["crypto::sealed"] },
        Room { name: "vault", may: &["run", "format"] },
    ];
    let plant = |file: &str, text: &str| edges::of(file, text);
    let direct = plant("src/vault/gc.rs", "fn f() {}\nuse crate::crypto::sealed::Key;\n");
    let message = violations(rooms, &direct);
    assert_eq!(message, ["src/vault/gc.rs:2: `vault` may not name `crypto::sealed`"]);
    let up = plant("src/run/mod.rs", "use crate::vault::Vault;\n");
    assert_eq!(violations(rooms, &up), ["src/run/mod.rs:1: `run` may not name `vault`"]);
    let sibling = plant("src/crypto/blind.rs", "use super::sealed::Key;\n");
    assert_eq!(violations(rooms, &sibling).len(), 1);
    let unlisted = plant("src/novel.rs", "use crate::run::Run;\n");
    assert!(violations(rooms, &unlisted)[0].contains("`novel` is in no row"));
    let mut chain = plant("src/vault/gc.rs", "use crate::format::Frame;\n");
    chain.extend(plant("src/format/frame.rs", "\nuse crate::crypto::sealed::Key;\n"));
    assert!(violations(rooms, &chain).is_empty());
    assert_eq!(
        chains(rooms, &chain),
        ["`vault` -> `format` at src/vault/gc.rs:1 -> `crypto::sealed` at src/format/frame.rs:2"]
    );
    assert!(chains(rooms, &chain[..1]).is_empty());
}
