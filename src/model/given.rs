//! What a network silently adds to a guest's port.

use roxmltree::{Attribute, Node};

use crate::xml::{child, elements, escaped};

/// What a network or a portgroup silently adds to a guest's port (reference §1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Setting {
    /// `<vlan>`
    Vlan,
    /// `<virtualport>`
    Virtualport,
    /// `<bandwidth>`
    Bandwidth,
    /// `<port isolated='yes'/>`
    Port,
    /// `trustGuestRxFilters='yes'`
    TrustRxFilters,
}

/// The settings that one `<network>` or `<portgroup>` holds, each as XML of its own, without what is in a namespace
/// (for [`Setting::TrustRxFilters`] its value).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given(Vec<(Setting, String)>);

impl Given {
    /// Reads the settings that stand directly in `holder`.
    pub fn read(holder: Node<'_, '_>) -> Given {
        let mut given = Vec::new();
        for (setting, name) in [
            (Setting::Vlan, "vlan"),
            (Setting::Virtualport, "virtualport"),
            (Setting::Bandwidth, "bandwidth"),
        ] {
            if let Some(found) = child(holder, name) {
                given.push((setting, bare(found)));
            }
        }
        if let Some(port) = child(holder, "port").filter(|p| p.attribute("isolated") == Some("yes")) {
            given.push((Setting::Port, bare(port)));
        }
        if let Some(trust) = holder.attribute("trustGuestRxFilters") {
            given.push((Setting::TrustRxFilters, trust.to_string()));
        }
        Given(given)
    }

    /// The text of one setting.
    pub fn get(&self, setting: Setting) -> Option<&str> {
        self.0.iter().find(|(s, _)| *s == setting).map(|(_, text)| text.as_str())
    }

    pub(super) fn without(mut self, setting: Setting) -> Given {
        self.0.retain(|(s, _)| *s != setting);
        self
    }
}

/// An element and its children as XML that stands on its own. No setting nests deeper.
fn bare(element: Node<'_, '_>) -> String {
    let tag = |node: Node<'_, '_>| {
        let own = node.attributes().filter(|a| a.namespace().is_none());
        let attribute = |a: Attribute<'_, '_>| format!(" {}='{}'", a.name(), escaped(a.value(), '\''));
        format!("<{}{}", node.tag_name().name(), own.map(attribute).collect::<String>())
    };
    let inside: String = elements(element).map(|n| tag(n) + "/>").collect();
    let name = element.tag_name().name();
    match inside.as_str() {
        "" => tag(element) + "/>",
        _ => format!("{}>{inside}</{name}>", tag(element)),
    }
}
