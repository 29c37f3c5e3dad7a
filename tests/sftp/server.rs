//! OpenSSH on loopback, with keys of its own; and a line to it that can be cut.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use lifeboat::secret::SecretBytes;
use lifeboat::storage::sftp::HostKeys;
use lifeboat::storage::sftp::Login;
use lifeboat::storage::sftp::SftpOptions;
use lifeboat::storage::sftp::Ssh;
use lifeboat::storage::sftp::Way;
use tempfile::TempDir;

/// A server that one user may log in to, with one key.
pub(crate) struct Sshd {
    dir: TempDir,
    child: Child,
    pub(crate) port: u16,
    pub(crate) user: String,
}

impl Sshd {
    pub(crate) fn start() -> Self {
        Self::configured("")
    }

    /// With more lines in its configuration, where `@` is its folder.
    pub(crate) fn configured(more: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("lifeboat-ssh-").tempdir().unwrap();
        for (name, kind) in [
            ("host_ed25519", "ed25519"),
            ("host_ecdsa", "ecdsa"),
            ("login", "ed25519"),
            ("stranger", "ed25519"),
        ] {
            make_key(&dir, (name, kind), "");
        }
        make_key(&dir, ("sealed", "ed25519"), "open sesame");
        for name in ["login", "sealed"] {
            append(&dir, "authorized", &read(&dir, &format!("{name}.pub")));
        }
        let port = free_port();
        let folder = dir.path().display();
        let text = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_ed25519\n\
             HostKey {folder}/host_ecdsa\nAuthorizedKeysFile {folder}/authorized\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n\
             Subsystem sftp internal-sftp\nMaxStartups 100\n{}",
            more.replace('@', &folder.to_string())
        );
        append(&dir, "sshd_config", &text);
        if rustix::process::geteuid().is_root() {
            // Where it leaves its rights behind; made at boot, where there was one.
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "/usr/sbin/sshd", "-D", "-e", "-f"]);
        command.arg(dir.path().join("sshd_config")).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("listening on") {
            let count = lines.read_line(&mut said).unwrap();
            assert!(count > 0, "sshd ended: {said}");
        }
        // What it says later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        Self { dir, child, port, user: String::from_utf8(user).unwrap().trim().to_owned() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        read(&self.dir, name)
    }

    /// A line for a file of known hosts.
    pub(crate) fn known_as(&self, host: &str, key: &str) -> String {
        let public = self.text(&format!("{key}.pub"));
        let words: Vec<&str> = public.split_ascii_whitespace().take(2).collect();
        format!("{host} {}\n", words.join(" "))
    }

    /// As `ssh-keygen -l` prints it.
    pub(crate) fn fingerprint(&self, key: &str) -> String {
        let mut command = Command::new("ssh-keygen");
        command.arg("-lf").arg(self.path(&format!("{key}.pub")));
        let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
        printed.split_ascii_whitespace().nth(1).unwrap().to_owned()
    }

    pub(crate) fn key(&self, name: &str, passphrase: Option<&str>) -> Login {
        Login::Key {
            shown: name.to_owned(),
            content: SecretBytes::new(self.text(name).into_bytes()),
            passphrase: passphrase.map(|text| SecretBytes::new(text.as_bytes().to_vec())),
        }
    }

    pub(crate) fn ssh(&self) -> Ssh {
        Ssh {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: self.user.clone(),
            host_keys: HostKeys::Fingerprint(self.fingerprint("host_ed25519")),
            logins: vec![self.key("login", None)],
        }
    }

    /// A folder of this server, which need not be there.
    pub(crate) fn at(&self, root: &str) -> SftpOptions {
        let root = self.path(root).display().to_string();
        SftpOptions { way: Way::Ssh(self.ssh()), root }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn make_key(dir: &TempDir, (name, kind): (&str, &str), passphrase: &str) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", kind, "-N", passphrase, "-C", name, "-f"]).arg(dir.path().join(name));
    assert!(command.status().unwrap().success());
}

fn read(dir: &TempDir, name: &str) -> String {
    std::fs::read_to_string(dir.path().join(name)).unwrap()
}

