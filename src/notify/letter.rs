//! The monthly letter: what the catalogue knows, for somebody who has heard nothing for a while.

use crate::catalogue::query::JobStatus;
use crate::catalogue::query::RunRow;
use crate::notify::message::Voice;
use crate::notify::words;
use crate::notify::words::Words;
use crate::path::escape;
use crate::schedule::local;
use crate::units::Bytes;
use crate::units::Timestamp;

/// From this hour of the first day of a month on it is sent.
const HOUR: i8 = 7;
const MINUTE_MS: i64 = 60_000;

/// The month whose letter is due at `now`: from the first at seven on, in the office's zone.
#[must_use]
pub fn month(voice: &Voice, now: Timestamp) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(now.unix_ms).ok()?;
    let local = at.to_zoned_datetime(voice.zone.clone());
    let early = local.day() == 1 && local.hour() < HOUR;
    // In the first hours the letter of the month before still counts.
    let of = if early { local.checked_sub(jiff::Span::new().days(1)).ok()? } else { local };
    Some(of.strftime("%Y-%m").to_string())
}

/// When the next letter will be due.
#[must_use]
pub fn next(voice: &Voice, now: Timestamp) -> Option<Timestamp> {
    let at = jiff::Timestamp::from_millisecond(now.unix_ms).ok()?;
    let local = at.to_zoned_datetime(voice.zone.clone()).datetime();
    let first = local.date().first_of_month().at(HOUR, 0, 0, 0);
    let first =
        if first > local { first } else { first.checked_add(jiff::Span::new().months(1)).ok()? };
    let due = local::first(&voice.zone, first)?;
    Some(Timestamp::from_unix_ms(due.as_millisecond()))
}

/// Subject and text.
#[must_use]
pub fn letter(
    voice: &Voice,
    jobs: &[JobStatus],
    quiet_channels: &[String],
    now: Timestamp,
) -> (String, String) {
    let marked = jobs.iter().filter(|job| mark(job, now).is_some()).count();
    let month = voice.time(now).chars().take(7).collect::<String>();
    let count = marked.to_string();
    let values = [("host", &*voice.host), ("month", &*month), ("count", &*count)];
    let is_well = marked == 0 && !jobs.is_empty() && quiet_channels.is_empty();
    let subject = if is_well { &words::LETTER_WELL } else { &words::LETTER_LOOK };
    let mut lines = vec![
        voice.say(&words::LETTER_HEAD, &[("host", &voice.host), ("now", &voice.time(now))]),
        String::new(),
    ];
    if jobs.is_empty() {
        lines.push(words::LETTER_NONE.of(voice.language).to_owned());
    }
    let is_check = |job: &&JobStatus| job.key.starts_with("check:");
    lines.extend(jobs.iter().filter(|job| !is_check(job)).map(|job| row(voice, job, now)));
    lines.extend([String::new(), words::LETTER_CHECKS.of(voice.language).to_owned()]);
    if !jobs.iter().any(|job| is_check(&job) && job.last_good.is_some()) {
        lines.push(words::LETTER_NO_CHECK.of(voice.language).to_owned());
    }
    lines.extend(jobs.iter().filter(is_check).map(|job| row(voice, job, now)));
    lines.extend([String::new(), untested(voice, jobs)]);
    if !quiet_channels.is_empty() {
        let channels = quiet_channels.join(", ");
        lines.push(voice.say(&words::LETTER_CHANNELS, &[("channels", &channels)]));
    }
    lines.push(voice.say(&words::FOOT, &[("host", &voice.host)]));
    lines.push(String::new());
    (voice.say(subject, &values), lines.join("\n"))
}

/// What needs a look at a job.
fn mark(job: &JobStatus, now: Timestamp) -> Option<&'static Words> {
    let last = job.last_ended.as_ref();
    if last.is_some_and(|run| run.exit_code == Some(20)) {
        return Some(&words::MARK_DAMAGE);
    }
    if job.is_silent(now) {
        return Some(&words::MARK_SILENT);
    }
    match last.and_then(|run| run.outcome) {
        Some("failed") => Some(&words::MARK_FAILED),
        _ if job.last_good.as_ref().is_some_and(|run| run.shrunk_from.is_some()) => {
            Some(&words::MARK_SHRUNK)
        }
        Some("problems") => Some(&words::MARK_PROBLEMS),
        _ => None,
    }
}

fn row(voice: &Voice, job: &JobStatus, now: Timestamp) -> String {
    let what = voice.job(&job.key, job.storage.as_deref());
    let mark = mark(job, now).map_or("", |mark| mark.of(voice.language));
    let Some(good) = &job.last_good else {
        return voice.say(&words::LETTER_NEVER, &[("what", &what), ("mark", mark)]);
    };
    let at = Timestamp::from_unix_ms(good.started_ms);
    let (at, age) = (voice.time(at), age(voice, now.ms_since(at)));
    let bytes = bytes(voice, good);
    let values =
        [("what", &*what), ("good", &*at), ("age", &*age), ("bytes", &*bytes), ("mark", mark)];
    voice.say(&words::LETTER_JOB, &values)
}

fn bytes(voice: &Voice, run: &RunRow) -> String {
    let size = |bytes: Option<i64>| bytes.and_then(|b| u64::try_from(b).ok()).map(Bytes);
    match (size(run.content_bytes), size(run.stored_bytes)) {
        (Some(size), Some(stored)) => {
            let (size, stored) = (size.to_string(), stored.to_string());
            voice.say(&words::BYTES, &[("size", &size), ("stored", &stored)])
        }
        _ => words::BYTES_UNKNOWN.of(voice.language).to_owned(),
    }
}

fn age(voice: &Voice, ms: i64) -> String {
    let minutes = ms.max(0) / MINUTE_MS;
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let (days_text, hours, rest) = (days.to_string(), hours.to_string(), rest.to_string());
    if days > 0 {
        return voice.say(&words::AGE_DAYS, &[("days", &days_text), ("hours", &hours)]);
    }
    voice.say(&words::AGE_HOURS, &[("hours", &hours), ("minutes", &rest)])
}

/// What no drill has restored, as far as the catalogue knows.
fn untested(voice: &Voice, jobs: &[JobStatus]) -> String {
    let drills: Vec<&JobStatus> = jobs.iter().filter(|job| job.key.starts_with("drill:")).collect();
    if !drills.is_empty() && drills.iter().all(|job| job.last_good.is_some()) {
        return words::LETTER_DRILLED.of(voice.language).to_owned();
    }
    let names =
        jobs.iter().filter_map(|job| job.dataset.as_deref()).map(|name| escape(name.as_bytes()));
    let mut names: Vec<String> = names.collect();
    if names.is_empty() {
        return String::new();
    }
    names.sort_unstable();
    names.dedup();
    voice.say(&words::LETTER_UNTESTED, &[("datasets", &names.join(", "))])
}
