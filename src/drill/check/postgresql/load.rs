//! Archives and statements into the databases of a throw-away server.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

use crate::capsule::CapsuleError;
use crate::capsule::postgresql as truth;
use crate::capsule::postgresql::Answers;
use crate::capsule::postgresql::PostgresqlTruth;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::check::broken;
use crate::drill::check::is_full;
use crate::drill::check::postgresql::Form;
use crate::drill::check::postgresql::Restored;
use crate::drill::server::process::ProcessError;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::run::Run;
use crate::run::Stopped;
use crate::source::database::postgresql;

/// Most bytes of the file of roles.
const GLOBALS_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What a tool says of an archive that ends too early; no other word of it is written down, for
/// the others may be of what is in the database.
const CUT: [&str; 3] = ["end of file", "could not read from input file", "could not find block"];

/// Names of roles in the file of what databases share, as statements have them.
fn roles(text: &str) -> Vec<String> {
    const CREATE: &str = "CREATE ROLE ";
    let mut roles = Vec::new();
    for (at, _) in text.match_indices(CREATE) {
        if at > 0 && text.as_bytes().get(at - 1) != Some(&b'\n') {
            continue;
        }
        roles.extend(named(text.get(at + CREATE.len()..).unwrap_or_default()));
    }
    roles
}

/// The name that a statement goes on with, up to its end, quoted; none if that is the server's own
/// or no name.
pub(super) fn named(rest: &str) -> Option<String> {
    let name = match rest.strip_prefix('"') {
        None => {
            let ends = |c: char| c == ';' || c.is_whitespace();
            rest.split(ends).next().unwrap_or_default().to_owned()
        }
        // A quotation mark within is written twice.
        Some(quoted) => {
            let mut name = String::new();
            let mut marks = quoted.chars().peekable();
            while let Some(mark) = marks.next() {
                if mark == '"' && marks.next_if_eq(&'"').is_none() {
                    break;
                }
                name.push(mark);
            }
            name
        }
    };
    // A line that is none of a role ends nowhere.
    (!name.is_empty() && name.len() < 64 && name != "postgres").then(|| quoted(&name))
}

