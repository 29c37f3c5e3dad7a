//! Pools and draws as documents of the ledger, and a draw repeated from its document alone.

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::continuity::draw;
use crate::continuity::draw::Ground;
use crate::continuity::draw::Seed;
use crate::continuity::draw::Stream;
use crate::continuity::draw::Weighed;
use crate::evidence::bundle::inspect::Draws;
use crate::evidence::entry::Kind;

/// Whatever can be drawn, frozen before anybody says a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    pub schema: String,
    pub period: String,
    /// SHA-256 of the plan's file.
    pub plan: String,
    pub pool_hash: String,
    pub pool: Vec<Item>,
    /// Datasets that are drilled without a draw.
    pub due: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub dataset: String,
    pub weight: u64,
}

/// A draw, with everything that it takes to repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    pub schema: String,
    pub period: String,
    pub plan: String,
    pub pool_hash: String,
    pub pool: Vec<Item>,
    /// Root of the ledger when it had so many entries.
    pub root: String,
    pub root_size: u64,
    pub word: String,
    pub seed: String,
    /// In the order in which they were drawn.
    pub drawn: Vec<String>,
}

fn weighed(items: &[Item]) -> Vec<Weighed> {
    let item = |it: &Item| Weighed { dataset: it.dataset.clone(), weight: it.weight };
    items.iter().map(item).collect()
}

impl Pool {
    #[must_use]
    pub fn new((period, plan): (&str, &str), pool: &[Weighed], due: Vec<String>) -> Self {
        let item = |it: &Weighed| Item { dataset: it.dataset.clone(), weight: it.weight };
        Self {
            schema: Kind::Pool.schema().to_owned(),
            period: period.to_owned(),
            plan: plan.to_owned(),
            pool_hash: draw::pool_hash(period, pool),
            pool: pool.iter().map(item).collect(),
            due,
        }
    }

    /// Draws as many as asked for.
    #[must_use]
    pub fn draw(&self, (root, root_size): (&str, u64), word: &str, count: usize) -> Draw {
        let mut draw = Draw {
            schema: Kind::Draw.schema().to_owned(),
            period: self.period.clone(),
            plan: self.plan.clone(),
            pool_hash: self.pool_hash.clone(),
            pool: self.pool.clone(),
            root: root.to_owned(),
            root_size,
            word: word.to_owned(),
            seed: String::new(),
            drawn: Vec::new(),
        };
        let seed = draw.seed();
        draw.seed = seed.hex();
        draw.drawn = draw::order(&weighed(&draw.pool), &mut Stream::new(seed));
        draw.drawn.truncate(count);
        draw
    }
}

impl Draw {
    fn seed(&self) -> Seed {
        Seed::of(&Ground {
            root: &self.root,
            period: &self.period,
            plan_hash: &self.plan,
            pool_hash: &self.pool_hash,
            word: &self.word,
        })
    }

    /// Whether pool, seed and what was drawn follow from each other.
    #[must_use]
    pub fn is_right(&self) -> bool {
        let pool = weighed(&self.pool);
        let seed = self.seed();
        let order = draw::order(&pool, &mut Stream::new(seed));
        draw::is_plain(&pool)
            && self.pool_hash == draw::pool_hash(&self.period, &pool)
            && self.seed == seed.hex()
            && order.starts_with(&self.drawn)
    }
}

/// Repeats draws for whoever inspects a bundle.
#[derive(Debug, Clone, Copy)]
pub struct Repeats;

impl Draws for Repeats {
    fn is_as_drawn(&self, draw: &Value) -> Option<bool> {
        // What does not say how it was drawn was not drawn as it says.
        let draw = serde_json::from_value::<Draw>(draw.clone());
        Some(draw.is_ok_and(|draw| draw.is_right()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_repeats_from_its_document_and_no_other_does() {
        let item = |dataset: &str, weight| Weighed { dataset: dataset.to_owned(), weight };
        let pool = [item("a", 5), item("b", 1), item("c", 9)];
        let pool = Pool::new(("2026-12", "00"), &pool, vec!["d".to_owned()]);
        let draw = pool.draw(("ff", 7), "sen", 2);
        assert_eq!(draw.drawn.len(), 2);
        let document = serde_json::to_value(&draw).unwrap();
        assert_eq!(Repeats.is_as_drawn(&document), Some(true));
        for (field, value) in [
            ("word", serde_json::json!("sen2")),
            ("root", serde_json::json!("fe")),
            ("period", serde_json::json!("2026-11")),
            ("plan", serde_json::json!("01")),
            ("pool_hash", serde_json::json!("01")),
            ("seed", serde_json::json!("01")),
            ("drawn", serde_json::json!([draw.drawn[1], draw.drawn[0]])),
            ("pool", serde_json::json!([{ "dataset": "a", "weight": 6 }])),
        ] {
            let mut other = document.clone();
            other[field] = value;
            assert_eq!(Repeats.is_as_drawn(&other), Some(false), "{field}");
        }
        let mut other = document;
        other["pool"] = serde_json::Value::Null;
        assert_eq!(Repeats.is_as_drawn(&other), Some(false));
        assert_eq!(Repeats.is_as_drawn(&serde_json::Value::Null), Some(false));
    }

    /// Its own arithmetic is right; what it was drawn from gave one dataset two chances.
    #[test]
    fn a_draw_from_a_pool_with_twins_is_wrong() {
        let item = |dataset: &str, weight| Weighed { dataset: dataset.to_owned(), weight };
        for pool in [vec![item("a", 5), item("b", 1), item("a", 5)], vec![item("a 5\nb", 1)]] {
            let draw = Pool::new(("2026-12", "00"), &pool, vec![]).draw(("ff", 7), "sen", 1);
            let document = serde_json::to_value(&draw).unwrap();
            assert_eq!(Repeats.is_as_drawn(&document), Some(false));
        }
    }
}
