//! Rules of the house: what a team's policy says of NICs, and of the networks that bring them somewhere.

use crate::lint::policy::{House, Words};

super::rules! {
    kn301_bridge,
    kn302_network,
    kn303_model,
    kn304_mac_prefix,
    kn305_filter,
    kn306_forbidden_type,
    kn307_network_bridge,
}

/// What the policy allows, and where it says so.
fn allowed(house: &House, words: &Words, one: &str) -> String {
    let place = house.place(words);
    match words.words().is_empty() {
        true => format!("the policy allows no {one} ({place})"),
        false => format!("the policy allows {} ({place})", words.list()),
    }
}
