//! `completion`: completions for a shell.

use clap::Args;
use clap::CommandFactory;
use clap_complete::Shell;
use serde::Serialize;

use crate::cli::args::Cli;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;

/// Print completions for a shell.
///
/// For bash: `lifeboat completion bash > ~/.local/share/bash-completion/completions/lifeboat`.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    pub shell: Shell,
}

#[derive(Serialize)]
struct Completion {
    shell: String,
    script: String,
}

pub fn run(context: &Context, args: &CompletionArgs) -> Result<Ended, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lifeboat", &mut script);
    if context.output.is_json() {
        let shell = args.shell.to_string();
        let script = String::from_utf8_lossy(&script).into_owned();
        context.output.json("result", Some("completion"), &Completion { shell, script })?;
        return Ok(Ended::done());
    }
    context.output.raw(&script)?;
    Ok(Ended::done())
}
