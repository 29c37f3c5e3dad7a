//! A command of the office: the message as JSON on its standard input.

use std::io::Write as _;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::time::Duration;

use crate::notify::message::Message;
use crate::notify::send::SendError;
use crate::notify::send::Way;

/// How often a command is looked at: the system tells its end to nobody who also has a time limit.
const LOOK: Duration = Duration::from_millis(20);

pub(super) fn run(argv: &[String], message: &Message, way: &Way) -> Result<String, SendError> {
    let (program, rest) = argv.split_first().ok_or(SendError::Address)?;
    let body = serde_json::to_vec(message).map_err(|e| SendError::Message(e.to_string()))?;
    let mut command = Command::new(program);
    command.args(rest).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    for name in &way.hidden {
        command.env_remove(name);
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let failed = |error: std::io::Error| SendError::Command(error.to_string());
    let mut child = command.spawn().map_err(failed)?;
    let input = child.stdin.take();
    // One that does not read ends with its time, and the pipe with it.
    let writer = std::thread::Builder::new().name("notify-command".to_owned()).spawn(move || {
        // Whoever does not want to know the whole message need not read it.
        input.map(|mut input| input.write_all(&body))
    });
    let ended = wait(&mut child, way);
    if writer.is_err() {
        return Err(SendError::Command("no thread to feed it".to_owned()));
    }
    match ended.map_err(failed)? {
        None => Err(SendError::Late),
        Some(status) if status.success() => Ok("exit code 0".to_owned()),
        Some(status) => Err(SendError::Command(status.to_string())),
    }
}

/// Its end; none if its time was over first, and then it is gone with all that it started.
fn wait(child: &mut Child, way: &Way) -> std::io::Result<Option<ExitStatus>> {
    let start = way.clock.elapsed();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if way.clock.elapsed().saturating_sub(start) >= way.patience.command {
            end(child)?;
            child.wait()?;
            return Ok(None);
        }
        way.clock.wait(LOOK);
    }
}

#[cfg(unix)]
fn end(child: &mut Child) -> std::io::Result<()> {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    match group {
        Some(group) => {
            Ok(rustix::process::kill_process_group(group, rustix::process::Signal::KILL)?)
        }
        None => child.kill(),
    }
}

#[cfg(not(unix))]
fn end(child: &mut Child) -> std::io::Result<()> {
    child.kill()
}
