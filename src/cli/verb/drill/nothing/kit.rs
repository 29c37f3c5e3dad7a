//! The recovery kit of a drill from nothing: its files are checked, its program holds the drill.

use std::path::Path;

use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::nothing as texts;
use crate::cli::verb::continuity::kit::Kit;
use crate::cli::verb::continuity::kit::PROGRAM;
use crate::cli::verb::continuity::kit::check;
use crate::cli::verb::continuity::ledgers;
use crate::cli::verb::drill::ledger;
use crate::drill::check::Found;
use crate::drill::engine;
use crate::drill::record;
use crate::drill::verdict::FailureCode;
use crate::path::escape;
use crate::units::Timestamp;

const DAY_MS: i64 = 86_400_000;

/// A kit as it was found.
pub struct Used {
    pub kit: Kit,
    pub is_whole: bool,
}

/// Looks at a kit. Where it is whole and another program runs, that of the kit takes over: this
/// call does not come back then.
///
/// # Errors
/// When it has no list (20), or its program cannot be started (1).
pub fn begin(context: &Context, folder: &Path) -> Result<Used, Failure> {
    let kit = check::examined(folder)?;
    let is_whole = kit.bad.is_empty();
    if is_whole && !kit.is_this_program {
        let program = folder.join(PROGRAM);
        let path = escape(program.as_os_str().as_encoded_bytes());
        context.output.note(texts::HANDS_OVER.with("path", path.as_str()));
        let message = texts::NOT_STARTED.with("path", path);
        let message = message.with("detail", Said::heard(hand_over(&program)));
        return Err(Failure::new(Exit::Failed, message, texts::START_IT));
    }
    Ok(Used { kit, is_whole })
}

/// Becomes the kit's program, with the same words. What it gives back is why it did not.
#[cfg(unix)]
fn hand_over(program: &Path) -> std::io::Error {
    let mut command = std::process::Command::new(program);
    command.args(std::env::args_os().skip(1));
    std::os::unix::process::CommandExt::exec(&mut command)
}

#[cfg(not(unix))]
fn hand_over(_program: &Path) -> std::io::Error {
    std::io::ErrorKind::Unsupported.into()
}

impl Used {
    /// What the drill says of it before anything is restored.
    #[must_use]
    pub fn found(&self) -> Found {
        let bad = self.kit.bad.len();
        Found::equal(FailureCode::F7, 0, bad).with("files of the kit that are not as listed")
    }

    /// What the record says of it: when the ledger got its list, and how long ago that is.
    ///
    /// # Errors
    /// When the ledger cannot be read or does not verify.
    pub fn recorded(
        &self,
        context: &Context,
        keys: &Keys,
        offset_s: i32,
    ) -> Result<record::Kit, Failure> {
        let ledger = ledger::founded(context, keys.ledger(), &keys.unlocked)?;
        let own = |kit: &&ledgers::ListedKit| kit.sums.as_ref() == Some(&self.kit.sums_sha256);
        let kits = ledgers::kits(&ledger)?;
        let signed = kits.iter().find(own).map(|kit| kit.at);
        let now = context.run.clock.now();
        let age = |at: Timestamp| u64::try_from(now.ms_since(at) / DAY_MS).unwrap_or(0);
        Ok(record::Kit {
            signed_at: signed.map(|at| engine::told(at, offset_s)),
            age_days: signed.map(age),
            ..self.unsigned()
        })
    }

    /// The same without a ledger at hand.
    #[must_use]
    pub fn unsigned(&self) -> record::Kit {
        record::Kit {
            sums_sha256: self.kit.sums_sha256.clone(),
            program_sha256: self.kit.program_sha256.clone().unwrap_or_default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            signed_at: None,
            age_days: None,
        }
    }
}
