//! What tells from inside how old content is: canaries, messages, and what the office asks.

use std::path::PathBuf;

use crate::capsule::mail;
use crate::capsule::mail::MailTruth;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::check::canary;
use crate::drill::check::canary::Allowed;
use crate::drill::check::custom;
use crate::drill::item::Work;
use crate::drill::plan::Probe;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;

/// What a drill of the newest snapshot is of.
pub(super) const NEWEST: &str = "newest";

impl Work<'_> {
    /// Files that were placed at the source.
    pub(super) fn canaries(&mut self) {
        let Some(folder) = &self.planned.more.canary else { return };
        let path = folder.to_slashed();
        let path = self.folder.join(PathBuf::from(String::from_utf8_lossy(&path).into_owned()));
        if self.sample.is_some() {
            return self.no_canary("a sample is no whole to look for what is not there");
        }
        let known = self.truth.as_ref().map(|capsule| capsule.canaries.clone());
        let Some(Some(canaries)) = known else {
            return self.no_canary("none was known at the source when this was backed up");
        };
        let allowed = Allowed { loss_s: self.judged_at_s(), age_max_s: self.age_max_s() };
        let said = canary::check(&mut self.checks, (&canaries, &path), allowed);
        self.has_attack_signs |= said.is_altered;
        self.inside_s = self.inside_s.max(said.newest_s);
    }

    fn no_canary(&mut self, why: &str) {
        let found = Found::skipped(FailureCode::F8, why);
        self.checks.note((Level::L3, "canary.static"), Weight::Minor, found);
    }

    pub(super) fn newest_mail(&mut self, found: &MailTruth) {
        self.inside_s = self.inside_s.max(mail::newest_s(found));
    }

    /// How old content may be: what is judged is the newest snapshot.
    fn age_max_s(&self) -> Option<u64> {
        self.planned.targets.rpo_s.filter(|_| self.planned.stratum == NEWEST)
    }

    /// When the loss is taken to have happened; an older snapshot is as old as it is.
    fn judged_at_s(&self) -> i64 {
        let newest = self.bench.loss_time.unix_ms;
        let own = self.planned.snapshot.time.unix_ms;
        let at = if self.planned.stratum == NEWEST { newest } else { own };
        at.div_euclid(1000)
    }

    /// The newest content against what may be lost.
    pub(super) fn newest(&mut self, probe: &Probe, age_max_s: Option<u64>) -> Found {
        let (run, servers) = (self.bench.run, self.bench.servers);
        let tools = custom::Tools { run, servers, database: self.database.as_deref() };
        let newest_s = match custom::newest(probe, (self.folder, self.inside_s), &tools) {
            Ok(newest_s) => newest_s,
            Err(found) => return found,
        };
        self.content_s = self.content_s.max(Some(newest_s));
        let age_s = self.age_s(newest_s);
        let Some(limit_s) = age_max_s.or(self.planned.targets.rpo_s) else {
            let why = "neither `age_max` nor the plan says how old content may be";
            return Found::skipped(FailureCode::F8, why);
        };
        let point_s = self.age_s(self.planned.snapshot.time.unix_ms.div_euclid(1000));
        Found {
            result: if age_s <= limit_s { Outcome::Pass } else { Outcome::Fail },
            code: FailureCode::F5,
            expected: Some(format!("at most {limit_s} s old")),
            actual: Some(format!("{age_s} s old")),
            detail: Some(format!("the snapshot itself is {point_s} s old")),
        }
    }

    fn age_s(&self, at_s: i64) -> u64 {
        u64::try_from(self.judged_at_s().saturating_sub(at_s)).unwrap_or(0)
    }

    /// How old the newest content is, as far as anything told.
    pub(super) fn content_age_s(&self) -> Option<u64> {
        self.content_s.or(self.inside_s).map(|at| self.age_s(at))
    }
}
