//! A place for programs that are started on restored data: nothing of the machine but its own
//! programs and one folder, nobody's rights, no network, and an end with the drill.
//!
//! It is made by Bubblewrap, from the kernel's namespaces. What is restored may be hostile, so
//! there is no lesser place: where this one cannot be had, no program is started.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;

use crate::drill::server::process::SHORT;
use crate::drill::server::process::command;
use crate::drill::server::process::output;
use crate::run::Run;
use crate::source::stream::command::last_lines;

/// Who such programs are where the drill itself may do everything: a user who owns nothing.
pub const NOBODY: u32 = 65_534;

/// It ends with whoever started it, and has none of its rights beyond those of its user.
const ITSELF: [&str; 5] =
    ["setpriv", "--inh-caps=-all", "--ambient-caps=-all", "--pdeathsig", "KILL"];
/// The same for the user above; changing the user forgets whose end is waited for.
const AS_NOBODY: [&str; 9] = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--inh-caps=-all",
    "--ambient-caps=-all",
    "--no-new-privs",
    "--pdeathsig",
    "KILL",
];
/// Namespaces of its own; whatever the user is outside, inside it is nobody.
const APART: [&str; 13] = [
    "bwrap",
    "--unshare-user",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--uid",
    "65534",
    "--gid",
    "65534",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
];
/// Nothing of our environment.
const BARE: [&str; 7] =
    ["--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "LC_ALL", "C"];
/// Folders that are links into `/usr` on most machines.
const SYSTEM: [&str; 5] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64"];
/// What programs look up of their machine; none of it is secret.
const LOOKED_UP: [&str; 6] = [
    "/etc/alternatives",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
];
/// Devices that every program expects.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];

/// Room in memory, which a program could fill.
const DEVICES_BYTES: &str = "65536";
const SCRATCH_BYTES: &str = "67108864";
/// Behind this nothing can be made but in the folder of its own and in `/tmp`.
const CLOSED: [&str; 4] = ["--remount-ro", "/dev", "--remount-ro", "/"];
/// Reads whatever was restored, whoever it belongs to, and may do nothing else.
const AS_READER: [&str; 10] = [
    "bwrap",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    "--cap-add",
    "CAP_DAC_READ_SEARCH",
];

/// Tries from inside to reach a port of the outside's loopback and one of its own, and looks for
/// paths that must not be there.
const PROBE: &str = r#"
use Socket;
my ($outside, @hidden) = @ARGV;
sub reaches {
    socket(my $to, PF_INET, SOCK_STREAM, 0) or die "no socket: $!";
    return connect($to, sockaddr_in($_[0], INADDR_LOOPBACK)) ? 1 : 0;
}
socket(my $own, PF_INET, SOCK_STREAM, 0) or die "no socket: $!";
bind($own, sockaddr_in(0, INADDR_LOOPBACK)) or die "no port: $!";
listen($own, 1) or die "no listener: $!";
my ($port) = sockaddr_in(getsockname($own));
printf "%d %d %d", reaches($outside), reaches($port), scalar(grep { -e $_ } @hidden);
"#;
/// Nothing outside answers, the own loopback does, nothing hidden is seen.
const APART_INDEED: &str = "0 1 0";

/// Who a drill may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever it wants.
    Anybody,
    Itself,
}

/// What a server's program sees beside the machine's own programs.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// May be written, and is where it starts.
    pub own: &'a Path,
    /// May be read.
    pub read: &'a [&'a Path],
}

/// How programs are started here.
#[derive(Debug, Clone)]
pub struct Confinement {
    prefix: Vec<OsString>,
    /// The same for programs that read restored folders.
    reader: Vec<OsString>,
    who: Who,
}

fn words(all: &[&str]) -> Vec<OsString> {
    all.iter().map(OsString::from).collect()
}

/// Programs and libraries of the machine, and hardly anything else.
fn machine() -> Vec<OsString> {
    let mut all = words(&["--ro-bind", "/usr", "/usr"]);
    for name in SYSTEM {
        match (std::fs::read_link(name), Path::new(name).is_dir()) {
            (Ok(to), _) => all.extend(["--symlink".into(), to.into_os_string(), name.into()]),
            (Err(_), true) => all.extend(words(&["--ro-bind", name, name])),
            (Err(_), false) => {}
        }
    }
    for name in LOOKED_UP {
        all.extend(words(&["--ro-bind-try", name, name]));
    }
    all.extend(words(&["--size", DEVICES_BYTES, "--tmpfs", "/dev"]));
    for name in DEVICES {
        all.extend(words(&["--dev-bind", name, name]));
    }
    all.extend(words(&["--size", SCRATCH_BYTES, "--tmpfs", "/tmp"]));
    all
}

/// Three answers: outside, this port is there; inside it is not, and another one is.
fn look(run: &Run, prefix: &[OsString], hidden: &[PathBuf]) -> Result<String, String> {
    let told = |error: std::io::Error| format!("a port for the probe: {error}");
    let listener = TcpListener::bind("127.0.0.1:0").map_err(told)?;
    let address = listener.local_addr().map_err(told)?;
    TcpStream::connect(address).map_err(told)?;
    let mut argv = words(&["perl", "-e", PROBE, &address.port().to_string()]);
    argv.extend(hidden.iter().map(|path| path.clone().into_os_string()));
    let all = [prefix.to_vec(), words(&CLOSED), words(&["--chdir", "/", "--"]), argv].concat();
    let ended = output(run, command(&all), SHORT).map_err(|error| error.to_string())?;
    match ended.code {
        Some(0) => Ok(String::from_utf8_lossy(&ended.stdout).into_owned()),
        _ => Err(last_lines(&ended.stderr)),
    }
}

