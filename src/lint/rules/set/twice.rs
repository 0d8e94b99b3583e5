//! What is there twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// Each thing whose key an earlier one has, behind the first of them: `(first, later)`.
pub(super) fn twice<K: Hash + Eq, T: Copy>(
    things: impl Iterator<Item = (K, T)>,
) -> impl Iterator<Item = (T, T)> {
    let mut seen = HashMap::new();
    things.filter_map(move |(key, thing)| match seen.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(thing);
            None
        }
        Entry::Occupied(first) => Some((*first.get(), thing)),
    })
}

#[cfg(test)]
mod tests {
    use super::twice;

    #[test]
    fn the_first_and_each_later_one() {
        let things = [("a", 1), ("b", 2), ("a", 3), ("a", 4)];
        assert_eq!(twice(things.into_iter()).collect::<Vec<_>>(), [(1, 3), (1, 4)]);
    }
}
