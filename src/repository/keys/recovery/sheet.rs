//! A share for people: what names it, and its words as a QR code.
//!
//! The code holds the words in capitals, which is what a QR code stores most densely; read with a
//! telephone, they can be typed or pasted as they are.

use qrcode::EcLevel;
use qrcode::QrCode;
use qrcode::render::svg;
use qrcode::render::unicode;
use zeroize::Zeroizing;

use crate::crypto::sealed::shares::Share;
use crate::repository::keys::recovery::words;

/// Side of a module of the drawn code, in pixels.
const MODULE_PIXELS: u32 = 6;

/// The name of a set for people: enough to tell two sets apart, the same on all its sheets.
#[must_use]
pub fn set_name(share: &Share) -> String {
    let mut name = String::new();
    crate::ids::push_hex(&mut name, share.set_id.get(..6).unwrap_or_default());
    name
}

/// The checksum that is part of the share, for comparing paper by eye.
#[must_use]
pub fn checksum(share: &Share) -> String {
    let encoded = share.encode();
    let (_, checksum) = encoded.expose().split_last_chunk::<4>().unwrap_or((&[], &[0; 4]));
    let mut text = String::new();
    crate::ids::push_hex(&mut text, checksum);
    text
}

fn code(share: &Share) -> Option<QrCode> {
    let words = Zeroizing::new(words::encode(share).to_ascii_uppercase());
    QrCode::with_error_correction_level(words.as_bytes(), EcLevel::M).ok()
}

/// A code as a square of dark and light modules, row by row.
#[derive(Debug, Clone)]
pub struct Modules {
    pub side_count: usize,
    pub dark: Vec<bool>,
}

/// The words as a QR code, module by module.
#[must_use]
pub fn modules(share: &Share) -> Option<Modules> {
    let code = code(share)?;
    let dark = code.to_colors().iter().map(|color| *color == qrcode::Color::Dark).collect();
    Some(Modules { side_count: code.width(), dark })
}

/// The words as a QR code of half blocks for a terminal with dark text on light or the reverse;
/// `None` if they do not fit a code, which forty words always do.
#[must_use]
pub fn qr_terminal(share: &Share) -> Option<Zeroizing<String>> {
    let drawn = code(share)?.render::<unicode::Dense1x2>().build();
    Some(Zeroizing::new(drawn))
}

/// The words as a QR code in SVG.
#[must_use]
pub fn qr_svg(share: &Share) -> Option<Zeroizing<String>> {
    let code = code(share)?;
    let drawn = code.render::<svg::Color>().module_dimensions(MODULE_PIXELS, MODULE_PIXELS).build();
    Some(Zeroizing::new(drawn))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sealed::shares;
    use crate::secret::Secret32;

    fn made() -> Vec<Share> {
        shares::split(&Secret32::new([0x3c; 32]), [9; 15], (2, 3)).unwrap()
    }

    #[test]
    fn shares_of_a_set_have_one_name_and_each_its_checksum() {
        let made = made();
        let checksums: std::collections::BTreeSet<String> = made.iter().map(checksum).collect();
        assert_eq!(checksums.len(), 3);
        assert!(made.iter().all(|share| set_name(share) == "090909090909"));
    }

    #[test]
    fn the_code_fits_a_terminal_and_is_drawn_in_both_forms() {
        for share in &made() {
            let terminal = qr_terminal(share).unwrap();
            assert!(terminal.lines().all(|line| line.chars().count() <= 80));
            assert!(terminal.lines().count() > 20);
            let svg = qr_svg(share).unwrap();
            assert!(svg.starts_with("<?xml") && svg.ends_with("</svg>"));
        }
    }

    /// The longest words of the list: the code must hold any share.
    #[test]
    fn forty_words_of_eight_letters_fit_a_code() {
        let longest = ["ABSTRACT"; words::SHARE_WORDS].join(" ");
        let code = QrCode::with_error_correction_level(longest, EcLevel::M).unwrap();
        assert!(code.width() + 8 <= 80, "{}", code.width());
    }
}
