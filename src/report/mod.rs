//! What people and programs get to read.

pub mod json;
mod paint;
mod plain;
mod screen;
pub mod text;

pub use paint::Paint;
pub use plain::obeyed;
pub use screen::Screen;
