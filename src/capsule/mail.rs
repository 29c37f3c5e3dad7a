//! The truth of mail: how many messages and which, without a word of them.

use std::collections::BTreeMap;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;

use mail_parser::HeaderName;
use mail_parser::Message;
use mail_parser::MessageParser;
use mail_parser::MimeHeaders;
use serde::Deserialize;
use serde::Serialize;

/// How a file of messages begins, and each message in it.
pub const BEGIN: &[u8] = b"From ";
/// What is read of one message; attachments behind it are not counted.
const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// A clock that is ahead by less is none that lies.
const AHEAD_S_MAX: i64 = 24 * 3600;
/// What a message has at least one of.
const USUAL: [HeaderName<'static>; 4] =
    [HeaderName::From, HeaderName::Date, HeaderName::MessageId, HeaderName::Subject];

/// Stores by the hash of their path.
pub type MailTruth = BTreeMap<String, Store>;

/// A file of messages, or a folder with one in each file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    pub messages: u64,
    /// Without any of the lines that every message has.
    pub unparsable: u64,
    pub attachments: u64,
    /// Newest time that a message says it is of, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub newest_s: Option<i64>,
    /// Sum modulo 2^128 of the hashes of all names of messages; 32 hex digits.
    pub ids_digest: String,
    /// Hash of the last message of a file; empty for a folder, which has no last one.
    pub last: String,
    /// Messages of many parts whose last part does not end.
    pub torn: u64,
}

/// Reads messages.
#[derive(Debug)]
pub struct Counter {
    now_s: i64,
    stores: BTreeMap<String, (Store, u128)>,
}

/// The first half of a hash.
fn half(bytes: &[u8]) -> u128 {
    let hash = blake3::hash(bytes);
    let mut half = [0; 16];
    half.copy_from_slice(hash.as_bytes().split_at(16).0);
    u128::from_le_bytes(half)
}

/// As which a store is counted.
#[must_use]
pub fn key(path: &[u8]) -> String {
    format!("{:032x}", half(path)).chars().take(16).collect()
}

impl Counter {
    /// Messages that say they are of a day behind `now_s` are not believed.
    #[must_use]
    pub const fn new(now_s: i64) -> Self {
        Self { now_s, stores: BTreeMap::new() }
    }

    /// A file of messages.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub fn mailbox(&mut self, key: &str, content: impl Read) -> io::Result<()> {
        // One without a message is one all the same.
        self.stores.entry(key.to_owned()).or_default();
        let mut last = None;
        each_message(content, |message| {
            self.count(key, message);
            last = Some(half(message));
        })?;
        if let (Some(last), Some((store, _))) = (last, self.stores.get_mut(key)) {
            store.last = format!("{last:032x}");
        }
        Ok(())
    }

    /// One message in a file of its own.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub fn message(&mut self, key: &str, content: impl Read) -> io::Result<()> {
        let mut message = Vec::new();
        content.take(MESSAGE_BYTES_MAX as u64).read_to_end(&mut message)?;
        self.count(key, &message);
        Ok(())
    }

    fn count(&mut self, key: &str, raw: &[u8]) {
        let (store, sum) = self.stores.entry(key.to_owned()).or_default();
        store.messages += 1;
        let parsed = MessageParser::default().parse(raw);
        let is_message =
            |it: &Message<'_>| USUAL.iter().any(|name| it.header(name.clone()).is_some());
        let Some(message) = parsed.filter(is_message) else {
            store.unparsable += 1;
            *sum = sum.wrapping_add(half(raw));
            return;
        };
        store.attachments += message.attachment_count() as u64;
        let named = message.message_id().map_or_else(|| half(raw), |id| half(id.as_bytes()));
        *sum = sum.wrapping_add(named);
        let said = message.date().filter(|date| date.is_valid()).map(|it| it.to_timestamp());
        let said = said.filter(|said| *said <= self.now_s.saturating_add(AHEAD_S_MAX));
        store.newest_s = store.newest_s.max(said);
        store.torn += u64::from(is_torn(&message, raw));
    }

    #[must_use]
    pub fn finish(self) -> MailTruth {
        let told = |(key, (mut store, sum)): (String, (Store, u128))| {
            store.ids_digest = format!("{sum:032x}");
            (key, store)
        };
        self.stores.into_iter().map(told).collect()
    }
}

