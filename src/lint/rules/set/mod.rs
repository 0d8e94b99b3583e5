//! Rules about all files together.

super::rules! {}
