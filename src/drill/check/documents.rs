//! L4: files open as what they are named.

use std::fs::File;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;

/// Most unpacked bytes of one part of a document that are read: a bomb ends here.
const PART_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most parts of one document.
const PARTS_MAX: usize = 100_000;
/// A PDF ends with its last word within so many bytes.
const TAIL_BYTES: u64 = 2048;

/// Whether documents are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    Yes,
    No,
}

/// What became of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    Good,
    /// Its first bytes are those of nothing that is known.
    WrongHead,
    /// It is text or another format under this name.
    Misnamed,
    /// It begins well and cannot be read to its end.
    Broken,
    /// An archive or document whose parts are not those of its kind.
    Parts,
    /// No way to open it is known: only its first bytes were looked at.
    HeadOnly,
}

/// Files by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub good: u64,
    pub wrong_head: u64,
    pub misnamed: u64,
    pub broken: u64,
    pub parts: u64,
    pub head_only: u64,
}

impl Tally {
    pub const fn add(&mut self, opened: Opened) {
        match opened {
            Opened::Good => self.good += 1,
            Opened::WrongHead => self.wrong_head += 1,
            Opened::Misnamed => self.misnamed += 1,
            Opened::Broken => self.broken += 1,
            Opened::Parts => self.parts += 1,
            Opened::HeadOnly => self.head_only += 1,
        }
    }

    #[must_use]
    pub const fn total(&self) -> u64 {
        let read = self.good + self.broken + self.parts + self.head_only;
        read + self.wrong_head + self.misnamed
    }
}

impl Opened {
    /// Opens the file by its extension; its first bytes are right already.
    #[must_use]
    pub fn of(extension: &str, path: &Path) -> Self {
        let Ok(file) = File::open(path) else { return Self::Broken };
        match extension {
            "docx" | "docm" => office(file, "word/document.xml"),
            "xlsx" | "xlsm" => office(file, "xl/workbook.xml"),
            "pptx" => office(file, "ppt/presentation.xml"),
            "odt" | "ods" | "odp" => open_document(file),
            "zip" | "jar" => archive(file),
            "pdf" => pdf(file),
            "png" => ends_with(file, b"IEND\xaeB`\x82"),
            "jpg" | "jpeg" => jpeg(file),
            "gif" => ends_with(file, b";"),
            _ => Self::HeadOnly,
        }
    }
}

/// Office Open XML (ECMA-376): the list of types, the main part, and both as XML.
fn office(file: File, main: &str) -> Opened {
    let Ok(mut archive) = ZipArchive::new(file) else { return Opened::Broken };
    for name in ["[Content_Types].xml", main] {
        match part(&mut archive, name) {
            Part::Absent => return Opened::Parts,
            Part::Broken => return Opened::Broken,
            Part::Bytes(bytes) if !is_xml(&bytes) => return Opened::Broken,
            Part::Bytes(_) => {}
        }
    }
    Opened::Good
}

/// OpenDocument (ISO 26300): its type, and its content as XML.
fn open_document(file: File) -> Opened {
    let Ok(mut archive) = ZipArchive::new(file) else { return Opened::Broken };
    match part(&mut archive, "mimetype") {
        Part::Bytes(bytes) if bytes.starts_with(b"application/vnd.oasis.opendocument") => {}
        Part::Broken => return Opened::Broken,
        _ => return Opened::Parts,
    }
    match part(&mut archive, "content.xml") {
        Part::Absent => Opened::Parts,
        Part::Bytes(bytes) if is_xml(&bytes) => Opened::Good,
        _ => Opened::Broken,
    }
}

/// Every member, with its checksum.
fn archive(file: File) -> Opened {
    let Ok(mut archive) = ZipArchive::new(file) else { return Opened::Broken };
    if archive.len() > PARTS_MAX {
        return Opened::HeadOnly;
    }
    let mut buffer = vec![0; 64 * 1024];
    for at in 0..archive.len() {
        // One under a password has no content for us.
        let Ok(member) = archive.by_index(at) else { return Opened::HeadOnly };
        let mut member = member.take(PART_BYTES_MAX);
        loop {
            match member.read(&mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(_) => return Opened::Broken,
            }
        }
    }
    Opened::Good
}

enum Part {
    Absent,
    Broken,
    Bytes(Vec<u8>),
}

