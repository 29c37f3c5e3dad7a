//! A program of the office that tells what a source holds.

use std::collections::BTreeMap;

use crate::capsule::CapsuleError;
use crate::capsule::told;
use crate::run::Run;
use crate::source::database::tool;
use crate::source::stream::command::Program;

/// Starts it and reads the values that it tells.
///
/// # Errors
/// When it does not end well, or tells something else.
pub fn read(run: &Run, program: &Program) -> Result<BTreeMap<String, String>, CapsuleError> {
    let printed = tool::printed(run, program.clone()).map_err(|error| CapsuleError::Read {
        what: "what the program tells".to_owned(),
        detail: error.to_string(),
    })?;
    told::parse(&printed)
}
