use super::*;
use crate::config::Language;
use crate::continuity::rule::tests::at;
use crate::continuity::rule::tests::drill;
use crate::continuity::rule::tests::good;

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

#[test]
fn months_are_months() {
    assert_eq!(month("2026-12").to_string(), "2026-12");
    assert_eq!(month("2026-12").end(), jiff::civil::date(2027, 1, 1));
    assert_eq!(Month::of(jiff::civil::date(2026, 2, 28)), month("2026-02"));
    for text in ["", "2026", "2026-13", "2026-1", "2026-12-01", "x", "2026-12 "] {
        assert!(text.parse::<Month>().is_err(), "{text}");
    }
}

fn names(programme: &Programme) -> (Vec<&str>, Vec<&str>) {
    let due = programme.due.iter().map(|it| it.0.as_str()).collect();
    (due, programme.pool.iter().map(|it| it.dataset.as_str()).collect())
}

/// `acc` is drilled every month, `files` every three.
#[test]
fn coverage_comes_first_and_the_rest_is_drawn() {
    let (plan, mut facts) = good();
    facts.drills = vec![drill("D2", at("2026-11-24T10:00:00+07:00"))];
    let november = of(&plan, &facts, month("2026-11"), &[]);
    assert_eq!(names(&november), (vec![], vec!["acc", "files"]));
    let december = of(&plan, &facts, month("2026-12"), &[]);
    assert_eq!(names(&december), (vec!["acc"], vec!["files"]));
    let told = december.due[0].1.told_in(Language::Vi);
    assert_eq!(told, "chu kỳ diễn tập kết thúc ngày 24/12/2026");
    // Two days since its proof, of no other weight.
    assert_eq!(december.pool[0].weight, 2);
    let february = of(&plan, &facts, month("2027-02"), &[]);
    assert_eq!(names(&february), (vec!["acc", "files"], vec![]));
}

#[test]
fn what_was_put_off_comes_first_until_it_is_proven() {
    let (plan, mut facts) = good();
    facts.drills = vec![drill("D2", at("2026-11-24T10:00:00+07:00"))];
    let put_off = |text: &str| [Deferred { dataset: "files".to_owned(), at: at(text) }];
    let later = of(&plan, &facts, month("2026-11"), &put_off("2026-11-25T10:00:00+07:00"));
    assert_eq!(names(&later), (vec!["files"], vec!["acc"]));
    let before = of(&plan, &facts, month("2026-11"), &put_off("2026-11-20T10:00:00+07:00"));
    assert_eq!(names(&before), (vec![], vec!["acc", "files"]));
}

#[test]
fn what_was_never_proven_is_due() {
    let (plan, mut facts) = good();
    facts.drills.iter_mut().flat_map(|it| &mut it.items).for_each(|item| item.is_proven = false);
    let programme = of(&plan, &facts, month("2026-11"), &[]);
    assert_eq!(names(&programme), (vec!["acc", "files"], vec![]));
    let told: Vec<String> = programme.also.iter().map(|it| it.told_in(Language::En)).collect();
    assert_eq!(told, ["the oldest kept copy: a drill of it in this quarter"]);
}

/// As R05 has it: less than the plan asks for is no proof.
#[test]
fn what_was_proven_too_low_is_due() {
    let (plan, mut facts) = good();
    facts.drills.iter_mut().for_each(|drill| drill.items[0].level = Some(5));
    let programme = of(&plan, &facts, month("2026-11"), &[]);
    assert_eq!(names(&programme), (vec!["acc"], vec!["files"]));
    assert_eq!(programme.due[0].1.told_in(Language::En), "never proven by a drill");
}

#[test]
fn what_was_broken_off_is_asked_for_again() {
    let (mut plan, mut facts) = good();
    facts.drills[1].items.iter_mut().for_each(|item| item.is_conclusive = false);
    let asked = |plan: &Plan, facts: &Facts| -> Vec<String> {
        let also = of(plan, facts, month("2026-11"), &[]).also;
        also.iter().map(|it| it.told_in(Language::En)).collect()
    };
    let main = ["storage main: a formal drill from it in this quarter"];
    assert_eq!(asked(&plan, &facts), main);
    // Described or not.
    plan.storages.remove("main");
    assert_eq!(asked(&plan, &facts), main);
}

#[test]
fn storages_strata_and_people_are_asked_for_by_the_quarter() {
    let (plan, mut facts) = good();
    assert_eq!(of(&plan, &facts, month("2026-11"), &[]).also, []);
    assert_eq!(of(&plan, &facts, month("2027-01"), &[]).also.len(), 4);
    facts.drills.clear();
    assert_eq!(of(&plan, &facts, month("2026-11"), &[]).also.len(), 4);
}

#[test]
fn weights_follow_change_and_findings() {
    let (plan, mut facts) = good();
    let weight = |facts: &Facts| {
        let programme = of(&plan, facts, month("2026-11"), &[]);
        programme.pool.iter().find(|it| it.dataset == "acc").map(|it| it.weight)
    };
    // Critical, two days since the last proof.
    assert_eq!(weight(&facts), Some(9 * 2));
    facts.datasets.get_mut("files").unwrap().changed_permille = Some(1);
    facts.datasets.get_mut("acc").unwrap().changed_permille = Some(500);
    assert_eq!(weight(&facts), Some(9 * 2 * 3));
    facts.drills.last_mut().unwrap().items[0].is_proven = false;
    assert_eq!(weight(&facts), Some(9 * 3 * 2 * 3));
}
