use proptest::prelude::any;
use serde_json::json;

use super::*;
use crate::units::Timestamp;

const RECORD: LedgerHash = LedgerHash::new([7; 32]);

fn time() -> LedgerTime {
    LedgerTime { at: Timestamp::from_unix_ms(0), offset_minutes: 420 }
}

fn transition(to: &str) -> (Kind, Value) {
    (Kind::Transition, json!({"to": to}))
}

fn word(kind: Kind, role: &str, holder: &str) -> (Kind, Value) {
    let record = RECORD.to_string();
    (kind, json!({"role": role, "record": record, "opinion": "đồng ý", "author": holder}))
}

fn sign(role: &str, holder: &str) -> (Kind, Value) {
    word(Kind::Signature, role, holder)
}

/// A whole formal drill.
fn formal() -> Vec<(Kind, Value)> {
    vec![
        transition("planned"),
        (Kind::Order, json!({"class": "D2"})),
        transition("preflight"),
        transition("restoring"),
        transition("verifying"),
        transition("measured"),
        (Kind::Record, json!({"verdict": "pass", "drill": {"class": "D2"}})),
        transition("cleaning"),
        (Kind::Closing, json!({"record": RECORD.to_string()})),
        transition("awaiting_signoff"),
        sign("operator", "cntt-1"),
        sign("owner", "ke-toan"),
        sign("chair", "giam-doc"),
        transition("closed"),
    ]
}

fn run(steps: &[(Kind, Value)]) -> (DrillState, Vec<(u64, StepError)>) {
    state_of(steps.iter().zip(1..).map(|((kind, document), seq)| Step {
        seq,
        time: time(),
        kind: *kind,
        hash: if *kind == Kind::Record { RECORD } else { LedgerHash::new([0; 32]) },
        document,
    }))
}

#[test]
fn a_formal_drill_goes_from_planned_to_closed() {
    let steps = formal();
    let stages = [
        Stage::Planned,
        Stage::Approved,
        Stage::Preflight,
        Stage::Restoring,
        Stage::Verifying,
        Stage::Measured,
        Stage::Recorded,
        Stage::Cleaning,
        Stage::Cleaned,
        Stage::AwaitingSignoff,
        Stage::AwaitingSignoff,
        Stage::AwaitingSignoff,
        Stage::Signed,
        Stage::Closed,
    ];
    for (count, stage) in (1..).zip(stages) {
        let (state, wrong) = run(&steps[..count]);
        assert_eq!((state.stage, wrong), (Some(stage), vec![]), "after {count}");
    }
    let (state, _) = run(&steps);
    assert_eq!(state.verdict.as_deref(), Some("pass"));
    assert_eq!((state.closing_seq, state.exit), (Some(9), None));
}

/// Each step of the whole, left out: what relies on it does not follow.
#[test]
fn no_step_can_be_skipped() {
    let whole = formal();
    // Planning by hand, the note that cleaning began and that signatures are waited for say nothing
    // that what follows does not; whatever comes after the last one is not waited for.
    let dispensable = [0, 7, 9, 13];
    for at in 0..whole.len() {
        let mut steps = whole.clone();
        steps.remove(at);
        let (state, wrong) = run(&steps);
        if dispensable.contains(&at) {
            assert_eq!(wrong, vec![], "without {at}");
        } else {
            assert!(!wrong.is_empty() && state.stage != Some(Stage::Closed), "without {at}");
        }
    }
}

/// FG27: the record makes no statement about clean-up.
#[test]
fn a_record_does_not_close_a_drill() {
    let steps = &formal()[..7];
    let (state, _) = run(steps);
    assert_eq!((state.stage, state.closing_seq), (Some(Stage::Recorded), None));
    for early in [transition("closed"), transition("awaiting_signoff"), sign("operator", "a")] {
        let (state, wrong) = run(&[steps, &[early]].concat());
        assert_eq!((state.stage, wrong.len()), (Some(Stage::Recorded), 1));
    }
    // A closing record that comes before, or names another.
    let closing = |record: String| (Kind::Closing, json!({"record": record}));
    let (_, wrong) = run(&[closing(RECORD.to_string())]);
    assert_eq!(wrong, [(1, StepError::NoRecord)]);
    let (_, wrong) = run(&[steps, &[closing("00".repeat(32))]].concat());
    assert_eq!(wrong, [(8, StepError::OtherRecord)]);
}

#[test]
fn an_aborted_or_broken_drill_is_recorded_cleaned_and_signed_too() {
    for exit in ["aborted", "broken"] {
        let mut steps = formal();
        steps.splice(3..6, [transition(exit)]);
        let (state, wrong) = run(&steps);
        assert_eq!((state.stage, wrong), (Some(Stage::Closed), vec![]), "{exit}");
        assert_eq!(state.exit, Stage::named(exit));
    }
    let (_, wrong) = run(&[formal(), vec![transition("aborted")]].concat());
    assert_eq!(wrong.len(), 1);
}

