//! What waits for a network's restart.

use anyhow::Result;
use roxmltree::Node;

use crate::plan::{Change, Standing};
use crate::sys::hypervisor::Hypervisor;
use crate::xml::{Doc, diff};

/// What the restart of a network that runs does besides bringing it from the definition `now` to `then`: libvirt starts it
/// from its definition, so what was changed in that takes effect, and what was changed in the running network only
/// (`virsh net-update --live`) is lost (reference §5.6, §5.7).
pub(super) fn at_restart(
    host: &dyn Hypervisor,
    name: &str,
    now: &Standing,
    then: &Standing,
    change: &mut Change,
) -> Result<()> {
    if !now.is_persistent {
        return Ok(());
    }
    let Some(runs) = host.network(name)?.filter(|state| state.is_active) else { return Ok(()) };
    let after = lines(&then.xml, &runs.xml);
    let differing: Vec<String> =
        lines(&now.xml, &runs.xml).into_iter().filter(|line| after.contains(line)).collect();
    for (sign, what) in [
        ('-', "what runs without being in its definition is lost by the restart:"),
        ('+', "changes of its definition that wait for a restart take effect:"),
    ] {
        let mut of_it = differing.iter().filter(|line| line.starts_with(sign)).peekable();
        if of_it.peek().is_some() {
            change.meaning.push(what.into());
            change.meaning.extend(of_it.map(|line| format!("  {line}")));
        }
    }
    Ok(())
}

/// What the definition says and the running network doesn't yet, as lines of a diff. What libvirt adds to a network when
/// it starts isn't among them.
pub(super) fn lines(definition: &str, running: &str) -> Vec<String> {
    let (Ok(defined), Ok(runs)) = (Doc::parse(definition), Doc::parse(running)) else { return Vec::new() };
    let (mut old, mut new) = (String::new(), String::new());
    outline(runs.root(), Some(defined.root()), 0, &mut old);
    outline(defined.root(), None, 0, &mut new);
    let lines = diff("running", &old, "definition", &new);
    let is_change =
        |line: &&str| line.starts_with(['+', '-']) && !line.starts_with("+++ ") && !line.starts_with("--- ");
    lines.lines().filter(is_change).map(Into::into).collect()
}

/// The element in lines of libvirt's style, without what libvirt added to `defined`, where that is given.
fn outline(node: Node<'_, '_>, defined: Option<Node<'_, '_>>, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let name = &node.document().input_text()[node.range()];
    let name = name.trim_start_matches('<').split(|c: char| c.is_whitespace() || "/>".contains(c)).next();
    let name = name.unwrap_or_default();
    out.push_str(&format!("{indent}<{name}"));
    for attribute in node.attributes().filter(|a| a.name() != "connections") {
        out.push_str(&format!(" {}='{}'", attribute.name(), attribute.value()));
    }
    let text = node.text().map(str::trim).filter(|text| !text.is_empty());
    let inner: Vec<_> = elements(node).filter(|inner| !is_added(*inner, defined)).collect();
    match (text, inner.is_empty()) {
        (Some(text), true) => out.push_str(&format!(">{text}</{name}>\n")),
        (None, true) => out.push_str("/>\n"),
        _ => {
            out.push_str(">\n");
            let mut left: Vec<_> = defined.into_iter().flat_map(elements).collect();
            for inner in inner {
                let at = left.iter().position(|node| node.tag_name() == inner.tag_name());
                // Below what the definition hasn't, nothing can have been added to it.
                outline(inner, at.map(|at| left.remove(at)).or(defined.map(|_| inner)), depth + 1, out);
            }
            out.push_str(&format!("{indent}</{name}>\n"));
        }
    }
}

/// Those of other namespaces too: dnsmasq's options are among them.
fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

/// The source ports of translated connections, where nothing was said about them.
fn is_added(node: Node<'_, '_>, defined: Option<Node<'_, '_>>) -> bool {
    let has =
        |name: &str| defined.is_some_and(|holder| elements(holder).any(|n| n.tag_name().name() == name));
    let is_usual = |port: Node<'_, '_>| {
        port.tag_name().name() == "port"
            && (port.attribute("start"), port.attribute("end")) == (Some("1024"), Some("65535"))
    };
    match node.tag_name().name() {
        "nat" => defined.is_some() && !has("nat") && elements(node).all(is_usual),
        "port" => defined.is_some_and(|d| d.tag_name().name() == "nat") && !has("port") && is_usual(node),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_restart() {
        let definition = "<network>\n  <name>a</name>\n  <mtu size='9000'/>\n</network>\n";
        let running = "<network>\n  <name>a</name>\n</network>\n";
        assert_eq!(lines(definition, running), ["+  <mtu size='9000'/>"]);
        assert_eq!(lines(running, definition), ["-  <mtu size='9000'/>"]);
        assert!(lines("<network/>", "<network connections='1'/>").is_empty());
    }

    #[test]
    fn what_libvirt_adds_doesnt() {
        let ports = "<nat><port start='1024' end='65535'/></nat>";
        let running = format!(
            "<network connections='1'><name>a</name><forward mode='nat'>{ports}</forward><domain name='x'/></network>"
        );
        let of = |forward: &str| lines(&format!("<network><name>a</name>{forward}</network>"), &running);
        assert_eq!(of("<forward mode='nat'/>"), ["-  <domain name='x'/>"]);
        assert_eq!(
            of("<forward mode='route'/>"),
            ["-  <forward mode='nat'/>", "-  <domain name='x'/>", "+  <forward mode='route'/>"]
        );
        let six = "<forward mode='nat'><nat ipv6='yes'/></forward>";
        let said = of(six);
        assert!(said.contains(&"+    <nat ipv6='yes'/>".to_string()), "{said:?}");
        assert!(!said.iter().any(|line| line.contains("port")), "{said:?}");
    }
}
