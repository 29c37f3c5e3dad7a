//! The servers: `receiver.py` with a certificate that is thrown away.

use std::io::BufRead as _;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::house;
use crate::reader::python;

/// As in `receiver.py`.
pub const PASSWORD: &str = "mật khẩu thử";

/// Ends with its value.
pub struct Receiver {
    child: Child,
    dir: TempDir,
    ports: Value,
    lines: mpsc::Receiver<Value>,
}

impl Receiver {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2"])
            .args([
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost,DNS:mail.office.lan",
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut child = Command::new(python())
            .arg("-B")
            .arg(house::root().join("tests/notify/receiver.py"))
            .arg(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{e}; `.ci/run` makes the Python that is needed"));
        let out = child.stdout.take().unwrap();
        let (to, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if to.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut receiver = Self { child, dir, ports: Value::Null, lines };
        receiver.ports = receiver.next();
        receiver
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn port(&self, name: &str) -> u64 {
        self.ports[name].as_u64().unwrap_or_else(|| panic!("{name}: {}", self.ports))
    }

    /// The next thing that came.
    #[track_caller]
    pub fn next(&self) -> Value {
        self.lines.recv_timeout(Duration::from_secs(60)).expect("nothing came")
    }

    /// Whether nothing more has come.
    pub fn is_idle(&self) -> bool {
        self.lines.try_recv().is_err()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
