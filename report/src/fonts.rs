//! The fonts that reports are set with: those beside this source, and no other.

use std::sync::LazyLock;

use typst::foundations::Bytes;
use typst::layout::Abs;
use typst::text::{Font, FontBook, FontInstance, FontVariant, FontVariations};
use typst::utils::LazyHash;

/// Family of ids, numbers, times and values.
pub const MONO: &str = "Noto Sans Mono";

/// The files, in the order in which they are asked for a character.
pub const FILES: [&[u8]; 13] = [
    include_bytes!("../fonts/NotoSans-Regular.ttf"),
    include_bytes!("../fonts/NotoSans-Bold.ttf"),
    include_bytes!("../fonts/NotoSansMono-Regular.ttf"),
    include_bytes!("../fonts/NotoSansArabic-Regular.ttf"),
    include_bytes!("../fonts/NotoSansHebrew-Regular.ttf"),
    include_bytes!("../fonts/NotoSansDevanagari-Regular.ttf"),
    include_bytes!("../fonts/NotoSansThai-Regular.ttf"),
    include_bytes!("../fonts/NotoSansMath-Symbols.ttf"),
    include_bytes!("../fonts/NotoSansSymbols-Regular.ttf"),
    include_bytes!("../fonts/NotoSansSymbols2-Dingbats.ttf"),
    include_bytes!("../fonts/NotoSansKR-Hangul.ttf"),
    include_bytes!("../fonts/DroidSansFallback.ttf"),
    include_bytes!("../fonts/NotoEmoji-Regular.ttf"),
];

/// The fonts, read once.
pub struct Fonts {
    /// In the order in which they are asked for a character.
    pub fonts: Vec<Font>,
    /// What the typesetter knows of them.
    pub book: LazyHash<FontBook>,
    instances: Vec<FontInstance>,
    /// Widths of the ASCII characters, in running text and in [`MONO`].
    ascii_em: [Vec<f64>; 2],
}

/// The bundled fonts.
pub static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let fonts: Vec<Font> = FILES
        .iter()
        .filter_map(|file| Font::new(Bytes::new(*file), 0))
        .collect();
    let book = LazyHash::new(FontBook::from_fonts(&fonts));
    let instance = |font: &Font| {
        let none = FontVariations::default();
        font.clone()
            .instantiate(FontVariant::default(), Abs::pt(7.0), &none)
    };
    let instances: Vec<FontInstance> = fonts.iter().map(instance).collect();
    let ascii = |mono| {
        let chars = (0..128u8).map(char::from);
        chars.map(|c| looked_up_em(&instances, c, mono)).collect()
    };
    Fonts {
        ascii_em: [ascii(false), ascii(true)],
        fonts,
        book,
        instances,
    }
});

impl Fonts {
    /// Families in the order in which they are asked for a character, without the one of numbers and values.
    pub fn families(&self) -> Vec<String> {
        let mut families: Vec<String> = Vec::new();
        for font in &self.fonts {
            let family = font.info().family.as_str();
            if family != MONO && !families.iter().any(|known| known == family) {
                families.push(family.to_owned());
            }
        }
        families
    }

    /// Whether any font has a glyph for the character.
    pub fn covers(&self, c: char) -> bool {
        c.is_ascii_graphic()
            || c == ' '
            || self
                .instances
                .iter()
                .any(|font| font.ttf().glyph_index(c).is_some())
    }

    /// Width of the character in parts of the font size, in the font that it would be set with.
    pub fn width_em(&self, c: char, mono: bool) -> f64 {
        let known = self.ascii_em[usize::from(mono)].get(c as usize);
        known
            .copied()
            .unwrap_or_else(|| looked_up_em(&self.instances, c, mono))
    }
}

fn looked_up_em(fonts: &[FontInstance], c: char, mono: bool) -> f64 {
    let first = if mono { 2 } else { 0 };
    let order = std::iter::once(first).chain(0..fonts.len());
    for font in order.filter_map(|index| fonts.get(index)) {
        if let Some(glyph) = font.ttf().glyph_index(c) {
            return font.x_advance(glyph.0).map_or(0.6, |advance| advance.get());
        }
    }
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_font_is_read() {
        assert_eq!(FONTS.fonts.len(), FILES.len());
        assert!(FONTS.fonts.iter().any(|font| font.info().family == MONO));
        assert_eq!(
            FONTS.families().first().map(String::as_str),
            Some("Noto Sans")
        );
    }

    #[test]
    fn the_scripts_that_the_readme_names_have_glyphs() {
        for text in [
            "Größe Łódź Ελλάδα Київ Việt",
            "مرحبا שלום नमस्ते สวัสดี",
            "注文を確定 订单 주문 완료 ✓ → ≤ ─ ●",
            "🚚📦😀❤",
        ] {
            for c in text.chars() {
                assert!(FONTS.covers(c), "{c} U+{:04X}", u32::from(c));
            }
        }
        assert!(!FONTS.covers('\u{10D0}'), "Georgian is not bundled");
    }
}
