//! The JSON schema of SARIF 2.1.0, which the tests hold `check --format sarif` against. It is OASIS's text, and comes from
//! crates.io inside a crate of Rust types for SARIF; nothing of that crate is built.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, output_of, program_dir};

/// The crate, its release, and where in it the schema is.
const CRATE: (&str, &str, &str) = ("serde-sarif", "0.8.0", "src/schema.json");

/// Sees to it that the schema is in the target folder.
pub(crate) fn ensure() -> Result<()> {
    let home = program_dir()?;
    let home = home.parent().unwrap_or(&home).join("sarif");
    let schema = home.join("schema.json");
    if schema.exists() {
        return Ok(());
    }
    println!("Fetching the schema of SARIF from crates.io (in {} {})", CRATE.0, CRATE.1);
    let source = fetch(&home).context("cannot fetch the schema of SARIF")?.join(CRATE.2);
    let text = fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    if !text.contains("sarif-schema-2.1.0.json") {
        bail!("{} is not the schema of SARIF 2.1.0", source.display());
    }
    // Whatever is interrupted leaves no file of that name.
    let new = schema.with_extension("new");
    fs::write(&new, text).with_context(|| format!("cannot write {}", new.display()))?;
    fs::rename(&new, &schema).with_context(|| format!("cannot make {}", schema.display()))
}

/// Has cargo fetch the crate, for a package that depends on it and does nothing; where it is then.
fn fetch(home: &Path) -> Result<PathBuf> {
    let (name, version, _) = CRATE;
    let manifest = home.join("Cargo.toml");
    let text = format!(
        "[package]\nname = \"fetches-a-schema\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n{name} = \"={version}\"\n\n[workspace]\n"
    );
    fs::create_dir_all(home.join("src"))
        .and_then(|()| fs::write(&manifest, text))
        .and_then(|()| fs::write(home.join("src/lib.rs"), ""))
        .with_context(|| format!("cannot write {}", manifest.display()))?;
    let metadata =
        output_of(cargo().args(["metadata", "--format-version", "1", "--manifest-path"]).arg(&manifest));
    let metadata = metadata.context("`cargo metadata` failed")?;
    let end = format!("{name}-{version}/Cargo.toml");
    package_in(&metadata, &end).with_context(|| format!("cargo names no {end}"))
}

/// The folder of the package whose manifest's path ends so, from what `cargo metadata` prints.
fn package_in(metadata: &str, end: &str) -> Option<PathBuf> {
    let paths = metadata.split("\"manifest_path\":\"").skip(1);
    let mut paths = paths.filter_map(|rest| rest.split('"').next());
    Path::new(paths.find(|path| path.ends_with(end))?).parent().map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::package_in;
    use std::path::PathBuf;

    #[test]
    fn the_package_is_found_by_its_manifest() {
        let metadata = r#"{"packages":[{"name":"a","manifest_path":"/r/a-1.0.0/Cargo.toml","x":1},
            {"name":"b","manifest_path":"/r/b-2.0.0/Cargo.toml"}]}"#;
        assert_eq!(package_in(metadata, "b-2.0.0/Cargo.toml"), Some(PathBuf::from("/r/b-2.0.0")));
        assert_eq!(package_in(metadata, "c-2.0.0/Cargo.toml"), None);
    }
}
