//! A small ledger, its parts and as a whole.

use lifeboat::crypto::sealed::hpke::KemSecret;
use lifeboat::crypto::sealed::hpke::Suite;
use lifeboat::evidence::bundle::export::prove;
use lifeboat::evidence::checkpoint::Code;
use lifeboat::format::ledger;
use lifeboat::format::manifest::SealedPart;
use lifeboat::secret::Secret32;

use super::Seeds;
use crate::evidence::maker;

pub(super) fn evidence(seeds: &mut Seeds) {
    let mut bundle = maker::bundle(2);
    prove(&mut bundle);
    for (seq, entry) in &bundle.entries {
        seeds.add("evidence", &format!("entry-{seq}"), &[0], &entry.bytes);
        seeds.add("evidence", &format!("signed-{seq}"), &[2], &entry.encode());
    }
    for (n, document) in bundle.documents.values().enumerate() {
        seeds.add("evidence", &format!("document-{n}"), &[1], &document.bytes);
    }
    for note in bundle.checkpoints.values() {
        seeds.add("evidence", "checkpoint", &[3], note);
    }
    for proof in bundle.proofs.values() {
        seeds.add("evidence", "proof", &[4], proof);
    }
    let key = KemSecret::new(Suite::X25519, Secret32::new([5; 32])).public().key_id();
    let sealed = SealedPart { envelopes: vec![(key, vec![1; 80])], content: vec![2; 40] };
    seeds.add("evidence", "sealed", &[5], &ledger::encode_sealed(&sealed).unwrap());
    let code = Code::of(&bundle.entries[&1].hash()).to_string();
    seeds.add("evidence", "code", &[6], code.as_bytes());
    let mut packed = Vec::new();
    for (name, content) in bundle.files() {
        packed.push(u8::try_from(name.len()).unwrap());
        packed.extend_from_slice(name.as_bytes());
        packed.extend_from_slice(&u16::try_from(content.len()).unwrap().to_le_bytes());
        packed.extend_from_slice(&content);
    }
    seeds.add("evidence-bundle", "small", &[], &packed);
}
