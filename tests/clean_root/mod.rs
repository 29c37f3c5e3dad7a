//! The Debian package in a bare Debian: an administrator follows his guide, word by word, and what
//! it promises holds: backups on time, alarms, numbers, and everything back.

mod guide;
mod machine;

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use self::guide::Guide;
use self::machine::Machine;
use self::machine::told;
use crate::house;
use crate::notify::receiver::PASSWORD;
use crate::notify::receiver::Receiver;
use crate::support::generate::is_root;
use crate::support::tally::Tally;

/// A folder with what a service that is not root finds hard, and a database.
const OFFICE: &str = r#"
mkdir -p "/srv/shared/hồ sơ/2026" /srv/shared/empty
echo 'đơn' > "/srv/shared/hồ sơ/2026/đơn xin.txt"
head -c 3000000 /dev/urandom > /srv/shared/large
echo hidden > /srv/shared/root-only; chmod 0600 /srv/shared/root-only
ln /srv/shared/large /srv/shared/twin
ln -s large /srv/shared/link
chown nobody "/srv/shared/hồ sơ/2026"; chmod 0700 "/srv/shared/hồ sơ/2026"
touch -d '2001-02-03 04:05:06.789' /srv/shared/large
cd /
runuser -u postgres -- psql -q -c 'create role clerk login' -c 'create database cases owner clerk'
runuser -u postgres -- psql -q -d cases <<'X'
set role clerk;
create table cases (id serial primary key, title text not null, received_on date, scan bytea);
insert into cases (title, received_on, scan)
  select 'hồ sơ ' || n, date '2026-01-01' + n % 300, decode(md5(n::text), 'hex')
  from generate_series(1, 20000) n;
create index on cases (received_on);
create view recent as select * from cases where received_on > date '2026-06-01';
X
"#;

/// A database in words that are equal if it is.
fn words(port: u16) -> String {
    format!("runuser -u postgres -- pg_dump -p {port} -d cases | grep -v '^.\\(un\\)\\?restrict '")
}

/// Every name beneath a folder, with what it has and its content's digest.
fn listing(folder: &str) -> String {
    format!(
        "cd {folder}; find . -printf '%y %m %u %g %n %T@ %l %p\\n' | sort -k8; \
         find . -type f -print0 | sort -z | xargs -0 sha256sum"
    )
}

/// The package out of the program that this build made.
fn package(into: &Path) -> std::path::PathBuf {
    let root = house::root();
    assert_eq!(Path::new(env!("CARGO_BIN_EXE_lifeboat")), root.join("target/debug/lifeboat"));
    let made = Command::new(root.join("deploy/package"))
        .args(["dev".as_ref(), into.as_os_str(), "--fast".as_ref()])
        .output()
        .unwrap();
    assert!(made.status.success(), "`.ci/run` installs cargo-deb; {}", told(&made));
    String::from_utf8(made.stdout).unwrap().trim_end().into()
}

