//! Restored mail against the readings round its backup.

use crate::capsule::Between;
use crate::capsule::compare::Compared;
use crate::capsule::compare::three::Three;
use crate::capsule::compare::three::counted;
use crate::capsule::compare::three::named;
use crate::capsule::compare::three::permille;
use crate::capsule::mail::MailTruth;
use crate::capsule::mail::Store;

fn stores<'a>(expected: &'a Between<MailTruth>, found: &'a MailTruth) -> Vec<Three<'a, Store>> {
    let mut all = named([&expected.before, &expected.after, found].map(Some));
    // A store that nobody knew says nothing against those that were known.
    all.retain(|one| one.before.is_some() || one.after.is_some());
    all
}

/// How many, which, and with what.
#[must_use]
pub fn compare(expected: &Between<MailTruth>, found: &MailTruth) -> Vec<Compared> {
    let stores = stores(expected, found);
    let others = stores.iter().filter(|one| !one.agrees(|it| it.ids_digest.clone())).count();
    vec![
        counted("messages", &stores, &|one| vec![one.messages]),
        counted("attachments", &stores, &|one| vec![one.attachments]),
        Compared::equal("message_ids", 0, others),
    ]
}

/// Messages that no parser makes anything of: those that were so at the source are no fault.
#[must_use]
pub fn unparsable(expected: &Between<MailTruth>, found: &MailTruth) -> Compared {
    counted("open", &stores(expected, found), &|one| vec![one.unparsable])
}

/// Files of messages whose last one is none that was the last, or has become torn.
#[must_use]
pub fn last_message(expected: &Between<MailTruth>, found: &MailTruth) -> Compared {
    let is_bad =
        |one: &&Three<'_, Store>| !one.agrees(|it| it.last.clone()) || !one.holds(|it| it.torn);
    Compared::equal("last_message", 0, stores(expected, found).iter().filter(is_bad).count())
}

/// The widest difference of two readings, in thousandths of the larger one.
#[must_use]
pub fn width_permille(expected: &Between<MailTruth>) -> u64 {
    let sum = |truth: &MailTruth| truth.values().map(|store| store.messages).sum();
    permille(sum(&expected.before), sum(&expected.after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(messages: u64, unparsable: u64, last: &str) -> MailTruth {
        let (last, ids_digest) = (last.to_owned(), messages.to_string());
        let store = Store { messages, unparsable, last, ids_digest, ..Store::default() };
        [("x".to_owned(), store)].into()
    }

    fn failing(expected: &Between<MailTruth>, found: &MailTruth) -> Vec<&'static str> {
        let more = [unparsable(expected, found), last_message(expected, found)];
        let all = compare(expected, found).into_iter().chain(more);
        all.filter(|it| !it.agrees).map(|it| it.what).collect()
    }

    #[test]
    fn a_box_at_rest_is_known_and_one_in_use_lies_between() {
        let still = Between { before: truth(9, 1, "a"), after: truth(9, 1, "a") };
        assert_eq!(failing(&still, &truth(9, 1, "a")), [""; 0]);
        assert_eq!(failing(&still, &truth(5, 1, "b")), ["messages", "message_ids", "last_message"]);
        assert_eq!(failing(&still, &truth(9, 2, "a")), ["open"]);
        let none = MailTruth::new();
        assert_eq!(failing(&still, &none), ["messages", "message_ids", "open", "last_message"]);
        let mut more = truth(9, 1, "a");
        more.insert("another".to_owned(), Store { messages: 7, ..Store::default() });
        assert_eq!(failing(&still, &more), [""; 0]);
        let moving = Between { before: truth(9, 0, "a"), after: truth(11, 0, "c") };
        assert_eq!(failing(&moving, &truth(10, 0, "b")), [""; 0]);
        assert_eq!(failing(&moving, &truth(12, 0, "b")), ["messages"]);
        assert_eq!(width_permille(&moving), 181);
    }
}
