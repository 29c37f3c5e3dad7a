//! R16 to R24.

use crate::config::plan::Plan;
use crate::continuity::fact;
use crate::continuity::fact::Canaries;
use crate::continuity::fact::Facts;
use crate::continuity::fact::Ledger;
use crate::continuity::fact::SignedKit;
use crate::continuity::fact::SignedPlan;
use crate::continuity::fact::Waiting;
use crate::continuity::fact::Witness;
use crate::continuity::rule::Colour::Amber;
use crate::continuity::rule::Colour::Green;
use crate::continuity::rule::Colour::Red;
use crate::continuity::rule::tests::HOUR_MS;
use crate::continuity::rule::tests::NOW;
use crate::continuity::rule::tests::SECOND_MS;
use crate::continuity::rule::tests::at;
use crate::continuity::rule::tests::earlier;
use crate::continuity::rule::tests::entries;
use crate::continuity::rule::tests::expect;
use crate::continuity::rule::tests::good;
use crate::continuity::rule::tests::hours_ago;
use crate::continuity::rule::tests::judged;
use crate::units::Timestamp;

#[test]
fn r16_records_are_signed_in_time() {
    let waits = |since: &'static str, is_refused: bool| {
        move |_: &mut Plan, facts: &mut Facts| {
            let waiting = Waiting { code: "D2-x".to_owned(), since: at(since), is_refused };
            entries(facts).waiting.push(waiting);
        }
    };
    // Five working days end on Thursday at 10:00, ten as well.
    expect(16, Green, waits("2026-11-19T10:00:00+07:00", false));
    expect(16, Amber, waits("2026-11-19T09:59:59+07:00", false));
    expect(16, Amber, waits("2026-11-12T10:00:00+07:00", false));
    expect(16, Red, waits("2026-11-12T09:59:59+07:00", false));
    expect(16, Red, waits("2026-11-26T09:00:00+07:00", true));
}

#[test]
fn r20_the_clock_is_right() {
    let offset = |at: Timestamp, ms: i64| {
        move |_: &mut Plan, facts: &mut Facts| entries(facts).offset = Some((at, ms))
    };
    expect(20, Green, offset(hours_ago(24), -2_000));
    expect(20, Amber, offset(hours_ago(24), 2_001));
    expect(20, Amber, offset(hours_ago(24), 60_000));
    expect(20, Red, offset(hours_ago(24), -60_001));
    expect(20, Red, offset(earlier(hours_ago(24), SECOND_MS), 0));
    let mut office = good();
    entries(&mut office.1).offset = None;
    assert_eq!(judged(20, &office).colour(), None);
}

#[test]
fn r21_the_ledger_is_as_it_was_printed() {
    let witness = |witness: Witness| {
        move |_: &mut Plan, facts: &mut Facts| entries(facts).witness = witness.clone()
    };
    expect(21, Green, witness(Witness::Fits(hours_ago(35 * 24))));
    expect(21, Amber, witness(Witness::Fits(earlier(hours_ago(35 * 24), SECOND_MS))));
    expect(21, Amber, witness(Witness::None));
    let misfit = Witness::Misfit { code: "X".to_owned(), drill: "D2-x".to_owned() };
    expect(21, Red, witness(misfit));
    for ledger in
        [Ledger::Absent, Ledger::Broken("7".to_owned()), Ledger::Unread("no key".to_owned())]
    {
        for rule in [15, 16, 21, 24] {
            expect(rule, Red, |_, facts| facts.ledger = ledger.clone());
        }
    }
}

#[test]
fn nothing_is_concluded_from_a_ledger_that_was_not_read() {
    let missed = |_: &mut Plan, facts: &mut Facts| {
        entries(facts).unread = Some("far: no answer".to_owned());
    };
    for rule in [15, 16, 21] {
        let told = expect(rule, Red, missed);
        assert_eq!(told, ["the evidence ledger was not read: far: no answer"]);
    }
    // The plan is in force by the one that was read.
    expect(24, Green, missed);
    // What is known to be open is told beside it.
    let told = expect(15, Red, |plan, facts| {
        missed(plan, facts);
        let (id, dataset) = ("A1".to_owned(), "acc".to_owned());
        entries(facts).actions.push(fact::Action { id, dataset, due: None });
    });
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn r23_contacts_are_verified() {
    let on = |text: &'static str| {
        move |plan: &mut Plan, _: &mut Facts| {
            plan.contacts.get_mut("incident").unwrap().verified_on = text.parse().ok();
        }
    };
    expect(23, Green, on("2025-11-27"));
    expect(23, Amber, on("2025-11-26"));
    expect(23, Amber, on("2025-08-27"));
    expect(23, Red, on("2025-08-26"));
    expect(23, Red, on("never"));
    expect(23, Red, |plan, _| {
        let contact = plan.contacts.remove("incident").unwrap();
        plan.contacts.insert("fire".to_owned(), contact);
    });
}

