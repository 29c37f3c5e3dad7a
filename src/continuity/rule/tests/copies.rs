//! R01 to R04.

use crate::config::plan;
use crate::config::plan::Plan;
use crate::continuity::fact;
use crate::continuity::fact::Facts;
use crate::continuity::fact::Taken;
use crate::continuity::fact::Unseen;
use crate::continuity::rule::Colour::Amber;
use crate::continuity::rule::Colour::Green;
use crate::continuity::rule::Colour::Red;
use crate::continuity::rule::tests::HOUR_MS;
use crate::continuity::rule::tests::SECOND_MS;
use crate::continuity::rule::tests::at;
use crate::continuity::rule::tests::earlier;
use crate::continuity::rule::tests::expect;
use crate::continuity::rule::tests::hours_ago;
use crate::continuity::rule::tests::taken;
use crate::schedule::work::Period;
use crate::units::Timestamp;

#[test]
fn r01_nothing_is_forgotten() {
    let unassigned = |since: Option<Timestamp>| {
        move |_: &mut Plan, facts: &mut Facts| {
            let new = fact::Dataset { known_since: since, ..fact::Dataset::default() };
            facts.datasets.insert("new".to_owned(), new);
        }
    };
    let week = hours_ago(7 * 24);
    expect(1, Amber, unassigned(Some(week)));
    expect(1, Red, unassigned(Some(earlier(week, SECOND_MS))));
    expect(1, Red, unassigned(None));
    expect(1, Red, |_, facts| {
        facts.datasets.remove("acc");
    });
    // Approved on 1 January for twelve months: 36 days are left.
    let on = |text: &'static str| move |_: &mut Plan, facts: &mut Facts| facts.now = at(text);
    expect(1, Green, on("2026-12-01T23:59:00+07:00"));
    expect(1, Amber, on("2026-12-02T00:00:00+07:00"));
    expect(1, Amber, on("2027-01-01T23:59:00+07:00"));
    expect(1, Red, on("2027-01-02T00:00:00+07:00"));
    let told = expect(1, Red, |plan, _| {
        plan.unprotected.get_mut("x").unwrap().approved_by = None;
    });
    assert_eq!(told, ["exception x: nobody has approved it"]);
}

#[test]
fn r02_copies_are_fresh() {
    let newest = |time: Timestamp, is_whole: bool| {
        move |_: &mut Plan, facts: &mut Facts| {
            for held in facts.datasets.get_mut("acc").unwrap().held.values_mut() {
                *held = vec![Taken { at: time, is_whole, is_pinned: false }];
            }
        }
    };
    expect(2, Green, newest(hours_ago(24), true));
    expect(2, Amber, newest(earlier(hours_ago(24), SECOND_MS), true));
    expect(2, Amber, newest(hours_ago(36), true));
    let told = expect(2, Red, newest(earlier(hours_ago(36), SECOND_MS), true));
    assert_eq!(told, ["acc: newest snapshot is 36 hours old, 24 hours allowed"]);
    expect(2, Amber, newest(hours_ago(1), false));
    expect(2, Red, newest(hours_ago(37), false));
    expect(2, Red, |_, facts| facts.datasets.get_mut("acc").unwrap().held.clear());
    // Something whole within the time is enough beside a newer one that is not.
    expect(2, Green, |_, facts| {
        let held = facts.datasets.get_mut("acc").unwrap().held.get_mut("main").unwrap();
        held.push(Taken { at: hours_ago(1), is_whole: false, is_pinned: false });
    });
    // Working hours: from Wednesday 16:00 on, four of them end on Thursday at 10:00.
    expect(2, Green, |plan, facts| {
        plan.services.get_mut("pay").unwrap().rpo = plan::Target::Said(Period::WorkHours(4));
        newest(hours_ago(18), true)(plan, facts);
    });
    expect(2, Amber, |plan, facts| {
        plan.services.get_mut("pay").unwrap().rpo = plan::Target::Said(Period::WorkHours(4));
        newest(earlier(hours_ago(18), SECOND_MS), true)(plan, facts);
    });
}

#[test]
fn r03_copies_are_enough_and_apart() {
    let drop = |dataset: &'static str, storage: &'static str| {
        move |_: &mut Plan, facts: &mut Facts| {
            facts.datasets.get_mut(dataset).unwrap().held.remove(storage);
        }
    };
    expect(3, Green, |_, _| {});
    let told = expect(3, Red, drop("files", "far"));
    assert!(told[0].contains("2 copies with the original, 3 expected"), "{told:?}");
    // One condition missing: amber, but not for what is critical.
    let open = |plan: &mut Plan| plan.storages.get_mut("far").unwrap().hold = plan::Hold::Open;
    let told = expect(3, Red, |plan, _| open(plan));
    assert_eq!(told[0], "acc: no copy is offline or append-only");
    expect(3, Amber, |plan, facts| {
        open(plan);
        plan.services.remove("pay");
        facts.datasets.remove("acc");
    });
    // A storage that holds nothing of it is no copy.
    expect(3, Red, |_, facts| {
        facts.datasets.get_mut("acc").unwrap().held.get_mut("far").unwrap().clear();
    });
}

