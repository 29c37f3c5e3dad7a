//! Programs of a database server that are asked something.

use crate::path::SnapshotPath;
use crate::run::Run;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::stream::StreamSource;
use crate::source::stream::command::Program;

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a program prints, if it ends well.
pub(in crate::source) fn printed(run: &Run, program: Program) -> Result<Vec<u8>, SourceError> {
    let argv = program.argv.first().cloned().unwrap_or_default();
    let label = crate::path::escape(argv.as_encoded_bytes());
    let path = SnapshotPath::from_user(b"answer").unwrap_or_default();
    let stream = StreamSource::program(path, &label, program)?;
    let mut reader = stream.reader();
    let mut answer = Vec::new();
    for found in stream.walk(run)? {
        let found = found?;
        // Why there is nothing, or an end before the end, is told by `finish`.
        if let Ok(mut content) = reader.open(run, &found) {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(len @ 1..) = content.read(&mut buffer) {
                answer.extend_from_slice(buffer.get(..len).unwrap_or_default());
                if answer.len() > ANSWER_BYTES_MAX {
                    let detail = format!("it printed more than {ANSWER_BYTES_MAX} bytes");
                    return Err(SourceError::Command { command: label, detail });
                }
            }
        }
    }
    stream.finish(run)?;
    Ok(answer)
}

/// The same of `PROGRAM --version`: a program that cannot be started is absent.
pub(super) fn version(run: &Run, program: Program) -> Result<String, SourceError> {
    let tool = program.argv.first().cloned().unwrap_or_default();
    let tool = crate::path::escape(tool.as_encoded_bytes());
    match printed(run, program) {
        Ok(answer) => Ok(String::from_utf8_lossy(&answer).into_owned()),
        Err(SourceError::Command { detail, .. }) => Err(SourceError::Tool { tool, detail }),
        Err(error) => Err(error),
    }
}

/// The numbers that `text` begins with: `10.11.19-MariaDB` is 10, 11, 19.
pub(super) fn numbers(text: &str) -> Vec<u32> {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default().split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        assert_eq!(numbers("10.11.19-MariaDB"), [10, 11, 19]);
        assert_eq!(numbers("17beta1"), [17]);
        assert!(numbers("devel").is_empty() && numbers("").is_empty());
    }
}
