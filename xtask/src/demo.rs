//! `cargo xtask demo`: kvmnet's main job in one minute, on nothing that matters.

use std::env;
use std::fs::{self, DirBuilder};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::install;
use crate::packages::Stage;
use crate::run::{cargo, check, program_dir, root, show};

/// The guest's file, in the fixture folder and in the demo's own.
const FILE: &str = "ubuntuvm1.xml";

/// Builds kvmnet and shows it at work.
pub(crate) fn run() -> Result<()> {
    install::ensure(&[Stage::Build])?;
    println!("Building kvmnet …");
    check(cargo().args(["build", "--quiet", "--package", "kvmnet", "--bins"]))?;

    let stage = Scratch::new()?;
    let demo = Demo { program: program_dir()?.join("kvmnet"), dir: &stage.dir };
    println!("kvmnet below is {}", demo.program.display());
    demo.on_a_host()?;
    demo.on_a_file()
}

/// Where the demo happens.
struct Demo<'a> {
    program: PathBuf,
    dir: &'a Path,
}

impl Demo<'_> {
    /// A guest of the fixture host goes from network default to a bridge.
    fn on_a_host(&self) -> Result<()> {
        say("1. A guest of a libvirt host. The host is libvirt's embedded test driver, made from\n   \
             fixtures/host/node.xml: no daemon, nothing on this machine is touched.\n\n   \
             First only look:");
        let uri = test_uri(&root().join("fixtures/host/node.xml"));
        let convert = ["-c", &uri, "convert", "ubuntuvm1", "--to-bridge", "br0"];
        self.kvmnet(&[&convert[..], &["--dry-run"]].concat())?;
        say(
            "Then do it: kvmnet applies the change, reads the stored definition back and compares. (The test\n   \
             driver's state ends with the process, so the next command would find the guest as it was.)",
        );
        self.kvmnet(&[&convert[..], &["-y"]].concat())
    }

    /// The same on a file, and back.
    fn on_a_file(&self) -> Result<()> {
        let fixture = root().join("fixtures/host").join(FILE);
        let original = fs::read(&fixture).with_context(|| format!("cannot read {}", fixture.display()))?;
        let copy = self.dir.join(FILE);
        fs::write(&copy, &original).with_context(|| format!("cannot write {}", copy.display()))?;

        say("2. The same on a file, with no libvirt at all. A preview, which writes nothing:");
        self.kvmnet(&["convert", "--file", FILE, "--to-bridge", "br0"])?;
        if fs::read(&copy)? != original {
            bail!("the preview changed {FILE}");
        }
        say("In place:");
        self.kvmnet(&["convert", "--file", FILE, "--to-bridge", "br0", "--in-place", "-y"])?;
        if fs::read(&copy)? == original {
            bail!("{FILE} was not changed");
        }
        say("Each change is in the journal:");
        self.kvmnet(&["history"])?;
        say("And back:");
        self.kvmnet(&["undo", "-y"])?;
        if fs::read(&copy)? != original {
            bail!("after undo, {FILE} differs from the original");
        }
        say("After undo, the file is byte for byte the original. That is the demo.");
        Ok(())
    }

    /// Shows a command line and runs it.
    fn kvmnet(&self, args: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(self.dir).env("KVMNET_STATE_DIR", self.dir.join("state"));
        println!("\n$ {}", show(&command));
        std::io::stdout().flush()?;
        check(&mut command)
    }
}

/// A paragraph of the demo's own words.
fn say(text: &str) {
    println!("\n   {text}");
}

/// The address of the test-driver host in the file at `path`.
fn test_uri(path: &Path) -> String {
    let mut uri = String::from("test://");
    for byte in path.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// A folder of our own that goes away with us.
struct Scratch {
    dir: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self> {
        let dir = env::temp_dir().join(format!("kvmnet-demo-{}", std::process::id()));
        DirBuilder::new()
            .mode(0o700)
            .create(&dir)
            .with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(Self { dir })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

#[cfg(test)]
mod tests {
    use super::test_uri;
    use std::path::Path;

    #[test]
    fn a_path_in_an_address_is_escaped() {
        assert_eq!(test_uri(Path::new("/a b/ü/node.xml")), "test:///a%20b/%C3%BC/node.xml");
        assert_eq!(test_uri(Path::new("/plain/node-1.xml")), "test:///plain/node-1.xml");
    }
}
