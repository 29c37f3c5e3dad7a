//! Sends away from whoever has something to tell: one message of a channel at a time.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;

use crate::config::tell::Channel;
use crate::notify::decide::Item;
use crate::notify::message::Message;
use crate::notify::send::Way;
use crate::notify::send::send;

/// Most messages that wait behind one that is on its way; older ones give way.
const WAITING_MAX: usize = 8;

/// A message with what has to be noted when it has arrived.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) message: Message,
    pub(super) items: Vec<Item>,
    /// The month of a letter.
    pub(super) letter: Option<String>,
}

/// What became of one.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) channel: String,
    pub(super) outgoing: Outgoing,
    pub(super) failure: Option<String>,
}

#[derive(Debug)]
pub(super) struct Desk {
    way: Way,
    to: Sender<Sent>,
    from: Receiver<Sent>,
    /// Channels with a message on its way, and what waits behind it.
    busy: BTreeMap<String, (Channel, VecDeque<Outgoing>)>,
    wake: Wake,
}

/// Called, from a thread of its own, when an answer has come.
#[derive(Clone)]
pub struct Wake(pub Arc<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for Wake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wake")
    }
}

impl Desk {
    pub(super) fn new(way: Way, wake: Wake) -> Self {
        let (to, from) = crossbeam_channel::unbounded();
        Self { way, to, from, busy: BTreeMap::new(), wake }
    }

    pub(super) fn is_busy(&self, channel: &str) -> bool {
        self.busy.contains_key(channel)
    }

    /// Hands over; it never waits.
    pub(super) fn send(&mut self, name: &str, channel: &Channel, outgoing: Outgoing) {
        if let Some((_, waiting)) = self.busy.get_mut(name) {
            waiting.push_back(outgoing);
            if waiting.len() > WAITING_MAX {
                waiting.pop_front();
            }
            return;
        }
        self.busy.insert(name.to_owned(), (channel.clone(), VecDeque::new()));
        let (to, way, wake) = (self.to.clone(), self.way.clone(), self.wake.clone());
        let (name, channel) = (name.to_owned(), channel.clone());
        let lost = Sent {
            channel: name.clone(),
            outgoing: outgoing.clone(),
            failure: Some("no thread to send it".to_owned()),
        };
        let work = move || {
            let answer = send(&channel, &outgoing.message, &way);
            let failure = answer.err().map(|error| error.to_string());
            // Nobody listens any more when the program ends.
            let _unheard = to.send(Sent { channel: name, outgoing, failure });
            (wake.0)();
        };
        if std::thread::Builder::new().name("notify".to_owned()).spawn(work).is_err() {
            let _ours = self.to.send(lost);
        }
    }

    /// What has come back so far; what waited behind it goes on its way.
    pub(super) fn answers(&mut self) -> Vec<Sent> {
        let answers: Vec<Sent> = self.from.try_iter().collect();
        self.go_on(&answers);
        answers
    }

    /// Waits for one answer.
    pub(super) fn wait(&mut self, limit: Duration) -> Option<Sent> {
        if self.busy.is_empty() {
            return None;
        }
        let answer = self.from.recv_timeout(limit).ok()?;
        self.go_on(std::slice::from_ref(&answer));
        Some(answer)
    }

    fn go_on(&mut self, answers: &[Sent]) {
        for sent in answers {
            let Some((channel, mut waiting)) = self.busy.remove(&sent.channel) else { continue };
            while let Some(outgoing) = waiting.pop_front() {
                self.send(&sent.channel, &channel, outgoing);
            }
        }
    }
}
