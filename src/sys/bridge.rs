//! What the kernel shows of a bridge's own settings.

use super::tree::Tree;

/// A bridge's settings.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Settings {
    /// Is the spanning tree protocol on?
    pub stp: bool,
    /// The forward delay in seconds.
    pub forward_delay: Option<f64>,
}

impl Settings {
    /// Those of the bridge of that name; the kernel keeps times in hundredths of a second there.
    pub fn read(tree: &Tree, name: &str) -> Settings {
        let dir = format!("sys/class/net/{name}/bridge");
        let number = |file: &str| tree.number::<u32>(&format!("{dir}/{file}"));
        Settings {
            stp: number("stp_state").is_some_and(|state| state > 0),
            forward_delay: number("forward_delay").map(|hundredths| f64::from(hundredths) / 100.0),
        }
    }
}
