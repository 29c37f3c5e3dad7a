//! How long an inspection takes.

pub mod maker;

use lifeboat::evidence::bundle::inspect::NoDraws;
use lifeboat::evidence::bundle::inspect::Verdict;
use lifeboat::evidence::bundle::inspect::inspect;
use lifeboat::evidence::bundle::witness::Witness;

use self::maker::bundle;
use crate::support::tally::Tally;
use crate::support::tally::Watch;

const RECORDS_COUNT: u64 = 10_000;
/// Half a minute a core is what nobody waits for; how long it takes in fact is for the bench.
const SECONDS_MAX: u64 = 30;

#[test]
fn ten_thousand_records_are_inspected_at_once() {
    let mut tally = Tally::start("evidence-10000", 0);
    let bundle = bundle(RECORDS_COUNT);
    let witness =
        Witness { notes: bundle.checkpoints.values().cloned().collect(), ..Witness::default() };
    let watch = Watch::start();
    let report = inspect(&bundle, &witness, &NoDraws);
    let took = watch.elapsed();
    assert_eq!(report.verdict, Verdict::Valid, "{:?}", report.findings);
    assert_eq!(report.entries_count, RECORDS_COUNT + 1);
    println!("{RECORDS_COUNT} records inspected in {} ms", took.as_millis());
    tally.trials = RECORDS_COUNT;
    tally.count("inspected_ms", u64::try_from(took.as_millis()).unwrap());
    tally.finish();
    assert!(took.as_secs() < SECONDS_MAX, "{took:?}");
}
