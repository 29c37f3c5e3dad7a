//! The record of a drill: what was asked, done, measured and found, as values and as JSON.
//!
//! Integers only; names end in their unit; what is not known is absent, never 0. Times are RFC 3339
//! with the office's offset, marks milliseconds since T0 by a clock that never goes back.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::drill::verdict::Verdict;

/// Version of the record.
pub const SCHEMA: &str = "lifeboat/drill-record/1";

/// `kind` of a record of a real restore.
pub const REAL: &str = "restore";

/// A drill, as it stands in the ledger and in documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub schema: String,
    /// `drill`, or [`REAL`].
    pub kind: String,
    pub record_id: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub legal_profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub org: Option<Org>,
    pub drill: About,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub people: Option<People>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub selection: Option<Selection>,
    /// How keys were regained, where nothing but storage and shares was used.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub recovery: Option<Recovery>,
    pub env: Environment,
    pub preflight: Vec<Check>,
    pub items: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub coverage: Option<Coverage>,
    pub privacy: Privacy,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub findings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub actions: Vec<Action>,
    pub verdict: Verdict,
}

/// Who issues documents.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Org {
    pub parent: String,
    pub name: String,
    pub abbr: String,
    pub place: String,
}

/// What drill it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Such as `D2-2026-12-01`.
    pub code: String,
    pub class: String,
    pub title: String,
    /// Such as `2026-12`.
    pub period: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plan_ref: Option<String>,
    pub announced: bool,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub objectives: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scenario: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<String>,
    pub started_at: String,
    pub ended_at: String,
}

/// Who took part, by the roles of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct People {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub chair: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secretary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub substitute: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub owners: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub witnesses: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub absent: Vec<String>,
}

/// How datasets were drawn, so that anybody can draw again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Selection {
    pub seed: String,
    pub root: String,
    pub pool_hash: String,
    pub word: String,
    pub drawn: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub deferred: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub added: Vec<String>,
}

/// What a drill from nothing began with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recovery {
    /// Shares that were handed over.
    pub shares_count: u64,
    /// How many open; absent if none of them could be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub needed_count: Option<u64>,
    /// From the begin until the keys were in hand; absent if they never were.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub keys_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kit: Option<Kit>,
}

/// The recovery kit that a drill from nothing was held with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Kit {
    /// SHA-256 of its list, which names every other file of it.
    pub sums_sha256: String,
    /// SHA-256 of the program in it, which held the drill.
    pub program_sha256: String,
    /// Of that program.
    pub version: String,
    /// When its list was put into the ledger; absent: it was not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub age_days: Option<u64>,
}

/// Where it happened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Environment {
    pub isolation: String,
    /// `plain`, or how restored data is encrypted meanwhile.
    pub volume: String,
    pub host: String,
    pub os: String,
    pub tools: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ntp_offset_ms: Option<i64>,
    pub lease_s: u64,
}

/// One thing that was checked, or was to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// `<level>.<kind>.<what>`.
    pub id: String,
    pub level: Level,
    pub mandatory: bool,
    pub result: Outcome,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<FailureCode>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub actual: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    pub ms: u64,
}

/// One dataset of a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service: Option<String>,
    pub dataset: String,
    pub machine: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub criticality: Option<String>,
    pub snapshot: String,
    pub taken_at: String,
    /// Consistency point: what kind, and when.
    pub point: Point,
    pub stratum: String,
    /// Ids of the snapshots among which this one was drawn: newest, oldest, one between.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub drawn_among: Vec<String>,
    /// Hash of the ledger's entry by which it was drawn.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub drawn_root: Option<String>,
    /// Storage that it came from.
    pub target: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub domain: Option<String>,
    /// `full`, `sample` or `streamed`.
    pub mode: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub claim: Option<String>,
    /// How the sample was drawn, so that anybody can draw again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sample: Option<Sampled>,
    pub logical_bytes: u64,
    pub read_bytes: u64,
    pub files_count: u64,
    pub checked_count: u64,
    pub marks: Marks,
    pub measures: Measures,
    pub checks: Vec<Check>,
    pub capsule: Capsule,
    /// Highest level up to which every mandatory check passed; absent if none did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proof_level: Option<Level>,
    /// The least level that proves this dataset.
    pub min_proof: Level,
    pub verdict: Verdict,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub failures: Vec<FailureCode>,
    /// Whether it looks like an attack: wrong first bytes, a canary changed.
    pub attack_signs: bool,
}

/// A sample of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampled {
    pub seed: String,
    /// Hash of the ledger's entry that the seed follows from.
    pub root: String,
    /// Files of the snapshot.
    pub population_count: u64,
    /// Drawn among them: the claim is about these.
    pub drawn_count: u64,
    /// Further ones, for strata.
    pub added_count: u64,
}

/// The state of the source that a snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub kind: String,
    pub at: String,
}

/// T0 to T9 in milliseconds since T0; a mark that was not reached is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Marks {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub t1_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub t2_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub t3_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub t4_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub t5_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub t6_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub t7_ms: Option<u64>,
}

/// Times and losses against their targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Measures {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rto_target_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rto_tech_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mtd_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub throughput_bps: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rpo_target_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rpo_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rpo_worst_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rpo_content_s: Option<u64>,
}

/// What stood against the restored data as truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capsule {
    /// Taken at the very point of the snapshot.
    SamePoint,
    /// Two readings round it.
    Interval,
    Absent,
}

/// How much is proven of what there is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    pub covered: u64,
    pub total: u64,
    pub unprotected: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub oldest_proof_days: Option<u64>,
}

/// What is done with personal data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Privacy {
    pub personal_data: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub basis: Option<String>,
    /// Roles that could see restored data.
    pub access: Vec<String>,
}

/// What is to be done about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    pub id: String,
    pub finding: String,
    pub action: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
    pub due: String,
    pub redrill: bool,
}

/// What became of the sandbox: an entry of its own, made after the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    pub schema: String,
    pub record_id: String,
    /// SHA-256 of the record's document in the ledger.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub record: Option<String>,
    pub destroyed_at: String,
    /// What was looked for afterwards.
    pub checks: Vec<Check>,
    /// What is still there.
    pub leftovers: Vec<String>,
    /// Whether a later start did it.
    pub late: bool,
}

/// Version of the closing record.
pub const CLOSING_SCHEMA: &str = "lifeboat/drill-closing/1";