/// Roles of the file that databases of a server share.
pub(super) fn shared_roles(folder: &Path) -> Result<Vec<String>, CapsuleError> {
    let entries = std::fs::read_dir(folder.join(postgresql::FOLDER)).into_iter().flatten();
    let is_globals = |path: &PathBuf| {
        path.extension().is_some_and(|it| it == "sql")
            && path.symlink_metadata().is_ok_and(|found| found.is_file())
    };
    let mut all = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()).filter(is_globals) {
        let mut text = Vec::new();
        let read = File::open(&path).and_then(|file| {
            std::io::Read::read_to_end(&mut std::io::Read::take(file, GLOBALS_BYTES_MAX), &mut text)
        });
        read.map_err(|error| CapsuleError::Read {
            what: "the file of roles".to_owned(),
            detail: error.to_string(),
        })?;
        all.extend(roles(&String::from_utf8_lossy(&text)));
    }
    Ok(all)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Restored<'_> {
    /// Roles may do everything here: who might what at the source is no matter of a restore's
    /// success.
    fn make_roles(&self, roles: Result<Vec<String>, CapsuleError>) -> Result<(), CapsuleError> {
        let mut session = self.cluster.session("postgres", self.limit)?;
        for role in roles? {
            session.tell(&format!("create role {role} superuser nologin;"))?;
        }
        Ok(())
    }

    /// A database of the source's encoding, and of its locale if this machine has that.
    fn make(&self, database: &str, about: Option<&truth::About>) -> Result<(), CapsuleError> {
        let plain = format!("create database {database} template template0");
        let Some(about) = about else { return self.tell("postgres", &format!("{plain};")) };
        let encoding = literal(&about.encoding);
        let own = (about.collate.as_str(), about.ctype.as_str());
        let mut last = Ok(());
        for (collate, ctype) in [own, ("C", "C.UTF-8"), ("C", "C")] {
            let (collate, ctype) = (literal(collate), literal(ctype));
            last = self.tell(
                "postgres",
                &format!("{plain} encoding {encoding} lc_collate {collate} lc_ctype {ctype};"),
            );
            if last.is_ok() {
                break;
            }
        }
        last
    }

    /// Every archive into a database of its own.
    pub(super) fn load(
        &mut self,
        checks: &mut Checks<'_>,
        run: &Run,
        (roles, expected): (Result<Vec<String>, CapsuleError>, Option<&PostgresqlTruth>),
    ) -> Result<(), Stopped> {
        let made = self.make_roles(roles).and_then(|()| {
            self.archives.iter().try_for_each(|one| {
                let about = expected.and_then(|it| it.databases.get(&one.name));
                self.make(&one.database, about.map(|it| &it.about))
            })
        });
        run.check()?;
        if let Err(error) = made {
            let found = Found::skipped(FailureCode::F8, error.to_string());
            checks.note((Level::L5, "postgresql.restore"), Weight::Mandatory, found);
            return Ok(());
        }
        let (mut good, mut failed) = (0, None);
        for at in 0..self.archives.len() {
            match self.restore(at) {
                Ok(None) => good += 1,
                Ok(Some(why)) => failed = Some(why),
                Err(ProcessError::Stopped(stopped)) => return Err(stopped),
                Err(error) => {
                    checks.note(
                        (Level::L5, "postgresql.restore"),
                        Weight::Mandatory,
                        broken(&error),
                    );
                    return Ok(());
                }
            }
        }
        // None at all is what an empty folder would give.
        let count = self.archives.len().max(1);
        let mut found = Found::equal(FailureCode::F1, count, good);
        found.detail = failed;
        checks.note((Level::L5, "postgresql.restore"), Weight::Mandatory, found);
        Ok(())
    }

    /// What went wrong, if anything did.
    fn restore(&mut self, at: usize) -> Result<Option<String>, ProcessError> {
        let Some(archive) = self.archives.get_mut(at) else { return Ok(None) };
        let database = format!("--dbname={}", archive.database);
        let (tool, words): (_, &[&str]) = match archive.form {
            Form::Archive => {
                ("pg_restore", &["--exit-on-error", "--no-tablespaces", "--no-subscriptions"])
            }
            // Who owned what is no matter of a restore's success.
            Form::LoneArchive => (
                "pg_restore",
                &[
                    "--exit-on-error",
                    "--no-tablespaces",
                    "--no-subscriptions",
                    "--no-owner",
                    "--no-privileges",
                ],
            ),
            Form::Statements => {
                ("psql", &["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"])
            }
        };
        let mut words = [words, &["--no-password", &database]].concat();
        archive.is_there = true;
        let lent = match archive.form {
            Form::Archive | Form::LoneArchive => self.cluster.lend(&archive.path),
            Form::Statements => None,
        };
        let jobs = format!("--jobs={}", self.cluster.jobs());
        let ended = match &lent {
            // Tables side by side, as whoever is in haste would restore.
            Some(lent) => {
                words.extend([jobs.as_str(), lent.name()]);
                self.cluster.tool(tool, &words, (None, self.limit))?
            }
            None => {
                let input = File::open(&archive.path).map_err(ProcessError::Start)?;
                self.cluster.tool(tool, &words, (Some(input), self.limit))?
            }
        };
        if ended.code == Some(0) {
            return Ok(None);
        }
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        if is_full(&said) {
            return Err(ProcessError::Full);
        }
        let is_cut = CUT.iter().any(|words| said.contains(words));
        let why = if is_cut { ": the archive ends before its end" } else { "" };
        let code =
            ended.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        Ok(Some(format!("{tool} of one database: {code}{why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_names_and_never_statements() {
        let text = "--\nCREATE ROLE clerk;\nALTER ROLE clerk WITH LOGIN PASSWORD 'CREATE ROLE x';\n\
                    CREATE ROLE \"kế \"\" toán; \\! id\";\nCREATE ROLE postgres;\n\\! touch /x\n";
        assert_eq!(roles(text), ["\"clerk\"", "\"kế \"\" toán; \\! id\""]);
        assert!(roles("CREATE ROLE ").is_empty());
        assert_eq!(roles("CREATE ROLE \"x"), ["\"x\""]);
    }
}
