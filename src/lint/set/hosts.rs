//! Which files are for one host, where no policy says so.
//!
//! A repository of one host's files and one of a fleet's look alike, and what is a clash in the first is as it should be in
//! the second: every host has its own `default` on its own `virbr0`. What tells them apart is a file named after what it
//! defines, as libvirt itself keeps them, that is there in two folders: `a/default.xml` and `b/default.xml` aren't for one
//! host. So everything in `a` is for one, and everything in `b` for another.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use super::facts::{Facts, Part};

/// The files of each host by its folder, in the order in which they came; those that are in no host's folder together.
pub(super) fn split<'s>(facts: &[&'s Facts]) -> BTreeMap<Option<&'s Path>, Vec<&'s Facts>> {
    let folders = folders(facts);
    let mut out: BTreeMap<Option<&Path>, Vec<&Facts>> = BTreeMap::new();
    for facts in facts {
        let mut above = facts.file.ancestors().skip(1);
        out.entry(above.find(|folder| folders.contains(folder))).or_default().push(facts);
    }
    out
}

/// The folders that are a host's each.
fn folders<'s>(facts: &[&'s Facts]) -> HashSet<&'s Path> {
    let mut named: HashMap<(bool, &str), Vec<&Path>> = HashMap::new();
    for facts in facts {
        let (is_guest, name) = match &facts.part {
            Part::Guest(guest) => (true, guest.name.as_ref().map(|name| name.what.as_str())),
            Part::Network(net) => (false, Some(net.network.name.as_str())),
        };
        if let (Some(name), Some(stem), Some(folder)) = (name, facts.file.file_stem(), facts.file.parent())
            && stem == name
        {
            named.entry((is_guest, name)).or_default().push(folder);
        }
    }
    let mut out = HashSet::new();
    for mut folders in named.into_values().filter(|folders| folders.len() > 1) {
        // Neighbours of the sorted ones are those that have the longest way in common.
        folders.sort_unstable();
        folders.dedup();
        for pair in folders.windows(2) {
            let in_common =
                pair[0].components().zip(pair[1].components()).take_while(|(a, b)| a == b).count();
            out.extend(pair.iter().map(|folder| first(folder, in_common + 1)));
        }
    }
    out
}

/// The folder that the first components of a path lead to; all of it where it has no more.
fn first(folder: &Path, components: usize) -> &Path {
    let more = folder.components().count().saturating_sub(components);
    folder.ancestors().nth(more).unwrap_or(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::lint::set::tests::{guest, network};

    /// Guests, or networks if `net` is in the path, that are named after their files.
    fn named(paths: &[&str]) -> Vec<Facts> {
        let one = |path: &&str| {
            let name = Path::new(path).file_stem().unwrap().to_str().unwrap();
            if path.contains("net") { network(path, name, "") } else { guest(path, name, "") }
        };
        paths.iter().map(one).collect()
    }

    /// `FOLDER: FILE FILE …` of each host.
    fn groups(files: &[Facts]) -> Vec<String> {
        let one = |(folder, files): (Option<&Path>, Vec<&Facts>)| {
            let names: Vec<_> = files.iter().map(|facts| facts.file.display().to_string()).collect();
            format!(
                "{}: {}",
                folder.map_or("-".into(), |folder| folder.display().to_string()),
                names.join(" ")
            )
        };
        split(&files.iter().collect::<Vec<_>>()).into_iter().map(one).collect()
    }

    #[test]
    fn one_host() {
        let files = [
            guest("vm/web.xml", "web", ""),
            guest("vm/old/app.xml", "web", ""),
            network("net/web.xml", "web", ""),
            network("net/a/net.xml", "lan", ""),
            network("net/b/net.xml", "lan", ""),
        ];
        assert_eq!(groups(&files).len(), 1, "no file that is named after what it defines is there twice");
        assert!(groups(&[]).is_empty());
    }

    #[test]
    fn a_fleet() {
        let files =
            named(&["common/net.xml", "h/a/net/lan.xml", "h/a/vm/web.xml", "h/b/net-lan.xml", "h/b/db.xml"]);
        assert_eq!(groups(&files).len(), 1);
        let files =
            named(&["common/net.xml", "h/a/net/lan.xml", "h/a/vm/web.xml", "h/b/net/lan.xml", "h/b/db.xml"]);
        assert_eq!(
            groups(&files),
            ["-: common/net.xml", "h/a: h/a/net/lan.xml h/a/vm/web.xml", "h/b: h/b/net/lan.xml h/b/db.xml"]
        );
    }

    #[test]
    fn a_folder_in_the_other() {
        let files = named(&["vm/db.xml", "vm/old/web.xml", "vm/web.xml", "web.xml", "/else/web.xml"]);
        assert_eq!(
            groups(&files),
            [": web.xml", "/: /else/web.xml", "vm: vm/db.xml vm/web.xml", "vm/old: vm/old/web.xml"]
        );
    }
}
