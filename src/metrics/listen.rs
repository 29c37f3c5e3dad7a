//! The listener: HTTP/1.1, one question a connection.

use std::io::Read;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::Clock;
use crate::metrics::Snapshot;
use crate::metrics::text;

/// Longest question, with its headers.
const QUESTION_BYTES_MAX: usize = 8 * 1024;
/// Longest wait for one part of it.
const PART: Duration = Duration::from_secs(1);
/// Longest wait for all of it.
const WHOLE: Duration = Duration::from_secs(3);

/// Listens until it is dropped.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    shown: Arc<Mutex<Snapshot>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Listens at an address; port 0 takes a free one.
    ///
    /// # Errors
    /// When it cannot be taken.
    pub fn start(listen: SocketAddr, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let shown = Arc::new(Mutex::new(Snapshot::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (show, stopped) = (Arc::clone(&shown), Arc::clone(&stop));
        let work = move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                // Who goes away unheard asks again.
                let _unheard = stream.and_then(|stream| serve(stream, &show, &*clock));
            }
        };
        let thread = std::thread::Builder::new().name("metrics".to_owned()).spawn(work)?;
        Ok(Self { address, shown, stop, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is given out from now on.
    pub fn show(&self, snapshot: Snapshot) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let mut here = self.address;
        if here.ip().is_unspecified() {
            let ip: std::net::IpAddr = match here {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            };
            here.set_ip(ip);
        }
        // It wakes up for one more question, and sees that it is to stop.
        if TcpStream::connect_timeout(&here, PART).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ended = thread.join();
        }
    }
}

fn serve(mut stream: TcpStream, shown: &Mutex<Snapshot>, clock: &dyn Clock) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PART))?;
    stream.set_write_timeout(Some(WHOLE))?;
    let question = question(&mut stream, clock)?;
    let (status, kind, body) = match asked(&question) {
        Asked::Metrics => {
            let snapshot = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ("200 OK", kind, text(&snapshot, clock.now()))
        }
        Asked::Elsewhere => ("404 Not Found", "text/plain", "see /metrics\n".to_owned()),
        Asked::Otherwise => ("405 Method Not Allowed", "text/plain", "GET only\n".to_owned()),
        Asked::Nothing => ("400 Bad Request", "text/plain", "no question\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)
}

/// What has come until its headers ended, or a limit.
fn question(stream: &mut impl Read, clock: &dyn Clock) -> std::io::Result<Vec<u8>> {
    let start = clock.elapsed();
    let mut question = Vec::new();
    let mut part = [0; 1024];
    while question.len() < QUESTION_BYTES_MAX && clock.elapsed().saturating_sub(start) < WHOLE {
        let count = stream.read(&mut part)?;
        question.extend_from_slice(part.get(..count).unwrap_or_default());
        if count == 0 || question.windows(4).any(|end| end == b"\r\n\r\n") {
            return Ok(question);
        }
    }
    Ok(Vec::new())
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Metrics,
    Elsewhere,
    Otherwise,
    Nothing,
}

fn asked(question: &[u8]) -> Asked {
    let line = question.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let line = std::str::from_utf8(line).unwrap_or_default();
    let mut words = line.split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("GET"), Some(path), Some("HTTP/1.1" | "HTTP/1.0"), None) => {
            let path = path.split('?').next().unwrap_or_default();
            if path == "/metrics" { Asked::Metrics } else { Asked::Elsewhere }
        }
        (Some(_), Some(_), Some("HTTP/1.1" | "HTTP/1.0"), None) => Asked::Otherwise,
        _ => Asked::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_question_is_answered() {
        let of = |text: &str| asked(text.as_bytes());
        assert_eq!(of("GET /metrics HTTP/1.1\r\n\r\n"), Asked::Metrics);
        assert_eq!(of("GET /metrics?x=1 HTTP/1.0\r\n\r\n"), Asked::Metrics);
        assert_eq!(of("GET / HTTP/1.1\r\n\r\n"), Asked::Elsewhere);
        assert_eq!(of("POST /metrics HTTP/1.1\r\n\r\n"), Asked::Otherwise);
        for text in ["", "GET", "GET /metrics", "GET /metrics HTTP/2\r\n", "\u{1}\u{2}"] {
            assert_eq!(of(text), Asked::Nothing, "{text:?}");
        }
    }
}
