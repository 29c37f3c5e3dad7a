//! Dates, numbers, sizes and times as each language writes them.

use jiff::civil::DateTime;

use crate::report::Language;
use crate::units::Bytes;
use crate::units::Timestamp;

/// What is left to write on within a line.
pub const DOTS: &str = "\u{2026}\u{2026}\u{2026}\u{2026}";
/// The office's offset; another one is named.
const OFFICE_OFFSET: &str = "+07:00";
const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 3600;
const DAY_S: u64 = 86400;
/// From here on days are told.
const DAYS_FROM_S: u64 = 3 * DAY_S;
/// A longer word without a space is cut in a table.
const WORD_CHARS_MAX: usize = 24;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A time of the record: the clock on the office's wall, and its offset.
fn parsed(time: &str) -> Option<(DateTime, &str)> {
    let wall = time.get(..19)?.parse().ok()?;
    let rest = time.get(19..)?;
    let sign = rest.rfind(['+', '-', 'Z'])?;
    Some((wall, rest.get(sign..)?))
}

fn zone(offset: &str) -> String {
    match offset {
        OFFICE_OFFSET => String::new(),
        "Z" => " (UTC)".to_owned(),
        other => format!(" (UTC{other})"),
    }
}

/// When a record's time was, as the number of documents is; 0 if it cannot be told.
#[must_use]
pub fn timestamp(time: &str) -> Timestamp {
    let at = time.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond);
    Timestamp::from_unix_ms(at.unwrap_or_default())
}

/// `08 giờ 00 phút, ngày 05 tháng 12 năm 2026`.
#[must_use]
pub fn moment(time: &str, language: Language) -> String {
    let Some((wall, offset)) = parsed(time) else { return DOTS.to_owned() };
    let (hour, minute) = (wall.hour(), wall.minute());
    let day = day(time, language);
    match language {
        Language::Vi => format!("{hour:02} giờ {minute:02} phút{}, {day}", zone(offset)),
        Language::En => format!("{hour:02}:{minute:02}{}, {day}", zone(offset)),
    }
}

/// `ngày 05 tháng 12 năm 2026`: days below 10, January and February have a zero before them.
#[must_use]
pub fn day(time: &str, language: Language) -> String {
    let Some((wall, _)) = parsed(time) else { return DOTS.to_owned() };
    let (day, year) = (wall.day(), wall.year());
    match language {
        Language::Vi => format!("ngày {day:02} {}", month(wall.month(), year, language)),
        Language::En => format!("{day} {}", month(wall.month(), year, language)),
    }
}

fn month(month: i8, year: i16, language: Language) -> String {
    match language {
        Language::Vi if month < 3 => format!("tháng {month:02} năm {year}"),
        Language::Vi => format!("tháng {month} năm {year}"),
        Language::En => {
            let name = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at));
            format!("{} {year}", name.copied().unwrap_or_default())
        }
    }
}

/// `2026-12` as `tháng 12 năm 2026`; another period as it is.
#[must_use]
pub fn period(period: &str, language: Language) -> String {
    match format!("{period}-01T00:00:00").parse::<DateTime>() {
        Ok(first) => month(first.month(), first.year(), language),
        Err(_) if period.is_empty() => DOTS.to_owned(),
        Err(_) => period.to_owned(),
    }
}

/// `05/12/2026`.
#[must_use]
pub fn date(time: &str, language: Language) -> String {
    match (parsed(time), language) {
        (Some((wall, _)), Language::Vi) => wall.strftime("%d/%m/%Y").to_string(),
        (Some((wall, _)), Language::En) => wall.strftime("%Y-%m-%d").to_string(),
        (None, _) => DOTS.to_owned(),
    }
}

/// `05/12/2026 08:00:05`.
#[must_use]
pub fn stamp(time: &str, language: Language) -> String {
    match parsed(time) {
        Some((wall, offset)) => {
            format!("{} {}{}", date(time, language), wall.strftime("%H:%M:%S"), zone(offset))
        }
        None => DOTS.to_owned(),
    }
}

