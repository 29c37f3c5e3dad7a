//! Who the server is, and who is let in.

use std::io::Write as _;
use std::process::Command;
use std::process::Stdio;

use lifeboat::secret::SecretBytes;
use lifeboat::storage::StorageError;
use lifeboat::storage::StorageErrorKind;
use lifeboat::storage::sftp::HostKeys;
use lifeboat::storage::sftp::Login;
use lifeboat::storage::sftp::SftpOptions;
use lifeboat::storage::sftp::SftpStorage;
use lifeboat::storage::sftp::Ssh;
use lifeboat::storage::sftp::Way;

use super::run;
use super::server::Sshd;

fn open(sshd: &Sshd, change: impl FnOnce(&mut Ssh)) -> Result<SftpStorage, StorageError> {
    let mut ssh = sshd.ssh();
    change(&mut ssh);
    let root = sshd.path("").display().to_string();
    SftpStorage::open(&run(), SftpOptions { way: Way::Ssh(ssh), root })
}

/// A file of known hosts.
fn known(sshd: &Sshd, name: &str, text: &str) -> HostKeys {
    let path = sshd.path(name);
    let mut options = std::fs::File::options();
    let mut file = options.write(true).create(true).truncate(true).open(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    HostKeys::Files(vec![path])
}

#[test]
fn only_the_server_that_is_meant_is_talked_to() {
    let sshd = Sshd::start();
    let host = format!("[127.0.0.1]:{}", sshd.port);
    // By the fingerprint of any of its keys.
    for key in ["host_ed25519", "host_ecdsa"] {
        open(&sshd, |ssh| ssh.host_keys = HostKeys::Fingerprint(sshd.fingerprint(key))).unwrap();
        let line = sshd.known_as(&host, key);
        open(&sshd, |ssh| ssh.host_keys = known(&sshd, "known", &line)).unwrap();
    }
    // By a line whose host is hashed, as many systems write them.
    let hashed = sshd.known_as(&host, "host_ed25519");
    let keys = known(&sshd, "hashed", &hashed);
    let done =
        Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(sshd.path("hashed")).output();
    assert!(done.unwrap().status.success());
    assert!(sshd.text("hashed").starts_with("|1|"));
    open(&sshd, |ssh| ssh.host_keys = keys).unwrap();

    let refused = |keys: HostKeys| {
        let error = open(&sshd, |ssh| ssh.host_keys = keys).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Other, "{error}");
        error.to_string()
    };
    let own = sshd.fingerprint("host_ed25519");
    // Another key than the one that is known.
    let other = sshd.fingerprint("stranger");
    let told = refused(HostKeys::Fingerprint(other.clone()));
    assert!(told.contains(&format!("expected the key {other}, found {own}")), "{told}");
    let told = refused(known(&sshd, "known", &sshd.known_as(&host, "stranger")));
    assert!(told.contains("a new key") && told.contains(&own), "{told}");
    // Nobody knows it.
    for text in ["", "# nothing\n", &sshd.known_as("elsewhere", "host_ed25519")] {
        let told = refused(known(&sshd, "known", text));
        assert!(told.contains("nobody has said which key") && told.contains(&own), "{told}");
    }
    let told = refused(HostKeys::Files(vec![sshd.path("none")]));
    assert!(told.contains("none is in") && told.contains(&own), "{told}");
    // It is known, and revoked.
    let line = sshd.known_as(&host, "host_ed25519");
    let told = refused(known(&sshd, "known", &format!("{line}@revoked {line}")));
    assert!(told.contains("marked as revoked"), "{told}");
}