#[test]
fn r04_the_copy_elsewhere_follows() {
    // The goal is one working day. A snapshot of this age is in the house only.
    let waiting = |since: Timestamp| {
        move |_: &mut Plan, facts: &mut Facts| {
            let held = &mut facts.datasets.get_mut("acc").unwrap().held;
            held.insert("far".to_owned(), vec![taken(earlier(since, HOUR_MS))]);
            held.insert("main".to_owned(), vec![taken(since), taken(hours_ago(1))]);
        }
    };
    expect(4, Green, |_, _| {});
    // From Wednesday 10:00, eight working hours end on Thursday at 10:00.
    expect(4, Green, waiting(hours_ago(24)));
    expect(4, Amber, waiting(earlier(hours_ago(24), SECOND_MS)));
    expect(4, Amber, waiting(hours_ago(72)));
    expect(4, Red, waiting(earlier(hours_ago(72), SECOND_MS)));
    expect(4, Red, |_, facts| {
        facts.datasets.get_mut("acc").unwrap().held.remove("far");
    });
}

/// Storages do not answer; runs brought there what was seen before.
fn unseen(storages: &'static [&'static str]) -> impl Fn(&mut Plan, &mut Facts) {
    move |_, facts| {
        for dataset in facts.datasets.values_mut() {
            for storage in storages {
                let taken = dataset.held.remove(*storage).unwrap();
                dataset.unseen.insert((*storage).to_owned(), Unseen { taken, may_be_away: true });
            }
        }
    }
}

#[test]
fn what_nobody_saw_is_not_green() {
    let both = &["main", "far"];
    for rule in [2, 3, 4] {
        let told = expect(rule, Amber, unseen(both));
        assert!(told[0].ends_with(": it is enough only with what nobody saw now, in: far, main"));
    }
    // One that was seen is enough to be fresh, not to be enough.
    expect(2, Green, unseen(&["far"]));
    for rule in [3, 4] {
        let told = expect(rule, Amber, unseen(&["far"]));
        let of = |name| format!("{name}: it is enough only with what nobody saw now, in: far");
        assert_eq!(told, [of("files"), of("acc")]);
    }
    // What is not known to be at home is not known to be missing elsewhere.
    expect(4, Amber, unseen(&["main"]));
    // What is red with all of it stays red.
    expect(2, Red, |plan, facts| {
        unseen(both)(plan, facts);
        facts.now = Timestamp::from_unix_ms(facts.now.unix_ms + 48 * HOUR_MS);
    });
    expect(4, Red, |plan, facts| {
        let held = &mut facts.datasets.get_mut("acc").unwrap().held;
        held.insert("far".to_owned(), vec![taken(hours_ago(500))]);
        held.insert("main".to_owned(), vec![taken(hours_ago(400))]);
        unseen(&["main"])(plan, facts);
    });
}

#[test]
fn a_storage_that_is_put_away_need_not_answer() {
    let offline =
        |plan: &mut Plan| plan.storages.get_mut("far").unwrap().hold = plan::Hold::Offline;
    for rule in [2, 3, 4] {
        expect(rule, Green, |plan, facts| {
            offline(plan);
            unseen(&["far"])(plan, facts);
        });
    }
    // One that answers, and does not open, is not put away.
    for rule in [3, 4] {
        expect(rule, Amber, |plan, facts| {
            offline(plan);
            unseen(&["far"])(plan, facts);
            let unseen = facts.datasets.values_mut().flat_map(|it| it.unseen.values_mut());
            unseen.for_each(|it| it.may_be_away = false);
        });
    }
}

#[test]
fn a_time_that_is_to_come_makes_nothing_fresh() {
    let ahead = |hours: i64, extra: i64| {
        move |_: &mut Plan, facts: &mut Facts| {
            let held = &mut facts.datasets.get_mut("acc").unwrap().held;
            held.values_mut().for_each(|taken| taken.retain(|it| it.at < hours_ago(1000)));
            held.insert("main".to_owned(), vec![taken(earlier(hours_ago(-hours), -extra))]);
        }
    };
    expect(2, Green, ahead(24, 0));
    let told = expect(2, Red, ahead(24, SECOND_MS));
    assert_eq!(
        told,
        [
            "acc: no snapshot is known",
            "acc: a snapshot is of 2026-11-27, which is yet to come: it does not count"
        ]
    );
    // Beside a fresh one it is told.
    let beside = |_: &mut Plan, facts: &mut Facts| {
        let held = facts.datasets.get_mut("acc").unwrap().held.get_mut("far").unwrap();
        held.push(taken(hours_ago(-100)));
    };
    let told = expect(2, Amber, beside);
    assert!(told[0].contains("which is yet to come"), "{told:?}");
    // Nor does it stand for all that is not elsewhere yet.
    expect(4, Red, |plan, facts| {
        let held = &mut facts.datasets.get_mut("acc").unwrap().held;
        held.insert("far".to_owned(), vec![taken(hours_ago(500))]);
        held.insert("main".to_owned(), vec![taken(hours_ago(400))]);
        beside(plan, facts);
    });
}

#[test]
fn r25_proven_copies_stay_in_two_places() {
    let unpinned = |dataset: &'static str, storages: &'static [&'static str]| {
        move |_: &mut Plan, facts: &mut Facts| {
            let held = &mut facts.datasets.get_mut(dataset).unwrap().held;
            for storage in storages {
                let taken = held.get_mut(*storage).unwrap();
                taken.iter_mut().for_each(|taken| taken.is_pinned = false);
            }
        }
    };
    expect(25, Green, |_, _| {});
    expect(25, Amber, unpinned("acc", &["far"]));
    expect(25, Red, unpinned("acc", &["far", "main"]));
    // Only of what is critical.
    expect(25, Green, unpinned("files", &["far", "main"]));
    expect(25, Amber, |plan, _| {
        plan.storages.remove("far");
    });
}