#[test]
fn r24_the_plan_is_signed_and_reviewed() {
    let signed = |text: &'static str, is_same: bool| {
        move |_: &mut Plan, facts: &mut Facts| {
            entries(facts).plan = Some(SignedPlan { at: at(text), is_same });
        }
    };
    expect(24, Green, signed("2025-11-26T10:00:00+07:00", true));
    expect(24, Amber, signed("2025-11-26T09:59:59+07:00", true));
    expect(24, Amber, signed("2025-08-26T10:00:00+07:00", true));
    expect(24, Red, signed("2025-08-26T09:59:59+07:00", true));
    expect(24, Red, signed("2026-11-26T09:00:00+07:00", false));
    expect(24, Red, |_, facts| entries(facts).plan = None);
}

#[test]
fn r15_corrective_actions_are_closed_in_time() {
    let open = |due: &'static str| {
        move |_: &mut Plan, facts: &mut Facts| {
            let (id, dataset) = ("A1".to_owned(), "acc".to_owned());
            let action = fact::Action { id, dataset, due: due.parse().ok() };
            entries(facts).actions.push(action);
        }
    };
    expect(15, Green, |_, _| {});
    expect(15, Amber, open("2026-11-26"));
    expect(15, Red, open("2026-11-25"));
    expect(15, Red, open("some day"));
}

#[test]
fn the_kit_is_new_and_has_this_program() {
    let kit = |ms: i64, is_this_program| {
        move |_: &mut Plan, facts: &mut Facts| {
            entries(facts).kit = Some(SignedKit { at: earlier(at(NOW), ms), is_this_program });
        }
    };
    let day = 24 * HOUR_MS;
    expect(18, Green, kit(35 * day, true));
    expect(18, Amber, kit(35 * day + SECOND_MS, true));
    expect(18, Amber, kit(60 * day, true));
    expect(18, Red, kit(60 * day + SECOND_MS, true));
    expect(18, Amber, kit(day, false));
    expect(18, Red, kit(61 * day, false));
    let why = expect(18, Red, |_, facts| entries(facts).kit = None);
    assert!(why[0].contains("kit --sign"), "{why:?}");
    expect(18, Red, |_, facts| {
        entries(facts).kit = None;
        entries(facts).unread = Some("far: away".to_owned());
    });
    expect(18, Red, |_, facts| facts.ledger = Ledger::Absent);
}

#[test]
fn the_whole_office_is_back_in_time_by_estimate() {
    let took = |hours: u64| {
        move |_: &mut Plan, facts: &mut Facts| {
            for drill in facts.drills.iter_mut().filter(|it| it.from_nothing.is_none()) {
                drill.items.iter_mut().for_each(|item| item.rto_s = Some(hours * 3600));
            }
        }
    };
    // Both datasets come from one storage, one after the other: the goal is 24 hours.
    let why = expect(13, Green, took(11));
    assert!(why[0].contains("from 3 drills"), "{why:?}");
    expect(13, Red, took(13));
    let slow_once = |_: &mut Plan, facts: &mut Facts| {
        let measured = facts.drills.iter_mut().filter(|it| it.from_nothing.is_none());
        for item in measured.flat_map(|drill| &mut drill.items) {
            item.rto_s = Some(3600);
            item.storage = "far".to_owned();
        }
        facts.drills[0].items[0].rto_s = Some(30 * 3600);
    };
    expect(13, Amber, slow_once);
    expect(13, Amber, |_, facts| drop(facts.drills.remove(0)));
    let why = expect(13, Red, |_, facts| {
        for drill in &mut facts.drills {
            drill.items.retain(|item| item.dataset == "acc");
        }
    });
    assert!(why[0].contains("files"), "{why:?}");
}

#[test]
fn canaries_are_looked_for_in_the_last_drill() {
    let last = |found: Canaries| {
        move |_: &mut Plan, facts: &mut Facts| {
            for drill in &mut facts.drills {
                drill.items.iter_mut().for_each(|item| item.canaries = Canaries::Bad);
            }
            let items = &mut facts.drills.last_mut().unwrap().items;
            items.iter_mut().for_each(|item| item.canaries = Canaries::None);
            items[0].canaries = found;
        }
    };
    // A dataset without any is not asked for them.
    expect(22, Green, last(Canaries::Good));
    let why = expect(22, Red, last(Canaries::Bad));
    assert!(why[0].starts_with("acc: "), "{why:?}");
    expect(22, Amber, last(Canaries::None));
    expect(22, Amber, |_, facts| facts.drills.clear());
}
