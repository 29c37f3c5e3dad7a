//! L5 of one dump of a database, as statements or as an archive.

use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::path::Path;

use crate::capsule::Between;
use crate::capsule::postgresql::PostgresqlTruth;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::check::capsule;
use crate::drill::check::postgresql::Archive;
use crate::drill::check::postgresql::Form;
use crate::drill::check::postgresql::Restored;
use crate::drill::check::postgresql::load::named;
use crate::drill::check::postgresql::started;
use crate::drill::server::Means;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::run::Stopped;

/// How an archive of `pg_dump` begins.
const ARCHIVE: &[u8] = b"PGDMP";
/// What a whole dump says within its last lines; newer versions write more behind it.
const COMPLETE: &[u8] = b"-- PostgreSQL database dump complete";
const LINES: usize = 10;
const TAIL_BYTES: u64 = 8 * 1024;
/// Most bytes of a line that may name a role.
const LINE_BYTES_MAX: u64 = 4 * 1024;
/// Most roles that are made for a dump.
const ROLES_MAX: usize = 1000;

/// Restores a dump, and compares it. Nothing if there is no server; else also how far apart the
/// readings of the source lie, in thousandths.
///
/// # Errors
/// When the run is stopped.
pub fn check<'a>(
    checks: &mut Checks<'_>,
    means: &Means<'a>,
    (path, expected): (&Path, Option<&Between<PostgresqlTruth>>),
) -> Result<Option<(Restored<'a>, u64)>, Stopped> {
    checks.start();
    let is_archive = begins(path).is_some_and(|begin| begin == ARCHIVE);
    let (form, roles) = if is_archive {
        (Form::LoneArchive, Vec::new())
    } else {
        let said = if is_complete(path) { "complete" } else { "cut" };
        let found = Found::equal(FailureCode::F2, "complete", said).with("its last lines");
        checks.note((Level::L5, "postgresql.trailer"), Weight::Mandatory, found);
        (Form::Statements, roles(path))
    };
    let Some(cluster) = started(checks, means)? else { return Ok(None) };
    let first = expected.and_then(|between| between.before.databases.keys().next());
    let archive = Archive {
        name: first.cloned().unwrap_or_else(|| "dump".to_owned()),
        path: path.to_owned(),
        database: "restored0".to_owned(),
        form,
        is_there: false,
    };
    let mut restored = Restored { cluster, limit: means.limit, archives: vec![archive] };
    let before = expected.map(|between| &between.before);
    restored.load(checks, means.run, (Ok(roles), before))?;
    restored.follow();
    let (found, amchecked) = restored.read(checks, (means.run, before))?;
    let width = match (expected, found) {
        (Some(expected), Some(found)) => capsule::postgresql_files(checks, expected, &found),
        _ => 0,
    };
    restored.amcheck(checks, means.run, amchecked)?;
    Ok(Some((restored, width)))
}

impl Restored<'_> {
    /// A dump may make its database itself: then that is the one that is asked.
    fn follow(&mut self) {
        let Ok(names) = self.cluster.databases(self.limit) else { return };
        for archive in &mut self.archives {
            if names.contains(&archive.name) {
                archive.database.clone_from(&archive.name);
            }
        }
    }
}

fn begins(path: &Path) -> Option<Vec<u8>> {
    let mut begin = Vec::new();
    let file = File::open(path).ok()?;
    file.take(ARCHIVE.len() as u64).read_to_end(&mut begin).ok()?;
    Some(begin)
}

/// Whether one of its last lines says so.
fn is_complete(path: &Path) -> bool {
    let tail = File::open(path).and_then(|mut file| {
        let len = file.metadata()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(TAIL_BYTES)))?;
        let mut tail = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut tail)?;
        Ok(tail)
    });
    tail.is_ok_and(|tail| {
        let lines = tail.rsplit(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
        { lines }.take(LINES).any(|line| line == COMPLETE)
    })
}

/// Names of roles that statements give things or rights to. A row that looks like one only makes a
/// role that nobody needs.
fn roles(path: &Path) -> Vec<String> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    let (mut reader, mut line) = (BufReader::new(file), Vec::new());
    let mut roles = std::collections::BTreeSet::new();
    while roles.len() < ROLES_MAX {
        line.clear();
        let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        if read.unwrap_or(0) == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let begins = ["ALTER ", "GRANT ", "REVOKE ", "SET SESSION AUTHORIZATION "];
        if !begins.iter().any(|begin| text.starts_with(begin)) {
            continue;
        }
        for word in [" OWNER TO ", " TO ", " FROM ", " FOR ROLE ", "SET SESSION AUTHORIZATION "] {
            if let Some((_, rest)) = text.rsplit_once(word) {
                roles.extend(named(rest));
            }
        }
    }
    // Everybody is no role, and neither is what `SET` takes back.
    let none = ["\"PUBLIC\"", "\"public\"", "\"DEFAULT\"", "\"postgres\"", "\"CURRENT_USER\""];
    roles.into_iter().filter(|role| !none.contains(&role.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn write(path: &Path, bytes: &[u8]) {
        let mut options = File::options();
        let mut file = options.write(true).create(true).truncate(true).open(path).unwrap();
        file.write_all(bytes).unwrap();
    }

    #[test]
    fn a_dump_is_complete_if_it_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let said = |text: &str| {
            let path = dir.path().join("x.sql");
            write(&path, text.as_bytes());
            is_complete(&path)
        };
        let line = "-- PostgreSQL database dump complete\n";
        assert!(said(&format!("select 1;\n--\n{line}--\n\n")));
        assert!(said(&format!("--\n{line}--\n\n\\unrestrict x\n\n")));
        assert!(!said("--\n-- PostgreSQL database dump\n--\n"));
        assert!(!said("") && !said(&format!("{line}{}", "select 1;\n".repeat(12))));
    }

    #[test]
    fn roles_of_statements_are_names() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.sql");
        let text = "ALTER TABLE public.t OWNER TO clerk;\nGRANT SELECT ON TABLE t TO \"kế toán\";\n\
                    REVOKE ALL ON SCHEMA public FROM PUBLIC;\nALTER TABLE u OWNER TO postgres;\n\
                    select ' OWNER TO nobody;';\nALTER TABLE x ADD CONSTRAINT y CHECK (a > 1);\n";
        write(&path, text.as_bytes());
        assert_eq!(roles(&path), ["\"clerk\"", "\"kế toán\""]);
    }
}
