//! `run`, `cancel`, `pause`, `resume`: what the daemon is told to do.

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::daemon as common;
use crate::cli::language::table::daemon::service as texts;
use crate::cli::verb::daemon::runs::outcome;
use crate::cli::verb::daemon::runs::took;
use crate::daemon::control;
use crate::daemon::control::Answer;
use crate::daemon::control::Question;
use crate::daemon::hold;
use crate::daemon::status::RunReport;
use crate::path::escape;

/// Let the daemon run a job now, and wait until it has ended.
///
/// Exit codes: 0 it went well; 3 with problems; 1 it failed, or no daemon answers.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Such as `backup:files`, `files` or `prune:main`.
    #[arg(value_name = "JOB")]
    pub job: String,
    /// Do not wait.
    #[arg(long)]
    pub detach: bool,
}

/// Stop a job that is at work or waits; what was sent is used again.
#[derive(Debug, Args)]
pub struct CancelArgs {
    /// Such as `backup:files`, `files` or `prune:main`.
    #[arg(value_name = "JOB")]
    pub job: String,
}

/// Let the daemon start nothing by itself until `resume`, or until it is started anew; what is at
/// work goes on.
#[derive(Debug, Args)]
pub struct PauseArgs {}

/// Let the daemon start jobs again.
#[derive(Debug, Args)]
pub struct ResumeArgs {}

/// What was asked for, for programs.
#[derive(Serialize)]
struct Asked<'a> {
    job: &'a str,
}

pub fn run(context: &Context, args: RunArgs) -> Result<Ended, Failure> {
    let job = args.job.clone();
    if args.detach {
        ask(context, &Question::Queue { job }, &args.job)?;
        let name = escape(args.job.as_bytes());
        context
            .output
            .report("queued", &Asked { job: &args.job }, || texts::QUEUED.with("name", name))?;
        return Ok(Ended::done());
    }
    match ask(context, &Question::Run { job }, &args.job)? {
        Answer::Ran { run } => {
            context.output.report("run", &run, || ended(context, &run))?;
            let exit = match run.outcome.as_deref() {
                Some("done") => Exit::Done,
                Some("problems") => Exit::Problems,
                _ => Exit::Failed,
            };
            Ok(Ended { exit, ..Ended::done() })
        }
        _ => Ok(Ended::done()),
    }
}

fn ended(context: &Context, run: &RunReport) -> Said {
    let language = context.output.language();
    let code = run.exit_code.unwrap_or_default().to_string();
    texts::ENDED
        .with("name", run.job.as_str())
        .with("outcome", outcome(run.outcome.as_deref(), language))
        .with("code", code)
        .with("took", took(run.duration_ms.unwrap_or(0)))
}

pub fn cancel(context: &Context, args: CancelArgs) -> Result<Ended, Failure> {
    done(context, &Question::Cancel { job: args.job.clone() }, &args.job)
}

pub fn pause(context: &Context, _args: &PauseArgs) -> Result<Ended, Failure> {
    done(context, &Question::Pause, "")
}

pub fn resume(context: &Context, _args: &ResumeArgs) -> Result<Ended, Failure> {
    done(context, &Question::Resume, "")
}

fn done(context: &Context, question: &Question, name: &str) -> Result<Ended, Failure> {
    ask(context, question, name)?;
    context.output.report("done", &Asked { job: name }, || texts::DONE)?;
    Ok(Ended::done())
}

/// Asks, and turns a refusal into a failure.
fn ask(context: &Context, question: &Question, name: &str) -> Result<Answer, Failure> {
    let loaded = context.configuration()?;
    let path = hold::socket(&loaded.config()?.state_dir);
    let name = escape(name.as_bytes());
    match control::ask(&path, question) {
        Err(error) => {
            let message = texts::NO_ANSWER.with("path", super::shown(&path));
            let message = message.with("detail", Said::heard(error));
            Err(Failure::new(Exit::Failed, message, texts::START_IT))
        }
        Ok(Answer::NoJob { jobs }) => {
            let all = jobs.iter().map(Said::plain).collect();
            let message = common::NO_JOB.with("name", name).with("jobs", Said::list(all));
            Err(Failure::usage(message, common::NAME_JOB))
        }
        Ok(Answer::Idle) => {
            let message = texts::IDLE.with("name", name);
            Err(Failure::new(Exit::Failed, message, texts::SEE_STATUS))
        }
        Ok(Answer::Failed { message }) => {
            let message = texts::REFUSED.with("detail", Said::heard(message));
            Err(Failure::new(Exit::Failed, message, texts::SEE_STATUS))
        }
        Ok(answer) => Ok(answer),
    }
}
