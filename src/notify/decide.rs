//! What has to be told to whom now: a function of what was observed and what was told.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::catalogue::told::ChannelRow;
use crate::catalogue::told::ToldRow;
use crate::config::tell::Event;
use crate::config::tell::Notify;
use crate::notify::alarm::Alarm;
use crate::notify::alarm::Key;
use crate::notify::alarm::Observed;
use crate::notify::alarm::State;
use crate::units::Timestamp;

/// A channel that failed is tried again after this, then after twice as long, and so on.
const RETRY_FIRST_MS: i64 = 60 * 1000;
const RETRY_MAX_MS: i64 = 60 * 60 * 1000;

/// What a channel was told of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub since: Timestamp,
    /// None: it has to be, and no message has arrived yet.
    pub at: Option<Timestamp>,
}

/// How a channel does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    pub good: Option<Timestamp>,
    pub failed: Option<Timestamp>,
    /// Since a message last arrived.
    pub failures_count: u32,
    pub failure: Option<String>,
    /// The month of the last letter.
    pub letter: Option<String>,
}

/// All that was told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book {
    /// By channel, then alarm.
    pub told: BTreeMap<(String, Key), Told>,
    pub channels: BTreeMap<String, Health>,
}

/// What is new about an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    Raised(Alarm),
    /// It was told before and lasts.
    Still(Alarm),
    Recovered(Key),
}

/// One line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub news: News,
    pub since: Timestamp,
}

impl Item {
    #[must_use]
    pub fn key(&self) -> &Key {
        match &self.news {
            News::Raised(alarm) | News::Still(alarm) => &alarm.key,
            News::Recovered(key) => key,
        }
    }
}

/// The shortest time after which a channel hears of an event again; none if it never hears of it.
fn repeat_after(rules: &[Notify], channel: &str, event: Event) -> Option<Duration> {
    let hears = |rule: &&Notify| rule.on.contains(&event) && rule.to.iter().any(|to| to == channel);
    rules.iter().filter(hears).map(|rule| rule.repeat_after).min()
}

/// Whether `time` has passed since; a clock that went back makes it so.
fn is_past(since: Timestamp, time_ms: i64, now: Timestamp) -> bool {
    now.unix_ms < since.unix_ms || now.ms_since(since) >= time_ms
}

fn ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

impl Health {
    /// Whether it may be tried now.
    #[must_use]
    pub fn is_ready(&self, now: Timestamp) -> bool {
        let Some(failed) = self.failed.filter(|_| self.failures_count > 0) else { return true };
        is_past(failed, self.pause_ms(), now)
    }

    /// How long it is left alone after the last failure.
    fn pause_ms(&self) -> i64 {
        let doublings = self.failures_count.saturating_sub(1).min(16);
        (RETRY_FIRST_MS << doublings).min(RETRY_MAX_MS)
    }
}

/// Takes what was observed into the book, and gives what each channel has to be told now.
///
/// Whoever hears of an alarm hears of it once, again after `repeat_after` as long as it lasts, and
/// once that it is over, if he wants to. A channel that failed lately hears nothing yet.
pub fn due(
    book: &mut Book,
    observed: &Observed,
    rules: &[Notify],
    now: Timestamp,
) -> BTreeMap<String, Vec<Item>> {
    begin(book, observed, rules);
    let mut items: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    let mut over = Vec::new();
    for ((channel, key), told) in &book.told {
        let repeat = repeat_after(rules, channel, key.event);
        let news = match (observed.get(key), repeat) {
            (Some(State::Unknown), Some(_)) => None,
            (Some(State::Raised(alarm)), Some(repeat)) => match told.at {
                None => Some(News::Raised(alarm.clone())),
                Some(at) => is_past(at, ms(repeat), now).then(|| News::Still(alarm.clone())),
            },
            (Some(State::Fine), Some(repeat)) => {
                let is_wanted = repeat_after(rules, channel, Event::Recovered).is_some();
                match told.at {
                    Some(_) if is_wanted => Some(News::Recovered(key.clone())),
                    // Who is not told that it is over is not told anew of what comes and goes.
                    Some(at) if !is_past(at, ms(repeat), now) => None,
                    _ => {
                        over.push((channel.clone(), key.clone()));
                        None
                    }
                }
            }
            // The job or the rule is gone.
            _ => {
                over.push((channel.clone(), key.clone()));
                None
            }
        };
        let is_ready = book.channels.get(channel).is_none_or(|health| health.is_ready(now));
        if let Some(news) = news.filter(|_| is_ready) {
            items.entry(channel.clone()).or_default().push(Item { news, since: told.since });
        }
    }
    for key in over {
        book.told.remove(&key);
    }
    items
}

