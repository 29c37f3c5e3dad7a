//! Being told: alarms, when to whom, and the ways out.
//!
//! What it is: what is wrong, out of the catalogue; who has to hear of it now; mail, webhook, ping
//! and command; the monthly letter. `doc/alarms.md` has every alarm.
//! Never: tells the name of a file or a secret; makes whoever tells wait for a server; takes a
//! message for told before somebody took it.
//! Invariants: silence is an alarm, whether a job ran or not; an alarm is told once, then after
//! `repeat_after` as long as it lasts, then once that it is over; what a run at work, a stopped or
//! a cut one says of it is nothing; a channel that failed is tried again later, and only later.
//! Start reading at: [`Telling::tell`]: whoever has a loop calls it when a job begins, when one has
//! ended, when [`Telling::next`] has come, and when it was woken by an answer. It returns at once.
//! Then [`decide::due`] and [`alarm::observe`].

pub mod alarm;
pub mod decide;
pub mod desk;
pub mod letter;
pub mod message;
pub mod send;
#[cfg(test)]
mod tests;
pub mod words;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::catalogue::Catalogue;
use crate::catalogue::CatalogueError;
use crate::catalogue::query::JobStatus;
use crate::config::Config;
use crate::config::tell::Channel;
use crate::config::tell::Notify;
use crate::notify::alarm::Observed;
use crate::notify::alarm::State;
use crate::notify::alarm::observe;
use crate::notify::alarm::observe_proofs;
use crate::notify::decide::Book;
use crate::notify::decide::Item;
use crate::notify::desk::Desk;
use crate::notify::desk::Outgoing;
use crate::notify::desk::Sent;
use crate::notify::desk::Wake;
use crate::notify::message::Kind;
use crate::notify::message::Message;
use crate::notify::message::Voice;
use crate::notify::send::Way;
use crate::schedule::local;
use crate::units::Timestamp;

/// Why [`Telling::tell`] is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Time has passed.
    Tick,
    /// A job has begun.
    Started,
    /// A job has ended.
    Ended,
}

/// A channel that did not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub channel: String,
    /// Why; never a secret.
    pub failure: String,
}

/// Tells what has to be told.
#[derive(Debug)]
pub struct Telling {
    channels: BTreeMap<String, Channel>,
    rules: Vec<Notify>,
    voice: Voice,
    desk: Desk,
    /// What somebody else observes.
    also: Observed,
    /// What was told, while the catalogue does not take it.
    held: Option<Book>,
    next: Option<Timestamp>,
}

impl Telling {
    /// For the machine of this name; `wake` is called when there is an answer to be taken.
    #[must_use]
    pub fn new(config: &Config, host: String, way: Way, wake: Wake) -> Self {
        let voice = voice(config, host);
        let (channels, rules) = (config.channels.clone(), config.notify.clone());
        let (desk, also) = (Desk::new(way, wake), Observed::new());
        Self { channels, rules, voice, desk, also, held: None, next: None }
    }

    /// Takes another configuration; what is on its way stays so.
    pub fn reload(&mut self, config: &Config) {
        self.channels = config.channels.clone();
        self.rules = config.notify.clone();
        self.voice = voice(config, std::mem::take(&mut self.voice.host));
    }

    /// How something stands that the runs do not tell, such as a dataset that shrank.
    pub fn also(&mut self, key: alarm::Key, state: State) {
        self.also.insert(key, state);
    }

    /// As [`Self::tell_of`], of the jobs as the catalogue has them.
    ///
    /// # Errors
    /// When the catalogue cannot be read or written.
    pub fn tell(
        &mut self,
        catalogue: &mut Catalogue,
        occasion: Occasion,
        now: Timestamp,
    ) -> Result<Vec<Trouble>, CatalogueError> {
        let jobs = catalogue.status()?;
        self.tell_of(catalogue, &jobs, occasion, now)
    }

    /// What was told, as the catalogue has it, or as it could not take it.
    fn book(&self, catalogue: &Catalogue) -> Result<Book, CatalogueError> {
        match &self.held {
            Some(book) => Ok(book.clone()),
            None => Ok(Book::of_rows(catalogue.messages_told()?, catalogue.channels()?)),
        }
    }

    /// Gives the catalogue what was told; what it does not take is remembered.
    fn keep(&mut self, catalogue: &mut Catalogue, book: Book) -> Result<(), CatalogueError> {
        let (told, channels) = book.rows();
        self.held = Some(book);
        catalogue.keep_told(&told, &channels)?;
        self.held = None;
        Ok(())
    }

    /// Takes the answers that have come, and sends what has to be told at `now`; it waits for
    /// nobody. Channels that did not take a message are on record, and returned.
    ///
    /// # Errors
    /// When the catalogue cannot be read, or does not take what was told: that is remembered.
    pub fn tell_of(
        &mut self,
        catalogue: &mut Catalogue,
        jobs: &[JobStatus],
        occasion: Occasion,
        now: Timestamp,
    ) -> Result<Vec<Trouble>, CatalogueError> {
        let before = self.book(catalogue)?;
        let mut book = before.clone();
        // Those of another configuration.
        book.channels.retain(|name, _| self.channels.contains_key(name));
        let answers = self.desk.answers();
        let troubles = answers.into_iter().filter_map(|sent| take(&mut book, sent, now)).collect();
        let proofs = catalogue.proofs()?;
        let mut observed = observe(jobs, now);
        observed.extend(observe_proofs(&proofs, now));
        observed.extend(self.also.clone());
        let items = decide::due(&mut book, &observed, &self.rules, now);
        self.pings(&book, (&observed, &items), occasion, now);
        for (name, items) in items {
            if let Some(channel) = self.free(&name, &book, now)
                && !matches!(channel, Channel::Ping { .. })
            {
                let message = self.voice.alarms(&items, now);
                self.desk.send(&name, &channel, Outgoing { message, items, letter: None });
            }
        }
        self.letters(&mut book, jobs, now);
        let silence = alarm::next_silence(jobs, now);
        let again = decide::next(&book, &self.rules, now);
        let next = [silence, alarm::next_old(&proofs, now), again, letter::next(&self.voice, now)];
        self.next = next.into_iter().flatten().min();
        if book != before || self.held.is_some() {
            self.keep(catalogue, book)?;
        }
        Ok(troubles)
    }

