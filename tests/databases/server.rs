//! Servers of databases on loopback, each with a folder of its own, stopped when dropped.

use std::ffi::OsString;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use tempfile::TempDir;

use super::PASSWORD;

/// Servers refuse to run as root; then they are run as this user and group.
const NOBODY: u32 = 65_534;

/// A folder that belongs to whoever runs the server.
fn folder() -> TempDir {
    let dir = tempfile::Builder::new().prefix("lifeboat-db-").tempdir().unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    dir
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A program as an ordinary user, in `dir`.
fn as_user(program: &Path, dir: &Path) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        let id = NOBODY.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    // Servers that start side by side remove each other's temporary tables in a shared folder.
    command.current_dir(dir).env("TMPDIR", dir).stdin(Stdio::null());
    command
}

#[track_caller]
fn done(mut command: Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", told(&output));
    output
}

/// Gives this to a program, which has to take it.
#[track_caller]
pub(crate) fn fed(mut command: Command, input: &[u8]) {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
}

pub(crate) fn told(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{:?} {} {}", output.status, text(&output.stdout), text(&output.stderr))
}

/// A program of the server's package; Debian keeps some out of the way.
pub(super) fn installed(name: &str) -> PathBuf {
    let plain = ["/usr/bin", "/usr/sbin", "/usr/local/bin"].map(|dir| Path::new(dir).join(name));
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<_> =
        versions.map(|entry| entry.unwrap().path().join("bin").join(name)).collect();
    versions.sort_unstable();
    let found = versions.into_iter().rev().chain(plain).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("`{name}` is not installed: this test needs it"))
}

/// PostgreSQL with a superuser `postgres` and a password.
pub(crate) struct Postgresql {
    dir: TempDir,
    pub(crate) port: u16,
}

impl Postgresql {
    pub(crate) fn start() -> Self {
        let server = Self { dir: folder(), port: free_port() };
        let secret = server.dir.path().join("secret");
        let mut file = std::fs::File::create_new(&secret).unwrap();
        file.write_all(PASSWORD.as_bytes()).unwrap();
        let mut init = as_user(&installed("initdb"), server.dir.path());
        init.args(["--pgdata=data", "--auth=scram-sha-256", "--username=postgres", "--no-sync"]);
        init.args(["--pwfile=secret", "--encoding=UTF8", "--locale=C.UTF-8"]);
        done(init);
        server.run();
        server
    }

    /// A server from the tar of a physical backup, after its own check of it.
    pub(super) fn started_from(tar: &Path) -> Self {
        let server = Self::unpacked(tar);
        let mut verify = as_user(&installed("pg_verifybackup"), server.dir.path());
        verify.arg("data");
        done(verify);
        server.run();
        server
    }

    /// A server that does not run yet, from such a tar.
    pub(crate) fn unpacked(tar: &Path) -> Self {
        let server = Self { dir: folder(), port: free_port() };
        let place = server.dir.path().join("base.tar");
        std::fs::copy(tar, &place).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&place, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut untar = as_user(Path::new("/bin/sh"), server.dir.path());
        done({
            untar.args(["-c", "mkdir -m 700 data && tar -xf base.tar -C data"]);
            untar
        });
        server
    }

    pub(crate) fn run(&self) {
        let server = self;
        let mut start = server.control("start");
        start.args(["-w", "-l", "log", "-o"]);
        start.arg(format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off",
            server.port,
            server.dir.path().display()
        ));
        // A server that goes on holds no end of ours open.
        start.stdout(Stdio::null()).stderr(Stdio::null());
        let status = start.status().unwrap();
        let log = std::fs::read_to_string(server.dir.path().join("log")).unwrap_or_default();
        assert!(status.success(), "{log}");
    }

    fn control(&self, verb: &str) -> Command {
        let mut command = as_user(&installed("pg_ctl"), self.dir.path());
        command.args([verb, "-D", "data"]);
        command
    }

    /// Ends it as a power cut would end it.
    pub(crate) fn kill(&self) {
        let mut stop = self.control("stop");
        stop.args(["-m", "immediate", "-w"]);
        drop(stop.output());
    }

    /// A client program, connected.
    pub(crate) fn client(&self, name: &str) -> Command {
        let mut command = Command::new(installed(name));
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string());
        command.env("PGUSER", "postgres").env("PGPASSWORD", PASSWORD).stdin(Stdio::null());
        command
    }

    #[track_caller]
    pub(crate) fn sql(&self, database: &str, query: &str) -> String {
        let mut psql = self.client("psql");
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", query]);
        String::from_utf8(done(psql).stdout).unwrap().trim_end().to_owned()
    }

    /// The table of a configuration's source.
    pub(crate) fn source(&self, scene: &crate::cli::scene::Scene, more: &str) -> String {
        let secret = scene.path("password");
        format!(
            "kind = \"postgresql\", host = \"127.0.0.1\", port = {}, user = \"postgres\", \
             password = {{ file = \"{}\" }}{more}",
            self.port,
            secret.display()
        )
    }
}