fn part(archive: &mut ZipArchive<File>, name: &str) -> Part {
    let Ok(member) = archive.by_name(name) else { return Part::Absent };
    let mut bytes = Vec::new();
    match member.take(PART_BYTES_MAX).read_to_end(&mut bytes) {
        Ok(_) => Part::Bytes(bytes),
        Err(_) => Part::Broken,
    }
}

/// Well-formed, with one element at least. Entities are not followed.
fn is_xml(bytes: &[u8]) -> bool {
    let mut reader = Reader::from_reader(bytes);
    let mut buffer = Vec::new();
    let mut elements_count = 0_u64;
    loop {
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => return elements_count > 0,
            Ok(Event::Start(_) | Event::Empty(_)) => elements_count += 1,
            Ok(_) => {}
            // A part that was cut at the limit of its length cannot be judged.
            Err(_) => return bytes.len() as u64 >= PART_BYTES_MAX,
        }
        buffer.clear();
    }
}

fn tail(file: &mut File) -> Option<Vec<u8>> {
    let len = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL_BYTES))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// ISO 32000: the place of its table, and the mark of its end.
fn pdf(mut file: File) -> Opened {
    let Some(tail) = tail(&mut file) else { return Opened::Broken };
    let has = |word: &[u8]| tail.windows(word.len()).any(|part| part == word);
    if has(b"startxref") && has(b"%%EOF") { Opened::Good } else { Opened::Broken }
}

/// An image's last mark; what follows it is tolerated by every viewer.
fn ends_with(mut file: File, mark: &[u8]) -> Opened {
    let Some(tail) = tail(&mut file) else { return Opened::Broken };
    let found = tail.windows(mark.len()).any(|part| part == mark);
    if found { Opened::Good } else { Opened::Broken }
}

/// Some programs write pictures without their last mark, and every viewer shows them: that one is
/// absent says nothing of the backup.
fn jpeg(file: File) -> Opened {
    match ends_with(file, b"\xff\xd9") {
        Opened::Broken => Opened::HeadOnly,
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in parts {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn opened(extension: &str, bytes: &[u8]) -> Opened {
        Opened::of(extension, file(bytes).path())
    }

    #[test]
    fn office_documents_need_their_parts() {
        let types = ("[Content_Types].xml", "<Types/>");
        let text = "<w:document xmlns:w=\"x\"><w:body>chữ</w:body></w:document>";
        let whole = zipped(&[types, ("word/document.xml", text)]);
        assert_eq!(opened("docx", &whole), Opened::Good);
        assert_eq!(opened("xlsx", &whole), Opened::Parts);
        // An empty shell: a good archive that is no document.
        assert_eq!(opened("docx", &zipped(&[("x.txt", "x")])), Opened::Parts);
        let torn = zipped(&[types, ("word/document.xml", "<a><b></a>")]);
        assert_eq!(opened("docx", &torn), Opened::Broken);
        assert_eq!(opened("docx", &whole[..whole.len() / 2]), Opened::Broken);
        let mut flipped = whole.clone();
        let at = whole.windows(4).position(|it| it == b"body").unwrap_or(60);
        flipped[at] ^= 0xff;
        assert_ne!(opened("docx", &flipped), Opened::Good);
    }

    #[test]
    fn other_formats() {
        let mime = ("mimetype", "application/vnd.oasis.opendocument.text");
        assert_eq!(opened("odt", &zipped(&[mime, ("content.xml", "<a/>")])), Opened::Good);
        assert_eq!(opened("odt", &zipped(&[mime])), Opened::Parts);
        assert_eq!(opened("zip", &zipped(&[("a", "b"), ("c", "d")])), Opened::Good);
        assert_eq!(opened("pdf", b"%PDF-1.4\n...\nstartxref\n9\n%%EOF\n"), Opened::Good);
        assert_eq!(opened("pdf", b"%PDF-1.4\n...\nstartxr"), Opened::Broken);
        assert_eq!(opened("jpg", b"\xff\xd8\xff....\xff\xd9"), Opened::Good);
        assert_eq!(opened("jpg", b"\xff\xd8\xff....\x25"), Opened::HeadOnly);
        assert_eq!(opened("png", b"\x89PNG\r\n\x1a\n...."), Opened::Broken);
        assert_eq!(opened("7z", b"7z\xbc\xaf\x27\x1c"), Opened::HeadOnly);
    }
}
