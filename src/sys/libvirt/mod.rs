//! libvirt itself, through the `virt` crate.
//!
//! Guests are looked up once, in a listing, and their handles kept. Dropping a handle whose connection has died makes
//! the crate panic, so handles and connection are never dropped: the process ends soon, and libvirt with it.

mod networks;

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::mem::ManuallyDrop;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::error::{Error, clear_error_callback};
use virt::sys;

use super::hypervisor::{ConnectTo, Guest, HostInterface, Hypervisor};
use crate::problem::Problem;
use crate::xml::{Doc, child, children};

const NO_SUPPORT: u32 = 3;
const NO_DOMAIN: u32 = 42;
const AUTH: [u32; 4] = [45, 79, 88, 94];

/// An open connection.
struct Libvirt {
    connection: ManuallyDrop<Connect>,
    domains: Mutex<HashMap<String, &'static Domain>>,
    /// Held while libvirt checks XML against its schema: the first two checks of a libvirtd must not come at the same time
    /// (libxml2 sets up its data types without a lock, and one of them then fails for no fault of its own).
    checking: Mutex<()>,
    uri: String,
    version: u64,
    read_only: bool,
}

/// Opens a connection.
///
/// # Errors
/// libvirt can't be reached or refuses; the message says which, and what to do.
pub fn connect(to: &ConnectTo<'_>) -> Result<Box<dyn Hypervisor>> {
    clear_error_callback();
    let full = if to.read_only { Connect::open_read_only(to.uri) } else { Connect::open(to.uri) };
    let (connection, read_only) = match full {
        Ok(connection) => (connection, to.read_only),
        Err(e) if to.may_fall_back && !to.read_only && AUTH.contains(&e.code().to_raw()) => {
            (Connect::open_read_only(to.uri).map_err(|e| unreachable_problem(&e, to.uri))?, true)
        }
        Err(e) => return Err(unreachable_problem(&e, to.uri)),
    };
    let uri =
        connection.uri().map_err(|e| said(&e)).context("libvirt doesn't say what it is connected to")?;
    let version = u64::from(connection.lib_version().unwrap_or(0));
    Ok(Box::new(Libvirt {
        connection: ManuallyDrop::new(connection),
        domains: Mutex::default(),
        checking: Mutex::default(),
        uri,
        version,
        read_only,
    }))
}

/// libvirt's own words, without the crate's codes around them.
fn said(e: &Error) -> anyhow::Error {
    anyhow!("{}", e.message())
}

fn unreachable_problem(e: &Error, uri: Option<&str>) -> anyhow::Error {
    let what = uri.map_or_else(|| "libvirt".to_string(), |uri| format!("libvirt at '{uri}'"));
    let help = match e.code().to_raw() {
        _ if uri.is_some_and(|uri| uri.starts_with("test:")) => {
            "test:///default, or test:///PATH with the absolute path of a file that is there"
        }
        code if AUTH.contains(&code) => {
            "run as root, or as a member of the group 'libvirt'; --readonly may do for a preview"
        }
        // Its socket is there.
        38 if e.message().ends_with("Permission denied") => {
            "run it with sudo, or become a member of the group 'libvirt' (sudo usermod -aG libvirt USER) and log in anew"
        }
        5 | 8 => "check the URI: qemu:///system is this host's system daemon",
        38 => {
            "is libvirtd (or virtqemud) running? 'systemctl start libvirtd'; for another host: -c qemu+ssh://HOST/system"
        }
        _ => "'virsh -c URI uri' tries the same connection",
    };
    Problem::new(format!("cannot connect to {what}: {}", e.message()), help)
}

