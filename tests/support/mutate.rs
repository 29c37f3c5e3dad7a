//! Changes to a tree between two backups.

use std::os::unix::fs::FileExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;

use super::Random;
use super::generate;

fn all(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![root.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        let mut rows: Vec<PathBuf> =
            std::fs::read_dir(&folder).unwrap().map(|row| row.unwrap().path()).collect();
        rows.sort();
        for path in rows {
            if std::fs::symlink_metadata(&path).unwrap().is_dir() {
                waiting.push(path.clone());
            }
            found.push(path);
        }
    }
    found
}

/// Changes `count` things below `root`; returns what it did, for messages.
pub fn mutate(root: &Path, seed: u64, count: usize) -> Vec<String> {
    let mut random = Random::new(seed);
    let mut done = Vec::new();
    for number in 0..count {
        let things = all(root);
        if things.is_empty() {
            break;
        }
        let path = things[random.below(things.len())].clone();
        let fresh = path.with_file_name(format!("new {number} {seed}"));
        let meta = std::fs::symlink_metadata(&path).unwrap();
        let what = if meta.is_file() {
            change_file(&path, &fresh, &mut random)
        } else if meta.is_dir() {
            change_folder(&path, &fresh, &mut random)
        } else {
            std::fs::remove_file(&path).unwrap();
            "removed"
        };
        done.push(format!("{what} {path:?}"));
    }
    done
}

fn change_file(path: &Path, fresh: &Path, random: &mut Random) -> &'static str {
    let open = || std::fs::File::options().write(true).open(path).unwrap();
    let len = std::fs::metadata(path).unwrap().len();
    match random.below(9) {
        0 if len > 0 => {
            let at = random.next() % len;
            open().write_all_at(&[0xa5], at).unwrap();
            "one byte of"
        }
        1 => {
            open().write_all_at(&random.bytes(5000), len).unwrap();
            "appended to"
        }
        2 => {
            open().set_len(len / 2).unwrap();
            "halved"
        }
        3 => {
            rustix::fs::rename(path, fresh).unwrap();
            "renamed"
        }
        4 => {
            std::fs::remove_file(path).unwrap();
            std::fs::create_dir(path).unwrap();
            "a folder in place of"
        }
        5 => {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o640)).unwrap();
            "mode of"
        }
        6 => {
            generate::set_mtime(path, 1_600_000_000, 1);
            "time of"
        }
        7 => {
            std::fs::hard_link(path, fresh).unwrap();
            "a second name of"
        }
        _ => {
            generate::put(fresh, &std::fs::read(path).unwrap());
            "a copy of"
        }
    }
}

fn change_folder(path: &Path, fresh: &Path, random: &mut Random) -> &'static str {
    match random.below(4) {
        0 => {
            rustix::fs::rename(path, fresh).unwrap();
            "renamed"
        }
        1 => {
            std::fs::remove_dir_all(path).unwrap();
            generate::put(path, b"a file now");
            "a file in place of"
        }
        _ => {
            let size = random.below(200_000);
            let inside = path.join("new inside");
            // An earlier change may have made a folder of it.
            if std::fs::symlink_metadata(&inside).is_ok_and(|meta| meta.is_dir()) {
                std::fs::remove_dir_all(&inside).unwrap();
            }
            generate::put(&inside, &generate::content(random, size));
            "a new file in"
        }
    }
}
