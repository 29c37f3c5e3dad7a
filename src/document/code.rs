//! Codes that telephones read.

use qrcode::EcLevel;
use qrcode::QrCode;

use crate::document::page::Modules;

/// A QR code, module by module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Square {
    pub side_count: usize,
    pub dark: Vec<bool>,
}

impl Square {
    /// The text as a code; `None` if it is too long for one.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).ok()?;
        let dark = code.to_colors().iter().map(|color| *color == qrcode::Color::Dark).collect();
        Some(Self { side_count: code.width(), dark })
    }

    #[must_use]
    pub fn modules(&self) -> Modules<'_> {
        Modules { side_count: self.side_count, dark: &self.dark }
    }
}
