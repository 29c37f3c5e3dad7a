//! The log: lines on standard error, with the levels of the journal where it reads them, or at the
//! end of a file; as text, or as JSON.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::Arc;

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
use tracing_subscriber::fmt::writer::BoxMakeWriter;
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

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Json,
}

impl Form {
    /// From `text` or `json`.
    #[must_use]
    pub fn named(name: &OsStr) -> Option<Self> {
        match name.to_str()? {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// With time and level.
    Plain,
    /// The journal knows the time, and takes the level from the line's beginning.
    Journal,
    /// An object a line.
    Json,
}

/// Starts it; a second call in one process keeps the first log. `file` is added to, and made for
/// its owner alone; without one it is standard error.
///
/// # Errors
/// When the file cannot be opened.
pub fn start(
    filter: &str,
    (form, file): (Form, Option<&Path>),
    environment: &Environment,
) -> io::Result<()> {
    let style = match (form, file, environment.get(JOURNAL)) {
        (Form::Json, ..) => Style::Json,
        (Form::Text, None, Some(_)) => Style::Journal,
        (Form::Text, ..) => Style::Plain,
    };
    let writer = match file {
        None => BoxMakeWriter::new(io::stderr),
        Some(path) => BoxMakeWriter::new(Arc::new(opened(path)?)),
    };
    let builder = tracing_subscriber::fmt().with_writer(writer).with_ansi(false);
    let builder = builder.with_env_filter(format!("{filter},{SILENCED}"));
    let _first_stands = match style {
        Style::Plain => builder.try_init(),
        Style::Journal => builder.event_format(Prefixed(short())).try_init(),
        Style::Json => builder.json().try_init(),
    };
    Ok(())
}

/// At its end: whoever empties it meanwhile, as `logrotate` does with `copytruncate`, is not
/// undone.
fn opened(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
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
