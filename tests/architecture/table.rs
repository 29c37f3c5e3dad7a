//! The rooms from the ground up, and what each may name.

use std::collections::BTreeMap;

use crate::house;

/// One row: a room or sub-room, and the rooms that it may name.
pub struct Room {
    pub name: &'static str,
    pub may: &'static [&'static str],
}

/// What `words` stands for in a row.
pub const WORDS: [&str; 6] = ["clock", "ids", "meta", "path", "secret", "units"];

/// Listed from the ground up: a room may name only rooms above it.
pub const ROOMS: &[Room] = &[
    Room { name: "clock", may: &["words"] },
    Room { name: "ids", may: &["words"] },
    Room { name: "meta", may: &["words"] },
    Room { name: "path", may: &["words"] },
    Room { name: "secret", may: &["words"] },
    Room { name: "units", may: &["words"] },
    Room { name: "run", may: &["words"] },
    Room { name: "capsule", may: &["words"] },
    Room { name: "chunk", may: &["words"] },
    Room { name: "crypto::context", may: &[] },
    Room { name: "crypto", may: &["words"] },
    Room { name: "crypto::aead", may: &["words", "crypto::context", "crypto"] },
    Room { name: "crypto::blind", may: &["words", "crypto::context", "crypto", "crypto::aead"] },
    Room { name: "crypto::sign", may: &["words", "crypto::context", "crypto", "crypto::blind"] },
    Room {
        name: "crypto::sealed",
        may: &[
            "words",
            "crypto::context",
            "crypto",
            "crypto::aead",
            "crypto::blind",
            "crypto::sign",
        ],
    },
    Room {
        name: "crypto::self_test",
        may: &[
            "words",
            "crypto",
            "crypto::aead",
            "crypto::blind",
            "crypto::sealed",
            "crypto::sign",
        ],
    },
    Room { name: "format", may: &["words"] },
    Room { name: "document", may: &["words"] },
    Room { name: "retention", may: &["words"] },
    Room { name: "schedule", may: &["words"] },
    Room { name: "config", may: &["words", "retention", "schedule"] },
    Room { name: "continuity", may: &["words", "schedule", "config"] },
    Room { name: "disk", may: &["words", "run"] },
    Room { name: "catalogue", may: &["words", "schedule", "disk"] },
    Room { name: "metrics", may: &["words", "catalogue"] },
    Room { name: "notify", may: &["words", "schedule", "config", "catalogue"] },
    Room { name: "storage", may: &["words", "run", "disk"] },
    Room { name: "source", may: &["words", "run", "capsule", "disk"] },
    Room { name: "target", may: &["words", "run", "disk"] },
    Room {
        name: "vault",
        may: &[
            "words",
            "run",
            "crypto",
            "crypto::blind",
            "crypto::sign",
            "format",
            "disk",
            "storage",
        ],
    },
    Room {
        name: "vault::scrub",
        may: &["words", "run", "crypto::blind", "crypto::sign", "format", "storage", "vault"],
    },
    Room {
        name: "vault::repair",
        may: &[
            "words",
            "run",
            "crypto::blind",
            "crypto::sign",
            "format",
            "storage",
            "vault",
            "vault::scrub",
        ],
    },
    Room {
        name: "repository",
        may: &[
            "words",
            "run",
            "chunk",
            "crypto::context",
            "crypto",
            "crypto::aead",
            "crypto::blind",
            "crypto::sealed",
            "crypto::self_test",
            "crypto::sign",
            "format",
            "disk",
            "storage",
            "vault",
        ],
    },
    Room {
        name: "backup",
        may: &[
            "words",
            "run",
            "chunk",
            "crypto::blind",
            "crypto::sealed",
            "crypto::sign",
            "format",
            "source",
            "vault",
            "repository",
        ],
    },
    Room {
        name: "copy",
        may: &[
            "words",
            "run",
            "crypto",
            "crypto::blind",
            "crypto::sealed",
            "format",
            "storage",
            "vault",
            "repository",
        ],
    },
    Room {
        name: "restore",
        may: &["words", "run", "chunk", "crypto::blind", "format", "target", "vault", "repository"],
    },
    Room {
        name: "verify",
        may: &[
            "words",
            "run",
            "chunk",
            "crypto::blind",
            "crypto::sealed",
            "format",
            "vault",
            "vault::scrub",
            "repository",
        ],
    },
    Room {
        name: "repair",
        may: &[
            "words",
            "run",
            "crypto::sealed",
            "crypto::sign",
            "vault",
            "vault::scrub",
            "vault::repair",
            "repository",
            "verify",
        ],
    },
    Room {
        name: "drill",
        may: &["words", "run", "capsule", "format", "source", "target", "repository", "restore"],
    },
    Room {
        name: "evidence",
        may: &[
            "words",
            "run",
            "crypto",
            "crypto::blind",
            "crypto::sealed",
            "crypto::sign",
            "format",
            "storage",
        ],
    },
    Room { name: "report", may: &["words", "document", "continuity", "drill"] },
    Room {
        name: "daemon",
        may: &["words", "disk", "schedule", "config", "catalogue", "metrics", "notify"],
    },
    Room {
        name: "cli",
        may: &[
            "words",
            "run",
            "capsule",
            "chunk",
            "crypto::context",
            "crypto",
            "crypto::aead",
            "crypto::blind",
            "crypto::sign",
            "crypto::sealed",
            "crypto::self_test",
            "format",
            "disk",
            "storage",
            "source",
            "target",
            "vault",
            "vault::scrub",
            "vault::repair",
            "repository",
            "backup",
            "copy",
            "restore",
            "verify",
            "repair",
            "drill",
            "report",
            "document",
            "retention",
            "schedule",
            "config",
            "continuity",
            "catalogue",
            "daemon",
            "notify",
            "evidence",
        ],
    },
    Room { name: "main", may: &["words", "run", "cli"] },
];

/// Rooms whose first code is on its way; the list is empty once they have landed.
pub const SOON: &[&str] = &[];

/// The table in `doc/ARCHITECTURE.md`: rows whose first column is rooms, between two marks.
pub fn documented() -> BTreeMap<String, Vec<String>> {
    let text = house::text("doc/ARCHITECTURE.md");
    let body = text
        .split_once("<!-- rooms -->")
        .and_then(|(_, rest)| rest.split_once("<!-- end of rooms -->"))
        .expect("the marks `<!-- rooms -->` and `<!-- end of rooms -->`")
        .0;
    let mut rows = BTreeMap::new();
    for line in body.lines().filter(|line| line.starts_with("| `")) {
        let columns: Vec<&str> = line.trim_matches('|').split('|').collect();
        assert_eq!(columns.len(), 3, "{line}");
        for room in quoted(columns[0]) {
            let twin = rows.insert(room.clone(), quoted(columns[2]));
            assert!(twin.is_none(), "`{room}` has two rows");
        }
    }
    rows
}

fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
