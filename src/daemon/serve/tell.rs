//! Who is told of what has happened, and the numbers for those who ask.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;

use crate::catalogue::Catalogue;
use crate::catalogue::CatalogueError;
use crate::config::Config;
use crate::config::tell::Metrics;
use crate::daemon::serve::Daemon;
use crate::daemon::serve::Event;
use crate::daemon::serve::World;
use crate::daemon::serve::record::Record;
use crate::metrics::Snapshot;
use crate::metrics::listen::Listener;
use crate::notify::Occasion;
use crate::notify::Telling;
use crate::notify::alarm;
use crate::notify::desk::Wake;
use crate::units::Timestamp;

/// How long the last answers are waited for.
const FAREWELL: Duration = Duration::from_secs(5);

pub(super) struct Teller {
    telling: Telling,
    /// What has happened since the last message.
    occasions: Vec<Occasion>,
    metrics: Option<Metrics>,
    listener: Option<Listener>,
}

impl Teller {
    pub(super) fn new(world: &World<'_>, config: &Config, events: &Sender<Event>) -> Self {
        let events = events.clone();
        // If there is no room, something happens anyway.
        let wake = Wake(Arc::new(move || drop(events.try_send(Event::Clock))));
        let host = String::from_utf8_lossy(&world.machine).into_owned();
        let telling = Telling::new(config, host, world.way.clone(), wake);
        Self { telling, occasions: Vec::new(), metrics: None, listener: None }
    }

    pub(super) fn reload(&mut self, world: &World<'_>, config: &Config) {
        self.telling.reload(config);
        if self.metrics == config.metrics {
            return;
        }
        // The old address is free before the new one is taken.
        self.listener = None;
        self.metrics.clone_from(&config.metrics);
        let Some(metrics) = &self.metrics else { return };
        match Listener::start(metrics.listen, Arc::clone(&world.way.clock)) {
            Ok(listener) => self.listener = Some(listener),
            Err(error) => {
                tracing::error!(listen = %metrics.listen, %error, "nobody can ask for metrics");
            }
        }
    }

    pub(super) fn happened(&mut self, occasion: Occasion) {
        if !self.occasions.contains(&occasion) {
            self.occasions.push(occasion);
        }
    }

    /// When to tell again, if nothing happens before.
    pub(super) const fn next(&self) -> Option<Timestamp> {
        self.telling.next()
    }

    /// Tells what there is to be told, and shows the numbers, whatever the catalogue takes of it.
    ///
    /// # Errors
    /// When the catalogue cannot be read, or does not take it: the first of them.
    pub(super) fn tell(
        &mut self,
        record: &mut Record,
        waiting: usize,
        now: Timestamp,
    ) -> Result<(), CatalogueError> {
        self.telling.also(alarm::record_key(), alarm::of_record(record.fault()));
        if self.occasions.is_empty() {
            self.occasions.push(Occasion::Tick);
        }
        let mut told = Ok(());
        for occasion in std::mem::take(&mut self.occasions) {
            let jobs = record.rows();
            let now_told = self.telling.tell_of(&mut record.catalogue, &jobs, occasion, now);
            // The log has the channels that did not answer.
            told = told.and(now_told.map(|_troubles| ()));
        }
        let shown = self.show(record, waiting);
        told.and(shown)
    }

    /// Gives the numbers to those who ask for them.
    fn show(&self, record: &mut Record, waiting: usize) -> Result<(), CatalogueError> {
        let Some(listener) = &self.listener else { return Ok(()) };
        let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
        let late = u64::try_from(record.late_count()).unwrap_or(u64::MAX);
        let jobs = record.rows();
        listener.show(Snapshot::of(jobs, &record.catalogue)?.waiting(waiting, late));
        Ok(())
    }

    pub(super) fn finish(&mut self, catalogue: &mut Catalogue, now: Timestamp) {
        if let Err(error) = self.telling.finish(catalogue, FAREWELL, now) {
            tracing::error!(%error, "what was told cannot be put on record");
        }
    }
}

impl Daemon<'_> {
    /// Tells what there is to be told; when to call it again.
    pub(super) fn tell_all(&mut self, now: Timestamp) -> Option<Timestamp> {
        if let Err(error) = self.teller.tell(&mut self.record, self.queue.len(), now) {
            self.record.failed(&error, (now, self.world.clock.elapsed()));
        }
        self.teller.next()
    }
}
