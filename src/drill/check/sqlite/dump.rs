//! Statements that make a database anew, as `.dump` writes them.

use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::limits::Limit;

use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::run::Run;
use crate::run::Stopped;

/// The last line of a whole dump.
const LAST: &[u8] = b"COMMIT;";
const TAIL_BYTES: u64 = 1024;
/// Most bytes of one statement.
const STATEMENT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Steps of the engine between two looks at the run's switch.
const STEPS: i32 = 100_000;

/// Makes the database `into` from the statements of `from`.
///
/// # Errors
/// When the run is stopped.
pub fn load(
    checks: &mut Checks<'_>,
    run: &Run,
    (from, into): (&Path, &Path),
) -> Result<(), Stopped> {
    let last = if is_complete(from) { "COMMIT;" } else { "another" };
    let found = Found::equal(FailureCode::F2, "COMMIT;", last).with("its last line");
    checks.note((Level::L5, "sqlite.trailer"), Weight::Mandatory, found);
    let found = match carry_out(run, from, into) {
        Ok(count) => {
            let found = Found::equal(FailureCode::F1, "carried out", "carried out");
            found.with(format!("{count} statements"))
        }
        Err(LoadError::Stopped(stopped)) => return Err(stopped),
        Err(LoadError::Medium(error)) => Found::skipped(FailureCode::F8, error.to_string()),
        // The engine's own words might be of a row.
        Err(LoadError::Statement(at)) => {
            Found::failed(FailureCode::F1, format!("statement {at} is refused"))
        }
    };
    checks.note((Level::L5, "sqlite.restore"), Weight::Mandatory, found);
    Ok(())
}

enum LoadError {
    Stopped(Stopped),
    Medium(io::Error),
    Statement(u64),
}

fn is_complete(path: &Path) -> bool {
    let tail = File::open(path).and_then(|mut file| {
        let len = file.metadata()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(TAIL_BYTES)))?;
        let mut tail = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut tail)?;
        Ok(tail)
    });
    let last = |tail: &[u8]| {
        let mut lines = tail.rsplit(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        lines.find(|line| !line.is_empty()).is_some_and(|line| line == LAST)
    };
    tail.is_ok_and(|tail| last(&tail))
}

/// A hostile dump may name no other file, and takes no longer than the drill may.
fn carry_out(run: &Run, from: &Path, into: &Path) -> Result<u64, LoadError> {
    let engine = |error: rusqlite::Error| LoadError::Medium(io::Error::other(error.to_string()));
    let mut connection = Connection::open(into).map_err(engine)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).map_err(engine)?;
    let settled = "pragma trusted_schema = off; pragma journal_mode = memory; \
                   pragma synchronous = off; pragma temp_store = memory";
    connection.execute_batch(settled).map_err(engine)?;
    let cancel = run.cancel.clone();
    connection.progress_handler(STEPS, Some(move || cancel.check().is_err())).map_err(engine)?;
    let mut input = BufReader::new(File::open(from).map_err(LoadError::Medium)?);
    let (mut splitter, mut count) = (Splitter::default(), 0);
    while let Some(statement) = splitter.next(&mut input).map_err(LoadError::Medium)? {
        run.check().map_err(LoadError::Stopped)?;
        count += 1;
        let text = std::str::from_utf8(&statement).map_err(|_| LoadError::Statement(count))?;
        if let Err(error) = connection.execute_batch(text) {
            run.check().map_err(LoadError::Stopped)?;
            return Err(match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DiskFull) => engine(error),
                _ => LoadError::Statement(count),
            });
        }
    }
    Ok(count)
}

/// Where in a statement a byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Within {
    #[default]
    Words,
    /// Up to this byte.
    Quotes(u8),
    Line,
    Comment,
}

/// Takes statements apart as the engine does: at a semicolon that stands in no quotes, no comment
/// and no trigger.
#[derive(Debug, Default)]
struct Splitter {
    within: Within,
    /// Letters of the statement outside quotes, as far as a trigger is told by them.
    words: Vec<u8>,
}

