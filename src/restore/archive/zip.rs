//! The form zip: for systems without tar. It holds files, folders and symbolic links with times and
//! rights, nothing else.

use std::io;
use std::io::Write;

use zip::CompressionMethod;
use zip::DateTime;
use zip::System;
use zip::ZipWriter;
use zip::result::ZipError;
use zip::write::ExtendedFileOptions;
use zip::write::FileOptions;
use zip::write::StreamWriter;

use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::check_name;
use crate::restore::file::hash;
use crate::units::FileTime;

use super::Archive;
use super::Gate;
use super::Refused;
use super::member::Lack;
use super::member::Layout;
use super::member::Member;

/// From here on the long form is used; compressing may make a file a little longer.
const LARGE_BYTES: u64 = 0xf000_0000;
const LEVEL: i64 = 6;
const NAME_BYTES_MAX: usize = 65_535;
/// Longest name of one folder or file that every system can make.
const PART_BYTES_MAX: usize = 255;
/// Extra fields: seconds of the modification time, owner's numbers.
const EXTENDED_TIME: u16 = 0x5455;
const UNIX_OWNER: u16 = 0x7875;
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

pub(super) struct Zip<'a> {
    writer: ZipWriter<StreamWriter<Gate<'a>>>,
}

type Options = FileOptions<'static, 'static, ExtendedFileOptions>;

impl<'a> Zip<'a> {
    pub(super) fn new(out: Gate<'a>) -> Self {
        Self { writer: ZipWriter::new_stream(out) }
    }
}

