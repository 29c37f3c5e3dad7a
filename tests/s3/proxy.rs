//! Between a client and the gateway: passes requests on, and does to some what networks do.

use std::fmt;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Pass,
    /// The connection ends before the server hears of it.
    Cut,
    /// The connection ends in the middle of the body sent.
    CutInside,
    /// The server does it, and its answer never comes.
    LoseAnswer,
    /// The server does it, and half of its answer comes.
    CutAnswer,
    /// Nothing moves any more.
    Stall,
    /// Half of the answer comes, then nothing.
    StallAnswer,
    /// That it is busy, with this status.
    Busy(u16),
    /// The same, and that it wants to be left alone for so many seconds.
    BusyFor(u16, u32),
    /// Another answer than the server's: status and body.
    Say(u16, &'static str),
    /// The server's answer, dated long after.
    Later,
}

/// A request, as far as a plan may know it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Counted from nought.
    pub(crate) number: usize,
    pub(crate) method: String,
    pub(crate) target: String,
    /// All lines before the body, in small letters.
    pub(crate) head: String,
}

type Plan = dyn Fn(&Seen) -> Fate + Send + Sync;

struct Shared {
    server: u16,
    plan: Box<Plan>,
    tls: Option<Arc<ServerConfig>>,
    count: AtomicUsize,
    seen: Mutex<Vec<Seen>>,
    is_over: AtomicBool,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.port)
    }
}

impl Proxy {
    pub(crate) fn start(server: u16, plan: impl Fn(&Seen) -> Fate + Send + Sync + 'static) -> Self {
        Self::start_with(server, None, Box::new(plan))
    }

    /// One that speaks TLS with its clients, and passes all on.
    pub(crate) fn start_tls(server: u16, tls: ServerConfig) -> Self {
        Self::start_with(server, Some(Arc::new(tls)), Box::new(|_| Fate::Pass))
    }

