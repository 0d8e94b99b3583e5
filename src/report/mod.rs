//! What people and programs get to read.

mod columns;
pub mod findings;
pub mod json;
mod paint;
mod plain;
mod screen;
mod sections;
pub mod text;

pub use columns::columns;
pub use paint::Paint;
use plain::{escaped_where, plain};
pub use plain::{obeyed, plain_line};
pub use screen::Screen;
pub use sections::Sections;
