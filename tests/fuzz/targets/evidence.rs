//! Evidence: what an auditor is handed by strangers.

use lifeboat::evidence::bundle::Bundle;
use lifeboat::evidence::bundle::inspect::NoDraws;
use lifeboat::evidence::bundle::inspect::Verdict;
use lifeboat::evidence::bundle::inspect::inspect;
use lifeboat::evidence::bundle::proof::Inclusion;
use lifeboat::evidence::bundle::readme;
use lifeboat::evidence::bundle::witness::Witness;
use lifeboat::evidence::canonical;
use lifeboat::evidence::canonical::DOCUMENT_BYTES_MAX;
use lifeboat::evidence::checkpoint::Code;
use lifeboat::evidence::checkpoint::SignedCheckpoint;
use lifeboat::evidence::entry::Entry;
use lifeboat::evidence::signed::Signed;
use lifeboat::format::ledger;

use super::Seen;
use super::choice;
use super::told;

/// One decoder by the first byte.
pub fn one(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 7);
    let is_same = |again: Option<Vec<u8>>| match again {
        Some(again) => {
            assert_eq!(again, rest);
            Seen::Accepted
        }
        None => Seen::Refused,
    };
    match which {
        0 => match Entry::decode(rest) {
            Ok(entry) => is_same(entry.encode().ok()),
            Err(error) => told(&error),
        },
        1 => match canonical::read(rest, DOCUMENT_BYTES_MAX) {
            Ok(value) => {
                assert_eq!(canonical::composed(&value).as_ref(), Ok(&value));
                is_same(canonical::write(&value).ok())
            }
            Err(error) => told(&error),
        },
        2 => is_same(Signed::decode(rest).map(|signed| signed.encode())),
        3 => match SignedCheckpoint::decode(rest) {
            Ok(signed) => {
                assert!(rest.starts_with(signed.checkpoint.text().as_bytes()));
                Seen::Accepted
            }
            Err(error) => told(&error),
        },
        4 => is_same(Inclusion::decode(rest).map(|proof| proof.encode().into_bytes())),
        5 => match ledger::decode_sealed(rest) {
            Some(Ok(sealed)) => is_same(ledger::encode_sealed(&sealed).ok()),
            Some(Err(error)) => told(&error),
            None => Seen::Refused,
        },
        _ => match Code::parse(&String::from_utf8_lossy(rest)) {
            Ok(code) => {
                assert_eq!(Code::parse(&code.to_string()), Ok(code));
                Seen::Accepted
            }
            Err(error) => told(&error),
        },
    }
}

/// Files one after the other: length and name, length and content.
fn files(mut input: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    while let Some((len, rest)) = input.split_first() {
        let Some((name, rest)) = rest.split_at_checked(usize::from(*len)) else { break };
        let Some((len, rest)) = rest.split_first_chunk::<2>() else { break };
        let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
        let (content, rest) = rest.split_at(len);
        files.push((String::from_utf8_lossy(name).into_owned(), content.to_vec()));
        input = rest;
    }
    files
}

/// A whole bundle. Whatever it is, there is an answer, and what is for people can be made of it.
pub fn bundle(input: &[u8]) -> Seen {
    let bundle = Bundle::from_files(files(input));
    let report = inspect(&bundle, &Witness::default(), &NoDraws);
    for finding in &report.findings {
        assert!(!finding.to_string().is_empty());
    }
    assert!(readme::files(&bundle).len() >= 2);
    let again = Bundle::from_files(bundle.files());
    assert_eq!(again.entries, bundle.entries);
    if report.verdict == Verdict::Valid { Seen::Accepted } else { Seen::Refused }
}
