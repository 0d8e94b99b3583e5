//! The files of a folder and of those in it.

use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

/// The files below `folder` whose names end in `.ending`, in no order, and what can't be looked into. Hidden files and
/// folders are left out; links to folders aren't followed (one to a folder above would never end), links to files are,
/// and it is said which they are.
pub fn files(folder: &Path, ending: &str) -> Vec<Result<(PathBuf, bool), (PathBuf, io::Error)>> {
    let mut out = Vec::new();
    let mut left = vec![folder.to_path_buf()];
    while let Some(folder) = left.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) => {
                out.push(Err((folder, e)));
                continue;
            }
        };
        for entry in entries {
            match entry {
                Ok(entry) if is_hidden(&entry) => {}
                Ok(entry) => match entry.file_type() {
                    Ok(kind) if kind.is_dir() => left.push(entry.path()),
                    // A link to a folder may have any name.
                    Ok(kind) if kind.is_symlink() && entry.path().is_dir() => {}
                    Ok(kind) => {
                        let path = entry.path();
                        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending)) {
                            out.push(Ok((path, kind.is_symlink())));
                        }
                    }
                    Err(e) => out.push(Err((entry.path(), e))),
                },
                Err(e) => out.push(Err((folder.clone(), e))),
            }
        }
    }
    out
}

/// The files of `folder` itself whose names end in `.ending`, as far as it can be looked into, in no order; named as the
/// folder is. Hidden ones are left out.
pub fn own_files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let here = if folder == Path::new("") { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(here).into_iter().flatten().filter_map(Result::ok);
    let has_ending = |name: &Path| name.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending));
    entries
        .filter(|entry| !is_hidden(entry) && has_ending(Path::new(&entry.file_name())))
        .filter(|entry| !entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| folder.join(entry.file_name()))
        .collect()
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for folder in ["a/b", ".git", "c.xml"] {
            std::fs::create_dir_all(path(folder)).unwrap();
        }
        for file in ["a/b/x.xml", "a/Y.XML", "a/z.txt", ".git/no.xml", "a/.no.xml", "c.xml/d.xml"] {
            std::fs::write(path(file), "").unwrap();
        }
        std::os::unix::fs::symlink("..", path("a/up")).unwrap();
        std::os::unix::fs::symlink("b/x.xml", path("a/link.xml")).unwrap();
        std::os::unix::fs::symlink("loop.xml", path("a/loop.xml")).unwrap();
        let mut found: Vec<_> = files(dir.path(), "xml").into_iter().map(Result::unwrap).collect();
        found.sort();
        let want = [
            ("a/Y.XML", false),
            ("a/b/x.xml", false),
            ("a/link.xml", true),
            ("a/loop.xml", true),
            ("c.xml/d.xml", false),
        ];
        assert_eq!(found, want.map(|(name, is_link)| (path(name), is_link)));
        files(&path("nowhere"), "xml")[0].as_ref().unwrap_err();
        let mut own = own_files(&path("a"), "xml");
        own.sort();
        assert_eq!(own, ["a/Y.XML", "a/link.xml", "a/loop.xml"].map(path));
        assert!(own_files(&path("nowhere"), "xml").is_empty());
        assert!(own_files(Path::new(""), "toml").contains(&PathBuf::from("Cargo.toml")));
    }
}
