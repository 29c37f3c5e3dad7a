//! What stands beside a bundle for people: how to check it by hand, the keys as files, and a list.

use data_encoding::BASE64;

use crate::evidence::bundle::Bundle;
use crate::evidence::bundle::LIST_FILE;
use crate::evidence::bundle::README_FILE;
use crate::evidence::bundle::document_stem;
use crate::evidence::bundle::entry_stem;
use crate::evidence::canonical;
use crate::evidence::canonical::DOCUMENT_BYTES_MAX;
use crate::evidence::chain::Chain;
use crate::evidence::document;
use crate::evidence::entry::Entry;
use crate::evidence::keys;
use crate::evidence::keys::HeldKey;
use crate::ids::LedgerHash;

/// What comes before the 32 bytes of an Ed25519 key in its usual file (RFC 8410).
const SPKI_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0];

const README: &str = "\
LIFEBOAT: BỘ HỒ SƠ KIỂM TRA / INSPECTION BUNDLE
================================================

entries/     bản ghi của nhật ký bằng chứng, mỗi bản ghi một dòng JSON (.json) và chữ ký (.sig)
             the ledger's entries: a line of JSON each, and its signature
documents/   tài liệu mà bản ghi nêu, đặt tên theo SHA-256
             the documents that entries name, called by their SHA-256
checkpoints/ điểm đối chiếu đã ký / signed checkpoints
proofs/      đường từ bản ghi đến điểm đối chiếu / ways from an entry to a checkpoint
keys/        khóa công khai / public keys
list.txt     danh sách bản ghi: số, thời gian, loại, đối tượng, khóa ký, tài liệu, khóa của tác giả
             every entry: number, time, kind, subject, its key, document, key of its author

KIỂM TRA BẰNG CHƯƠNG TRÌNH / WITH THE PROGRAM
(không cần mạng, khóa hay cấu hình / no network, key or settings)

  lifeboat drill verify-evidence . --fingerprint {mã trên giấy / from paper} \\
    --code {mã đối chiếu trên biên bản / code on the minutes}

hoặc `lifeboat-verify` với cùng tham số / or `lifeboat-verify` with the same words

KIỂM TRA BẰNG TAY / BY HAND (Linux; sha256sum, OpenSSL 3)

1. Dấu vân tay của khóa sáng lập phải giống bản in trên giấy.
   The fingerprint of the founding key must be the one on paper:

  openssl pkey -pubin -in keys/office.1.pem -outform DER | tail -c 32 | sha256sum

2. Chữ ký của từng bản ghi và tài liệu; khóa nào ký: xem list.txt.
   The signature of each entry and document; list.txt says whose:

  openssl pkeyutl -verify -rawin -pubin -inkey keys/office.1.pem \\
    -in entries/0000000001.json -sigfile entries/0000000001.sig

3. Mỗi bản ghi nêu SHA-256 của tài liệu (\"document\") và của bản ghi trước (\"prev\").
   Each entry names the SHA-256 of its document and of the entry before it:

  sha256sum documents/*.json entries/*.json

4. Số bản ghi liên tục từ 0000000001; thời gian không lùi.
   Numbers go on from 0000000001 without a gap; times do not go back.

Trên Windows / on Windows: certutil -hashfile FILE SHA256
";

/// Files for people, by name.
#[must_use]
pub fn files(bundle: &Bundle) -> Vec<(String, Vec<u8>)> {
    let mut chain = Chain::new(bundle.origin.clone());
    let mut list = String::from("number\ttime\tkind\tsubject\tkey\tdocument\tauthor's key\n");
    for (seq, file) in &bundle.entries {
        let entry = Entry::decode(&file.bytes).ok();
        let named = entry.as_ref().and_then(|entry| bundle.documents.get(&entry.document));
        let taken = chain.take(*seq, file, named);
        let Some(entry) = taken.entry else {
            list.push_str(&format!("{seq}\t-\n"));
            continue;
        };
        let author = named.and_then(|named| {
            let value = canonical::read(&named.bytes, DOCUMENT_BYTES_MAX).ok()?;
            document::author(&value).map(str::to_owned)
        });
        let key = |holder: &str| {
            let keys = chain.keys();
            let held = keys.at(holder, *seq);
            let held = held.or_else(|| keys.all().iter().find(|held| held.from_seq == *seq));
            held.map_or_else(|| "-".to_owned(), pem_name)
        };
        let author = author.map_or_else(|| "-".to_owned(), |author| key(&author));
        let row = [
            format!("{}.json", entry_stem(*seq)),
            entry.time.text().unwrap_or_default(),
            entry.kind.name().to_owned(),
            entry.subject.clone(),
            key(&entry.actor),
            format!("{}.json", document_stem(&entry.document)),
            author,
        ];
        list.push_str(&row.join("\t"));
        list.push('\n');
    }
    let mut files = vec![(README_FILE.to_owned(), README.as_bytes().to_vec())];
    files.push((LIST_FILE.to_owned(), list.into_bytes()));
    files.extend(chain.keys().all().iter().map(|held| (pem_name(held), pem(held).into_bytes())));
    files
}

fn pem_name(held: &HeldKey) -> String {
    format!("keys/{}.{}.pem", held.holder, held.from_seq)
}

/// A public key as other programs read it.
fn pem(held: &HeldKey) -> String {
    let mut der = SPKI_HEAD.to_vec();
    der.extend_from_slice(held.key.as_bytes());
    let (body, print) = (BASE64.encode(&der), keys::fingerprint(&held.key));
    let print: LedgerHash = print;
    format!("SHA-256 {print}\n-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}
