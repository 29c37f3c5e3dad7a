//! `continuity kit --check`: every file against the list, and what the list does not have.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::path::Path;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::said::Tell as _;
use crate::cli::language::table::continuity::kit as texts;
use crate::cli::verb::continuity::kit::Kit;
use crate::cli::verb::continuity::kit::PROGRAM;
use crate::cli::verb::continuity::kit::SUMS;
use crate::cli::verb::continuity::kit::content;
use crate::cli::verb::continuity::ledgers::own_program;
use crate::evidence::tree::sha256;
use crate::evidence::tree::sha256_of;
use crate::path::escape;

/// A list of more is none of ours.
const SUMS_BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn check(context: &Context, folder: &Path) -> Result<Ended, Failure> {
    tell(context, &examined(folder)?)
}

/// Looks at every file of a kit.
///
/// # Errors
/// When it has no list that can be read (20).
pub fn examined(folder: &Path) -> Result<Kit, Failure> {
    let sums = list(folder)?;
    let mut bad = Vec::new();
    let mut files_count = 0;
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    for line in sums.lines() {
        files_count += 1;
        // A name that leads elsewhere is none of ours.
        let parted = line.split_once("  ").filter(|(_, name)| content::is_name(name));
        match parted {
            Some((hash, name)) => {
                listed.insert(name);
                if found(folder, name).as_deref() != Some(hash) {
                    bad.push(escape(name.as_bytes()));
                }
            }
            None => bad.push(escape(line.as_bytes())),
        }
    }
    let own = own_program();
    let program = found(folder, PROGRAM);
    let is_this_program = own.is_some() && own == program;
    // Another version may describe its format in other pages.
    let pages = content::pages().filter(|_| is_this_program);
    let needed: Vec<&str> = content::NAMES.into_iter().chain(pages).collect();
    let missing = needed.iter().filter(|name| !listed.contains(*name));
    bad.extend(missing.map(|name| (*name).to_owned()));
    let known = listed.into_iter().chain(needed).chain([SUMS]).collect();
    Ok(Kit {
        path: escape(folder.as_os_str().as_encoded_bytes()),
        files_count,
        sums_sha256: sha256(sums.as_bytes()).to_string(),
        is_this_program,
        program_sha256: program,
        ledger_code: None,
        bad,
        strays: strays(folder, &known),
    })
}

fn tell(context: &Context, kit: &Kit) -> Result<Ended, Failure> {
    let has_strays = !kit.strays.is_empty();
    let (text, exit) = match (kit.bad.is_empty(), kit.is_this_program) {
        (false, _) => (texts::BAD, Exit::Damage),
        (true, false) => (texts::OTHER_VERSION, Exit::Problems),
        (true, true) if has_strays => (texts::STRAYS, Exit::Problems),
        (true, true) => (texts::WHOLE, Exit::Done),
    };
    let strays = kit.strays.join(", ");
    if has_strays && !(kit.bad.is_empty() && kit.is_this_program) {
        let text = texts::STRAYS_TOO.with("path", kit.path.as_str());
        context.output.warn(text.with("strays", strays.as_str()));
    }
    context.output.result("kit", kit, || {
        text.with("path", kit.path.as_str())
            .with("count", kit.files_count)
            .with("hash", kit.sums_sha256.as_str())
            .with("bad", kit.bad.join(", "))
            .with("strays", strays.as_str())
    })?;
    Ok(Ended { exit, ..Ended::done() })
}

fn list(folder: &Path) -> Result<String, Failure> {
    let path = folder.join(SUMS);
    let failed = |detail: Said| {
        let path = escape(path.as_os_str().as_encoded_bytes());
        let message = texts::NO_KIT.with("path", path).with("detail", detail);
        Failure::new(Exit::Damage, message, texts::NAME_KIT)
    };
    let heard = |error: io::Error| failed(Said::heard(error));
    if !path.symlink_metadata().map_err(heard)?.is_file() {
        return Err(failed(texts::NO_FILE.said()));
    }
    let mut text = String::new();
    let file = File::open(&path).map_err(heard)?;
    file.take(SUMS_BYTES_MAX).read_to_string(&mut text).map_err(heard)?;
    Ok(text)
}

/// SHA-256 of a file of the kit; none if it cannot be read, is no regular file, or is reached by a
/// link.
fn found(folder: &Path, name: &str) -> Option<String> {
    let mut path = folder.to_path_buf();
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        let kind = path.symlink_metadata().ok()?.file_type();
        let is_right = if parts.peek().is_some() { kind.is_dir() } else { kind.is_file() };
        if !is_right {
            return None;
        }
    }
    let hash = File::open(&path).and_then(sha256_of).ok()?;
    Some(hash.to_string())
}

/// What lies in the folder and is not known. Folders that nothing known lies in are not entered.
fn strays(folder: &Path, known: &BTreeSet<&str>) -> Vec<String> {
    let mut strays = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(within) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder.join(&within)) else {
            strays.push(escape(within.as_bytes()));
            continue;
        };
        for entry in entries {
            let Ok(entry) = entry else { break };
            let name = entry.file_name();
            let name = [within.as_bytes(), name.as_encoded_bytes()].concat();
            let known_as = std::str::from_utf8(&name).ok();
            if known_as.is_some_and(|name| known.contains(name)) {
                continue;
            }
            let below = known_as.map(|name| format!("{name}/"));
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let is_entered = |below: &&String| {
                is_folder && known.iter().any(|known| known.starts_with(below.as_str()))
            };
            match below.as_ref().filter(is_entered) {
                Some(below) => folders.push(below.clone()),
                None => strays.push(escape(&name)),
            }
        }
    }
    strays.sort();
    strays
}
