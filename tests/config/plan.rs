//! The plan of continuity: every mistake by its line, and both examples with `office.toml`.

use std::time::Duration;

use lifeboat::config::Config;
use lifeboat::config::plan;
use lifeboat::config::plan::Criticality;
use lifeboat::config::plan::FoundPlan;
use lifeboat::config::plan::Hold;
use lifeboat::config::plan::Target;
use lifeboat::config::read::Origin;
use lifeboat::schedule::work::Period;

use crate::config::Machine;
use crate::config::SMALL;
use crate::config::found;
use crate::config::now;
use crate::house;

fn office() -> Config {
    found(&house::text("config/office.toml")).config.unwrap()
}

/// Against [`SMALL`]: storages main and far, dataset files.
fn read(text: &str) -> FoundPlan {
    plan::read(text, &found(SMALL).config.unwrap(), (&Machine::default(), now()))
}

fn mistakes(text: &str) -> Vec<String> {
    read(text).mistakes.iter().map(ToString::to_string).collect()
}

/// A small plan without a mistake; lines are counted from 1.
const PLAN: &str = r#"[org]
name = "Office"
[people]
an = { name = "An", roles = ["operator", "chair"] }
binh = { name = "Binh", roles = ["substitute", "owner"] }
[storage]
main = { medium = "disk", failure_domain = "house" }
far = { medium = "disk", failure_domain = "elsewhere", offline = true }
[services.desk]
name = "Desk"
owner = "binh"
level = 2
criticality = "critical"
order = 1
rto = "8wh"
mtd = "3d"
[services.desk.datasets.files]
[contacts]
incident = { name = "Police", verified_on = 2026-11-23 }
"#;

const FAR: &str = "far = { medium = \"disk\", failure_domain = \"elsewhere\", offline = true }\n";

#[test]
fn both_examples_resolve_and_say_the_same() {
    let config = office();
    let plans = ["config/plan.toml", "config/vi/plan.toml"].map(|path| {
        let found = plan::read(&house::text(path), &config, (&Machine::default(), now()));
        assert!(found.mistakes.is_empty(), "{path}: {:?}", found.mistakes);
        assert!(found.warnings.is_empty(), "{path}: {:?}", found.warnings);
        found.plan.unwrap()
    });
    let [english, mut vietnamese] = plans;
    for (id, service) in &mut vietnamese.services {
        service.name.clone_from(&english.services[id].name);
        service.fallback.clone_from(&english.services[id].fallback);
    }
    for (id, exception) in &mut vietnamese.unprotected {
        exception.reason.clone_from(&english.unprotected[id].reason);
    }
    assert_eq!(english, vietnamese);
    let hours = |hours: u64| Period::Elapsed(Duration::from_secs(hours * 3600));
    let desk = &english.services["ho-so"];
    assert_eq!(desk.rto, Target::Said(Period::WorkHours(8)));
    assert_eq!(desk.rpo, Target::Said(hours(4)));
    assert_eq!(desk.datasets["case-db"].drill, Target::Said(Period::Months(1)));
    let shared = &english.services["tai-lieu"];
    // What is not said has a default, and says that it is one.
    assert_eq!(shared.rto, Target::Default(hours(24)));
    assert_eq!(shared.datasets["shared-files"].drill, Target::Default(Period::Months(3)));
    assert_eq!(english.storages["offsite"].hold, Hold::AppendOnly);
    assert_eq!(english.org.legal_profile, "vn-2026");
    assert_eq!(english.goals.evidence, Period::Months(60));
}

#[test]
fn a_short_plan_has_defaults_with_their_origin() {
    let found = read(PLAN);
    assert!(found.mistakes.is_empty() && found.warnings.is_empty(), "{found:?}");
    let plan = found.plan.unwrap();
    assert_eq!(plan.org.legal_profile, "none");
    assert_eq!(plan.goals.coverage[&Criticality::Normal], Period::Months(12));
    assert_eq!(plan.calendar.day_s(), 8 * 3600);
    let origin = |key: &str| found.shown.iter().find(|it| it.key == key).map(|it| it.origin);
    assert_eq!(origin("services.desk.rpo"), Some(Origin::Default));
    assert_eq!(origin("services.desk.rto"), Some(Origin::Line(15)));
}

