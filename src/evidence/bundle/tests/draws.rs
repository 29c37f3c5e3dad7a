//! Draws against the ledger: what is only claimed is found.

use serde_json::Value;
use serde_json::json;

use super::bundle_of;
use crate::evidence::bundle::Bundle;
use crate::evidence::bundle::draws::ROOT_AGE_MS;
use crate::evidence::bundle::finding::Finding;
use crate::evidence::bundle::inspect::Draws;
use crate::evidence::bundle::inspect::NoDraws;
use crate::evidence::bundle::inspect::Report;
use crate::evidence::bundle::inspect::Verdict;
use crate::evidence::bundle::inspect::inspect;
use crate::evidence::bundle::witness::Witness;
use crate::evidence::entry::Kind;
use crate::evidence::ledger::Draft;
use crate::evidence::ledger::Ledger;
use crate::evidence::tests::Scene;
use crate::evidence::tests::transition;

/// What the arithmetic of a draw comes to.
struct Says(bool);

impl Draws for Says {
    fn is_as_drawn(&self, _: &Value) -> Option<bool> {
        Some(self.0)
    }
}

fn judged(bundle: &Bundle, draws: &dyn Draws) -> Report {
    inspect(bundle, &Witness::default(), draws)
}

/// Freezes a pool; the number of its entry.
fn freeze(scene: &Scene, ledger: &mut Ledger, weight: u64) -> u64 {
    let pool = json!({
        "schema": "lifeboat/drill-pool/1", "period": "2026-12", "plan": "aa", "pool_hash": "bb",
        "pool": [{"dataset": "files", "weight": weight}], "due": [],
    });
    scene.add(ledger, &Draft::new(Kind::Pool, "2026-12", pool)).unwrap().seq
}

/// A draw as it has to be, from the first entry on.
fn good(ledger: &Ledger) -> Value {
    let root = ledger.checkpoint_at(1).unwrap().root.to_string();
    json!({
        "schema": "lifeboat/drill-draw/1", "period": "2026-12", "plan": "aa", "pool_hash": "bb",
        "pool": [{"dataset": "files", "weight": 5}], "root": root, "root_size": 1,
        "word": "sen", "seed": "00", "drawn": ["files"],
    })
}

fn draw(scene: &Scene, ledger: &mut Ledger, draw: Value) -> u64 {
    scene.add(ledger, &Draft::new(Kind::Draw, "2026-12", draw)).unwrap().seq
}

/// A ledger with a pool, a day after it was founded.
fn frozen() -> (Scene, Ledger) {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    freeze(&scene, &mut ledger, 5);
    scene.clock.jump(ROOT_AGE_MS);
    (scene, ledger)
}

#[test]
fn draws_are_repeated_where_somebody_can() {
    let (scene, mut ledger) = frozen();
    let document = good(&ledger);
    let seq = draw(&scene, &mut ledger, document);
    let bundle = bundle_of(&scene);
    assert_eq!(judged(&bundle, &Says(true)).verdict, Verdict::Valid);
    assert!(judged(&bundle, &Says(false)).findings.contains(&Finding::Draw { seq }));
    assert_eq!(judged(&bundle, &Says(false)).verdict, Verdict::Invalid);
    assert!(judged(&bundle, &NoDraws).findings.contains(&Finding::DrawNotRepeated { seq }));
}

#[test]
fn a_draw_takes_its_root_and_its_pool_from_the_ledger() {
    let other = json!([{"dataset": "files", "weight": 6}]);
    for (field, value) in [
        ("root", json!("00")),
        ("root_size", json!(0)),
        // The pool's own entry is there, and its root is another.
        ("root_size", json!(2)),
        ("root_size", json!(3)),
        ("root_size", json!(99)),
        ("root_size", Value::Null),
        ("period", json!("2027-01")),
        ("plan", json!("ab")),
        ("pool_hash", json!("bc")),
        ("pool", other),
    ] {
        let (scene, mut ledger) = frozen();
        let mut document = good(&ledger);
        document[field] = value;
        let seq = draw(&scene, &mut ledger, document.clone());
        let report = judged(&bundle_of(&scene), &Says(true));
        assert!(report.findings.contains(&Finding::Draw { seq }), "{document}");
        assert_eq!(report.verdict, Verdict::Invalid);
    }
}

#[test]
fn a_root_that_was_made_for_its_draw_is_found() {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    freeze(&scene, &mut ledger, 5);
    // An entry takes a second.
    scene.clock.jump(ROOT_AGE_MS - 2001);
    let document = good(&ledger);
    let seq = draw(&scene, &mut ledger, document);
    let report = judged(&bundle_of(&scene), &Says(true));
    assert!(report.findings.contains(&Finding::Draw { seq }), "{:?}", report.findings);
}

#[test]
fn a_draw_without_a_pool_or_from_an_old_one_is_found() {
    let scene = Scene::new();
    let mut ledger = scene.founded();
    scene.clock.jump(ROOT_AGE_MS);
    let document = good(&ledger);
    let seq = draw(&scene, &mut ledger, document);
    let report = judged(&bundle_of(&scene), &Says(true));
    assert!(report.findings.contains(&Finding::Draw { seq }));

    let (scene, mut ledger) = frozen();
    freeze(&scene, &mut ledger, 6);
    let document = good(&ledger);
    let seq = draw(&scene, &mut ledger, document);
    let report = judged(&bundle_of(&scene), &Says(true));
    assert!(report.findings.contains(&Finding::Draw { seq }));
}

#[test]
fn a_second_draw_of_a_period_is_named() {
    let (scene, mut ledger) = frozen();
    let document = good(&ledger);
    let first = draw(&scene, &mut ledger, document.clone());
    let frozen = freeze(&scene, &mut ledger, 5);
    let mut again = document;
    again["word"] = "hoa sen".into();
    let seq = draw(&scene, &mut ledger, again);
    assert_eq!(seq, frozen + 1);
    let report = judged(&bundle_of(&scene), &Says(true));
    let named = Finding::DrawAgain { seq, period: "2026-12".to_owned(), first };
    assert_eq!(report.findings.first(), Some(&named), "{:?}", report.findings);
    assert_eq!(report.verdict, Verdict::Invalid);
}

/// Whoever drills something else than what was drawn has to say so.
#[test]
fn a_record_says_the_draw_of_its_ledger() {
    let recorded = |change: &dyn Fn(&mut Value)| {
        let (scene, mut ledger) = frozen();
        let document = good(&ledger);
        let mut selection = json!({"added": ["cases"]});
        for field in ["seed", "root", "pool_hash", "word", "drawn"] {
            selection[field] = document[field].clone();
        }
        change(&mut selection);
        draw(&scene, &mut ledger, document);
        for to in ["planned", "approved", "preflight", "restoring", "verifying", "measured"] {
            scene.add(&mut ledger, &transition("d1", to)).unwrap();
        }
        let record = json!({"schema": Kind::Record.schema(), "selection": selection});
        let seq = scene.add(&mut ledger, &Draft::new(Kind::Record, "d1", record)).unwrap().seq;
        judged(&bundle_of(&scene), &Says(true)).findings.contains(&Finding::OtherDraw { seq })
    };
    assert!(!recorded(&|_| ()));
    for field in ["seed", "root", "pool_hash", "word"] {
        assert!(recorded(&|selection| selection[field] = "cc".into()), "{field}");
    }
    assert!(recorded(&|selection| selection["drawn"] = json!(["cases"])));
}
