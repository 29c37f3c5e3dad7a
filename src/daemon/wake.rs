//! What wakes the daemon: the time of day, and signals.

use std::io;
use std::os::fd::AsFd as _;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crossbeam_channel::Sender;
use rustix::time::Itimerspec;
use rustix::time::TimerfdClockId;
use rustix::time::TimerfdFlags;
use rustix::time::TimerfdTimerFlags;
use rustix::time::Timespec;
use rustix::time::timerfd_create;
use rustix::time::timerfd_settime;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use crate::daemon::serve::Event;
use crate::units::Timestamp;

/// Rings at a time of day, also after the machine slept through it, and when the clock is set.
pub(super) struct Alarm {
    timer: Arc<OwnedFd>,
}

impl Alarm {
    /// # Errors
    /// When the system has no timer or no thread.
    pub(super) fn start(events: &Sender<Event>) -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC)?;
        let alarm = Self { timer: Arc::new(timer) };
        let (timer, events) = (Arc::clone(&alarm.timer), events.clone());
        std::thread::Builder::new().name("alarm".to_owned()).spawn(move || {
            let mut rings = [0_u8; 8];
            loop {
                match rustix::io::read(timer.as_fd(), &mut rings) {
                    // The clock was set: what is due may have changed.
                    Ok(_) | Err(rustix::io::Errno::CANCELED) => {}
                    Err(rustix::io::Errno::INTR) => continue,
                    Err(_) => return,
                }
                if events.send(Event::Clock).is_err() {
                    return;
                }
            }
        })?;
        Ok(alarm)
    }

    /// `None`: only when the clock is set, or in a year.
    ///
    /// # Errors
    /// When the system refuses the time.
    pub(super) fn set(&self, at: Option<Timestamp>, now: Timestamp) -> io::Result<()> {
        const FAR_MS: i64 = 365 * 24 * 60 * 60 * 1000;
        let far = now.unix_ms.saturating_add(FAR_MS);
        let at = at.map_or(far, |at| at.unix_ms.min(far)).max(1);
        let value = Timespec { tv_sec: at / 1000, tv_nsec: (at % 1000) * 1_000_000 };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        match timerfd_settime(self.timer.as_fd(), flags, &once) {
            Ok(_) => Ok(()),
            // It was set all the same; the clock changed while it was.
            Err(rustix::io::Errno::CANCELED) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Sends signals as events, for as long as the process lives.
///
/// # Errors
/// When the system has no room for a handler, or no thread.
pub(super) fn signals(events: &Sender<Event>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let events = events.clone();
    let (ready, is_ready) = crossbeam_channel::bounded(1);
    std::thread::Builder::new().name("hangup".to_owned()).spawn(move || {
        runtime.block_on(async {
            let all = (|| {
                let of = |kind| signal(kind);
                io::Result::Ok((
                    of(SignalKind::hangup())?,
                    of(SignalKind::terminate())?,
                    of(SignalKind::interrupt())?,
                ))
            })();
            let (mut hangup, mut terminate, mut interrupt) = match all {
                Ok(all) => all,
                Err(error) => {
                    let _nobody_waits = ready.send(Err(error));
                    return;
                }
            };
            let _nobody_waits = ready.send(Ok(()));
            loop {
                let event = tokio::select! {
                    _ = hangup.recv() => Event::Reload,
                    _ = terminate.recv() => Event::Stop,
                    _ = interrupt.recv() => Event::Stop,
                };
                if events.send(event).is_err() {
                    return;
                }
            }
        });
    })?;
    is_ready.recv().unwrap_or(Ok(()))
}