impl Splitter {
    /// The next statement; what follows the last semicolon is one too.
    fn next(&mut self, input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
        let mut statement = Vec::new();
        self.words.clear();
        self.within = Within::Words;
        loop {
            let mut part = Vec::new();
            if input.read_until(b';', &mut part)? == 0 {
                let is_blank = statement.iter().all(u8::is_ascii_whitespace);
                return Ok((!is_blank).then_some(statement));
            }
            statement.extend_from_slice(&part);
            if statement.len() > STATEMENT_BYTES_MAX {
                return Err(io::Error::other("a statement is longer than 256 MiB"));
            }
            let mut before = 0;
            for byte in part {
                self.step(before, byte);
                before = byte;
            }
            if self.within == Within::Words && self.words.ends_with(b";") && self.is_whole() {
                return Ok(Some(statement));
            }
        }
    }

    fn step(&mut self, before: u8, byte: u8) {
        self.within = match (self.within, byte) {
            (Within::Words, b'\'' | b'"' | b'`') => Within::Quotes(byte),
            (Within::Words, b'[') => Within::Quotes(b']'),
            (Within::Words, b'-') if before == b'-' => Within::Line,
            (Within::Words, b'*') if before == b'/' => Within::Comment,
            (Within::Words, _) => {
                let is_space = byte.is_ascii_whitespace();
                if !is_space || !self.words.ends_with(b" ") {
                    self.words.push(if is_space { b' ' } else { byte.to_ascii_uppercase() });
                }
                Within::Words
            }
            (Within::Quotes(end), _) if byte == end => Within::Words,
            (Within::Line, b'\n') => Within::Words,
            (Within::Comment, b'/') if before == b'*' => Within::Words,
            (within, _) => within,
        };
    }

    /// A trigger ends with `; END;` only.
    fn is_whole(&self) -> bool {
        let words = self.words.trim_ascii_start();
        let begins =
            [&b"CREATE TRIGGER "[..], b"CREATE TEMP TRIGGER ", b"CREATE TEMPORARY TRIGGER "];
        if !begins.iter().any(|begin| words.starts_with(begin)) {
            return true;
        }
        let spaceless: Vec<u8> = words.iter().copied().filter(|byte| *byte != b' ').collect();
        spaceless.ends_with(b";END;")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn split(text: &str) -> Vec<String> {
        let (mut splitter, mut input) = (Splitter::default(), text.as_bytes());
        let mut all = Vec::new();
        while let Some(one) = splitter.next(&mut input).unwrap() {
            all.push(String::from_utf8(one).unwrap().trim().to_owned());
        }
        all
    }

    fn write(path: &Path, bytes: &[u8]) {
        let mut options = File::options();
        let mut file = options.write(true).create(true).truncate(true).open(path).unwrap();
        file.write_all(bytes).unwrap();
    }

    #[test]
    fn statements_end_where_the_engine_ends_them() {
        let all = [
            "insert into t values ('a;''b\n;', \"x;y\", [q;r], `s;t`);",
            "-- a; comment\nselect 1 /* ; */;",
            "create trigger g after insert on t begin select case when 1 then 2 end; \
             update t set a = ';END;'; end;",
            "select 2",
        ];
        assert_eq!(split(&all.join("\n")), all);
        assert!(split("").is_empty() && split("\n ").is_empty());
    }

    #[test]
    fn a_dump_ends_with_its_commit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        for (text, is_whole) in
            [("a;\nCOMMIT;\n", true), ("a;\n", false), ("", false), ("'COMMIT;\n';", false)]
        {
            write(&path, text.as_bytes());
            assert_eq!(is_complete(&path), is_whole, "{text}");
        }
    }

    #[test]
    fn a_dump_names_no_other_file() {
        let dir = tempfile::tempdir().unwrap();
        let (from, other) = (dir.path().join("from"), dir.path().join("other"));
        let id = crate::ids::RunId::new([0; 16]);
        let clock = std::sync::Arc::new(crate::clock::SystemClock::new());
        let run = Run::new(id, std::sync::Arc::new(crate::run::monitor::Silent), clock, 0);
        for text in [
            format!("attach '{}' as o; create table o.t(a);", other.display()),
            format!("create table t(a); vacuum into '{}';", other.display()),
        ] {
            write(&from, text.as_bytes());
            let into = dir.path().join("into");
            assert!(carry_out(&run, &from, &into).is_err(), "{text}");
            assert!(!other.exists(), "{text}");
            std::fs::remove_file(&into).unwrap();
        }
    }
}
