//! Legal frames: data, read from the file beside this one.

use jiff::civil::Date;
use serde::Deserialize;

use crate::config::Language;
use crate::continuity::rule::Rule;

const FRAMES: &str = include_str!("legal.toml");
const SCHEMA: &str = "lifeboat/legal-frames/1";

/// Every frame.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frames {
    schema: String,
    artefacts: std::collections::BTreeMap<String, Bilingual>,
    pub profile: Vec<Profile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub id: String,
    pub title: Bilingual,
    pub includes: Vec<String>,
    /// What the office's own rules are called; a frame without them is only included by others.
    #[serde(default)]
    pub rules: Option<String>,
    /// Month and day on which a year of reports begins.
    #[serde(default)]
    period_from: Option<String>,
    /// Month and day on which the report of a year is late.
    #[serde(default)]
    report_before: Option<String>,
    /// The last day on which measures of the frame before it are enough, such as `2027-06-30`.
    #[serde(default)]
    transition_until: Option<String>,
    #[serde(default)]
    pub act: Vec<Act>,
    #[serde(default)]
    pub requirement: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    pub vi: String,
    pub en: String,
}

impl Bilingual {
    #[must_use]
    pub fn of(&self, language: Language) -> &str {
        match language {
            Language::Vi => &self.vi,
            Language::En => &self.en,
        }
    }
}

/// How a clause was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// In a full text.
    Primary,
    /// In somebody else's words.
    Paraphrase,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    pub cite: String,
    pub verified: Verified,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    pub clause: String,
    pub asks: Bilingual,
    /// Security levels that it speaks of; none: all.
    #[serde(default)]
    pub levels: Vec<u8>,
    artefacts: Vec<String>,
    rules: Vec<String>,
    /// They run from the hour at which an incident was discovered.
    #[serde(default)]
    deadlines: Vec<Deadline>,
    /// Minutes of drills cite it.
    #[serde(default)]
    pub minutes: bool,
    pub verified: Verified,
}

/// Until when somebody has to be told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    pub hours: u32,
    pub label: Bilingual,
}

/// A clause that is shown with a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    pub clause: String,
    pub verified: Verified,
}

/// What the law says beside a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    pub clauses: Vec<Clause>,
    /// Papers that answer them.
    pub artefacts: Vec<Bilingual>,
}

impl Frames {
    /// # Errors
    /// When the data that is built in is not as it must be.
    pub fn read() -> Result<Self, String> {
        let frames: Self = toml::from_str(FRAMES).map_err(|error| error.message().to_owned())?;
        match frames.schema == SCHEMA {
            true => Ok(frames),
            false => Err(format!("they are not of {SCHEMA}")),
        }
    }

    /// A frame of this id that an office can choose.
    #[must_use]
    pub fn of(&self, id: &str) -> Option<&Profile> {
        self.profile.iter().find(|it| it.id == id && it.rules.is_some())
    }

    /// Requirements of a frame: its own, then those of frames that it includes.
    pub fn requirements<'f>(&'f self, own: &'f Profile) -> impl Iterator<Item = &'f Requirement> {
        let included = self.profile.iter().filter(|it| own.includes.contains(&it.id));
        std::iter::once(own).chain(included).flat_map(|it| &it.requirement)
    }

    /// Clauses of a frame that speak of a rule and of one of these security levels.
    #[must_use]
    pub fn answer(&self, id: &str, rule: Rule, levels: &[u8]) -> Answer {
        let mut answer = Answer::default();
        let Some(own) = self.of(id) else { return answer };
        let name = rule.name();
        let is_meant = |it: &&Requirement| {
            let fits = it.levels.is_empty() || it.levels.iter().any(|it| levels.contains(it));
            fits && it.rules.contains(&name)
        };
        for it in self.requirements(own).filter(is_meant) {
            answer.clauses.push(Clause { clause: it.clause.clone(), verified: it.verified });
            for artefact in it.artefacts.iter().filter_map(|id| self.artefacts.get(id)) {
                if !answer.artefacts.contains(artefact) {
                    answer.artefacts.push(artefact.clone());
                }
            }
        }
        answer
    }