    fn start_with(server: u16, tls: Option<Arc<ServerConfig>>, plan: Box<Plan>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            server,
            plan,
            tls,
            count: AtomicUsize::new(0),
            seen: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let held = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for client in listener.incoming() {
                if held.is_over.load(Ordering::Acquire) {
                    return;
                }
                let (Ok(client), held) = (client, Arc::clone(&held)) else { continue };
                // A client that goes away ends its connection, and that is all.
                std::thread::spawn(move || drop(held.serve(client)));
            }
        });
        Self { port, shared, thread: Some(thread) }
    }

    pub(crate) fn endpoint(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        // Wakes the thread that waits for a client.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// A client, plain or not.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A head of HTTP as it came, and what it says of the body after it.
struct Head {
    bytes: Vec<u8>,
    len_bytes: Option<usize>,
    is_chunked: bool,
    expects: bool,
}

impl Head {
    fn first_line(&self) -> String {
        let line = self.bytes.split(|byte| *byte == b'\r').next().unwrap();
        String::from_utf8_lossy(line).into_owned()
    }
}

/// Nothing at a clean end.
fn read_head(from: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut head = Head { bytes: Vec::new(), len_bytes: None, is_chunked: false, expects: false };
    loop {
        let start = head.bytes.len();
        if from.read_until(b'\n', &mut head.bytes)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&head.bytes[start..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            head.len_bytes = Some(value.trim().parse().unwrap());
        }
        head.is_chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
        head.expects |= line.starts_with("expect:");
        if line == "\r\n" && start > 0 {
            return Ok(Some(head));
        }
    }
}

fn read_body(from: &mut impl BufRead, head: &Head) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if !head.is_chunked {
        from.take(head.len_bytes.unwrap_or(0) as u64).read_to_end(&mut body)?;
        return Ok(body);
    }
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        body.extend_from_slice(line.as_bytes());
        from.take(size as u64 + 2).read_to_end(&mut body)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

impl Shared {
    fn serve(&self, client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let raw = client.try_clone()?;
        let client: Box<dyn Stream> = match &self.tls {
            Some(tls) => {
                let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
                Box::new(StreamOwned::new(connection, client))
            }
            None => Box::new(client),
        };
        let mut client = BufReader::new(client);
        let server = TcpStream::connect(("127.0.0.1", self.server))?;
        server.set_nodelay(true)?;
        let mut server = BufReader::new(server);
        let served = self.serve_all(&mut client, &mut server);
        // A connection that ends tells the client so, whatever it still waits for.
        let _gone = raw.shutdown(Shutdown::Both);
        served
    }

    fn serve_all(
        &self,
        client: &mut BufReader<Box<dyn Stream>>,
        server: &mut BufReader<TcpStream>,
    ) -> io::Result<()> {
        while let Some(head) = read_head(client)? {
            let line = head.first_line();
            let mut words = line.split(' ').map(str::to_owned);
            let seen = Seen {
                number: self.count.fetch_add(1, Ordering::Relaxed),
                method: words.next().unwrap(),
                target: words.next().unwrap(),
                head: String::from_utf8_lossy(&head.bytes).to_ascii_lowercase(),
            };
            self.seen.lock().unwrap().push(seen.clone());
            let fate = (self.plan)(&seen);
            match fate {
                Fate::Cut => return Ok(()),
                Fate::Stall => return until_gone(client),
                Fate::Busy(_) | Fate::BusyFor(..) | Fate::Say(..) => {
                    let busy = "<Error><Code>SlowDown</Code></Error>";
                    let (status, body, after) = match fate {
                        Fate::Say(status, body) => (status, body, String::new()),
                        Fate::Busy(status) => (status, busy, String::new()),
                        Fate::BusyFor(status, seconds) => {
                            (status, busy, format!("Retry-After: {seconds}\r\n"))
                        }
                        _ => unreachable!(),
                    };
                    let len_bytes = body.len();
                    // The body that would follow is not waited for.
                    write!(
                        client.get_mut(),
                        "HTTP/1.1 {status} So\r\nConnection: close\r\n{after}\
                         Content-Length: {len_bytes}\r\n\r\n{body}"
                    )?;
                    client.get_mut().flush()?;
                    read_body(client, &head)?;
                    return Ok(());
                }
                _ => {}
            }
            if !self.pass(client, server, (&head, &seen, fate))? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the connection goes on.
    fn pass(
        &self,
        client: &mut BufReader<Box<dyn Stream>>,
        server: &mut BufReader<TcpStream>,
        (head, seen, fate): (&Head, &Seen, Fate),
    ) -> io::Result<bool> {
        server.get_mut().write_all(&head.bytes)?;
        let mut answer = None;
        if head.expects {
            let first = read_head(server)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if first.first_line().contains(" 100") {
                client.get_mut().write_all(&first.bytes)?;
                client.get_mut().flush()?;
            } else {
                answer = Some(first);
            }
        }
        if answer.is_none() {
            let body = read_body(client, head)?;
            if fate == Fate::CutInside {
                server.get_mut().write_all(&body[..body.len() / 2])?;
                return Ok(false);
            }
            server.get_mut().write_all(&body)?;
        }
        let mut answer = match answer {
            Some(answer) => answer,
            None => read_head(server)?.ok_or(io::ErrorKind::UnexpectedEof)?,
        };
        if fate == Fate::Later {
            answer.bytes = dated_later(&answer.bytes);
        }
        let is_bodiless = seen.method == "HEAD" || answer.first_line().contains(" 204");
        let body = if is_bodiless { Vec::new() } else { read_body(server, &answer)? };
        let whole = [&answer.bytes[..], &body].concat();
        match fate {
            Fate::LoseAnswer => return Ok(false),
            Fate::CutAnswer | Fate::StallAnswer => {
                client.get_mut().write_all(&whole[..whole.len() - 1 - body.len() / 2])?;
                client.get_mut().flush()?;
                if fate == Fate::StallAnswer {
                    until_gone(client)?;
                }
                return Ok(false);
            }
            _ => {}
        }
        client.get_mut().write_all(&whole)?;
        client.get_mut().flush()?;
        Ok(true)
    }
}

/// Takes what comes and says nothing.
fn until_gone(client: &mut impl Read) -> io::Result<()> {
    io::copy(client, &mut io::sink()).map(|_| ())
}

fn dated_later(head: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(head);
    let lines = text.split_inclusive("\r\n").map(|line| match line.starts_with("Date:") {
        true => "Date: Fri, 01 Jan 2100 00:00:00 GMT\r\n",
        false => line,
    });
    lines.collect::<String>().into_bytes()
}
