//! The auditor's program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    lifeboat::cli::start::verifier::main().into()
}
