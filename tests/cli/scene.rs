//! A throw-away place with files and variables in which the program is run.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own and an environment with nothing in it but what is set here.
pub(crate) struct Scene {
    dir: TempDir,
    variables: Vec<(String, OsString)>,
}

/// What the program answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Scene {
    /// With a repository, cache and passphrase named in the environment; none of them made.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| OsString::from(dir.path().join(name));
        let variables = vec![
            ("LIFEBOAT_REPOSITORY".to_owned(), path("repository")),
            ("LIFEBOAT_CACHE_DIR".to_owned(), path("cache")),
            ("LIFEBOAT_PASSWORD".to_owned(), "x".into()),
            ("HOME".to_owned(), path("home")),
            ("XDG_RUNTIME_DIR".to_owned(), path("volatile")),
            ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".into()),
        ];
        std::fs::create_dir(dir.path().join("source")).unwrap();
        std::fs::create_dir(dir.path().join("volatile")).unwrap();
        Self { dir, variables }
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.unset(name);
        self.variables.push((name.to_owned(), value.into()));
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// A file beneath the scene, with the folders above it.
    pub(crate) fn file(&self, name: impl AsRef<Path>, content: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).open(path).unwrap();
        file.write_all(content).unwrap();
    }

    /// Names of everything beneath a folder, sorted.
    pub(crate) fn files(&self, name: &str) -> Vec<String> {
        let mut pending = vec![self.path(name)];
        let mut found = Vec::new();
        while let Some(folder) = pending.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                found.push(path.display().to_string());
                if path.symlink_metadata().unwrap().is_dir() {
                    pending.push(path);
                }
            }
        }
        found.sort_unstable();
        found
    }

    /// The program, ready to start in `source`.
    pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command.args(args).env_clear().current_dir(self.path("source")).stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Told {
        let output = self.command(args).output().unwrap();
        Told {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Like [`Self::run`], but in front of other words, such as those of `faketime`.
    pub(crate) fn run_under(&self, words: &[&str], args: &[&str]) -> Told {
        let mut command = self.command(args);
        let mut outer = Command::new(words[0]);
        outer.args(&words[1..]).arg(command.get_program()).args(command.get_args());
        outer.env_clear().current_dir(self.path("source")).stdin(Stdio::null());
        outer.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command = outer;
        let output = command.output().unwrap_or_else(|e| panic!("{words:?}: {e}"));
        Told {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What was told on standard error, with `@` for the scene's folder and `#` for ids.
    pub(crate) fn shown(&self, told: &Told) -> String {
        let folder = self.dir.path().display().to_string();
        let mut shown = String::new();
        let mut digits = String::new();
        for c in told.stderr.replace(&folder, "@").chars().chain(['\0']) {
            if c.is_ascii_digit() || ('a'..='f').contains(&c) {
                digits.push(c);
                continue;
            }
            shown.push_str(if digits.len() >= 32 { "#" } else { &digits });
            digits.clear();
            shown.push(c);
        }
        shown.trim_end_matches('\0').to_owned()
    }

    /// Runs and demands this exit code and exactly this on standard error.
    #[track_caller]
    pub(crate) fn transcript(&self, code: i32, args: &[&str], expected: &str) -> Told {
        let told = self.expect(code, args);
        assert_eq!(self.shown(&told), expected, "{args:?}");
        told
    }

    /// Runs and demands this exit code.
    #[track_caller]
    pub(crate) fn expect<S: AsRef<std::ffi::OsStr>>(&self, code: i32, args: &[S]) -> Told {
        let told = self.run(args);
        assert_eq!(told.code, Some(code), "{told}");
        told
    }
}

impl Told {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    /// Standard output as JSON lines, checked against what every line promises.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        self.checked(&self.text())
    }

    /// The JSON lines of one type.
    #[track_caller]
    pub(crate) fn json_of(&self, message_type: &str) -> Vec<Value> {
        self.json().into_iter().filter(|line| line["message_type"] == message_type).collect()
    }

    /// The same of standard error, where `dump` puts them.
    #[track_caller]
    pub(crate) fn json_on_stderr_of(&self, message_type: &str) -> Vec<Value> {
        let lines = self.checked(&self.stderr).into_iter();
        lines.filter(|line| line["message_type"] == message_type).collect()
    }

    #[track_caller]
    fn checked(&self, text: &str) -> Vec<Value> {
        const TYPES: [&str; 6] = ["status", "problem", "plan", "result", "error", "summary"];
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        for line in &lines {
            let known = TYPES.iter().any(|name| line["message_type"] == *name);
            assert!(known && line["v"] == 1, "{line}");
        }
        let summaries = lines.iter().filter(|line| line["message_type"] == "summary").count();
        let last = lines.last().unwrap_or_else(|| panic!("no summary: {self}"));
        assert_eq!((summaries, &last["message_type"]), (1, &"summary".into()), "{text}");
        assert_eq!(last["exit_code"].as_i64(), self.code.map(i64::from), "{text}");
        assert!(last["problems_count"].is_u64() && last["skipped_count"].is_u64(), "{last}");
        lines
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stdout = String::from_utf8_lossy(&self.stdout);
        write!(f, "code {:?}\n-- stdout\n{stdout}\n-- stderr\n{}", self.code, self.stderr)
    }
}
