//! R05 to R14.

use crate::config::plan::Plan;
use crate::continuity::fact;
use crate::continuity::fact::Drill;
use crate::continuity::fact::Facts;
use crate::continuity::fact::FromNothing;
use crate::continuity::fact::Truth;
use crate::continuity::rule::Colour::Amber;
use crate::continuity::rule::Colour::Green;
use crate::continuity::rule::Colour::Red;
use crate::continuity::rule::tests::at;
use crate::continuity::rule::tests::drill;
use crate::continuity::rule::tests::entries;
use crate::continuity::rule::tests::expect;
use crate::continuity::rule::tests::good;
use crate::continuity::rule::tests::hours_ago;
use crate::continuity::rule::tests::item;
use crate::continuity::rule::tests::judged;
use crate::units::Timestamp;

/// The newest drill that proved `acc`, and none before it.
fn proven(at: Timestamp) -> impl Fn(&mut Plan, &mut Facts) {
    move |_, facts| {
        for drill in &mut facts.drills {
            drill.items.retain(|item| item.dataset != "acc");
        }
        let mut newest = drill("D2", at);
        newest.items = vec![item("acc")];
        facts.drills.push(newest);
    }
}

#[test]
fn r05_proof_is_young() {
    expect(5, Green, proven(at("2026-10-26T10:00:00+07:00")));
    expect(5, Amber, proven(at("2026-10-26T09:59:59+07:00")));
    expect(5, Amber, proven(at("2026-10-11T10:00:00+07:00")));
    expect(5, Red, proven(at("2026-10-11T09:59:59+07:00")));
    let each = |change: fn(&mut fact::Item)| {
        move |_: &mut Plan, facts: &mut Facts| {
            facts.drills.iter_mut().flat_map(|it| &mut it.items).for_each(change);
        }
    };
    let told = expect(5, Red, each(|item| item.is_proven = false));
    assert_eq!(told.len(), 2, "{told:?}");
    // Less than the plan asks for is no proof.
    expect(5, Red, each(|item| item.level = Some(5)));
}

#[test]
fn r06_proof_goes_far_enough() {
    let reached = |dataset: &'static str, level: Option<u8>| {
        move |_: &mut Plan, facts: &mut Facts| {
            let newest = facts.drills.last_mut().unwrap();
            newest.items.iter_mut().filter(|it| it.dataset == dataset).for_each(|item| {
                item.level = level;
            });
        }
    };
    expect(6, Green, reached("acc", Some(6)));
    expect(6, Red, reached("acc", Some(5)));
    expect(6, Green, reached("files", Some(4)));
    expect(6, Amber, reached("files", Some(3)));
    expect(6, Red, reached("files", Some(2)));
    expect(6, Red, reached("files", None));
    expect(6, Red, |_, facts| facts.drills.clear());
}