impl Libvirt {
    fn domain(&self, uuid: &str) -> Result<Option<&'static Domain>> {
        let mut domains = self.domains.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(domain) = domains.get(uuid) {
            return Ok(Some(domain));
        }
        match self.connection.lookup_domain_by_uuid_string(uuid) {
            Ok(domain) => {
                let domain: &'static Domain = Box::leak(Box::new(domain));
                domains.insert(uuid.to_string(), domain);
                Ok(Some(domain))
            }
            Err(e) if e.code().to_raw() == NO_DOMAIN => Ok(None),
            Err(e) => Err(said(&e)).with_context(|| format!("cannot look up guest {uuid}")),
        }
    }

    fn known(&self, uuid: &str) -> Result<&'static Domain> {
        self.domain(uuid)?.ok_or_else(|| anyhow!("libvirt has no guest with UUID {uuid} any more"))
    }

    fn xml(&self, uuid: &str, flags: u32, what: &str) -> Result<Option<String>> {
        let Some(domain) = self.domain(uuid)? else { return Ok(None) };
        match domain.xml_desc(flags) {
            Ok(xml) => Ok(Some(xml)),
            Err(e) if e.code().to_raw() == NO_DOMAIN => Ok(None),
            Err(e) => Err(said(&e)).with_context(|| format!("cannot read {what}")),
        }
    }

    /// The UUIDs of the guests that a listing with `flags` gives.
    fn listed(&self, flags: u32) -> Result<Vec<(String, Domain)>> {
        let domains =
            self.connection.list_all_domains(flags).map_err(|e| said(&e)).context("cannot list guests")?;
        domains
            .into_iter()
            .map(|domain| {
                Ok((domain.uuid_string().map_err(|e| said(&e)).context("a guest has no UUID")?, domain))
            })
            .collect()
    }
}

impl Hypervisor for Libvirt {
    fn uri(&self) -> &str {
        &self.uri
    }

    fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn guests(&self) -> Result<Vec<Guest>> {
        let uuids = |flags| -> Result<std::collections::HashSet<String>> {
            Ok(self.listed(flags)?.into_iter().map(|(uuid, _)| uuid).collect())
        };
        let persistent = uuids(sys::VIR_CONNECT_LIST_DOMAINS_PERSISTENT)?;
        let saved = uuids(sys::VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)?;
        // Not every driver filters by snapshots; one that doesn't is asked for each guest.
        let with_snapshots = uuids(sys::VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT).ok();
        let mut guests = Vec::new();
        for (uuid, domain) in self.listed(0)? {
            let id = domain.id();
            guests.push(Guest {
                name: domain.name().map_err(|e| said(&e)).context("a guest has no name")?,
                id,
                is_active: id.is_some(),
                is_persistent: persistent.contains(&uuid),
                is_saved: saved.contains(&uuid),
                has_snapshots: with_snapshots.as_ref().is_none_or(|set| set.contains(&uuid)),
                uuid: uuid.clone(),
            });
            let mut domains = self.domains.lock().unwrap_or_else(PoisonError::into_inner);
            domains.entry(uuid).or_insert_with(|| Box::leak(Box::new(domain)));
        }
        guests.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(guests)
    }

    fn definition(&self, uuid: &str) -> Result<Option<String>> {
        let secure = if self.read_only { 0 } else { sys::VIR_DOMAIN_XML_SECURE };
        self.xml(uuid, sys::VIR_DOMAIN_XML_INACTIVE | secure, "its definition")
    }

    fn running(&self, uuid: &str) -> Result<String> {
        self.xml(uuid, 0, "the running guest's XML")?.ok_or_else(|| anyhow!("the guest is gone"))
    }

    fn define(&self, xml: &str, validate: bool) -> Result<()> {
        let flags = if validate { sys::VIR_DOMAIN_DEFINE_VALIDATE } else { 0 };
        let _alone = validate.then(|| self.checking.lock().unwrap_or_else(PoisonError::into_inner));
        let domain = self.connection.define_domain_xml_flags(xml, flags).map_err(|e| said(&e))?;
        std::mem::forget(domain);
        Ok(())
    }

    fn saved(&self, uuid: &str) -> Result<Option<String>> {
        let domain = self.known(uuid)?;
        if !domain
            .has_managed_save(0)
            .map_err(|e| said(&e))
            .context("cannot tell whether it has a saved image")?
        {
            return Ok(None);
        }
        // SAFETY: the domain is alive; the string is freed below.
        let text = unsafe {
            sys::virDomainManagedSaveGetXMLDesc(domain.as_ptr(), sys::VIR_DOMAIN_SAVE_IMAGE_XML_SECURE)
        };
        if text.is_null() {
            let error = Error::last_error();
            if error.code().to_raw() == NO_SUPPORT {
                return Ok(Some(String::new()));
            }
            return Err(said(&error)).context("cannot read the NICs in its saved memory image");
        }
        // SAFETY: libvirt returned a string that ends with NUL and now is ours.
        let owned = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
        // SAFETY: it was allocated with malloc and isn't used any more.
        unsafe { libc::free(text.cast()) };
        Ok(Some(owned))
    }

