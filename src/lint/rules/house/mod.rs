//! Rules of the house: what a team's policy says of NICs.

super::rules! {}
