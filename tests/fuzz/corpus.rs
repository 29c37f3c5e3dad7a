//! The committed corpus, `fuzz/corpus/<target>/<name>`, which libFuzzer reads too.

use std::path::PathBuf;

use super::seeds;
use super::targets;
use crate::house;

fn root() -> PathBuf {
    house::root().join("fuzz/corpus")
}

fn sorted(folder: PathBuf) -> Vec<PathBuf> {
    let rows = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<PathBuf> = rows.map(|row| row.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name(path: &std::path::Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Every folder of the corpus.
pub fn folders() -> Vec<String> {
    sorted(root()).iter().map(|path| name(path)).collect()
}

/// The inputs of one target, by name.
pub fn read(target: &str) -> Vec<(String, Vec<u8>)> {
    let inputs = sorted(root().join(target)).into_iter();
    inputs.map(|path| (name(&path), std::fs::read(&path).unwrap())).collect()
}

/// Real encodings made now are taken by their decoders. With `LIFEBOAT_TEST_WRITE_CORPUS=1` those
/// that are not there yet are added to the corpus.
#[test]
#[expect(clippy::disallowed_methods, reason = "asked by whoever adds to the corpus")]
fn real_encodings_are_accepted() {
    let write = std::env::var_os("LIFEBOAT_TEST_WRITE_CORPUS").is_some();
    let seeds = seeds::all();
    for target in targets::ALL {
        let own: Vec<_> = seeds.iter().filter(|seed| seed.target == target.name).collect();
        assert!(!own.is_empty(), "no seed for {}", target.name);
        for seed in own {
            let seen = (target.body)(&seed.input);
            assert_eq!(seen, targets::Seen::Accepted, "{}: {}", target.name, seed.name);
            let path = root().join(target.name).join(&seed.name);
            if write && !path.exists() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &seed.input).unwrap();
            }
        }
    }
}
