//! The protocol of sessions, commits and deletion over plain storage, as a model (H7).
//!
//! Writers and collectors take their steps in every order; any of them may die, sleep beyond its
//! lease, read a list that is late or fails. A record of condemned packs may come due, a lease end
//! and a removal be past its grace at any moment: that is what a clock does that jumps. In every
//! state each snapshot that was acknowledged and not removed has its manifest and its objects; from
//! every state in which all rest, two runs of prune leave nothing that nobody needs, and a backup
//! can be made. A repair of damaged packs takes its steps beside them, and is taken back.
//! `doc/concurrency.md` has the steps; each rule that is switched off must be missed.

mod collector;
mod mending;
mod search;
mod state;
mod writer;

use self::search::Outcome;
use self::search::search;
use self::search::walk;
use self::state::Back;
use self::state::Damage;
use self::state::Marks;
use self::state::Medium;
use self::state::Rule;
use self::state::Setting;
use crate::support::profile;
use crate::support::profile::Profile;
use crate::support::tally::Watch;

/// Two writers and a collector that comes twice.
const TWO_AND_ONE: Setting = Setting {
    writers: 0b011,
    collectors: 1,
    rounds: 2,
    medium: Medium::Prompt,
    marks: Marks::AtOnce,
    crashes: 0,
    failures: 0,
    undo: false,
    twice: false,
    damage: Damage::Nothing,
    repairs: 0,
    back: Back::Never,
    off: None,
};

/// A repair beside a backup and a prune, and one more after it.
const MENDING: Setting = Setting {
    writers: 0b001,
    rounds: 1,
    crashes: 1,
    damage: Damage::Object,
    repairs: 2,
    ..TWO_AND_ONE
};

/// Looks at all of a scenario; what was counted is written down.
fn whole(name: &str, setting: &Setting) {
    let outcome = sound(name, setting, usize::MAX);
    assert!(outcome.is_whole, "{name}");
}

fn sound(name: &str, setting: &Setting, states_max: usize) -> Outcome {
    let since = Watch::start();
    let outcome = search(setting, states_max);
    let counts = [
        ("states", outcome.states as u64),
        ("depth", outcome.depth as u64),
        ("settled", outcome.settled as u64),
        ("whole", u64::from(outcome.is_whole)),
        ("failures", u64::from(outcome.violation.is_some())),
    ];
    profile::report("h7", name, since.elapsed(), &counts);
    if let Some(violation) = &outcome.violation {
        panic!("{name}: {violation}");
    }
    assert_eq!(outcome.out_of_names, 0, "{name}: the model has too few names");
    outcome
}

#[test]
fn two_writers_and_a_collector_whole() {
    whole("2x1", &Setting { crashes: 1, ..TWO_AND_ONE });
}

#[test]
fn marks_in_two_runs_whole() {
    whole("2x1-two-runs", &Setting { marks: Marks::InTwoRuns, ..TWO_AND_ONE });
}

#[test]
fn an_object_in_two_packs_whole() {
    whole("2x1-twice", &Setting { twice: true, ..TWO_AND_ONE });
}

/// In a folder commit and sweep take turns, so not even an unacknowledged snapshot lacks anything.
#[test]
fn a_folder_whole() {
    whole("2x1-folder", &Setting { medium: Medium::Locked, crashes: 1, ..TWO_AND_ONE });
}

#[test]
fn late_lists_whole() {
    let late = Setting { medium: Medium::Late, marks: Marks::InTwoRuns, ..TWO_AND_ONE };
    whole("1x1-late", &Setting { writers: 0b010, crashes: 1, ..late });
    if Profile::of_process() != Profile::Quick {
        whole("2x1-late", &late);
    }
}

#[test]
fn failing_lists_and_undone_removals_whole() {
    let all = Setting { undo: true, failures: 1, crashes: 1, ..TWO_AND_ONE };
    whole("1x1-undo", &Setting { writers: 0b001, ..all });
    whole("1x1-undo-folder", &Setting { writers: 0b001, medium: Medium::Locked, ..all });
}

/// It dies behind any of its steps, and the next one ends what it began.
#[test]
fn a_repair_beside_a_backup_and_a_prune_whole() {
    for (name, damage) in [("object", Damage::Object), ("frame", Damage::Frame)] {
        let mending = Setting { damage, ..MENDING };
        whole(&format!("repair-{name}"), &mending);
        let two_runs = Setting { marks: Marks::InTwoRuns, ..mending };
        whole(&format!("repair-{name}-two-runs"), &two_runs);
        let folder = Setting { medium: Medium::Locked, ..mending };
        whole(&format!("repair-{name}-folder"), &folder);
    }
}

#[test]
fn a_repair_that_is_taken_back_whole() {
    for (name, damage) in [("object", Damage::Object), ("frame", Damage::Frame)] {
        let undone = Setting { damage, back: Back::Tried, writers: 0, ..MENDING };
        whole(&format!("repair-undone-{name}"), &undone);
        let folder = Setting { medium: Medium::Locked, ..undone };
        whole(&format!("repair-undone-{name}-folder"), &folder);
        let beside = Setting { writers: 0b001, crashes: 0, ..undone };
        whole(&format!("repair-undone-{name}-beside"), &beside);
        let folder = Setting { medium: Medium::Locked, ..beside };
        whole(&format!("repair-undone-{name}-beside-folder"), &folder);
    }
}

#[test]
fn a_repair_that_moves_before_it_saves_is_caught() {
    caught("borg-5325-interrupted-repair-loses", Rule::SavedBeforeMoved, &MENDING);
}

