//! Reasons: a text in both languages and its values, told when it is known who reads them.

use jiff::civil::Date;

use crate::config::Language;
use crate::schedule::work::Period;

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * HOUR_S;
/// From here on whole days are told.
const DAYS_FROM_S: u64 = 3 * DAY_S;

/// A text in both languages. Values stand at `{0}`, `{1}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    pub en: &'static str,
    pub vi: &'static str,
}

/// A value within a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Count(u64),
    Lasting(u64),
    Period(Period),
    Date(Date),
    List(Vec<Value>),
    Said(Box<Said>),
}

/// A text with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub words: Words,
    pub values: Vec<Value>,
}

impl Words {
    #[must_use]
    pub fn with<const N: usize>(self, values: [Value; N]) -> Said {
        Said { words: self, values: values.into() }
    }

    #[must_use]
    pub fn said(self) -> Said {
        self.with([])
    }

    #[must_use]
    pub const fn of(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Vi => self.vi,
        }
    }
}

impl Said {
    /// In words; what was put in is not looked at again.
    #[must_use]
    pub fn told_in(&self, language: Language) -> String {
        let mut parts = self.words.of(language).split('{');
        let mut told = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (number, rest) = part.split_once('}').unwrap_or((part, ""));
            let value = number.parse::<usize>().ok().and_then(|number| self.values.get(number));
            told.push_str(&value.map(|value| value.told_in(language)).unwrap_or_default());
            told.push_str(rest);
        }
        told
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

impl From<Period> for Value {
    fn from(period: Period) -> Self {
        Self::Period(period)
    }
}

impl From<Date> for Value {
    fn from(date: Date) -> Self {
        Self::Date(date)
    }
}

impl From<Said> for Value {
    fn from(said: Said) -> Self {
        Self::Said(Box::new(said))
    }
}

impl Value {
    fn told_in(&self, language: Language) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Lasting(seconds) => lasting(*seconds, language),
            Self::Period(period) => spoken(*period, language),
            Self::Date(date) => match language {
                Language::En => date.to_string(),
                Language::Vi => date.strftime("%d/%m/%Y").to_string(),
            },
            Self::List(values) => {
                let told: Vec<String> = values.iter().map(|it| it.told_in(language)).collect();
                told.join(", ")
            }
            Self::Said(said) => said.told_in(language),
        }
    }
}

/// `2 giờ 05 phút`; from three days on whole days.
#[must_use]
pub fn lasting(seconds: u64, language: Language) -> String {
    let unit = |count: u64, one: &str, several: &str, vi: &str| match language {
        Language::Vi => format!("{count} {vi}"),
        Language::En if count == 1 => format!("1 {one}"),
        Language::En => format!("{count} {several}"),
    };
    if seconds >= DAYS_FROM_S {
        return unit(seconds / DAY_S, "day", "days", "ngày");
    }
    if seconds < MINUTE_S {
        return unit(seconds, "second", "seconds", "giây");
    }
    let (hours, minutes) = (seconds / HOUR_S, seconds % HOUR_S / MINUTE_S);
    match (hours, minutes) {
        (0, minutes) => unit(minutes, "minute", "minutes", "phút"),
        (hours, 0) => unit(hours, "hour", "hours", "giờ"),
        (hours, minutes) => match language {
            Language::Vi => format!("{hours} giờ {minutes:02} phút"),
            Language::En => format!("{hours} h {minutes:02} min"),
        },
    }
}

/// `8 giờ làm việc`.
#[must_use]
pub fn spoken(period: Period, language: Language) -> String {
    let unit = |count: u32, one: &str, several: &str, vi: &str| match language {
        Language::Vi => format!("{count} {vi}"),
        Language::En if count == 1 => format!("1 {one}"),
        Language::En => format!("{count} {several}"),
    };
    match period {
        Period::Elapsed(time) => lasting(time.as_secs(), language),
        Period::Months(count) => unit(count, "month", "months", "tháng"),
        Period::WorkHours(count) => unit(count, "working hour", "working hours", "giờ làm việc"),
        Period::WorkDays(count) => unit(count, "working day", "working days", "ngày làm việc"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_each_language_does() {
        let both = |s: u64| [lasting(s, Language::En), lasting(s, Language::Vi)];
        assert_eq!(both(7500), ["2 h 05 min", "2 giờ 05 phút"]);
        assert_eq!(both(3600), ["1 hour", "1 giờ"]);
        assert_eq!(both(59), ["59 seconds", "59 giây"]);
        assert_eq!(both(DAYS_FROM_S - 1), ["71 h 59 min", "71 giờ 59 phút"]);
        assert_eq!(both(DAYS_FROM_S), ["3 days", "3 ngày"]);
        assert_eq!(spoken(Period::WorkHours(8), Language::Vi), "8 giờ làm việc");
        assert_eq!(spoken(Period::Months(1), Language::En), "1 month");
    }

    #[test]
    fn values_stand_in_their_places() {
        let words = Words { en: "{0} of {1}", vi: "{1} có {0}" };
        let said = words.with([Value::Count(2), "{0}".into()]);
        assert_eq!(said.told_in(Language::En), "2 of {0}");
        assert_eq!(said.told_in(Language::Vi), "{0} có 2");
    }
}
