//! Ways to damage a repository.

use std::fmt;
use std::sync::Arc;

use lifeboat::storage::BlobName;
use lifeboat::storage::memory::MemoryBlob;
use lifeboat::storage::memory::MemoryBlobs;

use crate::damage::oracle::Blobs;
use crate::support::Random;

/// One damage.
#[derive(Clone, PartialEq, Eq)]
pub enum Harm {
    Delete(String),
    Cut(String, usize),
    Append(String, Vec<u8>),
    Flip(String, usize),
    Swap(String, String),
    /// The first is given the second's bytes.
    Replace(String, String),
    /// The bytes of the first appear under the second, a new name.
    Double(String, String),
}

impl fmt::Debug for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delete(name) => write!(f, "delete {name}"),
            Self::Cut(name, len) => write!(f, "cut {name} to {len}"),
            Self::Append(name, bytes) => write!(f, "append {} bytes to {name}", bytes.len()),
            Self::Flip(name, bit) => write!(f, "flip bit {bit} of {name}"),
            Self::Swap(one, other) => write!(f, "swap {one} and {other}"),
            Self::Replace(name, by) => write!(f, "replace {name} by {by}"),
            Self::Double(name, to) => write!(f, "double {name} as {to}"),
        }
    }
}

impl Harm {
    /// Damages `blobs`; what is not there is left so.
    pub fn apply(&self, blobs: &mut Blobs) {
        let mut change = |name: &String, change: &dyn Fn(&mut Vec<u8>)| {
            if let Some(bytes) = blobs.get_mut(name) {
                let mut changed = bytes.to_vec();
                change(&mut changed);
                *bytes = changed.into();
            }
        };
        match self {
            Self::Delete(name) => drop(blobs.remove(name)),
            Self::Cut(name, len) => change(name, &|bytes| bytes.truncate(*len)),
            Self::Append(name, more) => change(name, &|bytes| bytes.extend(more)),
            Self::Flip(name, bit) => change(name, &|bytes| {
                if let Some(byte) = bytes.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
            }),
            Self::Swap(one, other) => {
                if let (Some(left), Some(right)) = (blobs.get(one), blobs.get(other)) {
                    let (left, right) = (Arc::clone(left), Arc::clone(right));
                    blobs.insert(one.clone(), right);
                    blobs.insert(other.clone(), left);
                }
            }
            Self::Replace(name, by) => {
                if let (true, Some(bytes)) = (blobs.contains_key(name), blobs.get(by).cloned()) {
                    blobs.insert(name.clone(), bytes);
                }
            }
            Self::Double(name, to) => {
                if let Some(bytes) = blobs.get(name).cloned() {
                    blobs.insert(to.clone(), bytes);
                }
            }
        }
    }
}

/// As the storage in memory takes them.
pub fn to_memory(blobs: &Blobs) -> MemoryBlobs {
    let blob = |(name, content): (&String, &Arc<[u8]>)| {
        let created = lifeboat::units::Timestamp::from_unix_ms(1_800_000_000_000);
        (BlobName::new(name).unwrap(), MemoryBlob { content: Arc::clone(content), created })
    };
    blobs.iter().map(blob).collect()
}

/// What kind of thing a blob is: things of one kind are swapped.
pub fn kind_of(name: &str) -> &str {
    let folder = name.split('/').next().unwrap();
    match folder {
        "config.1" | "config.2" => "config",
        "manifests.2" => "manifests",
        folder => folder,
    }
}

/// Another name of the same form, for something that was never there.
fn other_name(name: &str, random: &mut Random) -> Option<String> {
    let mut id = crate::support::hex(&random.bytes(32));
    let (folder, last) = name.rsplit_once('/')?;
    match kind_of(name) {
        "packs" => Some(format!("packs/{}/{id}", &id[..2])),
        "index" => Some(format!("index/{id}")),
        "manifests" => Some(format!("{folder}/{}-{id}", last.split_once('-')?.0)),
        "slots" => {
            id.truncate(32);
            Some(format!("slots/{id}"))
        }
        _ => None,
    }
}

/// Every structural damage of one blob, and of pairs of one kind.
pub fn all(original: &Blobs, random: &mut Random) -> Vec<Harm> {
    let mut harms = Vec::new();
    for (name, bytes) in original {
        harms.push(Harm::Delete(name.clone()));
        harms.extend((0..bytes.len()).step_by(64).map(|len| Harm::Cut(name.clone(), len)));
        harms.push(Harm::Cut(name.clone(), bytes.len() - 1));
        for more in [vec![0], vec![0; 64], random.bytes(1), random.bytes(500)] {
            harms.push(Harm::Append(name.clone(), more));
        }
        // Twice the same behind each other.
        harms.push(Harm::Append(name.clone(), bytes.to_vec()));
        harms.extend(other_name(name, random).map(|to| Harm::Double(name.clone(), to)));
        for other in original.keys().filter(|other| kind_of(other) == kind_of(name)) {
            if name < other {
                harms.push(Harm::Swap(name.clone(), other.clone()));
            }
            if name != other {
                harms.push(Harm::Replace(name.clone(), other.clone()));
            }
        }
    }
    harms
}

/// One damage by chance.
pub fn any(original: &Blobs, random: &mut Random) -> Harm {
    let names: Vec<&String> = original.keys().collect();
    let name = names[random.below(names.len())].clone();
    let len = original[&name].len();
    match random.below(8) {
        0 | 1 => Harm::Delete(name),
        2 => Harm::Cut(name, random.below(len)),
        3 => Harm::Append(name, random.bytes(7)),
        4 | 5 => Harm::Flip(name, random.below(len * 8)),
        way => {
            let alike = |other: &&&String| kind_of(other) == kind_of(&name);
            let others: Vec<_> = names.iter().filter(alike).collect();
            let other = others[random.below(others.len())].to_string();
            if way == 6 { Harm::Swap(name, other) } else { Harm::Replace(name, other) }
        }
    }
}