impl Confinement {
    /// Makes one and looks from inside, where none of `hidden` may be seen.
    ///
    /// # Errors
    /// Why no program is started here.
    pub fn find(run: &Run, who: Who, hidden: &[PathBuf]) -> Result<Self, String> {
        let user = match who {
            Who::Anybody => words(&AS_NOBODY),
            Who::Itself => words(&ITSELF),
        };
        let around = [words(&BARE), machine()].concat();
        let prefix = [user, words(&APART), around.clone()].concat();
        let reader = match who {
            Who::Anybody => [words(&ITSELF), words(&AS_READER), around].concat(),
            Who::Itself => prefix.clone(),
        };
        for prefix in [&prefix, &reader] {
            match look(run, prefix, hidden) {
                Ok(answers) if answers == APART_INDEED => {}
                Ok(answers) => {
                    return Err(format!("it is not kept apart: its probe answered `{answers}`"));
                }
                Err(why) => {
                    return Err(format!(
                        "no program can be kept apart here: {why}. Install bubblewrap and perl, \
                         and let users have namespaces (kernel.unprivileged_userns_clone)"
                    ));
                }
            }
        }
        Ok(Self { prefix, reader, who })
    }

    /// A program with its arguments, and nothing of our environment but these variables.
    #[must_use]
    pub fn argv(
        &self,
        seen: Seen<'_>,
        variables: &[(&str, &OsStr)],
        argv: Vec<OsString>,
    ) -> Vec<OsString> {
        let mut all = self.prefix.clone();
        for path in seen.read {
            all.extend(["--ro-bind".into(), path.into(), path.into()]);
        }
        let own = seen.own;
        all.extend(["--bind".into(), own.into(), own.into(), "--chdir".into(), own.into()]);
        for (name, value) in variables {
            all.extend(["--setenv".into(), name.into(), value.into()]);
        }
        all.extend(words(&CLOSED));
        all.push("--".into());
        all.extend(argv);
        all
    }

    /// A program of the office that reads a restored folder, in which it starts.
    #[must_use]
    pub fn reading(&self, folder: &Path, argv: &[OsString]) -> Vec<OsString> {
        let mut all = self.reader.clone();
        let program = argv.first().map(Path::new);
        let elsewhere = program.filter(|path| path.is_absolute() && !path.starts_with("/usr"));
        for path in [Some(folder), elsewhere].into_iter().flatten() {
            all.extend(["--ro-bind".into(), path.into(), path.into()]);
        }
        all.extend(words(&CLOSED));
        all.extend(["--chdir".into(), folder.into(), "--".into()]);
        all.extend(argv.iter().cloned());
        all
    }

    /// Makes a folder for such a program, closed to others.
    ///
    /// # Errors
    /// When it is there, or cannot be made.
    #[cfg(unix)]
    pub fn make_folder(&self, folder: &Path) -> std::io::Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new().mode(0o700).create(folder)?;
        match self.who {
            Who::Anybody => std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)),
            Who::Itself => Ok(()),
        }
    }

    #[cfg(not(unix))]
    pub fn make_folder(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir(folder)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::ids::RunId;
    use crate::run::monitor::Silent;

    fn run() -> Run {
        Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 0)
    }

    #[test]
    fn a_program_sees_its_folder_and_nothing_else_of_ours() {
        let (run, dir) = (run(), tempfile::tempdir().unwrap());
        let is_root = rustix::process::geteuid().is_root();
        let who = if is_root { Who::Anybody } else { Who::Itself };
        let secret = dir.path().join("secret");
        File::create_new(&secret).unwrap().write_all(b"hush").unwrap();
        let found = Confinement::find(&run, who, &[secret.clone(), "/root".into()]).unwrap();
        let own = Path::new("/var/tmp").join(format!("lifeboat-own-{}", std::process::id()));
        found.make_folder(&own).unwrap();
        let script = "id -u; ls /; pwd; touch here; env | sort; cat \"$SECRET\" 2>&1; \
                      touch /usr/x /dev/x 2>&1";
        let argv = words(&["sh", "-c", script]);
        let seen = Seen { own: &own, read: &[] };
        let argv = found.argv(seen, &[("SECRET", secret.as_os_str())], argv);
        let ended = output(&run, command(&argv), SHORT).unwrap();
        let is_there = own.join("here").is_file();
        std::fs::remove_dir_all(&own).unwrap();
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(text.starts_with("65534\n") && is_there, "{text}");
        assert!(text.contains("No such file") && !text.contains("hush"), "{text}");
        assert!(text.contains("Read-only file system"), "{text}");
        for ours in ["\nroot\n", "\nhome\n", "\nproc\n", "\nvar\nx", "CARGO", "USER="] {
            assert!(!text.contains(ours), "{ours} in {text}");
        }
    }

    #[test]
    fn a_place_that_is_not_apart_is_none() {
        let run = run();
        let is_root = rustix::process::geteuid().is_root();
        let who = if is_root { Who::Anybody } else { Who::Itself };
        // Something that must not be seen, and is.
        let refused = Confinement::find(&run, who, &["/usr".into()]).unwrap_err();
        assert!(refused.contains("`0 1 1`"), "{refused}");
    }
}
