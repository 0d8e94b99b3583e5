//! Kernel modules picked out of a kernel's folder, each after those that it depends on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::run::show;

/// How a module may be packed, and what unpacks it onto its standard output.
const PACKINGS: [(&str, &[&str]); 4] = [
    (".ko", &["cat"]),
    (".ko.xz", &["xz", "-dc"]),
    (".ko.zst", &["zstd", "-qdc"]),
    (".ko.gz", &["gzip", "-dc"]),
];

/// Puts the modules `wanted` and whatever they depend on into the folder `to`, unpacked, with names that sort in the
/// order in which they must be loaded. What is built into the kernel whose modules are in `from` needs none.
pub(crate) fn collect(from: &Path, wanted: &[&str], to: &Path) -> Result<()> {
    let mut source = Source { builtin: builtin(from), files: Vec::new() };
    find_modules(&from.join("kernel"), &mut source.files);
    let mut loaded = Vec::new();
    for name in wanted {
        source.add(name, &mut loaded)?;
    }
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for (i, (name, content)) in loaded.iter().enumerate() {
        let file = to.join(format!("{i:02}-{name}.ko"));
        fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Where modules come from.
struct Source {
    /// The names of those that are in the kernel itself.
    builtin: Vec<String>,
    /// The files of all others.
    files: Vec<PathBuf>,
}

impl Source {
    /// Adds the module `name` to `loaded`, those that it depends on first.
    fn add(&self, name: &str, loaded: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
        if self.builtin.iter().any(|b| b == name) || loaded.iter().any(|(l, _)| l == name) {
            return Ok(());
        }
        let file = self.files.iter().find(|file| name_of(file).as_deref() == Some(name));
        let file = file.with_context(|| format!("its driver {name} is neither built in nor a module"))?;
        let content = unpacked(file)?;
        for needed in depends(&content) {
            self.add(&needed, loaded)?;
        }
        loaded.push((name.to_owned(), content));
        Ok(())
    }
}

/// The names of the modules that are built into the kernel.
fn builtin(from: &Path) -> Vec<String> {
    let list = fs::read_to_string(from.join("modules.builtin")).unwrap_or_default();
    list.lines().filter_map(|line| name_of(Path::new(line))).collect()
}

/// All files under `dir` that hold modules.
fn find_modules(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find_modules(&path, found);
        } else if name_of(&path).is_some() {
            found.push(path);
        }
    }
}

/// The name of the module in a file, in the kernel's spelling; `None` if it holds none.
fn name_of(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_string_lossy();
    let stem = PACKINGS.iter().find_map(|(end, _)| name.strip_suffix(end))?;
    Some(stem.replace('-', "_"))
}

/// What a module's file holds.
fn unpacked(file: &Path) -> Result<Vec<u8>> {
    let name = file.to_string_lossy();
    let packing = PACKINGS.iter().find(|(end, _)| name.ends_with(end));
    let (_, program) = packing.with_context(|| format!("{name} isn't a module"))?;
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).arg(file).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("cannot run `{}`", show(&command)))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", show(&command), output.status);
    }
    Ok(output.stdout)
}

/// The modules that a module depends on, from the words that it says about itself: `depends=a,b`.
fn depends(module: &[u8]) -> Vec<String> {
    let word = module.split(|byte| *byte == 0).find_map(|word| word.strip_prefix(b"depends="));
    let list = String::from_utf8_lossy(word.unwrap_or_default()).replace('-', "_");
    list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::{Source, collect, depends, name_of};

    #[test]
    fn a_module_says_what_it_depends_on() {
        assert_eq!(
            depends(b"\x7fELF\0license=GPL\0depends=virtio,net-failover\0x"),
            ["virtio", "net_failover"]
        );
        assert!(depends(b"license=GPL\0depends=\0").is_empty());
        assert!(depends(b"").is_empty());
    }

    #[test]
    fn a_module_is_named_by_its_file() {
        assert_eq!(name_of(Path::new("kernel/x/virtio-rng.ko.xz")).as_deref(), Some("virtio_rng"));
        assert_eq!(name_of(Path::new("kernel/x/virtio.ko")).as_deref(), Some("virtio"));
        assert_eq!(name_of(Path::new("modules.dep")), None);
    }

    #[test]
    fn what_is_neither_built_in_nor_a_module_is_named() {
        let source = Source { builtin: vec!["ipv6".into()], files: Vec::new() };
        assert!(source.add("ipv6", &mut Vec::new()).is_ok());
        let missing = source.add("virtio_net", &mut Vec::new()).expect_err("there is no such file");
        assert!(missing.to_string().contains("virtio_net"));
    }

    #[test]
    fn modules_come_after_what_they_need() -> anyhow::Result<()> {
        let dir = std::env::temp_dir().join(format!("kvmnet-xtask-modules-{}", std::process::id()));
        let write = |path: &str, text: &str| -> anyhow::Result<()> {
            let path = dir.join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(&dir))?;
            Ok(std::fs::write(path, text)?)
        };
        write("modules.builtin", "kernel/net/ipv6/ipv6.ko\n")?;
        write("kernel/a/virtio.ko", "depends=virtio_ring\0")?;
        write("kernel/b/virtio_ring.ko", "depends=\0")?;
        write("kernel/c/virtio-net.ko", "depends=virtio_ring,virtio\0")?;
        assert!(Command::new("gzip").arg(dir.join("kernel/c/virtio-net.ko")).status()?.success());
        write("kernel/c/other.ko", "depends=\0")?;
        collect(&dir, &["virtio_net", "ipv6", "virtio"], &dir.join("out"))?;
        let mut names: Vec<_> =
            std::fs::read_dir(dir.join("out"))?.flatten().map(|e| e.file_name().into_string()).collect();
        names.sort();
        std::fs::remove_dir_all(&dir)?;
        let names: Vec<_> = names.into_iter().flatten().collect();
        assert_eq!(names, ["00-virtio_ring.ko", "01-virtio.ko", "02-virtio_net.ko"]);
        Ok(())
    }
}