/// Notes every alarm for everybody who hears of it.
fn begin(book: &mut Book, observed: &Observed, rules: &[Notify]) {
    for state in observed.values() {
        let State::Raised(alarm) = state else { continue };
        for rule in rules.iter().filter(|rule| rule.on.contains(&alarm.key.event)) {
            for channel in &rule.to {
                let place = (channel.clone(), alarm.key.clone());
                let new = Told { since: alarm.since, at: None };
                let told = book.told.entry(place).or_insert(new);
                told.since = told.since.min(alarm.since);
            }
        }
    }
}

/// When the book alone may have something to be told, if nothing happens before.
#[must_use]
pub fn next(book: &Book, rules: &[Notify], now: Timestamp) -> Option<Timestamp> {
    let again = book.told.iter().filter_map(|((channel, key), told)| {
        let repeat = repeat_after(rules, channel, key.event)?;
        Some(told.at?.unix_ms.saturating_add(ms(repeat)))
    });
    let retried = book.channels.values().filter(|health| health.failures_count > 0);
    let retried =
        retried.filter_map(|health| Some(health.failed?.unix_ms.saturating_add(health.pause_ms())));
    let coming = again.chain(retried).filter(|at| *at > now.unix_ms);
    coming.min().map(Timestamp::from_unix_ms)
}

impl Book {
    /// A message has arrived.
    pub fn arrived(&mut self, channel: &str, items: &[Item], now: Timestamp) {
        for item in items {
            let place = (channel.to_owned(), item.key().clone());
            match item.news {
                News::Recovered(_) => {
                    self.told.remove(&place);
                }
                _ => {
                    if let Some(told) = self.told.get_mut(&place) {
                        told.at = Some(now);
                    }
                }
            }
        }
        let health = self.channels.entry(channel.to_owned()).or_default();
        health.good = Some(now);
        health.failures_count = 0;
        health.failure = None;
    }

    /// It has not.
    pub fn failed(&mut self, channel: &str, failure: String, now: Timestamp) {
        let health = self.channels.entry(channel.to_owned()).or_default();
        health.failed = Some(now);
        health.failures_count = health.failures_count.saturating_add(1);
        health.failure = Some(failure);
    }

    /// From the rows of the catalogue; events of another version are left out.
    #[must_use]
    pub fn of_rows(told: Vec<ToldRow>, channels: Vec<ChannelRow>) -> Self {
        let time = |ms: Option<i64>| ms.map(Timestamp::from_unix_ms);
        let told = told.into_iter().filter_map(|row| {
            let key = Key { event: Event::named(&row.event)?, job: row.job };
            let since = Timestamp::from_unix_ms(row.since_ms);
            Some(((row.channel, key), Told { since, at: time(row.told_ms) }))
        });
        let channels = channels.into_iter().map(|row| {
            let health = Health {
                good: time(row.good_ms),
                failed: time(row.failed_ms),
                failures_count: row.failures_count,
                failure: row.failure,
                letter: row.letter,
            };
            (row.name, health)
        });
        Self { told: told.collect(), channels: channels.collect() }
    }

    #[must_use]
    pub fn rows(&self) -> (Vec<ToldRow>, Vec<ChannelRow>) {
        let told = self.told.iter().map(|((channel, key), told)| ToldRow {
            channel: channel.clone(),
            event: key.event.word().to_owned(),
            job: key.job.clone(),
            since_ms: told.since.unix_ms,
            told_ms: told.at.map(|at| at.unix_ms),
        });
        let channels = self.channels.iter().map(|(name, health)| ChannelRow {
            name: name.clone(),
            good_ms: health.good.map(|at| at.unix_ms),
            failed_ms: health.failed.map(|at| at.unix_ms),
            failures_count: health.failures_count,
            failure: health.failure.clone(),
            letter: health.letter.clone(),
        });
        (told.collect(), channels.collect())
    }
}