/// What is written in place of what, on which line it is wrong, and what is said of it.
const SLIPS: &[(&str, &str, usize, &str)] = &[
    (
        "owner = \"binh\"",
        "owner = \"bin\"",
        11,
        "services.desk.owner: no [people] entry is called \"bin\", did you mean binh?",
    ),
    (
        "datasets.files",
        "datasets.fils",
        17,
        "no [[backup]] of the configuration file is called \"fils\", did you mean files?",
    ),
    (
        "far = {",
        "fra = {",
        8,
        "no [storage.NAME] of the configuration file is called \"fra\", did you mean far?",
    ),
    (
        "order = 1",
        "order = 1\ndepends_on = [\"dsk\"]",
        15,
        "no [services.NAME] is called \"dsk\", did you mean desk?",
    ),
    (
        "order = 1",
        "order = 1\ndepends_on = [\"desk\"]",
        9,
        "services.desk.depends_on: they wait for each other: desk → desk",
    ),
    (
        "mtd = \"3d\"",
        "mtd = \"10h\"",
        15,
        "recovery within 8wh is not before the end of what can be borne, 10h: expected an rto \
         below mtd",
    ),
    (
        "owner = \"binh\"",
        "owner = \"an\"",
        11,
        "`an` is the only operator and cannot sign as owner too: name another owner or a second \
         operator",
    ),
    (
        "\"elsewhere\"",
        "\"house\"",
        17,
        "it is critical, and all its described copies are in failure domain `house` (storages: \
         far, main): expected copies in two domains",
    ),
    (
        "rto = \"8wh\"",
        "rto = \"8\"",
        15,
        "services.desk.rto: expected a period with its unit, such as \"24h\", \"8wh\", \"1wd\", \
         \"3mo\" or \"5y\", found \"8\"",
    ),
    ("2026-11-23", "2026-11-31", 19, ""),
    // Read on 26 November, in the zone of the plan.
    (
        "2026-11-23",
        "2026-11-27",
        19,
        "contacts.incident.verified_on: expected a date that has come, found 2026-11-27; today is \
         2026-11-26",
    ),
    (
        "[contacts]",
        "[unprotected.x]\nreason = \"old\"\napproved_by = \"an\"\napproved_on = 2062-01-01\n\
         [contacts]",
        18,
        "unprotected.x.approved_on: expected a date that has come, found 2062-01-01; today is \
         2026-11-26",
    ),
    (
        "2026-11-23",
        "\"2026-11-23\"",
        19,
        "expected a date without quotes, such as 2026-11-23, found \"2026-11-23\"",
    ),
    (
        "critical\"",
        "critcal\"",
        13,
        "expected one of critical, important, normal, found \"critcal\", did you mean critical?",
    ),
    ("\"substitute\"", "\"subsitute\"", 5, "found \"subsitute\", did you mean substitute?"),
    ("rto = ", "rtto = ", 15, "services.desk.rtto: unknown, did you mean rto?"),
    ("name = \"Office\"", "legal_profile = \"vn-2027\"", 1, "org: `name` is missing"),
    (
        "[contacts]",
        "[calendar]\nhours = [\"13:00-17:00\", \"07:00-11:30\"]\n[contacts]",
        19,
        "calendar.hours: expected hours in their order, none within another, and at least one",
    ),
    (
        "[contacts]",
        "[goals]\nevidence = \"4y\"\n[contacts]",
        19,
        "evidence is kept for five years at least: expected 5y or more",
    ),
    (
        "[contacts]",
        "[unprotected.x]\nreason = \"old\"\napproved_by = \"ann\"\n[contacts]",
        20,
        "no [people] entry is called \"ann\", did you mean an?",
    ),
];

#[test]
fn every_mistake_has_its_line_and_what_was_meant() {
    for (from, to, line, expected) in SLIPS {
        let text = PLAN.replace(from, to);
        assert_ne!(text, PLAN, "{from}");
        let found = read(&text);
        let told = |it: &lifeboat::config::mistake::Mistake| {
            it.place.line == *line && it.to_string().ends_with(expected)
        };
        assert!(found.mistakes.iter().any(told), "{to}: {:#?}", mistakes(&text));
        assert_eq!(found.plan, None);
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = PLAN.replace("\"8wh\"", "\"8\"").replace("\"house\"", "7").replace("far =", "x =");
    assert_eq!(mistakes(&text).len(), 3, "{:#?}", mistakes(&text));
}

#[test]
fn circles_are_told_once() {
    let service = |id: &str, on: &str| {
        format!(
            "[services.{id}]\nname = \"{id}\"\nowner = \"binh\"\nlevel = 1\n\
             criticality = \"normal\"\norder = 1\ndepends_on = [\"{on}\"]\ndatasets = {{}}\n"
        )
    };
    let text = format!("{PLAN}{}{}{}", service("a", "b"), service("b", "c"), service("c", "a"));
    let found: Vec<String> =
        mistakes(&text).into_iter().filter(|it| it.contains("wait for each other")).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("they wait for each other: a → b → c → a"), "{found:?}");
}

#[test]
fn nothing_in_a_plan_makes_it_fall() {
    let config = found(SMALL).config.unwrap();
    let mut checked = 0;
    for (at, _) in PLAN.char_indices() {
        for junk in ["", "\"", "[[", "= 9e9", "\u{0}", "ấ"] {
            let text = format!("{}{junk}{}", &PLAN[..at], PLAN.get(at + 1..).unwrap_or_default());
            let found = plan::read(&text, &config, (&Machine::default(), now()));
            assert_eq!(found.plan.is_none(), !found.mistakes.is_empty(), "{text}");
            checked += 1;
        }
    }
    assert!(checked > 1000);
}

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    let text = PLAN
        .replace("\"substitute\", ", "")
        .replace(", \"chair\"", "")
        .replace(FAR, "")
        .replace("\"critical\"", "\"normal\"")
        .replace("incident =", "fire =");
    let found = read(&text);
    assert!(found.mistakes.is_empty(), "{:?}", found.mistakes);
    let warnings: Vec<&str> = found.warnings.iter().map(|it| it.what.as_str()).collect();
    assert_eq!(
        warnings,
        [
            "nobody is chair: no minutes can be signed",
            "nobody is substitute: if the operator is away nobody restores",
            "storage far is not described: its copies count for no domain",
            "no contact `incident`: whom to call is not written down",
        ]
    );
}