/// `12.502.500`.
#[must_use]
pub fn count(number: u64, language: Language) -> String {
    let separator = match language {
        Language::Vi => '.',
        Language::En => ',',
    };
    let digits = number.to_string();
    let mut told = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            told.push(separator);
        }
        told.push(digit);
    }
    told
}

/// `1,2 GiB`.
#[must_use]
pub fn size(bytes: u64, language: Language) -> String {
    let told = Bytes(bytes).to_string();
    match language {
        Language::Vi => told.replace('.', ","),
        Language::En => told,
    }
}

/// `5 giây`, `2 phút 05 giây`, `2 giờ 05 phút`, `7 ngày`.
#[must_use]
pub fn duration(seconds: u64, language: Language) -> String {
    let [day, hour, minute, second] = match language {
        Language::Vi => ["ngày", "giờ", "phút", "giây"],
        Language::En => ["d", "h", "min", "s"],
    };
    let (whole, unit, rest, lesser) = match seconds {
        0..MINUTE_S => return format!("{seconds} {second}"),
        MINUTE_S..HOUR_S => (seconds / MINUTE_S, minute, seconds % MINUTE_S, second),
        HOUR_S..DAYS_FROM_S => (seconds / HOUR_S, hour, seconds % HOUR_S / MINUTE_S, minute),
        _ => (seconds / DAY_S, day, seconds % DAY_S / HOUR_S, hour),
    };
    match rest {
        0 => format!("{whole} {unit}"),
        rest => format!("{whole} {unit} {rest:02} {lesser}"),
    }
}

/// Milliseconds as seconds: `1.234,567`.
#[must_use]
pub fn seconds(ms: u64, language: Language) -> String {
    let point = match language {
        Language::Vi => ',',
        Language::En => '.',
    };
    format!("{}{point}{:03}", count(ms / 1000, language), ms % 1000)
}

/// A long word as its beginning.
#[must_use]
pub fn shortened(text: &str) -> String {
    let short = |word: &str| match word.chars().count() > WORD_CHARS_MAX {
        true => word.chars().take(WORD_CHARS_MAX / 2).chain(['\u{2026}']).collect(),
        false => word.to_owned(),
    };
    text.split(' ').map(short).collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_documents_have_them() {
        let vi = |time| moment(time, Language::Vi);
        assert_eq!(vi("2026-12-05T08:00:05+07:00"), "08 giờ 00 phút, ngày 05 tháng 12 năm 2026");
        assert_eq!(vi("2027-02-15T18:30:05+07:00"), "18 giờ 30 phút, ngày 15 tháng 02 năm 2027");
        assert_eq!(vi("2027-03-15T18:30:05Z"), "18 giờ 30 phút (UTC), ngày 15 tháng 3 năm 2027");
        assert_eq!(vi("nonsense"), DOTS);
        assert_eq!(moment("2027-03-05T18:30:05+07:00", Language::En), "18:30, 5 March 2027");
        assert_eq!(stamp("2027-03-05T18:30:05+07:00", Language::Vi), "05/03/2027 18:30:05");
        assert_eq!(period("2026-01", Language::Vi), "tháng 01 năm 2026");
        assert_eq!(
            (period("Q3", Language::Vi), period("", Language::Vi)),
            ("Q3".into(), DOTS.into())
        );
    }

    #[test]
    fn amounts_are_written_as_readers_expect_them() {
        let vi = |s| duration(s, Language::Vi);
        assert_eq!([vi(5), vi(125), vi(7500)], ["5 giây", "2 phút 05 giây", "2 giờ 05 phút"]);
        assert_eq!([vi(86400), vi(7 * 86400)], ["24 giờ", "7 ngày"]);
        assert_eq!(duration(93600, Language::En), "26 h");
        assert_eq!(count(12_502_500, Language::Vi), "12.502.500");
        assert_eq!(seconds(1_234_567, Language::Vi), "1.234,567");
        assert_eq!(size(1_310_720_000, Language::Vi), "1,2 GiB");
        assert_eq!(shortened(&"ab".repeat(32)), format!("{}…", "ab".repeat(6)));
    }
}