fn append(dir: &TempDir, name: &str, text: &str) {
    let mut options = std::fs::OpenOptions::new();
    let file = options.create(true).append(true).open(dir.path().join(name));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A line to a server. Bytes towards it are counted, and it can be cut.
pub(crate) struct Line {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    /// Bytes that went to the server, over all connections.
    sent: AtomicU64,
    /// At how many of them every connection is cut, once.
    cut_at: AtomicU64,
    /// How many bytes after a cut the next one comes, once; none if 0.
    again: AtomicU64,
    /// After how many bytes more each cut is followed by another; none if 0.
    every: AtomicU64,
    /// Whether a cut is the last one: nobody comes through after it.
    is_last: AtomicBool,
    /// Whether new connections are refused, and how many were.
    is_down: AtomicBool,
    refused: Mutex<u64>,
    is_refused: Condvar,
    open: Mutex<Vec<TcpStream>>,
}

impl Shared {
    fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            // One that is closed already is cut well enough.
            let _gone = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Line {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let own = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            sent: AtomicU64::new(0),
            cut_at: AtomicU64::new(u64::MAX),
            again: AtomicU64::new(0),
            every: AtomicU64::new(0),
            is_last: AtomicBool::new(false),
            is_down: AtomicBool::new(false),
            refused: Mutex::default(),
            is_refused: Condvar::new(),
            open: Mutex::default(),
        });
        let line = Self { port: own, shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                if shared.is_down.load(Ordering::SeqCst) {
                    *shared.refused.lock().unwrap() += 1;
                    shared.is_refused.notify_all();
                    continue;
                }
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let both = [near.try_clone().unwrap(), far.try_clone().unwrap()];
                shared.open.lock().unwrap().extend(both);
                let (back_from, back_to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
                std::thread::spawn(move || carry(back_from, back_to, |_| {}));
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    carry(near, far, |count| {
                        let sent = shared.sent.fetch_add(count, Ordering::SeqCst) + count;
                        if sent >= shared.cut_at.load(Ordering::SeqCst) {
                            let every = shared.every.load(Ordering::SeqCst);
                            let next = match shared.again.swap(0, Ordering::SeqCst).max(every) {
                                0 => u64::MAX,
                                bytes => sent + bytes,
                            };
                            let is_last = shared.is_last.load(Ordering::SeqCst);
                            shared.is_down.fetch_or(is_last, Ordering::SeqCst);
                            shared.cut_at.store(next, Ordering::SeqCst);
                            shared.cut();
                        }
                    });
                });
            }
        });
        line
    }

    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// Cuts all connections once so many bytes have gone to the server, those included.
    pub(crate) fn cut_at(&self, bytes: u64) {
        self.shared.cut_at.store(bytes, Ordering::SeqCst);
    }

    /// Once more, so many bytes after that cut.
    pub(crate) fn cut_again_after(&self, bytes: u64) {
        self.shared.again.store(bytes, Ordering::SeqCst);
    }

    /// As [`Self::cut_at`], and nobody comes through after that: as if the client had been killed.
    pub(crate) fn end_at(&self, bytes: u64) {
        self.shared.is_last.store(true, Ordering::SeqCst);
        self.cut_at(bytes);
    }

    /// As [`Self::cut_at`], and again each time that so many bytes more have gone.
    pub(crate) fn cut_every(&self, (first, bytes): (u64, u64)) {
        self.shared.every.store(bytes, Ordering::SeqCst);
        self.cut_at(first);
    }

    /// Waits until somebody was refused since the line went down.
    pub(crate) fn wait_for_refusal(&self) {
        let refused = self.shared.refused.lock().unwrap();
        drop(self.shared.is_refused.wait_while(refused, |refused| *refused == 0).unwrap());
    }

    pub(crate) fn cut(&self) {
        self.shared.cut();
    }

    /// Cuts, and takes no new connections, until it is up again.
    pub(crate) fn down(&self) {
        *self.shared.refused.lock().unwrap() = 0;
        self.shared.is_down.store(true, Ordering::SeqCst);
        self.shared.cut();
    }

    pub(crate) fn up(&self) {
        self.shared.is_down.store(false, Ordering::SeqCst);
    }
}

/// Carries bytes on, and tells how many went each time, after they went.
fn carry(mut from: TcpStream, mut to: TcpStream, told: impl Fn(u64)) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
        told(count as u64);
    }
    let _gone = to.shutdown(Shutdown::Both);
    let _gone = from.shutdown(Shutdown::Both);
}
