use super::*;
use crate::drill::record::About;
use crate::drill::record::Capsule;
use crate::drill::record::Environment;
use crate::drill::record::Marks;
use crate::drill::record::Measures;
use crate::drill::record::Point;
use crate::drill::record::Privacy;
use crate::drill::verdict::Level;

fn item(dataset: &str, verdict: Verdict, failures: &[FailureCode]) -> Item {
    let at = "2026-12-01T08:00:00+07:00".to_owned();
    Item {
        service: None,
        dataset: dataset.to_owned(),
        machine: "pc".to_owned(),
        criticality: None,
        snapshot: "aa".to_owned(),
        taken_at: at.clone(),
        point: Point { kind: "backup_began".to_owned(), at },
        stratum: "newest".to_owned(),
        drawn_among: Vec::new(),
        drawn_root: None,
        target: "main".to_owned(),
        domain: None,
        mode: "full".to_owned(),
        claim: None,
        sample: None,
        logical_bytes: 0,
        read_bytes: 0,
        files_count: 0,
        checked_count: 0,
        marks: Marks::default(),
        measures: Measures::default(),
        checks: Vec::new(),
        capsule: Capsule::SamePoint,
        proof_level: Some(Level::L6),
        min_proof: Level::L6,
        verdict,
        failures: failures.to_vec(),
        attack_signs: false,
    }
}

fn record(items: Vec<Item>) -> Record {
    Record {
        schema: String::new(),
        kind: "drill".to_owned(),
        record_id: String::new(),
        legal_profile: None,
        org: None,
        drill: About {
            code: "D2-2026-12-05".to_owned(),
            class: "D2".to_owned(),
            title: String::new(),
            period: String::new(),
            plan_ref: None,
            announced: true,
            objectives: Vec::new(),
            scenario: None,
            location: None,
            started_at: String::new(),
            ended_at: String::new(),
        },
        people: None,
        selection: None,
        recovery: None,
        env: Environment::default(),
        preflight: Vec::new(),
        items,
        coverage: None,
        privacy: Privacy::default(),
        findings: Vec::new(),
        actions: Vec::new(),
        verdict: Verdict::Fail,
    }
}

fn planned(items: Vec<Item>) -> Vec<Followed> {
    // 2026-12-31, 23:30 in Vietnam.
    plan(&record(items), Timestamp::from_unix_ms(1_798_734_600_000), 7 * 3600)
}

#[test]
fn only_what_speaks_against_the_data_is_followed() {
    use FailureCode::*;
    for (failures, followed) in [
        (vec![F1], 1),
        (vec![F2, F4], 1),
        (vec![F3], 1),
        (vec![F6], 1),
        (vec![F4, F5], 0),
        (vec![F7], 0),
        (vec![F8], 0),
        (vec![], 0),
    ] {
        let planned = planned(vec![item("a", Verdict::Fail, &failures)]);
        assert_eq!(planned.len(), followed, "{failures:?}");
        assert!(planned.iter().all(|it| it.due == "2027-01-07"), "{planned:?}");
    }
    let mut looked_at = item("a", Verdict::Fail, &[F1]);
    looked_at.stratum = SEARCH.to_owned();
    assert_eq!(planned(vec![looked_at]), []);
}

#[test]
fn the_action_of_a_record_names_its_checks_and_no_more_than_a_few() {
    let check = |id: &str, result| Check {
        id: id.to_owned(),
        level: Level::L4,
        mandatory: true,
        result,
        code: Some(FailureCode::F1),
        expected: None,
        actual: None,
        detail: None,
        ms: 0,
    };
    let mut bad = item("kế toán", Verdict::Fail, &[FailureCode::F1, FailureCode::F2]);
    bad.checks = ["a", "b", "c", "d", "e"].map(|id| check(id, Outcome::Fail)).into();
    bad.checks.push(check("good", Outcome::Pass));
    let record = record(vec![bad]);
    let planned = plan(&record, Timestamp::from_unix_ms(0), 0);
    let actions = actions(&record, &planned);
    assert_eq!(actions[0].finding, "kế toán: F1, F2 (a, b, c, +2)");
    assert_eq!((actions[0].id.as_str(), actions[0].redrill), ("D2-2026-12-05.kế toán", true));
}

#[test]
fn an_action_is_closed_by_proof_of_the_same_data_or_newer_and_by_nothing_else() {
    let open = planned(vec![item("a", Verdict::Fail, &[FailureCode::F1])]).remove(0);
    let closed_by = |change: fn(&mut Item)| {
        let mut item = item("a", Verdict::Pass, &[]);
        change(&mut item);
        closes(&record(vec![item]), &open)
    };
    assert!(closed_by(|_| ()));
    assert!(closed_by(|it| it.taken_at = "2026-12-01T09:00:00+08:00".to_owned()));
    assert!(closed_by(|it| it.verdict = Verdict::Conditional));
    assert!(closed_by(|it| it.stratum = "oldest".to_owned()), "the same snapshot");
    assert!(!closed_by(|it| it.dataset = "b".to_owned()));
    assert!(!closed_by(|it| it.verdict = Verdict::Inconclusive));
    assert!(!closed_by(|it| it.proof_level = Some(Level::L5)));
    assert!(!closed_by(|it| it.proof_level = None));
    // An older one says nothing about what failed, and neither does another place in time.
    assert!(!closed_by(|it| it.taken_at = "2026-11-30T08:00:00+07:00".to_owned()));
    assert!(!closed_by(|it| {
        it.snapshot = "bb".to_owned();
        it.stratum = SEARCH.to_owned();
    }));
}

#[test]
fn the_last_word_about_an_action_stands() {
    let one = planned(vec![item("a", Verdict::Fail, &[FailureCode::F1])]).remove(0);
    let other = Followed { id: "x".to_owned(), ..one.clone() };
    let done = Followed { frozen: true, ..one.clone() };
    assert_eq!(open([one.clone(), other.clone(), done.clone()]), [done.clone(), other.clone()]);
    let closed = Followed { state: State::Closed, ..done };
    assert_eq!(open([one, other.clone(), closed]), [other]);
}
