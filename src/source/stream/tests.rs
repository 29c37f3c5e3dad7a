use std::ffi::OsString;
use std::sync::Arc;

use crate::clock::SystemClock;
use crate::ids::RunId;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::run::Stopped;
use crate::run::monitor::Silent;
use crate::source::Found;
use crate::source::ReadError;
use crate::source::Source;
use crate::source::SourceError;

use super::StreamSource;
use super::several::Streams;

fn run() -> Run {
    Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 0)
}

fn path() -> SnapshotPath {
    SnapshotPath::from_user(b"db/today/dump.sql").unwrap()
}

fn shell(script: &str) -> StreamSource {
    let argv = ["sh", "-c", script].map(OsString::from).to_vec();
    StreamSource::command(path(), argv, Vec::new()).unwrap()
}

fn file(source: &StreamSource, run: &Run) -> Found {
    source.walk(run).unwrap().last().unwrap().unwrap()
}

/// All bytes, or the error and what came before it.
fn read(source: &StreamSource, run: &Run) -> (Vec<u8>, Option<ReadError>) {
    let found = file(source, run);
    let mut reader = source.reader();
    let mut content = match reader.open(run, &found) {
        Ok(content) => content,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let (mut all, mut buffer) = (Vec::new(), vec![0; 70_001]);
    loop {
        match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(len) => all.extend_from_slice(&buffer[..len]),
            Err(error) => return (all, Some(error)),
        }
    }
    assert_eq!(content.meta().size_bytes, all.len() as u64);
    assert!(!content.changed() && !content.may_have_holes());
    assert_eq!(content.read(&mut buffer), Ok(0));
    (all, None)
}

fn failure(source: &dyn Source, run: &Run) -> String {
    source.finish(run).unwrap_err().to_string()
}

#[test]
fn the_file_stands_in_plain_folders() {
    let (run, source) = (run(), shell("true"));
    let found: Vec<_> = source.walk(&run).unwrap().map(Result::unwrap).collect();
    let shown: Vec<_> = found.iter().map(|f| (f.path.to_string(), f.meta.kind)).collect();
    let folder = Kind::Directory;
    let wanted = [("/db", folder), ("/db/today", folder), ("/db/today/dump.sql", Kind::File)];
    assert_eq!(shown, wanted.map(|(path, kind)| (path.to_owned(), kind)));
    assert!(StreamSource::stdin(SnapshotPath::root()).is_err());
    assert!(StreamSource::command(path(), Vec::new(), Vec::new()).is_err());
}

#[test]
fn a_reader_and_a_command_give_every_byte_once() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    let input = std::io::Cursor::new(bytes.clone());
    let run = run();
    let source = StreamSource::from_reader(path(), "input", Box::new(input)).unwrap();
    assert!(failure(&source, &run).contains("not read to its end"));
    assert_eq!(read(&source, &run), (bytes, None));
    source.finish(&run).unwrap();
    source.finish(&run).unwrap();
    assert!(matches!(read(&source, &run).1, Some(ReadError::Failed(_))));

    let source = shell("printf one; printf two; cat; printf noise >&2");
    assert_eq!(read(&source, &run), (b"onetwo".to_vec(), None));
    source.finish(&run).unwrap();
}

#[test]
fn a_command_that_fails_is_told_with_its_last_words() {
    let run = run();
    for before in ["", "printf data;"] {
        let script =
            format!("{before} echo early >&2; printf 'no \\033 such\\ntable\\n' >&2; exit 3");
        let source = shell(&script);
        assert_eq!(read(&source, &run).1, None);
        let wanted = "command `sh`: exit code 3: early; no \\x1b such; table";
        assert_eq!(failure(&source, &run), wanted);
        assert!(matches!(source.finish(&run), Err(SourceError::Command { .. })));
    }
    let source = shell("printf data; kill -9 $$");
    assert_eq!(read(&source, &run), (b"data".to_vec(), None));
    assert!(failure(&source, &run).contains("signal: 9"));
}

#[test]
fn endless_words_are_cut() {
    let (run, source) =
        (run(), shell("i=0; while [ $i -lt 9000 ]; do echo l$i >&2; i=$((i+1)); done; exit 1"));
    assert_eq!(read(&source, &run).1, None);
    let words = failure(&source, &run);
    assert!(
        words.ends_with("l8990; l8991; l8992; l8993; l8994; l8995; l8996; l8997; l8998; l8999")
    );
    assert!(!words.contains("l8989"));
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let run = run();
    let argv = vec![OsString::from("/nowhere/at-all"), OsString::from("secret")];
    let source = StreamSource::command(path(), argv, Vec::new()).unwrap();
    assert!(matches!(read(&source, &run).1, Some(ReadError::Failed(_))));
    let failure = failure(&source, &run);
    assert!(failure.contains("`/nowhere/at-all`: cannot start"), "{failure}");
    assert!(!failure.contains("secret"));
}

