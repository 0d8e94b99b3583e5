//! Rules about one network.

super::rules! {}