/// What keeps a repair and a prune from taking each other's copies.
#[test]
fn a_repair_and_a_prune_that_do_not_look_are_caught() {
    let frame = Setting { damage: Damage::Frame, ..MENDING };
    let undone = Setting { back: Back::Tried, ..MENDING };
    for (name, rule, setting) in [
        ("repair-unannounced", Rule::MovesAreAnnounced, frame),
        ("repair-looks-once", Rule::HoldersLookedAgain, frame),
        ("prune-reads-nothing", Rule::CopiesAreRead, MENDING),
        ("repair-takes-its-record-away", Rule::RecordOutlivesPacks, MENDING),
        ("undo-without-quarantine", Rule::QuarantineIsThere, undone),
        ("undo-looks-at-what-comes-back", Rule::AllComesBack, undone),
        ("undo-beside-a-prune", Rule::UndoWaitsForPrunes, undone),
    ] {
        caught(&format!("protocol-{name}"), rule, &setting);
    }
}

#[test]
fn two_collectors() {
    let two = Setting { collectors: 2, ..TWO_AND_ONE };
    whole("1x2", &Setting { writers: 0b010, rounds: 1, crashes: 1, ..two });
    let states_max = Profile::of_process().pick(0, 2_000_000, 4_000_000);
    if states_max > 0 {
        sound("2x2", &Setting { crashes: 1, twice: true, ..two }, states_max);
        sound("3x2", &Setting { writers: 0b111, crashes: 1, ..two }, states_max);
    }
}

/// What no search gets to the end of: ways by chance, of three writers and two collectors.
#[test]
fn three_writers_and_two_collectors_by_chance() {
    let all = Setting { writers: 0b111, collectors: 2, crashes: 2, failures: 1, ..TWO_AND_ONE };
    let late = Setting { medium: Medium::Late, marks: Marks::InTwoRuns, ..all };
    let folder = Setting { medium: Medium::Locked, undo: true, ..all };
    let ways = [("twice", Setting { twice: true, undo: true, ..all }), ("late", late)];
    let count = Profile::of_process().pick(20_000, 300_000, 5_000_000);
    for (name, setting) in ways.into_iter().chain([("folder", folder)]) {
        let since = Watch::start();
        let walked = walk(&setting, profile::seed(), count);
        let steps = walked.as_ref().copied().unwrap_or(0);
        let counts =
            [("trials", count as u64), ("steps", steps), ("failures", u64::from(walked.is_err()))];
        profile::report("h7", &format!("3x2-{name}-by-chance"), since.elapsed(), &counts);
        walked.unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
    }
    let blind = Setting { off: Some(Rule::ReadBack), ..all };
    walk(&blind, profile::seed(), count).unwrap_err();
}

/// Without `rule` something is lost, and the search finds how.
fn caught(bug: &str, rule: Rule, setting: &Setting) {
    let since = Watch::start();
    let outcome = search(&Setting { off: Some(rule), ..*setting }, 4_000_000);
    let found = outcome.violation.unwrap_or_else(|| {
        panic!("{bug}: without {rule:?} nothing was lost in {} states", outcome.states)
    });
    assert!(found.contains("acknowledged snapshot is gone"), "{bug}: {found}");
    profile::caught(bug, since);
}

#[test]
fn marks_frozen_at_the_start_are_caught() {
    caught("proxmox-00019-marks-frozen-at-start", Rule::FreshRoots, &TWO_AND_ONE);
}

#[test]
fn one_of_two_backups_seen_is_caught() {
    caught("duplicacy-8985-one-of-two-backups-seen", Rule::EveryManifest, &TWO_AND_ONE);
}

#[test]
fn two_collectors_that_share_marks_are_caught() {
    let two = Setting { writers: 0b001, collectors: 2, marks: Marks::InTwoRuns, ..TWO_AND_ONE };
    caught("duplicacy-9500-two-collectors-share-marks", Rule::RecordBeforeMarks, &two);
}

#[test]
fn an_object_held_twice_is_caught() {
    let twice = Setting { twice: true, ..TWO_AND_ONE };
    caught("rustic-392-object-held-twice", Rule::PerLocation, &twice);
}

#[test]
fn a_failed_list_taken_for_empty_is_caught() {
    let failing = Setting { failures: 1, ..TWO_AND_ONE };
    caught("restic-4612-failed-list-is-empty", Rule::FailedListStops, &failing);
}

#[test]
fn a_sleeper_that_commits_is_caught() {
    caught("restic-2715-sleeper-commits", Rule::ReadBack, &TWO_AND_ONE);
}

/// Rules of our own: each was in doubt once.
#[test]
fn rules_that_only_look_harmless_are_needed() {
    let late = Setting { medium: Medium::Late, marks: Marks::InTwoRuns, ..TWO_AND_ONE };
    let two = Setting { collectors: 2, rounds: 1, ..TWO_AND_ONE };
    for (rule, setting) in [
        (Rule::CondemnedThenPresence, TWO_AND_ONE),
        (Rule::RecordOutlivesPacks, TWO_AND_ONE),
        (Rule::CondemnedBeforePacks, Setting { writers: 0, twice: true, rounds: 2, ..two }),
        (Rule::CondemnedIsFinal, Setting { writers: 0b010, ..two }),
        (Rule::GivenUpIsTold, Setting { writers: 0b001, ..TWO_AND_ONE }),
        (Rule::Grace, Setting { writers: 0b010, ..late }),
    ] {
        caught(&format!("protocol-{rule:?}").to_lowercase(), rule, &setting);
    }
}
