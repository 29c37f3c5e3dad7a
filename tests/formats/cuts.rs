//! Where large files are cut. If these lists change, stored repositories no longer deduplicate:
//! find out why instead.

use std::collections::BTreeMap;

use lifeboat::chunk::ChunkSizes;
use lifeboat::chunk::Cutter;
use lifeboat::crypto::sealed::content::DomainKeys;
use lifeboat::ids::DomainId;
use lifeboat::secret::Secret32;

use crate::formats::is_writing;
use crate::house;
use crate::support::generate::put;

const SIZES: [(u32, u32, u32); 3] =
    [(64, 256, 1024), (1024, 4096, 16_384), (262_144, 1_048_576, 4_194_304)];

/// Ends of the chunks of ten averages of noise, under the domain secret of 32 times 6.
fn cuts((min_bytes, avg_bytes, max_bytes): (u32, u32, u32)) -> Vec<usize> {
    let domain = DomainKeys::derive(DomainId::new([5; 16]), 1, &Secret32::new([6; 32]));
    let sizes = ChunkSizes { min_bytes, avg_bytes, max_bytes };
    let cutter = Cutter::new(sizes, domain.gear_table()).unwrap();
    let mut bytes = vec![0; avg_bytes as usize * 10];
    blake3::Hasher::new().update(b"noise").finalize_xof().fill(&mut bytes);
    let (mut at, mut cuts) = (0, Vec::new());
    while at < bytes.len() {
        at += cutter.cut(&bytes[at..]);
        cuts.push(at);
    }
    cuts
}

#[test]
fn cuts_are_where_they_were() {
    let path = house::root().join("tests/fixtures/cuts-1.json");
    let found: BTreeMap<String, Vec<usize>> =
        SIZES.iter().map(|sizes| (format!("{sizes:?}"), cuts(*sizes))).collect();
    if is_writing() {
        put(&path, format!("{}\n", serde_json::to_string(&found).unwrap()).as_bytes());
    }
    let stored: BTreeMap<String, Vec<usize>> =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(found, stored);
}
