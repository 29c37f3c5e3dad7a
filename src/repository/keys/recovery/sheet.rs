//! A share for people: a sheet of plain text, and its words as a QR code.
//!
//! The code holds the words in capitals, which is what a QR code stores most densely; read with a
//! telephone, they can be typed or pasted as they are.

use qrcode::EcLevel;
use qrcode::QrCode;
use qrcode::render::svg;
use qrcode::render::unicode;
use zeroize::Zeroizing;

use crate::crypto::sealed::shares::Share;
use crate::repository::keys::recovery::Shares;
use crate::repository::keys::recovery::words;

/// Words in a row of the sheet; it fits a page and a terminal.
const ROW_WORDS: usize = 4;
/// Side of a module of the drawn code, in pixels.
const MODULE_PIXELS: u32 = 6;

/// The name of a set for people: enough to tell two sets apart, the same on all its sheets.
#[must_use]
pub fn set_name(share: &Share) -> String {
    let mut name = String::new();
    crate::ids::push_hex(&mut name, share.set_id.get(..6).unwrap_or_default());
    name
}

/// The sheet of one share, at most 80 columns wide; it is as secret as the share.
#[must_use]
pub fn text(shares: &Shares, share: &Share) -> Zeroizing<String> {
    let Share { k, n, index, .. } = *share;
    let encoded = share.encode();
    let (_, checksum) = encoded.expose().split_last_chunk::<4>().unwrap_or((&[], &[0; 4]));
    let mut out = Zeroizing::new(String::with_capacity(2048));
    let head = format!(
        "LIFEBOAT RECOVERY KEY - SHARE {index} OF {n}\n\n\
         Any {k} of the {n} shares of this set open every backup in the storage below.\n\
         Fewer tell nothing. Keep each share in another place, in a sealed envelope.\n\n\
         Repository  {}\nStorage     {}\nSet         {}\nShare       {index} of {n}, {k} needed\n\
         Checksum    ",
        shares.repository,
        shares.location,
        set_name(share),
    );
    out.push_str(&head);
    crate::ids::push_hex(&mut out, checksum);
    out.push_str("\n\n");
    for (at, word) in words::encode(share).split(' ').enumerate() {
        let end = if (at + 1).is_multiple_of(ROW_WORDS) { "\n" } else { "   " };
        out.push_str(&Zeroizing::new(format!("{:>2}. {word:<9}{end}", at + 1)));
    }
    out.push_str(
        "\nTo prove that it can be read:  lifeboat key recovery check\n\
         To open the backups with it:   lifeboat key recovery use\n\
         Type the words in this order; four letters of a word suffice.\n",
    );
    out
}

fn code(share: &Share) -> Option<QrCode> {
    let words = Zeroizing::new(words::encode(share).to_ascii_uppercase());
    QrCode::with_error_correction_level(words.as_bytes(), EcLevel::M).ok()
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
    use crate::ids::RepositoryId;
    use crate::secret::Secret32;

    fn made() -> Shares {
        let shares = shares::split(&Secret32::new([0x3c; 32]), [9; 15], (2, 3)).unwrap();
        Shares { repository: RepositoryId::new([1; 16]), location: "/mnt/disk".to_owned(), shares }
    }

    #[test]
    fn a_sheet_fits_a_page_and_its_rows_can_be_typed_back() {
        let made = made();
        for share in &made.shares {
            let text = text(&made, share);
            assert!(text.lines().count() < 40);
            assert!(text.lines().all(|line| line.len() <= 80 && line.is_ascii()));
            assert!(text.contains("/mnt/disk") && text.contains(&set_name(share)));
            let rows: Vec<&str> = text
                .lines()
                .filter(|line| line.contains(". ") && line.starts_with([' ', '1', '2', '3']))
                .collect();
            assert_eq!(words::decode(1, &rows.join("\n")).as_ref(), Ok(share));
        }
    }

    #[test]
    fn the_code_fits_a_terminal_and_is_drawn_in_both_forms() {
        for share in &made().shares {
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