#[test]
fn a_missed_drill_ends_there() {
    let missed = (Kind::Missed, json!({}));
    let (state, wrong) = run(&[transition("planned"), missed.clone()]);
    assert_eq!((state.stage, wrong), (Some(Stage::Missed), vec![]));
    let (_, wrong) = run(&[formal()[..7].to_vec(), vec![missed.clone()]].concat());
    assert_eq!(wrong.len(), 1, "a drill that was held is not missed");
    let (_, wrong) = run(&[missed, transition("preflight")]);
    assert_eq!(wrong.len(), 1);
}

#[test]
fn daily_and_weekly_drills_are_closed_without_signatures() {
    let mut steps = formal();
    steps.truncate(9);
    steps[1].1 = json!({"class": "D1"});
    steps[6].1 = json!({"verdict": "pass"});
    steps.push(transition("closed"));
    let (state, wrong) = run(&steps);
    assert_eq!((state.stage, wrong), (Some(Stage::Closed), vec![]));
    // A formal one stays so, whatever else is said of it.
    steps[1].1 = json!({"class": "D2"});
    assert_eq!(run(&steps).1.len(), 1);
    steps[6].1 = json!({"verdict": "pass", "drill": {"class": "D1"}});
    assert_eq!(run(&steps).1.len(), 1);
}

#[test]
fn operator_owner_and_chair_sign_in_this_order_and_owner_is_not_operator() {
    let before = &formal()[..10];
    let after = |words: &[(Kind, Value)]| run(&[before, words].concat());
    let (_, wrong) = after(&[sign("owner", "ke-toan")]);
    assert_eq!(wrong, [(11, StepError::TooEarly { role: "owner", before: "operator" })]);
    let (_, wrong) = after(&[sign("operator", "a"), sign("chair", "c")]);
    assert_eq!(wrong, [(12, StepError::TooEarly { role: "chair", before: "owner" })]);
    let (state, wrong) = after(&[sign("operator", "a"), sign("owner", "a"), sign("chair", "c")]);
    assert_eq!(wrong[0], (12, StepError::SamePerson));
    assert_eq!(state.stage, Some(Stage::AwaitingSignoff));
    let mut silent = sign("operator", "a");
    silent.1["opinion"] = json!("  ");
    assert_eq!(after(&[silent]).1, [(11, StepError::Field { field: "opinion" })]);
    let mut other = sign("operator", "a");
    other.1["record"] = json!("00".repeat(32));
    assert_eq!(after(&[other]).1, [(11, StepError::OtherRecord)]);
}

#[test]
fn a_refusal_is_kept_and_only_its_role_takes_it_back() {
    let before = &formal()[..10];
    let refuse = |role, holder| word(Kind::Refusal, role, holder);
    let words = [sign("operator", "a"), refuse("owner", "b"), sign("chair", "c")];
    let (state, wrong) = run(&[before, &words[..]].concat());
    assert_eq!(wrong, [(13, StepError::TooEarly { role: "chair", before: "owner" })]);
    assert_eq!(state.refusals().len(), 1);
    let words =
        [sign("operator", "a"), refuse("owner", "b"), sign("owner", "b"), sign("chair", "c")];
    let (state, wrong) = run(&[before, &words[..]].concat());
    assert_eq!((state.stage, wrong), (Some(Stage::Signed), vec![]));
    assert!(state.refusals().is_empty() && state.words.len() == 4);
}

proptest::proptest! {
    /// Whatever stands there, in whatever order: an answer, and closed only if everybody has signed
    /// a record that was cleaned up after.
    #[test]
    fn closed_means_recorded_cleaned_and_signed(
        order in proptest::collection::vec(0..14_usize, 0..40),
    ) {
        let whole = formal();
        let steps: Vec<_> = order.iter().map(|at| whole[*at].clone()).collect();
        let (state, _) = run(&steps);
        if state.stage == Some(Stage::Closed) && state.needs_signatures() {
            let closing = state.closing_seq.unwrap();
            proptest::prop_assert!(state.record.unwrap().seq < closing);
            for role in [Right::Operator, Right::Owner, Right::Chair] {
                proptest::prop_assert!(state.has_signed(role));
            }
        }
    }

    #[test]
    fn any_document_is_an_answer(
        kinds in proptest::collection::vec(0..17_usize, 0..10), text in any::<String>(),
    ) {
        let document = json!({"to": text, "record": text, "role": text, "class": [1], "drill": 3});
        let steps: Vec<_> = kinds.iter().map(|at| (Kind::ALL[*at].0, document.clone())).collect();
        run(&steps);
    }
}
