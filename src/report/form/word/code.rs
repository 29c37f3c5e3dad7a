//! Codes for telephones, as pictures.

use std::io::Write;

use docx_rs::Pic;
use docx_rs::RelativeFromHType;
use docx_rs::RelativeFromVType;
use flate2::Compression;
use flate2::Crc;
use flate2::write::ZlibEncoder;

use crate::document::code::Square;
use crate::report::form::word::WordError;

/// White round a code, in modules.
const QUIET_COUNT: usize = 4;
/// Pixels of a module's side: so many that edges stay sharp where a picture is drawn larger.
const MODULE_PX: usize = 8;
/// In the lower right corner of a page: its side, and from its edges to those of the page.
const CORNER_MM: u32 = 15;
const CORNER_RIGHT_MM: u32 = 15;
const CORNER_BOTTOM_MM: u32 = 4;
const EMU_PER_MM: u32 = 36_000;
const WIDTH_MM: u32 = 210;
const HEIGHT_MM: u32 = 297;

/// A picture of the document, under the name by which its part refers to it.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) id: String,
    pub(super) png: Vec<u8>,
}

impl Picture {
    /// # Errors
    /// When it is too large for a picture.
    pub(super) fn of(square: &Square, id: String) -> Result<Self, WordError> {
        let png = png(square)?;
        Ok(Self { id, png })
    }

    /// In a line of text.
    pub(super) fn inline(&self, side_mm: u32) -> Pic {
        let side = side_mm * EMU_PER_MM;
        Pic::new_with_dimensions(Vec::new(), 1, 1).id(self.id.as_str()).size(side, side)
    }

    /// Where pages have room for it under their text.
    pub(super) fn in_corner(&self) -> Pic {
        let place = |mm: u32| i32::try_from(mm * EMU_PER_MM).unwrap_or_default();
        self.inline(CORNER_MM)
            .floating()
            .overlapping()
            .relative_from_h(RelativeFromHType::Page)
            .relative_from_v(RelativeFromVType::Page)
            .offset_x(place(WIDTH_MM - CORNER_RIGHT_MM - CORNER_MM))
            .offset_y(place(HEIGHT_MM - CORNER_BOTTOM_MM - CORNER_MM))
    }
}

/// One bit a pixel, black on white.
fn png(square: &Square) -> Result<Vec<u8>, WordError> {
    let side = (square.side_count + 2 * QUIET_COUNT) * MODULE_PX;
    let mut lines = Vec::with_capacity(side * (side / 8 + 1));
    let is_dark = |x: usize, y: usize| {
        let inner = |at: usize| (at / MODULE_PX).checked_sub(QUIET_COUNT);
        let (Some(x), Some(y)) = (inner(x), inner(y)) else { return false };
        let at = y * square.side_count + x;
        x < square.side_count && square.dark.get(at).copied().unwrap_or(false)
    };
    for y in 0..side {
        // No filter.
        lines.push(0);
        for x in (0..side).step_by(8) {
            let bit = |byte: u8, at: usize| (byte << 1) | u8::from(!is_dark(x + at, y));
            lines.push((0..8).fold(0, bit));
        }
    }
    let side = u32::try_from(side).map_err(|_| WordError::Picture)?.to_be_bytes();
    let mut head = [side, side].concat();
    // Bits of a pixel, grey, and the only ways to pack, filter and interlace.
    head.extend([1, 0, 0, 0, 0]);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&lines)?;
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, *b"IHDR", &head)?;
    chunk(&mut png, *b"IDAT", &packed.finish()?)?;
    chunk(&mut png, *b"IEND", &[])?;
    Ok(png)
}

fn chunk(png: &mut Vec<u8>, name: [u8; 4], bytes: &[u8]) -> Result<(), WordError> {
    let length = u32::try_from(bytes.len()).map_err(|_| WordError::Picture)?;
    let mut sum = Crc::new();
    sum.update(&name);
    sum.update(bytes);
    png.extend(length.to_be_bytes());
    png.extend(name);
    png.extend(bytes);
    png.extend(sum.sum().to_be_bytes());
    Ok(())
}
