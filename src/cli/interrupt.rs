//! SIGINT and SIGTERM stop the run; a second SIGINT ends the process at once.

use std::ffi::OsStr;

use crate::cli::exit::Exit;
use crate::run::Cancel;
use crate::run::Stopped;

/// Listens on a thread of its own for as long as the process lives.
///
/// # Errors
/// When the system has no thread or no room for a handler.
pub fn listen(cancel: &Cancel) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let cancel = cancel.clone();
    let (ready, is_ready) = crossbeam_channel::bounded(1);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let ended = runtime.block_on(serve(&cancel, &ready));
        // If the handlers could not be set the waiting side learns it here.
        let _nobody_waits = ready.send(ended);
    })?;
    is_ready.recv().unwrap_or(Ok(()))
}

#[cfg(unix)]
async fn serve(
    cancel: &Cancel,
    ready: &crossbeam_channel::Sender<std::io::Result<()>>,
) -> std::io::Result<()> {
    use tokio::signal::unix::SignalKind;
    use tokio::signal::unix::signal;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let _nobody_waits = ready.send(Ok(()));
    loop {
        tokio::select! {
            _ = interrupt.recv() => interrupted(cancel),
            _ = terminate.recv() => cancel.stop(Stopped::Terminated),
        }
    }
}

#[cfg(not(unix))]
async fn serve(
    cancel: &Cancel,
    ready: &crossbeam_channel::Sender<std::io::Result<()>>,
) -> std::io::Result<()> {
    let _nobody_waits = ready.send(Ok(()));
    loop {
        tokio::signal::ctrl_c().await?;
        interrupted(cancel);
    }
}

fn interrupted(cancel: &Cancel) {
    if cancel.check().is_err() {
        end_at_once();
    }
    cancel.stop(Stopped::Interrupted);
}

/// Stops the run when the process of this number is gone.
#[cfg(target_os = "linux")]
pub fn end_with(parent: &OsStr, cancel: &Cancel) {
    use rustix::process::Signal;
    use rustix::process::getppid;
    use rustix::process::set_parent_process_death_signal;
    // Without it the run goes to its end, which harms nobody.
    let _goes_on = set_parent_process_death_signal(Some(Signal::INT));
    let now = getppid().map(|pid| pid.as_raw_nonzero().to_string());
    if now.as_deref().map(OsStr::new) != Some(parent) {
        cancel.stop(Stopped::Terminated);
    }
}

#[cfg(not(target_os = "linux"))]
pub fn end_with(_parent: &OsStr, _cancel: &Cancel) {}

#[expect(clippy::disallowed_methods, reason = "the user asks twice: nothing is waited for")]
fn end_at_once() -> ! {
    std::process::exit(i32::from(Exit::Interrupted.code()));
}
