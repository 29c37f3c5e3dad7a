//! The log: lines on standard error, with the levels of the journal where it reads them.

use std::fmt;

use tracing::Event;
use tracing::Level;
use tracing::Subscriber;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::FormatEvent;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format;
use tracing_subscriber::fmt::format::Format;
use tracing_subscriber::fmt::format::Full;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::registry::LookupSpan;

use crate::cli::environment::Environment;

/// What the daemon logs if nothing else is asked for.
pub const DAEMON: &str = "lifeboat=info";
/// Crates that never log, whatever is asked for: their lines have addresses, and some of those are
/// secrets.
const SILENCED: &str = "ureq=off,ureq_proto=off,rustls=off,lettre=off,reqsign_core=off,\
    reqsign_aws_core=off,reqsign_aws_v4=off";
/// The journal's own variable.
const JOURNAL: &str = "JOURNAL_STREAM";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// With time and level.
    Plain,
    /// The journal knows the time, and takes the level from the line's beginning.
    Journal,
}

impl Style {
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        environment.get(JOURNAL).map_or(Self::Plain, |_| Self::Journal)
    }
}

/// Starts it; a second call in one process keeps the first log.
pub fn start(filter: &str, style: Style) {
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false);
    let builder = builder.with_env_filter(format!("{filter},{SILENCED}"));
    let _first_stands = match style {
        Style::Plain => builder.try_init(),
        Style::Journal => builder.event_format(Prefixed(short())).try_init(),
    };
}

type Short = Format<Full, ()>;

fn short() -> Short {
    format().without_time().with_level(false).with_target(false).with_ansi(false)
}

/// `<6>` before each line, as `sd-daemon(3)` has it.
struct Prefixed(Short);

impl<S, N> FormatEvent<S, N> for Prefixed
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        };
        write!(writer, "<{level}>")?;
        self.0.format_event(context, writer, event)
    }
}
