//! What the errors of the ledger mean for the user.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::common::REPORT_IT;
use crate::cli::language::table::common::RUN_SAME_AGAIN;
use crate::cli::language::table::drill as texts;
use crate::crypto::sealed::slot::SlotError;
use crate::evidence::error::EvidenceError;
use crate::evidence::personal::PersonalError;

impl From<EvidenceError> for Failure {
    fn from(error: EvidenceError) -> Self {
        let (exit, text, next) = match error {
            EvidenceError::Stopped(why) => return why.into(),
            EvidenceError::Storage(error) => return error.into(),
            EvidenceError::Broken { .. }
            | EvidenceError::DocumentLost { .. }
            | EvidenceError::DoesNotOpen { .. }
            | EvidenceError::BoxDoesNotOpen { .. }
            | EvidenceError::Format { .. }
            | EvidenceError::WrittenOtherwise { .. } => {
                (Exit::Evidence, texts::NOT_VERIFIED, texts::INSPECT)
            }
            EvidenceError::CheckpointDamaged { .. } => {
                (Exit::Evidence, texts::NOT_VERIFIED, texts::MEND)
            }
            EvidenceError::NotARecipient { .. } => {
                (Exit::WrongKey, texts::NOT_OPENED, texts::TAKE_THE_KEY)
            }
            EvidenceError::NotFounded => {
                return Self::new(Exit::Failed, texts::NO_LEDGER, texts::HOLD_A_DRILL);
            }
            EvidenceError::OtherLedger { .. }
            | EvidenceError::Key { .. }
            | EvidenceError::NotASigner { .. }
            | EvidenceError::Step { .. } => {
                (Exit::Refused, texts::NOT_ALLOWED, texts::TAKE_ANOTHER_KEY)
            }
            EvidenceError::ClockWentBack { .. } => {
                (Exit::Refused, texts::NOT_ALLOWED, texts::SET_THE_CLOCK)
            }
            EvidenceError::Contended { .. } => (Exit::Busy, texts::BUSY, RUN_SAME_AGAIN),
            EvidenceError::Name(_)
            | EvidenceError::Canonical(_)
            | EvidenceError::Entry(_)
            | EvidenceError::Schema { .. }
            | EvidenceError::FieldTaken { .. }
            | EvidenceError::NotText
            | EvidenceError::NoRandom
            | EvidenceError::DoesNotSeal(_) => (Exit::Failed, texts::NOT_ADDED, REPORT_IT),
        };
        let message = text.with("detail", Said::heard(error));
        Self::new(exit, message, next).meaning(texts::NOTHING_ADDED)
    }
}

impl From<PersonalError> for Failure {
    fn from(error: PersonalError) -> Self {
        let exit = match &error {
            PersonalError::Slot(SlotError::WrongSecret) => Exit::WrongKey,
            PersonalError::Slot(_) => Exit::Failed,
            _ => Exit::Usage,
        };
        let message = texts::NO_PERSONAL_KEY.with("detail", Said::heard(error));
        Self::new(exit, message, texts::NAME_A_KEY)
    }
}
