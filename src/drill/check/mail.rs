//! L4 and L6 of mail: every message opens that did at the source, and all of them are there.

use crate::capsule::Between;
use crate::capsule::compare::mail as compare;
use crate::capsule::mail::MailTruth;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::check::capsule;
use crate::drill::check::capsule::judged;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;

/// Restored mail; how far apart the two readings of its source lie, in thousandths.
pub fn check(checks: &mut Checks<'_>, expected: &Between<MailTruth>, found: &MailTruth) -> u64 {
    let open = judged(FailureCode::F1, &compare::unparsable(expected, found));
    let open = open.with("messages that no parser makes anything of, against the source");
    checks.note((Level::L4, "mail.open"), Weight::Mandatory, open);
    let last = judged(FailureCode::F2, &compare::last_message(expected, found));
    checks.note((Level::L4, "mail.last_message"), Weight::Mandatory, last);
    capsule::note(checks, compare::compare(expected, found));
    compare::width_permille(expected)
}

/// Without a truth: whether messages open.
pub fn alone(checks: &mut Checks<'_>, found: &MailTruth) {
    let torn: u64 = found.values().map(|store| store.torn).sum();
    let bad: u64 = found.values().map(|store| store.unparsable).sum();
    let detail = "nobody knows how they were at the source";
    let found = Found::equal(FailureCode::F1, 0, torn + bad).with(detail);
    checks.note((Level::L4, "mail.open"), Weight::Minor, found);
}
