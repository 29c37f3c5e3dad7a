//! Findings in words.

use std::fmt;

use crate::vault::chains::ChainFinding;
use crate::vault::error::Fault;

impl fmt::Display for ChainFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadTwin { fault: Fault::Missing, .. } => f.write_str(
                "a backup was interrupted between the two copies of its manifest; the next backup \
                 of this folder writes it",
            ),
            Self::BadTwin { fault, .. } => {
                write!(f, "a copy of a manifest is bad: {fault}; the other one is good")
            }
            Self::LostManifest { fault, .. } => write!(f, "a manifest is lost: {fault}"),
            Self::BadTombstone { fault, .. } => write!(f, "a tombstone is bad: {fault}"),
            Self::Gap { first_seq, last_seq, .. } if first_seq == last_seq => {
                write!(f, "snapshot {first_seq} is missing without a tombstone")
            }
            Self::Gap { first_seq, last_seq, .. } => {
                write!(f, "snapshots {first_seq} to {last_seq} are missing without a tombstone")
            }
            Self::Fork { seq, ids, .. } => {
                write!(f, "{} snapshots have number {seq}: two writers for one source", ids.len())
            }
            Self::OtherPrev { .. } => {
                f.write_str("the snapshot before is another than the one it was made after")
            }
            Self::Stranger { .. } => f.write_str("the name belongs to nothing that is known"),
        }
    }
}