#[test]
fn keys_and_agents_let_in_and_others_do_not() {
    let sshd = Sshd::start();
    open(&sshd, |ssh| ssh.logins = vec![sshd.key("sealed", Some("open sesame"))]).unwrap();
    // What is refused first is no hindrance.
    let both = || vec![sshd.key("stranger", None), sshd.key("login", None)];
    open(&sshd, |ssh| ssh.logins = both()).unwrap();

    let password = || Login::Password(SecretBytes::new(b"hush".to_vec()));
    for (logins, expected) in [
        (vec![], "nothing to log in with"),
        (vec![sshd.key("stranger", None)], "tried: key `stranger`"),
        (vec![password()], "tried: the password"),
        (vec![sshd.key("sealed", None)], "key `sealed` cannot be used"),
        (vec![sshd.key("sealed", Some("wrong"))], "key `sealed` cannot be used"),
        (vec![sshd.key("sshd_config", None)], "key `sshd_config` cannot be used"),
    ] {
        let error = open(&sshd, |ssh| ssh.logins = logins).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Denied, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        for secret in ["hush", "sesame", "wrong", "PRIVATE KEY"] {
            assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
        }
    }
}

/// An agent that holds the key; ended when dropped.
struct Agent(std::process::Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[test]
fn an_agent_lets_in() {
    let sshd = Sshd::start();
    let socket = sshd.path("agent");
    let mut command = Command::new("ssh-agent");
    command.args(["-D", "-a"]).arg(&socket).stdout(Stdio::piped());
    let mut agent = Agent(command.spawn().unwrap());
    // It tells where it listens once it does.
    let mut line = String::new();
    let mut told = std::io::BufReader::new(agent.0.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut told, &mut line).unwrap();
    assert!(line.contains("SSH_AUTH_SOCK"), "{line}");

    let login = || vec![Login::Agent(socket.clone())];
    let error = open(&sshd, |ssh| ssh.logins = login()).unwrap_err();
    assert!(error.to_string().contains("an agent without keys"), "{error}");
    let add = |name: &str| {
        let mut command = Command::new("ssh-add");
        command.arg("-q").arg(sshd.path(name)).env("SSH_AUTH_SOCK", &socket);
        assert!(command.status().unwrap().success());
    };
    add("stranger");
    let error = open(&sshd, |ssh| ssh.logins = login()).unwrap_err();
    assert!(error.to_string().contains("1 keys of the agent"), "{error}");
    add("login");
    open(&sshd, |ssh| ssh.logins = login()).unwrap();
    let gone = vec![Login::Agent(sshd.path("none"))];
    let error = open(&sshd, |ssh| ssh.logins = gone).unwrap_err();
    assert!(error.to_string().contains("the agent at"), "{error}");
}

/// The user's own `ssh`, which knows of jump hosts and the like.
#[test]
fn an_own_ssh_is_a_way_too() {
    let sshd = Sshd::start();
    let line = sshd.known_as(&format!("[127.0.0.1]:{}", sshd.port), "host_ed25519");
    known(&sshd, "known", &line);
    let text = format!(
        "Host nas jump\nHostName 127.0.0.1\nPort {}\nUser {}\nIdentityFile {}\n\
         UserKnownHostsFile {}\nIdentitiesOnly yes\nBatchMode yes\n",
        sshd.port,
        sshd.user,
        sshd.path("login").display(),
        sshd.path("known").display(),
    );
    known(&sshd, "ssh_config", &text);
    let config = sshd.path("ssh_config").display().to_string();
    let argv = |more: &[&str]| {
        let words = [&["ssh", "-F", &config][..], more, &["nas", "-s", "sftp"]].concat();
        let way = Way::Program(words.into_iter().map(Into::into).collect());
        SftpOptions { way, root: sshd.path("").display().to_string() }
    };
    SftpStorage::open(&run(), argv(&[])).unwrap();
    SftpStorage::open(&run(), argv(&["-J", "jump"])).unwrap();
    let error = SftpStorage::open(&run(), argv(&["-o", "Port=1"])).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
    let missing = vec!["/none/ssh".into()];
    let options = SftpOptions { way: Way::Program(missing), root: "x".to_owned() };
    let error = SftpStorage::open(&run(), options).unwrap_err();
    assert!(error.to_string().contains("`/none/ssh` cannot be started"), "{error}");
}
