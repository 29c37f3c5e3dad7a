//! What a drill is to do.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::drill::record::Check;
use crate::drill::record::Coverage;
use crate::drill::record::Org;
use crate::drill::record::People;
use crate::drill::record::Recovery;
use crate::drill::record::Selection;
use crate::drill::sample::Claim;
use crate::drill::sample::Seed;
use crate::drill::verdict::Level;
use crate::format::object::Ref;
use crate::path::SnapshotPath;
use crate::units::Timestamp;

/// What is in a dataset, and so how it is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Files,
    Sqlite,
    /// Archives of a server's databases.
    Postgresql,
    /// Files of a server that ran.
    PostgresqlFiles,
    /// Dumps of a server's databases.
    Mariadb,
    /// Files of a server that ran.
    MariadbFiles,
    /// One file of a command or of standard input.
    Stream,
    /// One file of a command that is a copy of something else.
    Copy(Copied),
    /// A kind whose engine this program does not drive yet.
    Other(&'static str),
}

/// What the output of a command is a copy of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    Sqlite,
    Postgresql,
    Mariadb,
    Mail,
    /// A program of the office knows.
    Told,
}

impl Kind {
    /// As ids of checks have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Sqlite | Self::Copy(Copied::Sqlite) => "sqlite",
            Self::Postgresql | Self::PostgresqlFiles | Self::Copy(Copied::Postgresql) => {
                "postgresql"
            }
            Self::Mariadb | Self::MariadbFiles | Self::Copy(Copied::Mariadb) => "mariadb",
            Self::Copy(Copied::Mail) => "mail",
            Self::Stream | Self::Copy(Copied::Told) => "stream",
            Self::Other(name) => name,
        }
    }

    /// Whether a server takes it in.
    #[must_use]
    pub const fn is_served(self) -> bool {
        self.is_postgresql() || self.is_mariadb()
    }

    /// Whether a server of PostgreSQL takes it in.
    #[must_use]
    pub const fn is_postgresql(self) -> bool {
        matches!(self, Self::Postgresql | Self::PostgresqlFiles | Self::Copy(Copied::Postgresql))
    }

    /// Whether a server of MariaDB takes it in.
    #[must_use]
    pub const fn is_mariadb(self) -> bool {
        matches!(self, Self::Mariadb | Self::MariadbFiles | Self::Copy(Copied::Mariadb))
    }

    /// The least level that proves it.
    #[must_use]
    pub const fn min_proof(self) -> Level {
        match self {
            Self::Stream => Level::L1,
            _ => Level::L6,
        }
    }
}

/// A snapshot that is restored.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub id: String,
    /// When its backup began: nothing later is in it for certain.
    pub time: Timestamp,
    pub host: String,
    pub root: Ref,
    pub capsules: Vec<Ref>,
    pub content_bytes: u64,
    pub files_count: u64,
}

/// A check that the office asks for beyond those of the kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Custom {
    /// A file is there and has so many bytes at least.
    File { dataset: String, path: String, bytes_min: u64 },
    /// A query gives a number between these.
    Sql { dataset: String, query: String, min: Option<i64>, max: Option<i64> },
    /// A program of the office looks at restored data, and ends with 0 if it is good.
    Command { dataset: String, argv: Vec<OsString> },
    /// The newest content is as young as this; none: as the plan allows data to be lost.
    Newest { dataset: String, probe: Probe, age_max_s: Option<u64> },
}

/// What tells how new content is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The newest message, or the newest canary.
    Inside,
    /// A query that gives seconds since 1970.
    Sql(String),
    /// A program that prints a time.
    Command(Vec<OsString>),
}

impl Custom {
    /// Whether a program is started for it.
    #[must_use]
    pub const fn is_program(&self) -> bool {
        matches!(self, Self::Command { .. } | Self::Newest { probe: Probe::Command(_), .. })
    }

    #[must_use]
    pub fn dataset(&self) -> &str {
        match self {
            Self::File { dataset, .. }
            | Self::Sql { dataset, .. }
            | Self::Command { dataset, .. }
            | Self::Newest { dataset, .. } => dataset,
        }
    }
}

/// How much of a snapshot is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    Full,
    /// Files that are drawn, where the dataset is a folder.
    Sample(Claim),
    /// Read and compared, and written nowhere, where the dataset is a folder.
    Streamed,
}

/// One dataset.
#[derive(Debug, Clone)]
pub struct Planned {
    pub dataset: String,
    pub kind: Kind,
    pub extent: Extent,
    pub snapshot: Snapshot,
    /// Those among which the snapshot is drawn when the drill is ordered.
    pub choices: Vec<Choice>,
    /// `newest`, `middle` or `oldest`.
    pub stratum: String,
    pub storage: String,
    pub targets: Targets,
    pub more: More,
}

