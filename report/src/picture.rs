//! Pictures as PNG: SVG of annals-core, drawn with the bundled fonts and no other.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};

use crate::fonts::FILES;

/// Pixels for each pixel of the SVG, across and down.
const SCALE: u16 = 2;
/// Widest and highest picture, in pixels.
const MAX_PX: u32 = 32_000;

/// Why a picture was not drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The text is no SVG.
    #[error("the picture could not be read: {0}")]
    Svg(String),
    /// More pixels than there is room for.
    #[error(
        "the picture would be {width_px} by {height_px} pixels; a PNG has at most {MAX_PX} each way: write it as SVG"
    )]
    TooLarge {
        /// Width, in pixels.
        width_px: u32,
        /// Height, in pixels.
        height_px: u32,
    },
    /// The pixels could not be written.
    #[error("the picture could not be written as PNG: {0}")]
    Png(String),
}

static DATABASE: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut database = Database::new();
    for file in FILES {
        database.load_font_data(file.to_vec());
    }
    database.set_sans_serif_family("Noto Sans");
    Arc::new(database)
});

/// Draws an SVG picture as PNG, twice as large, so that it stays sharp on paper.
///
/// # Errors
/// [`PictureError`] if the text is no SVG, or the picture would be too large.
///
/// ```
/// let svg = "<svg width='10' height='8' xmlns='http://www.w3.org/2000/svg'><text y='8'>1</text></svg>";
/// let png = annals_report::png(svg)?;
/// assert!(png.starts_with(b"\x89PNG"));
/// assert!(annals_report::png("no picture").is_err());
/// # Ok::<(), annals_report::PictureError>(())
/// ```
pub fn png(svg: &str) -> Result<Vec<u8>, PictureError> {
    let options = Options {
        fontdb: Arc::clone(&DATABASE),
        font_family: "Noto Sans".to_owned(),
        ..Options::default()
    };
    let tree =
        Tree::from_str(svg, &options).map_err(|error| PictureError::Svg(error.to_string()))?;
    let size = tree.size().to_int_size();
    let (width_px, height_px) = (
        size.width().saturating_mul(SCALE.into()),
        size.height().saturating_mul(SCALE.into()),
    );
    let too_large = PictureError::TooLarge {
        width_px,
        height_px,
    };
    if width_px > MAX_PX || height_px > MAX_PX {
        return Err(too_large);
    }
    let mut pixels = Pixmap::new(width_px, height_px).ok_or(too_large)?;
    let scale = Transform::from_scale(SCALE.into(), SCALE.into());
    resvg::render(&tree, scale, &mut pixels.as_mut());
    pixels
        .encode_png()
        .map_err(|error| PictureError::Png(error.to_string()))
}