    /// When [`Self::tell`] is to be called again, if nothing happens before.
    #[must_use]
    pub const fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// Waits for what is on its way, at most so long for each answer: for the end of the program.
    ///
    /// # Errors
    /// As [`Self::tell`].
    pub fn finish(
        &mut self,
        catalogue: &mut Catalogue,
        limit: Duration,
        now: Timestamp,
    ) -> Result<Vec<Trouble>, CatalogueError> {
        let mut book = self.book(catalogue)?;
        let mut troubles = Vec::new();
        while let Some(sent) = self.desk.wait(limit) {
            troubles.extend(take(&mut book, sent, now));
        }
        self.keep(catalogue, book)?;
        Ok(troubles)
    }

    /// A channel that may be given a message.
    fn free(&self, name: &str, book: &Book, now: Timestamp) -> Option<Channel> {
        let is_ready = book.channels.get(name).is_none_or(|health| health.is_ready(now));
        let is_free = is_ready && !self.desk.is_busy(name);
        self.channels.get(name).filter(|_| is_free).cloned()
    }

    /// Names of channels that rules name, without twins.
    fn named(&self) -> BTreeSet<String> {
        self.rules.iter().flat_map(|rule| rule.to.iter().cloned()).collect()
    }

    /// Pings tell how things stand, not what is new.
    fn pings(
        &mut self,
        book: &Book,
        (observed, due): (&Observed, &BTreeMap<String, Vec<Item>>),
        occasion: Occasion,
        now: Timestamp,
    ) {
        for name in self.named() {
            let Some(channel @ Channel::Ping { .. }) = self.channels.get(&name).cloned() else {
                continue;
            };
            let items = due.get(&name).cloned().unwrap_or_default();
            let is_ready = book.channels.get(&name).is_none_or(|health| health.is_ready(now));
            let is_busy = self.desk.is_busy(&name);
            let kind = match occasion {
                Occasion::Tick if items.is_empty() || is_busy => continue,
                Occasion::Started => Kind::Start,
                _ if self.is_wrong(&name, observed) => Kind::Fail,
                _ => Kind::Success,
            };
            if is_ready {
                let items = if kind == Kind::Start || is_busy { Vec::new() } else { items };
                let message = self.voice.ping(kind, now);
                self.desk.send(&name, &channel, Outgoing { message, items, letter: None });
            }
        }
    }

    /// Whether anything is wrong that this channel hears of.
    fn is_wrong(&self, channel: &str, observed: &Observed) -> bool {
        let hears = |rule: &&Notify| rule.to.iter().any(|to| to == channel);
        let events: Vec<_> = self.rules.iter().filter(hears).flat_map(|rule| &rule.on).collect();
        observed
            .iter()
            .any(|(key, state)| matches!(state, State::Raised(_)) && events.contains(&&key.event))
    }

    fn letters(&mut self, book: &mut Book, jobs: &[JobStatus], now: Timestamp) {
        let Some(month) = letter::month(&self.voice, now) else { return };
        let ill = |(name, health): (&String, &decide::Health)| {
            (health.failures_count > 0).then(|| name.clone())
        };
        let quiet: Vec<String> = book.channels.iter().filter_map(ill).collect();
        for name in self.named() {
            let health = book.channels.entry(name.clone()).or_default();
            match &health.letter {
                // Whoever is new hears at the end of his first month.
                None => health.letter = Some(month.clone()),
                Some(last) if *last == month => {}
                Some(_) => {
                    let Some(channel) = self.free(&name, book, now) else { continue };
                    if matches!(channel, Channel::Ping { .. }) {
                        continue;
                    }
                    let text = letter::letter(&self.voice, jobs, &quiet, now);
                    let message = self.voice.letter(now, text);
                    let letter = Some(month.clone());
                    let items = Vec::new();
                    self.desk.send(&name, &channel, Outgoing { message, items, letter });
                }
            }
        }
    }
}

/// The words for a configuration's office.
#[must_use]
pub fn voice(config: &Config, host: String) -> Voice {
    let zone = local::zone(&config.time_zone).unwrap_or(TimeZone::UTC);
    Voice { language: config.language, zone, host }
}

/// Notes an answer.
fn take(book: &mut Book, sent: Sent, now: Timestamp) -> Option<Trouble> {
    let Sent { channel, outgoing, failure } = sent;
    let Some(failure) = failure else {
        book.arrived(&channel, &outgoing.items, now);
        if let Some(month) = outgoing.letter {
            book.channels.entry(channel).or_default().letter = Some(month);
        }
        return None;
    };
    tracing::warn!(%channel, %failure, "a message did not arrive");
    book.failed(&channel, failure.clone(), now);
    Some(Trouble { channel, failure })
}

/// A test message for a channel.
#[must_use]
pub fn test_message(voice: &Voice, channel: &str, now: Timestamp) -> Message {
    voice.test(channel, now)
}