/// A snapshot that may be drawn.
#[derive(Debug, Clone)]
pub struct Choice {
    pub stratum: String,
    pub snapshot: Snapshot,
    pub shrink: Option<Shrink>,
}

/// What the configuration says of a dataset beyond its kind.
#[derive(Debug, Clone, Default)]
pub struct More {
    /// Folder of its canaries, as snapshots have it.
    pub canary: Option<SnapshotPath>,
    /// Beneath these is mail.
    pub mail: Vec<SnapshotPath>,
    /// Program that tells what a restored copy holds.
    pub told: Vec<OsString>,
    /// The snapshot before it, and how much less may be in this one.
    pub shrink: Option<Shrink>,
}

/// What is usual, and what is too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shrink {
    pub percent_max: u8,
    pub files_count: u64,
    pub content_bytes: u64,
}

/// What the continuity plan asks of a dataset.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    pub service: Option<String>,
    pub criticality: Option<String>,
    pub domain: Option<String>,
    pub rto_s: Option<u64>,
    pub rpo_s: Option<u64>,
    pub mtd_s: Option<u64>,
    /// The least level that proves it; none: that of its kind.
    pub min_proof: Option<Level>,
}

/// How far restored data is kept from the rest of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// A folder; no program is started.
    I0,
    /// Programs without a network.
    I1,
    /// A machine of its own on an unplugged switch, and programs without a network.
    I2,
    /// The same, off-site.
    I3,
}

impl Isolation {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::I0 => "I0",
            Self::I1 => "I1",
            Self::I2 => "I2",
            Self::I3 => "I3",
        }
    }

    /// Whether the machine itself is one that production cannot be reached from.
    #[must_use]
    pub const fn is_apart(self) -> bool {
        matches!(self, Self::I2 | Self::I3)
    }
}

/// What restored data come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A folder, which cannot refuse a write.
    Folder,
    Server,
}

/// Where it happens, and what it may take.
#[derive(Debug, Clone)]
pub struct Room {
    /// Folder in which every drill makes its own.
    pub path: PathBuf,
    pub bytes_max: Option<u64>,
    pub lease: Duration,
    pub isolation: Isolation,
    /// Folders that a sandbox may neither lie in nor hold: sources and storages.
    pub foreign: Vec<PathBuf>,
    /// Folders that no program of a drill may see: storages, and what this machine keeps.
    pub hidden: Vec<PathBuf>,
    /// Addresses of production, `HOST:PORT`, which must not answer where the machine is apart.
    pub production: Vec<String>,
    pub origin: Origin,
}

/// A whole drill.
#[derive(Debug, Clone)]
pub struct Plan {
    pub record_id: String,
    pub code: String,
    pub class: String,
    pub title: String,
    pub period: String,
    pub plan_ref: Option<String>,
    pub is_announced: bool,
    /// Whether data of people may be in it.
    pub has_personal_data: bool,
    pub scenario: Option<String>,
    pub location: Option<String>,
    pub org: Option<Org>,
    pub people: Option<People>,
    pub selection: Option<Selection>,
    /// Of everything that there is, when it began.
    pub coverage: Option<Coverage>,
    /// Hash of the ledger's entry that samples are drawn from.
    pub root: String,
    pub legal_profile: Option<String>,
    pub room: Room,
    /// How keys were regained, if they had to be.
    pub recovery: Option<Recovery>,
    /// What went by since the loss before the keys were in hand; nothing where nobody measures it.
    pub head: Duration,
    /// What was looked at before, beside everything else that must hold.
    pub looked: Vec<Check>,
    pub items: Vec<Planned>,
    /// Datasets that were to be restored and have no snapshot there.
    pub absent: Vec<String>,
    pub checks: Vec<Custom>,
    pub threads_count: usize,
    /// Folders where programs of servers may be.
    pub programs: Vec<PathBuf>,
    /// This machine, as the record calls it.
    pub host: String,
    /// Offset of the office's clock from UTC, in seconds.
    pub offset_s: i32,
}

impl Plan {
    /// Draws snapshots, by the entry of the ledger that ordered the drill: nobody chooses them.
    pub fn draw(&mut self) {
        let (root, record_id) = (self.root.clone(), self.record_id.clone());
        for item in &mut self.items {
            let seed = Seed::of_strata(&root, &record_id, &item.dataset);
            let drawn = seed.below(item.choices.len());
            let Some(choice) = item.choices.get(drawn).cloned() else { continue };
            item.stratum = choice.stratum;
            item.snapshot = choice.snapshot;
            item.more.shrink = choice.shrink;
        }
    }
}