/// Another process keeps the output open after the command has failed.
#[test]
fn a_dead_command_is_not_waited_for() {
    let (run, source) = (run(), shell("sleep 5 & printf x; exit 4"));
    let (bytes, error) = read(&source, &run);
    assert!(bytes.len() <= 1 && error.is_some());
    assert!(failure(&source, &run).contains("exit code 4"));
}

#[test]
fn a_stop_ends_the_wait_and_the_command() {
    let dir = tempfile::tempdir().unwrap();
    let pid_file = dir.path().join("pid");
    let (run, source) = (run(), shell(&format!("echo $$ > {}; exec sleep 60", pid_file.display())));
    let stopper = run.clone();
    let (error, finished) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| read(&source, &run).1);
        while !std::fs::read_to_string(&pid_file).is_ok_and(|text| text.ends_with('\n')) {
            std::thread::yield_now();
        }
        stopper.cancel.stop(Stopped::Interrupted);
        (reading.join().unwrap(), source.finish(&stopper))
    });
    assert!(matches!(error, Some(ReadError::Failed(_))));
    assert!(matches!(finished, Err(SourceError::Stopped(_))));
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    drop(source);
    assert!(!std::path::Path::new(&format!("/proc/{}", pid.trim())).exists());
}

#[test]
fn a_broken_input_fails_after_what_came() {
    struct Broken(u8);
    impl std::io::Read for Broken {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Err(std::io::ErrorKind::Interrupted.into()),
                2 => {
                    into[0] = 7;
                    Ok(1)
                }
                _ => Err(std::io::Error::other("torn")),
            }
        }
    }
    let run = run();
    let source = StreamSource::from_reader(path(), "input", Box::new(Broken(0))).unwrap();
    assert!(read(&source, &run).1.is_some());
    assert_eq!(failure(&source, &run), "`input`: cannot read: torn");
}

/// `name` filled by a shell.
fn named(name: &str, script: &str) -> StreamSource {
    let path = SnapshotPath::from_user(format!("db/{name}").as_bytes()).unwrap();
    let argv = ["sh", "-c", script].map(OsString::from).to_vec();
    StreamSource::command(path, argv, Vec::new()).unwrap()
}

/// Reads all of them; what each gave.
fn read_all(streams: &Streams, run: &Run) -> Vec<(String, Result<Vec<u8>, ReadError>)> {
    let found: Vec<_> = streams.walk(run).unwrap().map(Result::unwrap).collect();
    let mut reader = streams.reader();
    let mut all = Vec::new();
    for found in found.iter().filter(|found| found.meta.kind == Kind::File) {
        let mut bytes = Vec::new();
        let read = reader.open(run, found).and_then(|mut content| {
            let mut buffer = [0; 100];
            loop {
                match content.read(&mut buffer)? {
                    0 => return Ok(()),
                    len => bytes.extend_from_slice(&buffer[..len]),
                }
            }
        });
        all.push((found.path.to_string(), read.map(|()| bytes)));
    }
    all
}

#[test]
fn several_streams_are_one_source_in_path_order() {
    let run = run();
    let streams = vec![named("b", "printf 2"), named("a", "printf 1")];
    let streams = Streams::new(streams).unwrap();
    let paths: Vec<_> = streams.walk(&run).unwrap().map(|found| found.unwrap().path).collect();
    let shown: Vec<_> = paths.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["/db", "/db/a", "/db/b"]);
    assert!(streams.finish(&run).is_err(), "nothing was read");
    let wanted = [("/db/a".to_owned(), Ok(b"1".to_vec())), ("/db/b".to_owned(), Ok(b"2".to_vec()))];
    assert_eq!(read_all(&streams, &run), wanted);
    streams.finish(&run).unwrap();
    assert!(Streams::new(vec![named("a", "true"), named("a", "true")]).is_err());
}

#[test]
fn after_a_stream_that_failed_no_other_is_begun() {
    let (run, dir) = (run(), tempfile::tempdir().unwrap());
    let mark = dir.path().join("begun");
    let second = named("b", &format!("touch {}", mark.display()));
    let streams = vec![named("a", "printf part; echo why >&2; exit 4"), second];
    let streams = Streams::new(streams).unwrap();
    let all = read_all(&streams, &run);
    assert_eq!(all[0].1, Ok(b"part".to_vec()));
    assert!(matches!(&all[1].1, Err(ReadError::Failed(why)) if why.contains("another one")));
    assert!(!mark.exists());
    assert_eq!(failure(&streams, &run), "command `sh`: exit code 4: why");
}
