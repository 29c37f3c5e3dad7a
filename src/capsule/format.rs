//! What a file's name promises of its first bytes, and how random these are.

/// Bytes at the front of a file that are looked at.
pub const HEAD_BYTES: usize = 4096;
/// Below this a file is too short for its entropy to say anything.
const ENTROPY_BYTES_MIN: usize = 256;

/// Whose programs read text, HTML and tables of text under these names as well.
const READ_AS_TEXT: [&str; 4] = ["doc", "xls", "ppt", "rtf"];
/// Shorter beginnings are met by chance.
const MAGIC_BYTES_MIN: usize = 3;
/// Fewer bytes are text only if they are UTF-8.
const TEXT_BYTES_MIN: usize = 64;

/// What the first bytes are for an extension.
struct Magic {
    extensions: &'static [&'static str],
    heads: &'static [&'static [u8]],
}

/// From the file formats' own specifications.
const MAGICS: &[Magic] = &[
    Magic {
        extensions: &["docx", "xlsx", "pptx", "docm", "xlsm", "odt", "ods", "odp", "zip", "jar"],
        heads: &[b"PK\x03\x04", b"PK\x05\x06"],
    },
    Magic {
        extensions: &["doc", "xls", "ppt", "msg", "msi"],
        heads: &[b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"],
    },
    Magic { extensions: &["pdf"], heads: &[b"%PDF-"] },
    Magic { extensions: &["png"], heads: &[b"\x89PNG\r\n\x1a\n"] },
    Magic { extensions: &["jpg", "jpeg"], heads: &[b"\xff\xd8\xff"] },
    Magic { extensions: &["gif"], heads: &[b"GIF87a", b"GIF89a"] },
    Magic { extensions: &["tif", "tiff"], heads: &[b"II*\0", b"MM\0*"] },
    Magic { extensions: &["bmp"], heads: &[b"BM"] },
    Magic { extensions: &["gz", "tgz"], heads: &[b"\x1f\x8b"] },
    Magic { extensions: &["xz"], heads: &[b"\xfd7zXZ\0"] },
    Magic { extensions: &["zst"], heads: &[b"\x28\xb5\x2f\xfd"] },
    Magic { extensions: &["7z"], heads: &[b"7z\xbc\xaf\x27\x1c"] },
    Magic { extensions: &["rar"], heads: &[b"Rar!\x1a\x07"] },
    Magic { extensions: &["rtf"], heads: &[b"{\\rtf"] },
    Magic { extensions: &["exe", "dll"], heads: &[b"MZ"] },
];

/// Whether a file begins as its name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    Fits,
    /// It begins as another format, or is text where programs read that too: misnamed, and it
    /// opens.
    Misnamed,
    /// It begins as nothing that is known: damaged, or encrypted.
    Differs,
    /// Nothing is promised, or the file is empty.
    Unknown,
}

/// The part behind the last dot, in lower case; at most 16 bytes of ASCII.
#[must_use]
pub fn extension(name: &[u8]) -> Option<String> {
    // What programs leave beside a document that is open, or comes from a Mac, only has its name.
    if BESIDE.iter().any(|begin| name.starts_with(begin)) {
        return None;
    }
    let at = name.iter().rposition(|&byte| byte == b'.').filter(|at| *at > 0)?;
    let text = name.get(at + 1..)?;
    let is_short = (1..=16).contains(&text.len());
    let text = std::str::from_utf8(text).ok()?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_short && is_plain).then(|| text.to_ascii_lowercase())
}

/// How names begin that only look like a document's.
const BESIDE: [&[u8]; 2] = [b"~$", b"._"];

/// Compares a file's first bytes with what its extension promises.
#[must_use]
pub fn fit(extension: Option<&str>, head: &[u8]) -> Fit {
    let of = |magic: &&Magic| extension.is_some_and(|it| magic.extensions.contains(&it));
    let Some(magic) = MAGICS.iter().find(of) else { return Fit::Unknown };
    if head.is_empty() {
        return Fit::Unknown;
    }
    if magic.heads.iter().any(|begin| head.starts_with(begin)) {
        return Fit::Fits;
    }
    let mut others = MAGICS.iter().flat_map(|magic| magic.heads);
    let is_other = others.any(|begin| begin.len() >= MAGIC_BYTES_MIN && head.starts_with(begin));
    let is_read = || extension.is_some_and(|it| READ_AS_TEXT.contains(&it)) && is_text(head);
    if is_other || is_read() { Fit::Misnamed } else { Fit::Differs }
}

