//! Draws that anybody can repeat: from a few lines to a seed, from a seed to what is drawn.

use std::collections::BTreeSet;

use sha2::Digest;
use sha2::Sha256;

use crate::config::plan::Criticality;
use crate::ids::hex;

/// First line of what a seed is made of, and of what a pool's hash is made of.
const DRAW: &str = "lifeboat/draw/1";
const POOL: &str = "lifeboat/pool/1";
/// Days since a proof count up to here.
const DAYS_MAX: u64 = 400;
const FINDINGS_MAX: u64 = 3;
const QUARTILES: u64 = 4;

/// What a draw begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

/// What a seed is made of, line by line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ground<'g> {
    /// Root of the ledger's checkpoint, in hex.
    pub root: &'g str,
    /// Such as `2026-12`.
    pub period: &'g str,
    /// SHA-256 of the plan's file, in hex.
    pub plan_hash: &'g str,
    pub pool_hash: &'g str,
    /// What the chair typed on the order once the pool was frozen; empty for D0 and D1.
    pub word: &'g str,
}

/// A dataset that can be drawn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weighed {
    pub dataset: String,
    pub weight: u64,
}

/// What a weight is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factors {
    pub criticality: Criticality,
    pub days_since_proof: u64,
    pub open_findings_count: u64,
    /// How much it changes beside the others: 1 least, 4 most.
    pub change_quartile: u64,
}

/// A product of whole numbers. What was proven today weighs nothing.
#[must_use]
pub fn weight(factors: &Factors) -> u64 {
    let criticality = match factors.criticality {
        Criticality::Critical => 9,
        Criticality::Important => 3,
        Criticality::Normal => 1,
    };
    let days = factors.days_since_proof.min(DAYS_MAX);
    let findings = 1 + factors.open_findings_count.min(FINDINGS_MAX);
    let change = factors.change_quartile.clamp(1, QUARTILES);
    criticality * days * findings * change
}

/// SHA-256 over a pool: its period and, by name, each dataset with its weight.
#[must_use]
pub fn pool_hash(period: &str, pool: &[Weighed]) -> String {
    let mut sorted: Vec<&Weighed> = pool.iter().collect();
    sorted.sort();
    let mut hasher = Sha256::new();
    hasher.update(format!("{POOL}\n{period}\n"));
    for item in sorted {
        hasher.update(format!("{} {}\n", item.dataset, item.weight));
    }
    hex(&hasher.finalize())
}

/// Whether every name stands once in a pool and on one line of what is hashed: else another pool
/// has the same hash.
#[must_use]
pub fn is_plain(pool: &[Weighed]) -> bool {
    let names: BTreeSet<&str> = pool.iter().map(|item| item.dataset.as_str()).collect();
    names.len() == pool.len() && !names.iter().any(|name| name.contains('\n'))
}

impl Seed {
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub fn of(ground: &Ground<'_>) -> Self {
        let Ground { root, period, plan_hash, pool_hash, word } = ground;
        let lines = format!("{DRAW}\n{root}\n{period}\n{plan_hash}\n{pool_hash}\n{word}\n");
        Self(Sha256::digest(lines).into())
    }

    /// As it stands in records.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.0)
    }
}

/// Numbers of a seed: SHA-256 over the seed and a counter of four bytes, its first eight bytes.
#[derive(Debug, Clone)]
pub struct Stream {
    seed: Seed,
    next: u32,
}

impl Stream {
    #[must_use]
    pub const fn new(seed: Seed) -> Self {
        Self { seed, next: 0 }
    }

    fn number(&mut self) -> u64 {
        let mut hasher = Sha256::new();
        hasher.update(self.seed.0);
        hasher.update(self.next.to_be_bytes());
        self.next = self.next.wrapping_add(1);
        let digest: [u8; 32] = hasher.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// A number below `total`, each as likely as the next; none below 0.
    pub fn below(&mut self, total: u64) -> Option<u64> {
        if total == 0 {
            return None;
        }
        // As many whole rounds as fit; what lies beyond them is thrown away.
        let rest = (u64::MAX % total + 1) % total;
        loop {
            let number = self.number();
            if number <= u64::MAX - rest {
                return Some(number % total);
            }
        }
    }
}

/// The order in which datasets are drawn by their weights, none twice; what weighs nothing is not.
#[must_use]
pub fn order(pool: &[Weighed], stream: &mut Stream) -> Vec<String> {
    let mut left: Vec<&Weighed> = pool.iter().filter(|item| item.weight > 0).collect();
    left.sort();
    let mut drawn = Vec::new();
    loop {
        let total = left.iter().fold(0_u64, |sum, item| sum.saturating_add(item.weight));
        let Some(mut number) = stream.below(total) else { return drawn };
        let hit = left.iter().position(|item| {
            let is_hit = number < item.weight;
            number = number.saturating_sub(item.weight);
            is_hit
        });
        let Some(hit) = hit else { return drawn };
        drawn.push(left.remove(hit).dataset.clone());
    }
}

#[cfg(test)]
mod tests;