    /// Deadlines of an incident with the clauses that set them, the nearest first.
    #[must_use]
    pub fn deadlines(&self, id: &str) -> Vec<(&Deadline, Clause)> {
        let Some(own) = self.of(id) else { return Vec::new() };
        let clause = |it: &Requirement| Clause { clause: it.clause.clone(), verified: it.verified };
        let all = self.requirements(own);
        let all = all.flat_map(|it| it.deadlines.iter().map(move |own| (own, clause(it))));
        let mut all: Vec<(&Deadline, Clause)> = all.collect();
        all.sort_by_key(|(deadline, _)| deadline.hours);
        all
    }

    /// The last day on which an office may still go by the frame before this one.
    #[must_use]
    pub fn transition_until(&self, id: &str) -> Option<Date> {
        self.of(id)?.transition_until.as_deref()?.parse().ok()
    }

    /// Month and day on which a year of reports begins.
    #[must_use]
    pub fn year_begins(&self, id: &str) -> (i8, i8) {
        let begins = self.of(id).and_then(|it| month_and_day(it.period_from.as_deref()));
        begins.unwrap_or((1, 1))
    }

    /// Month and day on which the report of a year that has ended is late; none: nobody asks for
    /// one.
    #[must_use]
    pub fn report_before(&self, id: &str) -> Option<(i8, i8)> {
        self.of(id).and_then(|it| month_and_day(it.report_before.as_deref()))
    }
}

fn month_and_day(text: Option<&str>) -> Option<(i8, i8)> {
    let (month, day) = text?.split_once('-')?;
    Some((month.parse().ok()?, day.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_and_artefact_that_is_named_exists() {
        let frames = Frames::read().unwrap();
        let all = frames.profile.iter().flat_map(|it| &it.requirement);
        let mut count = 0;
        for it in all {
            for rule in &it.rules {
                assert!(Rule::all().any(|known| known.name() == *rule), "{rule}");
            }
            for artefact in &it.artefacts {
                assert!(frames.artefacts.contains_key(artefact), "{artefact}");
            }
            count += 1;
        }
        assert!(count > 50, "{count}");
        for id in crate::config::plan::PROFILES {
            assert!(frames.of(id).is_some(), "{id}");
        }
    }

    #[test]
    fn clauses_depend_on_the_level() {
        let frames = Frames::read().unwrap();
        let clauses = |id: &str, rule: u8, levels: &[u8]| -> Vec<String> {
            let answer = frames.answer(id, Rule::of(rule).unwrap(), levels);
            answer.clauses.into_iter().map(|it| it.clause).collect()
        };
        let low = clauses("vn-2026", 3, &[2]);
        assert!(low.iter().any(|it| it.contains("4.11.2.4")), "{low:?}");
        assert!(!low.iter().any(|it| it.contains("5.11.2.3")), "{low:?}");
        assert!(clauses("vn-2026", 3, &[3]).iter().any(|it| it.contains("5.11.2.3")));
        assert_eq!(clauses("none", 3, &[3]), Vec::<String>::new());
        assert_eq!(frames.year_begins("vn-2026"), (12, 15));
        assert_eq!(frames.year_begins("none"), (1, 1));
        let until = jiff::civil::date(2027, 6, 30);
        assert_eq!(frames.transition_until("vn-2026"), Some(until));
        assert_eq!(frames.transition_until("iso-nist"), None);
        assert_eq!(frames.report_before("vn-2026"), Some((12, 20)));
        assert_eq!(frames.report_before("none"), None);
        let hours = |id| frames.deadlines(id).iter().map(|it| it.0.hours).collect::<Vec<_>>();
        assert_eq!(hours("vn-2026"), [0, 24, 72, 72]);
        assert!(hours("iso-nist").is_empty());
    }
}