fn lint(package: &Path) {
    let said = Command::new("lintian")
        .args(["--allow-root", "--fail-on", "error,warning"])
        .args(["--suppress-tags", "initial-upload-closes-no-bugs"])
        .arg(package)
        .output()
        .unwrap_or_else(|e| panic!("lintian: {e}; `.ci/run` installs it"));
    assert!(said.status.success() && said.stdout.is_empty(), "{}", told(&said));
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[test]
fn an_administrator_sets_it_up_by_the_guide() {
    let mut tally = Tally::start("service-clean root", 0);
    if !is_root() {
        return not_run(&mut tally, "only root can boot a machine");
    }
    let dir = tempfile::tempdir().unwrap();
    let package = package(dir.path());
    lint(&package);
    let receiver = Receiver::start();
    let files = [
        ("root/lifeboat_0_amd64.deb", std::fs::read(&package).unwrap()),
        (
            "usr/local/share/ca-certificates/office.crt",
            std::fs::read(receiver.path("cert.pem")).unwrap(),
        ),
    ];
    let files = files.each_ref().map(|(name, content)| (*name, content.as_slice()));
    let machine = match Machine::boot(&files) {
        Ok(machine) => machine,
        Err(why) => return not_run(&mut tally, &why),
    };
    let port = free_port().to_string();
    let mail = format!("mail.office.lan:{}", receiver.port("smtps"));
    let words = [
        (r#"cron = "0 12,22 * * *", jitter = "10m""#, r#"cron = "* * * * *""#),
        (r#"cron = "30 * * * *""#, r#"cron = "* * * * *""#),
        ("mail.office.lan:465", mail.as_str()),
        ("127.0.0.1:9617", &format!("127.0.0.1:{port}")),
    ];
    let guide = Guide::read("doc/admin.md", &words);
    follow(&machine, &receiver, guide, &port);
    quickstart_becomes_a_service(&machine);
    tally.trials = 1;
    tally.finish();
}

/// Says by name that nothing was tried.
fn not_run(tally: &mut Tally, why: &str) {
    println!("not run: {why}");
    tally.count("not_run", 1);
    tally.finish();
}

fn follow(machine: &Machine, receiver: &Receiver, mut guide: Guide, port: &str) {
    machine.sh(OFFICE);
    machine.sh("update-ca-certificates");
    guide.follow(machine, 1);
    assert_eq!(machine.sh("systemctl is-enabled lifeboat || true"), "disabled");
    guide.follow(machine, 2);
    let said = guide.follow(machine, 3);
    assert!(said.contains("`backup:case-db`: done, exit code 0"), "{said}");
    machine.until_done(&["backup:case-db", "backup:shared-files"]);
    assert_eq!(machine.sh("systemctl show -P User lifeboat"), "lifeboat");

    // From here on failures are provoked, and no run of the schedule comes between.
    machine.sh("lifeboat pause");
    machine.add("/etc/lifeboat/mail.secret", &format!("{PASSWORD}\n"));
    let said = guide.follow(machine, 4);
    assert!(said.contains("exit code 1") && said.contains("exit code 3"), "{said}");
    let test = receiver.next();
    assert!(test["subject"].as_str().unwrap().contains("test"), "{test}");
    let alarm = receiver.next();
    assert!(alarm["body"].as_str().unwrap().contains("shared-files"), "{alarm}");
    assert_eq!((&alarm["encrypted"], &alarm["login"]), (&true.into(), &true.into()), "{alarm}");

    let said = guide.follow(machine, 5);
    assert!(said.contains("lifeboat_build_info{"), "{said}");
    a_failure_is_told_everywhere(machine, receiver, port);
    machine.sh("lifeboat resume");

    guide.follow(machine, 6);
    let (before, after) = (listing("/srv/shared"), listing("/root/restored/srv/shared"));
    assert_eq!(machine.sh(&after), machine.sh(&before));
    guide.follow(machine, 7);
    let other = "runuser -u postgres -- psql -Atc 'select count(*) from cases' -d cases_restored";
    assert_eq!(machine.sh(&format!("cd /; {other}")), "20000");
    let (one, other) = (machine.sh(&words(5432)), machine.sh(&words(5434)));
    assert!(one.contains("hồ sơ 20000") && one.contains("OWNER TO clerk"), "{one}");
    assert!(one == other, "the database is another one in the other server");

    let said = guide.follow(machine, 8);
    assert!(said.contains("`copy:main:second`: done, exit code 0"), "{said}");
    // The service's own user starts a server that can reach nothing, and proves both datasets.
    assert!(said.contains("`drill:monthly`: done, exit code 0"), "{said}");
    let said = machine.sh("lifeboat -r /backup --password-file /etc/lifeboat/passphrase snapshots");
    assert!(said.contains("case-db") && said.contains("shared-files"), "{said}");
    guide.follow(machine, 9);
    assert_eq!(guide.last(), 10);
    let kept = machine.sh("cat /etc/lifeboat/lifeboat.toml /etc/lifeboat/passphrase");
    let said = guide.follow(machine, 10);
    assert!(said.contains("active"), "{said}");
    let left = machine.sh("cat /etc/lifeboat/lifeboat.toml /etc/lifeboat/passphrase");
    assert_eq!(left, kept);
    assert!(!machine.path("/usr/bin/lifeboat").exists());
    assert!(!machine.path("/var/lib/lifeboat/catalogue.sqlite").exists());
    assert!(machine.path("/srv/lifeboat/config").exists());
}

/// The server of the database is down: a run fails, and the mail, `status` and the metrics say so,
/// as they say that it is over.
fn a_failure_is_told_everywhere(machine: &Machine, receiver: &Receiver, port: &str) {
    let metric = format!(
        "curl -s http://127.0.0.1:{port}/metrics | \
         grep '^lifeboat_job_last_exit_code.*\"backup:case-db\"' | cut -d' ' -f2"
    );
    let wrong =
        "lifeboat status --json | grep -o '\"dataset\":\"case-db\",[^}]*\"health\":\"[a-z]*'";
    machine.sh("systemctl stop postgresql@15-main; ! lifeboat run case-db");
    assert_eq!(machine.sh(&metric), "1.0");
    assert!(machine.sh(&format!("{wrong} || true")).ends_with("failed"));
    assert!(mail_about(receiver, "case-db").contains("failed"));
    machine.sh("systemctl start postgresql@15-main; lifeboat run case-db");
    assert_eq!(machine.sh(&metric), "0.0");
    assert!(machine.sh(wrong).ends_with("ok"));
    assert!(mail_about(receiver, "case-db").contains("over"));
}

/// What `quickstart` tells root to do makes a service of what it has made.
fn quickstart_becomes_a_service(machine: &Machine) {
    machine.sh("rm -r /etc/lifeboat/lifeboat.toml /etc/systemd/system/lifeboat.service.d");
    machine.sh("apt-get install -y /root/lifeboat_0_amd64.deb");
    let told = machine.sh("lifeboat quickstart /srv/shared --json");
    let mut lines = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let proven = lines.rfind(|line| line["item"] == "quickstart").unwrap();
    let commands = proven["service"].as_array().unwrap().iter();
    let commands: Vec<&str> = commands.map(|command| command.as_str().unwrap()).collect();
    machine.sh(&commands.join("\n"));
    let said = machine.sh("lifeboat run files; lifeboat status");
    assert!(said.contains("`backup:files`: done, exit code 0"), "{said}");
    assert_eq!(machine.sh("stat -c %U /root/.local/share/lifeboat/quickstart/packs"), "lifeboat");
}

/// The next mail that names a dataset; what is told of others meanwhile is left out.
fn mail_about(receiver: &Receiver, dataset: &str) -> String {
    loop {
        let mail = receiver.next();
        let body = mail["body"].as_str().unwrap();
        if body.contains(dataset) {
            return body.to_owned();
        }
    }
}