/// Whether a message of many parts lacks the line that ends them.
fn is_torn(message: &Message<'_>, raw: &[u8]) -> bool {
    let kind = message.content_type().filter(|kind| kind.ctype().eq_ignore_ascii_case("multipart"));
    let Some(boundary) = kind.and_then(|kind| kind.attribute("boundary")) else { return false };
    let end = format!("--{boundary}--");
    raw.len() < MESSAGE_BYTES_MAX && !raw.windows(end.len()).any(|part| part == end.as_bytes())
}

/// Takes a file of messages apart; of a message that is longer the first part is given.
fn each_message(content: impl Read, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut reader = BufReader::new(content);
    let (mut message, mut line): (Option<Vec<u8>>, _) = (None, Vec::new());
    let mut is_start = true;
    loop {
        line.clear();
        if reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if is_start && line.starts_with(BEGIN) {
            if let Some(message) = message.replace(Vec::new()) {
                each(&message);
            }
        } else if let Some(message) = &mut message {
            let left = MESSAGE_BYTES_MAX.saturating_sub(message.len());
            message.extend(line.iter().take(left));
        }
        is_start = line.ends_with(b"\n");
    }
    if let Some(message) = message {
        each(&message);
    }
    Ok(())
}

/// Newest time of all stores.
#[must_use]
pub fn newest_s(truth: &MailTruth) -> Option<i64> {
    truth.values().filter_map(|store| store.newest_s).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    fn message(number: u32, more: &str) -> String {
        format!(
            "From a@b Thu Nov 26 10:00:00 2026\nFrom: a@b\nMessage-ID: <{number}@b>\n\
             Date: Thu, 26 Nov 2026 10:00:{number:02} +0700\n{more}\ntext\n>From x\n\n"
        )
    }

    fn counted(text: &str) -> Store {
        let mut counter = Counter::new(NOW_S);
        counter.mailbox("x", text.as_bytes()).unwrap();
        counter.finish().remove("x").unwrap()
    }

    #[test]
    fn messages_are_counted_and_known_by_their_names() {
        let all = message(1, "") + &message(2, "") + &message(3, "");
        let whole = counted(&all);
        assert_eq!((whole.messages, whole.unparsable, whole.torn), (3, 0, 0));
        assert_eq!(whole.newest_s, Some(1_795_662_003));
        let other = counted(&(message(2, "") + &message(3, "") + &message(1, "")));
        assert_eq!(other.ids_digest, whole.ids_digest);
        assert_ne!(other.last, whole.last);
        let cut = counted(&all[..all.len() / 2]);
        assert_eq!(cut.messages, 2);
        assert_ne!((cut.ids_digest, cut.last), (whole.ids_digest, whole.last));
        assert_eq!(counted("").messages, 0);
    }

    #[test]
    fn a_folder_of_messages_holds_the_same_as_a_file_of_them() {
        let mut counter = Counter::new(NOW_S);
        for number in [1, 2] {
            let text = message(number, "");
            let text = text.split_once('\n').unwrap().1;
            counter.message("x", text.as_bytes()).unwrap();
        }
        let folder = counter.finish().remove("x").unwrap();
        let file = counted(&(message(1, "") + &message(2, "")));
        assert_eq!((folder.messages, folder.ids_digest), (file.messages, file.ids_digest));
    }

    #[test]
    fn what_is_no_message_or_does_not_end_is_counted_apart() {
        let parts = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"q\"\n\n--q\n\
                     Content-Type: text/plain\n\nx\n--q\nContent-Type: application/pdf\n\
                     Content-Disposition: attachment; filename=a.pdf\n\n%PDF\n";
        let whole = counted(&message(1, &format!("{parts}--q--\n")));
        assert_eq!((whole.attachments, whole.torn), (1, 0));
        assert_eq!(counted(&message(1, parts)).torn, 1);
        let none = counted("From nobody\nthese are no lines of a header\n\n\u{1}\u{2}\n");
        assert_eq!((none.messages, none.unparsable), (1, 1));
        let late = message(1, "").replace("2026 10", "2036 10");
        assert_eq!(counted(&late).newest_s, None);
        // A line without an end, and one that is longer than is read at once.
        assert_eq!(counted(&format!("From x\n{}", "y".repeat(200_000))).messages, 1);
    }
}