impl Drop for Postgresql {
    fn drop(&mut self) {
        self.kill();
    }
}

/// MariaDB with a user `backup` and a password.
pub(crate) struct Mariadb {
    dir: TempDir,
    child: Child,
}

impl Mariadb {
    pub(crate) fn start() -> Self {
        let dir = folder();
        let data = dir.path().join("data");
        let named = |option: &str, path: &Path| {
            let mut word = OsString::from(option);
            word.push(path);
            word
        };
        let mut init = as_user(&installed("mariadb-install-db"), dir.path());
        init.args(["--no-defaults", "--skip-test-db"]).arg(named("--datadir=", &data));
        init.arg("--auth-root-authentication-method=normal");
        done(init);
        let server = Self::run(dir);
        let password = PASSWORD.replace('\\', "\\\\").replace('\'', "\\'");
        server.sql("", &format!("create user backup@localhost identified by '{password}'"));
        server.sql("", "grant all on *.* to backup@localhost");
        server
    }

    /// On the files of another one.
    pub(super) fn started_on(files: &Path) -> Self {
        let dir = folder();
        let data = dir.path().join("data");
        done({
            let mut copy = Command::new("cp");
            copy.arg("-a").arg(files).arg(&data);
            copy
        });
        if rustix::process::geteuid().is_root() {
            let mut chown = Command::new("chown");
            chown.args(["-R", "--", &format!("{NOBODY}:{NOBODY}")]).arg(&data);
            done(chown);
        }
        Self::run(dir)
    }

    fn run(dir: TempDir) -> Self {
        let data = dir.path().join("data");
        let named = |option: &str, path: &Path| {
            let mut word = OsString::from(option);
            word.push(path);
            word
        };
        let mut start = as_user(&installed("mariadbd"), dir.path());
        start.arg("--no-defaults").arg(named("--datadir=", &data));
        start.arg(named("--socket=", &dir.path().join("mysqld.sock")));
        start.args(["--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--pid-file=pid"]);
        let mut child = start.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        loop {
            let Some(Ok(line)) = lines.next() else { panic!("it did not start: {log}") };
            if line.contains("ready for connections") {
                break;
            }
            log.push_str(&line);
            log.push('\n');
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { dir, child }
    }

    /// A client program, connected as root.
    pub(crate) fn client(&self, name: &str) -> Command {
        let mut command = Command::new(installed(name));
        let mut socket = OsString::from("--socket=");
        socket.push(self.dir.path().join("mysqld.sock"));
        command.args(["--no-defaults", "--user=root", "--default-character-set=utf8mb4"]);
        command.arg(socket).stdin(Stdio::null());
        command
    }

    #[track_caller]
    pub(crate) fn sql(&self, database: &str, query: &str) -> String {
        let mut client = self.client("mariadb");
        client.args(["--batch", "--skip-column-names", "--execute", query]);
        if !database.is_empty() {
            client.arg(database);
        }
        String::from_utf8(done(client).stdout).unwrap().trim_end().to_owned()
    }

    /// Where its socket is.
    pub(crate) fn folder(&self) -> String {
        self.dir.path().display().to_string()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn source(&self, scene: &crate::cli::scene::Scene, more: &str) -> String {
        let secret = scene.path("password");
        format!(
            "kind = \"mariadb\", host = \"{}\", user = \"backup\", password = {{ file = \"{}\" \
             }}{more}",
            self.dir.path().display(),
            secret.display()
        )
    }
}

impl Drop for Mariadb {
    fn drop(&mut self) {
        // It may have been killed by its test.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