/// Whether somebody may have typed it: in any encoding of bytes, or in UTF-16 with its mark. Of 64
/// random bytes one in 2000 has no control character.
fn is_text(head: &[u8]) -> bool {
    let is_typed = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x20..=0x7e | 0x80..);
    let is_marked = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    let is_sure = head.len() >= TEXT_BYTES_MIN || std::str::from_utf8(head).is_ok();
    is_marked || (is_sure && head.iter().all(is_typed))
}

/// Shannon's entropy of the bytes in halves of a bit, 0 to 15; `None` for fewer than 256 bytes.
#[must_use]
pub fn entropy(head: &[u8]) -> Option<usize> {
    if head.len() < ENTROPY_BYTES_MIN {
        return None;
    }
    let mut counts = [0_u32; 256];
    for byte in head {
        counts[usize::from(*byte)] += 1;
    }
    let len = head.len() as f64;
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / len);
    let bits: f64 = shares.map(|share| -share * share.log2()).sum();
    // Counting on: a cast of a float would have to be argued.
    Some((1..16).take_while(|half| f64::from(*half) / 2.0 <= bits).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions() {
        assert_eq!(extension(b"a.DOCX").as_deref(), Some("docx"));
        assert_eq!(extension(b"a.tar.gz").as_deref(), Some("gz"));
        for none in [
            &b".profile"[..],
            b"~$a.docx",
            b"._a.pdf",
            b"a.",
            b"a",
            b"a.b c",
            b"a.\xff",
            b"a.12345678901234567",
        ] {
            assert_eq!(extension(none), None, "{none:?}");
        }
    }

    #[test]
    fn first_bytes_fit_or_differ() {
        assert_eq!(fit(Some("docx"), b"PK\x03\x04..."), Fit::Fits);
        assert_eq!(fit(Some("docx"), b"Salted__\x8a\x03\x1f\xee"), Fit::Differs);
        assert_eq!(fit(Some("docx"), &[0; 512]), Fit::Differs);
        assert_eq!(fit(Some("pdf"), b""), Fit::Unknown);
        assert_eq!(fit(Some("txt"), b"abc"), Fit::Unknown);
        assert_eq!(fit(None, b"abc"), Fit::Unknown);
    }

    #[test]
    fn text_and_other_formats_under_a_wrong_name_are_misnamed() {
        for head in ["Giới thiệu", "<html>\r\n", "{\\rtf1", "%PDF-1.4 \u{1}"] {
            assert_eq!(fit(Some("doc"), head.as_bytes()), Fit::Misnamed, "{head}");
        }
        // An old encoding of Vietnamese: no UTF-8.
        let old = b"C\xe9ng h\xdfa x\xb7 h\xe9i ch\xf1 ngh\xdca Vi\xd6t Nam ".repeat(4);
        assert_eq!(fit(Some("doc"), &old), Fit::Misnamed);
        assert_eq!(fit(Some("doc"), b"\xff\xfeA\0"), Fit::Misnamed);
        // Nothing opens text under these names.
        assert_eq!(fit(Some("docx"), b"no document"), Fit::Differs);
        assert_eq!(fit(Some("pdf"), b"<html>"), Fit::Differs);
        // What looks random does not pass for text of an old encoding.
        let mut random = 1_u64;
        let mut noise = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            random.to_le_bytes()[7]
        };
        for len in [16, 64, 512] {
            let head: Vec<u8> = (0..len).map(|_| noise()).collect();
            assert_eq!(fit(Some("doc"), &head), Fit::Differs, "{len}");
        }
    }

    #[test]
    fn entropy_in_halves_of_a_bit() {
        assert_eq!(entropy(&[7; 4096]), Some(0));
        let two: Vec<u8> = (0..4096_u32).map(|n| if n % 2 == 0 { 1 } else { 2 }).collect();
        assert_eq!(entropy(&two), Some(2));
        let all: Vec<u8> = (0..=255).cycle().take(4096).collect();
        assert_eq!(entropy(&all), Some(15));
        assert_eq!(entropy(&[1; 255]), None);
    }
}