    fn define_saved(&self, uuid: &str, xml: &str) -> Result<()> {
        let domain = self.known(uuid)?;
        let xml = CString::new(xml).context("the XML holds a NUL byte")?;
        // SAFETY: domain and string are alive for the call.
        let done = unsafe { sys::virDomainManagedSaveDefineXML(domain.as_ptr(), xml.as_ptr(), 0) };
        if done < 0 { Err(said(&Error::last_error())) } else { Ok(()) }
    }

    fn discard_saved(&self, uuid: &str) -> Result<()> {
        self.known(uuid)?.managed_save_remove(0).map(drop).map_err(|e| said(&e))
    }

    fn snapshots(&self, uuid: &str) -> Result<Vec<(String, String)>> {
        let snapshots = match self.known(uuid)?.list_all_snapshots(0) {
            Ok(snapshots) => snapshots,
            Err(e) if e.code().to_raw() == NO_SUPPORT => return Ok(Vec::new()),
            Err(e) => return Err(said(&e)).context("cannot list its snapshots"),
        };
        let mut out = Vec::new();
        for snapshot in ManuallyDrop::new(snapshots).iter() {
            let name = snapshot.name().map_err(|e| said(&e)).context("a snapshot has no name")?;
            let xml = snapshot
                .xml_desc(0)
                .map_err(|e| said(&e))
                .with_context(|| format!("cannot read snapshot '{name}'"))?;
            out.push((name, xml));
        }
        Ok(out)
    }

    fn update_running(&self, uuid: &str, interface: &str) -> Result<()> {
        let flags = sys::VIR_DOMAIN_AFFECT_LIVE;
        self.known(uuid)?.update_device_flags(interface, flags).map(drop).map_err(|e| said(&e))
    }

    fn addresses(&self, uuid: &str) -> Vec<(String, String)> {
        let sources = [
            sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
            sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
            sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP,
        ];
        let Ok(domain) = self.known(uuid) else { return Vec::new() };
        let nics =
            sources.into_iter().filter_map(|source| domain.interface_addresses(source, 0).ok()).flatten();
        nics.flat_map(|nic| {
            let mac = nic.hwaddr.clone();
            nic.addrs.into_iter().filter_map(move |ip| Some((mac.clone()?.to_lowercase(), ip.addr)))
        })
        .collect()
    }

    fn interface(&self, name: &str) -> Result<Option<HostInterface>> {
        let all = self.connection.list_all_interfaces(0).map_err(|e| said(&e))?;
        for interface in ManuallyDrop::new(all).iter() {
            if interface.name().is_ok_and(|n| n == name) {
                let xml = interface.xml_desc(0).map_err(|e| said(&e))?;
                let doc = Doc::parse(&xml)?;
                let ports = child(doc.root(), "bridge")
                    .map(|b| children(b, "interface").filter_map(|p| p.attribute("name")).map(Into::into))
                    .map(Iterator::collect)
                    .unwrap_or_default();
                return Ok(Some(HostInterface {
                    kind: doc.root().attribute("type").unwrap_or_default().into(),
                    is_active: interface.is_active().unwrap_or(false),
                    ports,
                }));
            }
        }
        Ok(None)
    }

    fn tells_of_device(&self, name: &str) -> bool {
        if self.connection.lookup_interface_by_name(name).map(std::mem::forget).is_ok() {
            return true;
        }
        // libvirt calls a node device net_NAME_MAC, with '_' for all that is no letter or digit.
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let start = format!("net_{}", name.chars().map(plain).collect::<String>());
        let all = self.connection.list_all_node_devices(sys::VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET);
        ManuallyDrop::new(all.unwrap_or_default()).iter().any(|device| {
            let xml =
                device.name().ok().filter(|n| n.starts_with(&start)).and_then(|_| device.xml_desc(0).ok());
            xml.is_some_and(|xml| is_node_device(&xml, name))
        })
    }
}

/// Is that the XML of a network device of this name?
fn is_node_device(xml: &str, name: &str) -> bool {
    let Ok(doc) = Doc::parse(xml) else { return false };
    let mut names = children(doc.root(), "capability").filter_map(|net| child(net, "interface")?.text());
    names.any(|interface| interface == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_devices() {
        let xml = "<device><name>net_br_0_52_54_00_aa_00_04</name><parent>computer</parent><capability type='net'>\
                   <interface>br-0</interface><address>52:54:00:aa:00:04</address><capability type='80203'/></capability></device>";
        assert!(is_node_device(xml, "br-0") && !is_node_device(xml, "br_0") && !is_node_device("<", "br-0"));
    }
}
