//! Power cuts over a storage that is asked by several threads at once, as one over a network is.

use std::sync::Arc;

use lifeboat::storage::layer::far::Far;

use crate::support::profile::Profile;

use super::crash::Effort;
use super::crash::Lab;
use super::crash::enumerate;
use super::scenarios::named;

fn cut(scenario: &str) {
    let lab = Lab { wrap: |storage| Arc::new(Far::new(storage)), ..Lab::HONEST };
    let effort = Effort::of(Profile::of_process());
    let effort =
        Effort { distinct: effort.distinct / 2, seconds_max: effort.seconds_max / 2, ..effort };
    let tally = enumerate(lab, named(scenario), effort);
    let tally = tally.unwrap_or_else(|failure| panic!("{}, {}", failure.broken, failure.case));
    assert!(tally.judged > 20, "{scenario}: {tally:?}");
}

#[test]
fn a_first_backup() {
    cut("first_backup");
}

#[test]
fn a_prune() {
    cut("prune_at_once");
}
