//! Routes, in the words that `ip route` takes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteState {
    /// `-4`, `-6`.
    pub family: String,
    /// Where it leads: `default`, `10.0.0.0/8`.
    pub to: String,
    /// Through whom.
    pub via: Option<String>,
    /// Through which device.
    pub dev: String,
    /// All of it.
    pub words: Vec<String>,
}

impl RouteState {
    /// What stands behind a word of it.
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.words.iter().position(|word| word == key)?;
        self.words.get(at + 1).map(String::as_str)
    }
}

/// A route that leads through one of the devices that are wanted. Those that the kernel makes along with addresses and
/// devices come back with them, but not those that somebody else made in the kernel's name, as NetworkManager does.
pub(super) fn parse(
    family: &str,
    raw: &Value,
    is_wanted: &dyn Fn(&str) -> bool,
    is_lent: &dyn Fn(&str, &str) -> bool,
) -> Option<RouteState> {
    let word = |key: &str| raw[key].as_str().map(String::from);
    let table = match &raw["table"] {
        Value::String(table) => table.clone(),
        Value::Number(table) => table.to_string(),
        _ => "main".into(),
    };
    let proto = word("protocol").unwrap_or_else(|| "boot".into());
    let kind = word("type").unwrap_or_else(|| "unicast".into());
    // ifupdown2 says of its default routes that they are the kernel's.
    let lent = || raw["dev"].as_str().zip(raw["dst"].as_str()).is_some_and(|(dev, to)| is_lent(dev, to));
    let of_kernel = proto == "kernel" && raw["gateway"].is_null() && !lent();
    if table == "local" || of_kernel || kind != "unicast" {
        return None;
    }
    let hops: Vec<&Value> = match raw["nexthops"].as_array() {
        Some(hops) => hops.iter().collect(),
        None => vec![raw],
    };
    let hop = hops.iter().find(|hop| hop["dev"].as_str().is_some_and(is_wanted))?;
    let (to, dev) = (word("dst")?, hop["dev"].as_str()?.to_string());
    let via = hop["gateway"].as_str().or(hop["via"]["host"].as_str()).map(String::from);
    let mut words = vec![to.clone()];
    let mut say = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([key.into(), value]);
        }
    };
    let number = |key: &str| raw[key].as_u64().map(|number| number.to_string());
    let is_learnt = matches!(proto.as_str(), "kernel" | "ra");
    say("proto", Some(proto));
    say("src", word("prefsrc"));
    say("tos", word("tos"));
    say("metric", number("metric"));
    say("table", Some(table).filter(|table| table != "main"));
    say("scope", word("scope").filter(|scope| scope == "link" && family == "-4"));
    // What a router advertised changes by itself.
    let metrics = raw["metrics"].as_array().into_iter().flatten().filter(|_| !is_learnt);
    for (key, value) in metrics.filter_map(Value::as_object).flatten() {
        say(key, value.as_u64().map(|value| value.to_string()));
    }
    for hop in &hops {
        if hops.len() > 1 {
            words.push("nexthop".into());
        }
        words.extend(by(hop));
    }
    Some(RouteState { family: family.into(), to, via, dev, words })
}

/// One of its ways.
fn by(hop: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().map(String::from);
    let mut words = Vec::new();
    if let Some(gateway) = word(&hop["gateway"]) {
        words.extend(["via".into(), gateway]);
    } else if let (Some(family), Some(host)) = (word(&hop["via"]["family"]), word(&hop["via"]["host"])) {
        words.extend(["via".into(), family, host]);
    }
    words.extend(word(&hop["dev"]).into_iter().flat_map(|dev| ["dev".into(), dev]));
    words.extend(hop["weight"].as_u64().into_iter().flat_map(|weight| ["weight".into(), weight.to_string()]));
    let onlink = hop["flags"].as_array().is_some_and(|all| all.iter().any(|f| f == "onlink"));
    words.extend(onlink.then(|| "onlink".into()));
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn as_ip_says_it() {
        let said = |raw: &Value| {
            let route = parse("-4", raw, &|dev| dev == "br0", &|_, _| false)?;
            Some(route.words.join(" "))
        };
        let mut raw = json!({"type": "unicast", "dst": "default", "gateway": "198.18.0.1", "dev": "br0", "protocol": "dhcp",
            "prefsrc": "198.18.0.4", "metric": 100, "table": "7", "flags": ["onlink"], "metrics": [{"mtu": 1400}]});
        assert_eq!(
            said(&raw).unwrap(),
            "default proto dhcp src 198.18.0.4 metric 100 table 7 mtu 1400 via 198.18.0.1 dev br0 onlink"
        );
        raw["dev"] = json!("eth9");
        assert!(said(&raw).is_none());
        let several = json!({"type": "unicast", "dst": "10.0.0.0/8", "nexthops": [
            {"gateway": "192.0.2.1", "dev": "eth9", "weight": 1},
            {"via": {"family": "inet6", "host": "fe80::1"}, "dev": "br0", "weight": 2}]});
        assert_eq!(
            said(&several).unwrap(),
            "10.0.0.0/8 proto boot nexthop via 192.0.2.1 dev eth9 weight 1 nexthop via inet6 fe80::1 dev br0 weight 2"
        );
        let of_kernel = json!({"dst": "198.18.0.0/24", "dev": "br0", "protocol": "kernel"});
        assert!(said(&of_kernel).is_none());
        let of_ifupdown2 =
            json!({"dst": "default", "gateway": "198.18.0.1", "dev": "br0", "protocol": "kernel"});
        assert!(said(&of_ifupdown2).is_some());
    }
}