impl Archive for Zip<'_> {
    fn plain(&mut self, member: &Member<'_>) -> Result<Vec<Lack>, Refused> {
        let (name, lacks) = named(member)?;
        match member.meta.kind {
            Kind::Directory if member.name.is_empty() => return Ok(Vec::new()),
            Kind::Directory => self.writer.add_directory(name, options(member.meta)?),
            Kind::Symlink => {
                let options = options(member.meta)?;
                let options =
                    options.compression_method(CompressionMethod::Stored).compression_level(None);
                self.writer.start_file(name, options).map_err(refused)?;
                self.writer.write_all(member.target())?;
                Ok(())
            }
            Kind::Fifo | Kind::CharDevice | Kind::BlockDevice => {
                return Err(Refused::NotHeld("zip has no devices and no fifos".to_owned()));
            }
            Kind::File | Kind::HardLink | Kind::Socket => {
                return Err(Refused::NotHeld("zip has no such kind of member".to_owned()));
            }
        }
        .map_err(refused)?;
        Ok(lacks)
    }

    fn link(&mut self, _member: &Member<'_>, _to: &[u8]) -> Result<bool, Refused> {
        Ok(false)
    }

    fn begin(&mut self, member: &Member<'_>, layout: &Layout) -> Result<Vec<Lack>, Refused> {
        let (name, lacks) = named(member)?;
        let options = options(member.meta)?.large_file(layout.size_bytes >= LARGE_BYTES);
        self.writer.start_file(name, options).map_err(refused)?;
        Ok(lacks)
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    fn hole(&mut self, len_bytes: u64) -> io::Result<()> {
        let mut left = len_bytes;
        while left > 0 {
            let n = usize::try_from(left).unwrap_or(ZEROS.len()).min(ZEROS.len());
            self.writer.write_all(ZEROS.get(..n).unwrap_or_default())?;
            left = left.saturating_sub(n as u64);
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        let mut out = self.writer.finish().map_err(io::Error::from)?.into_inner();
        out.flush()
    }
}

fn refused(error: ZipError) -> Refused {
    match error {
        ZipError::Io(error) => Refused::Write(error),
        error => Refused::NotHeld(error.to_string()),
    }
}

fn options(meta: &Meta) -> Result<Options, Refused> {
    let kind = match meta.kind {
        Kind::Directory => 0o040_000,
        Kind::Symlink => 0o120_000,
        _ => 0o100_000,
    };
    let mut options = Options::default()
        .system(System::Unix)
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .last_modified_time(dos_time(meta.mtime))
        .external_attributes((kind | meta.mode) << 16);
    if let Ok(secs) = i32::try_from(meta.mtime.secs) {
        let field = [&[1][..], &secs.to_le_bytes()].concat();
        options.add_extra_field(EXTENDED_TIME, field, false).map_err(refused)?;
    }
    let (uid, gid) = (meta.uid.to_le_bytes(), meta.gid.to_le_bytes());
    let field = [&[1, 4][..], &uid, &[4], &gid].concat();
    options.add_extra_field(UNIX_OWNER, field, false).map_err(refused)?;
    Ok(options)
}

/// UTC, to two seconds, within what the field can say.
fn dos_time(time: FileTime) -> DateTime {
    let Ok(utc) = jiff::Timestamp::new(time.secs, 0) else { return DateTime::default() };
    let utc = jiff::tz::Offset::UTC.to_datetime(utc);
    let part = |value: i8| u8::try_from(value).unwrap_or(0);
    let date = (u16::try_from(utc.year()).unwrap_or(0), part(utc.month()), part(utc.day()));
    let clock = (part(utc.hour()), part(utc.minute()), part(utc.second()));
    let time = DateTime::from_date_and_time(date.0, date.1, date.2, clock.0, clock.1, clock.2);
    time.unwrap_or_default()
}

/// The name as it is written, and what is lost of the member.
fn named(member: &Member<'_>) -> Result<(String, Vec<Lack>), Refused> {
    let mut lacks = Vec::new();
    let parts = member.name.split(|&byte| byte == b'/');
    let mut name = String::with_capacity(member.name.len());
    let mut is_changed = false;
    for (n, part) in parts.enumerate() {
        if n > 0 {
            name.push('/');
        }
        match std::str::from_utf8(part) {
            // A backslash parts folders on the systems that zip is for.
            Ok(text) if !text.contains(['\\', '\0']) => name.push_str(text),
            _ => {
                is_changed = true;
                escape(&mut name, part);
            }
        }
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(Refused::NotHeld(format!(
            "its name has {} bytes, zip has {NAME_BYTES_MAX} at most",
            name.len()
        )));
    }
    debug_assert!(
        member.name.is_empty() || name.split('/').all(|p| check_name(p.as_bytes()).is_ok())
    );
    if is_changed {
        lacks.push(Lack::Name(crate::path::escape(name.as_bytes())));
    }
    if member.meta.extra.as_ref().is_some_and(|extra| !extra.xattrs.is_empty()) {
        lacks.push(Lack::Attributes);
    }
    Ok((name, lacks))
}

/// `%XX` for every byte that is not plain text. Where that makes the name too long, its end becomes
/// digits of its hash.
fn escape(out: &mut String, part: &[u8]) {
    let start = out.len();
    for chunk in part.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' | '%' => out.push_str(if c == '%' { "%25" } else { "%5c" }),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    if out.len() - start > PART_BYTES_MAX {
        let digits = hash(part).to_string();
        let end = format!("~{}", digits.get(..16).unwrap_or_default());
        out.truncate(out.floor_char_boundary(start + PART_BYTES_MAX - end.len()));
        out.push_str(&end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &[u8]) -> (String, usize) {
        let meta = Meta::plain(Kind::File, 0);
        let (name, lacks) = named(&Member { name, meta: &meta }).unwrap();
        (name, lacks.len())
    }

    #[test]
    fn only_names_that_zip_cannot_hold_are_changed() {
        assert_eq!(written("a/é 100%".as_bytes()), ("a/é 100%".to_owned(), 0));
        assert_eq!(written(b"a/100%\xff"), ("a/100%25%ff".to_owned(), 1));
        assert_eq!(written(b"a\\b/c"), ("a%5cb/c".to_owned(), 1));
        let (long, _) = written(&[0xff; 200]);
        assert!(long.len() == 255 && long.starts_with("%ff%ff") && long.contains('~'), "{long}");
        assert_ne!(long, written(&[0xff; 201]).0);
    }

    #[test]
    fn times_that_the_field_cannot_say_become_its_first() {
        let at = |secs| dos_time(FileTime { secs, nanos: 0 });
        assert_eq!(at(1_700_000_000).to_string(), "2023-11-14 22:13:20");
        for secs in [0, -1, i64::MIN, i64::MAX, 1 << 40] {
            assert_eq!(at(secs), DateTime::default());
        }
    }
}