/// Drills end at these times.
fn ended(times: [&'static str; 3]) -> impl Fn(&mut Plan, &mut Facts) {
    move |_, facts| {
        for (drill, time) in facts.drills.iter_mut().zip(times) {
            drill.ended = at(time);
        }
    }
}

const FIRST: &str = "2026-10-01T00:00:00+07:00";
const BEFORE: &str = "2026-09-30T23:59:59+07:00";
const LONG_BEFORE: &str = "2026-06-30T23:59:59+07:00";

#[test]
fn r07_every_storage_is_drilled_in_the_quarter() {
    // The first and the last drill are from `far`, the second is from `main`.
    expect(7, Green, ended([FIRST, FIRST, FIRST]));
    let told = expect(7, Amber, ended([FIRST, BEFORE, FIRST]));
    assert_eq!(told, ["main: not drilled from in this quarter yet, last on 2026-09-30"]);
    expect(7, Red, ended([FIRST, LONG_BEFORE, FIRST]));
    let only = |change: fn(&mut Drill)| {
        move |_: &mut Plan, facts: &mut Facts| change(&mut facts.drills[1])
    };
    // What was broken off, or is no formal drill, does not count.
    expect(
        7,
        Red,
        only(|drill| drill.items.iter_mut().for_each(|item| item.is_conclusive = false)),
    );
    expect(7, Red, only(|drill| drill.class = "D1".to_owned()));
    // Of a drill that failed elsewhere, what was broken off here does not count either.
    expect(7, Red, |_, facts| {
        facts.drills.truncate(1);
        let drill = &mut facts.drills[0];
        (drill.items[0].storage, drill.items[0].is_conclusive) = ("main".to_owned(), false);
        drill.items[1].is_proven = false;
    });
    // And what was carried out counts beside what was broken off.
    expect(
        7,
        Green,
        only(|drill| {
            drill.is_conclusive = false;
            drill.items[0].is_conclusive = false;
        }),
    );
    // Storages of the configuration count too, described or not.
    let told = expect(7, Red, |plan, facts| {
        plan.storages.remove("main");
        facts.drills.remove(1);
    });
    assert_eq!(told, ["main: never drilled from"]);
}

#[test]
fn r08_the_oldest_copy_comes_back() {
    let oldest = |time: &'static str| ended([FIRST, time, FIRST]);
    expect(8, Green, oldest("2025-11-26T10:00:00+07:00"));
    expect(8, Amber, oldest("2025-11-26T09:59:59+07:00"));
    expect(8, Amber, oldest("2025-08-26T10:00:00+07:00"));
    expect(8, Red, oldest("2025-08-26T09:59:59+07:00"));
    expect(8, Red, |_, facts| {
        facts.drills[1].items.iter_mut().for_each(|item| item.is_proven = false);
    });
}

#[test]
fn r09_the_substitute_leads_one_a_quarter() {
    expect(9, Green, ended([FIRST, FIRST, FIRST]));
    expect(9, Amber, ended([FIRST, BEFORE, FIRST]));
    expect(9, Red, ended([FIRST, LONG_BEFORE, FIRST]));
    expect(9, Red, |_, facts| facts.drills[1].class = "D1".to_owned());
    let mut office = good();
    office.1.drills.iter_mut().for_each(|drill| drill.by_substitute = None);
    assert_eq!(judged(9, &office).colour(), None);
}

#[test]
fn r10_from_nothing_once_a_quarter_with_the_kit_of_the_day() {
    let nothing = |change: fn(&mut Drill)| {
        move |_: &mut Plan, facts: &mut Facts| change(&mut facts.drills[2])
    };
    expect(10, Green, nothing(|drill| drill.ended = at(FIRST)));
    let told = expect(10, Amber, nothing(|drill| drill.ended = at(BEFORE)));
    assert_eq!(told, ["not in this quarter yet, last on 2026-09-30"]);
    expect(10, Amber, nothing(|drill| drill.ended = at("2026-07-01T00:00:00+07:00")));
    expect(10, Red, nothing(|drill| drill.ended = at(LONG_BEFORE)));
    // Another kit than the newest of that day, or none.
    let told = expect(
        10,
        Amber,
        nothing(|drill| {
            drill.from_nothing = Some(FromNothing { kit: Some("older".to_owned()) });
        }),
    );
    assert!(told[0].contains("older kit"), "{told:?}");
    expect(10, Amber, nothing(|drill| drill.from_nothing = Some(FromNothing { kit: None })));
    // One of the second in which the drill ended, which records do not divide.
    let soon = |ms: i64| {
        move |_: &mut Plan, facts: &mut Facts| {
            let ended = facts.drills[2].ended;
            let kits = &mut entries(facts).kits;
            kits.last_mut().unwrap().0 = Timestamp::from_unix_ms(ended.unix_ms + ms);
        }
    };
    expect(10, Green, soon(900));
    expect(10, Amber, soon(1000));
    // One that was made later makes the drill no worse, and one that was signed by nobody counts
    // for nothing.
    expect(10, Green, |_, facts| {
        entries(facts).kits.push((hours_ago(1), "newer".to_owned()));
    });
    expect(10, Amber, |_, facts| entries(facts).kits.clear());
    // What had more than storage and shares, is of another class, or brought nothing back.
    expect(10, Red, nothing(|drill| drill.from_nothing = None));
    expect(10, Red, nothing(|drill| drill.class = "D2".to_owned()));
    expect(10, Red, nothing(|drill| drill.items[0].is_proven = false));
    expect(10, Red, nothing(|drill| drill.items.clear()));
}

#[test]
fn r11_one_full_scale_exercise_a_year() {
    let held = |now: &'static str, time: &'static str| {
        move |_: &mut Plan, facts: &mut Facts| {
            facts.now = at(now);
            facts.drills[0].ended = at(time);
        }
    };
    let (in_time, late) = ("2026-11-30T23:59:59+07:00", "2026-12-01T00:00:00+07:00");
    let (this, last) = ("2025-12-15T00:00:00+07:00", "2025-12-14T23:59:59+07:00");
    expect(11, Green, held(in_time, this));
    expect(11, Amber, held(in_time, last));
    expect(11, Red, held(late, last));
    expect(11, Green, held(late, this));
    // A new year has begun.
    expect(11, Amber, held("2026-12-15T00:00:00+07:00", this));
    expect(11, Amber, |_, facts| facts.drills[0].is_conclusive = false);
}

/// Drills but that from nothing, which nobody measured.
fn measured(facts: &mut Facts) -> impl Iterator<Item = &mut Drill> {
    facts.drills.iter_mut().filter(|drill| drill.from_nothing.is_none())
}

#[test]
fn r12_recovery_is_fast_enough() {
    // The newest three count; a service is back with its last dataset.
    let took = |dataset: &'static str, times: [Option<u64>; 3]| {
        move |_: &mut Plan, facts: &mut Facts| {
            for (drill, time) in measured(facts).zip(times) {
                drill.items.iter_mut().filter(|it| it.dataset == dataset).for_each(|item| {
                    item.rto_s = time;
                });
            }
        }
    };
    let rto = 8 * 3600;
    let mtd = 72 * 3600;
    let of = |median: u64| took("acc", [Some(1), Some(median), Some(median * 2)]);
    expect(12, Green, of(rto));
    let told = expect(12, Amber, of(rto + 1));
    assert_eq!(told, ["pay: recovery takes 8 hours (median of 3), target 8 working hours"]);
    expect(12, Amber, of(mtd));
    expect(12, Red, of(mtd + 1));
    expect(12, Green, took("acc", [None, None, Some(rto)]));
    expect(12, Amber, took("acc", [None, Some(1), Some(rto + 1)]));
    expect(12, Red, took("acc", [None, None, None]));
    // Each dataset by its own drills: a quick one does not hide the other.
    let parted = |plan: &mut Plan, facts: &mut Facts| {
        let files = plan.services.remove("docs").unwrap().datasets;
        plan.services.get_mut("pay").unwrap().datasets.extend(files);
        for (drill, time) in measured(facts).zip([rto * 4, 60, 60]) {
            drill.items[1].rto_s = None;
            drill.items[0].rto_s = Some(time);
        }
        facts.drills[0].items[1].rto_s = Some(rto + 1);
    };
    let told = expect(12, Amber, parted);
    assert_eq!(told, ["pay: recovery takes 8 hours (median of 1), target 8 working hours"]);
    let told = expect(12, Red, |plan, facts| {
        parted(plan, facts);
        facts.drills[0].items[1].rto_s = None;
    });
    assert_eq!(told, ["pay: no drill has measured how long all of this takes: files"]);
    // Without an MTD the target is the limit.
    expect(12, Green, took("files", [Some(24 * 3600); 3]));
    expect(12, Red, took("files", [Some(24 * 3600 + 1); 3]));
}

#[test]
fn r13_an_estimate_needs_three_drills() {
    let told = expect(13, Amber, |_, facts| {
        facts.drills.pop();
    });
    assert_eq!(told, ["2 of 3 drills that an estimate needs"]);
    assert_eq!(judged(13, &good()).colour(), Some(Green));
}

#[test]
fn r14_drills_compare_with_the_truth() {
    let newest = |truth: Truth| {
        move |_: &mut Plan, facts: &mut Facts| {
            facts.drills.last_mut().unwrap().items[1].truth = truth;
        }
    };
    expect(14, Green, newest(Truth::SamePoint));
    expect(14, Amber, newest(Truth::Interval));
    expect(14, Red, newest(Truth::None));
    expect(14, Red, |_, facts| facts.drills.clear());
}
