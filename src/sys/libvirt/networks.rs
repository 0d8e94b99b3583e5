//! libvirt's networks.

use std::collections::HashSet;
use std::ffi::{CStr, CString, c_char};
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::PoisonError;

use anyhow::{Context, Result, anyhow};
use virt::error::Error;
use virt::network::Network;
use virt::sys;

use super::{Libvirt, NO_SUPPORT, said};
use crate::sys::networks::{Lease, NetworkDriver, NetworkState, Port};

const INVALID_ARG: u32 = 8;
const NO_NETWORK: u32 = 43;

impl Libvirt {
    /// The networks that a listing with `flags` gives; none where the driver knows no networks.
    fn listed_networks(&self, flags: u32) -> Result<ManuallyDrop<Vec<Network>>> {
        match self.connection.list_all_networks(flags) {
            Ok(networks) => Ok(ManuallyDrop::new(networks)),
            Err(e) if e.code().to_raw() == NO_SUPPORT => Ok(ManuallyDrop::new(Vec::new())),
            Err(e) => Err(said(&e)).context("cannot list networks"),
        }
    }

    /// The UUIDs of the networks that a listing with `flags` gives.
    fn network_uuids(&self, flags: u32) -> Result<HashSet<String>> {
        let networks = self.listed_networks(flags)?;
        networks.iter().map(|network| network.uuid_string().map_err(|e| said(&e))).collect()
    }

    fn find_network(&self, name: &str) -> Result<Option<ManuallyDrop<Network>>> {
        match self.connection.lookup_network_by_name(name) {
            Ok(network) => Ok(Some(ManuallyDrop::new(network))),
            Err(e) if e.code().to_raw() == NO_NETWORK => Ok(None),
            Err(e) => Err(said(&e)).with_context(|| format!("cannot look up network '{name}'")),
        }
    }

    fn known_network(&self, name: &str) -> Result<ManuallyDrop<Network>> {
        self.find_network(name)?.ok_or_else(|| anyhow!("there is no network '{name}' any more"))
    }
}

impl NetworkDriver for Libvirt {
    fn networks(&self) -> Result<Vec<NetworkState>> {
        let active = self.network_uuids(sys::VIR_CONNECT_LIST_NETWORKS_ACTIVE)?;
        let persistent = self.network_uuids(sys::VIR_CONNECT_LIST_NETWORKS_PERSISTENT)?;
        let autostart = self.network_uuids(sys::VIR_CONNECT_LIST_NETWORKS_AUTOSTART)?;
        let mut out = Vec::new();
        for network in self.listed_networks(0)?.iter() {
            // A network may go while the list is read.
            let (Ok(name), Ok(uuid), Ok(xml)) = (network.name(), network.uuid_string(), network.xml_desc(0))
            else {
                continue;
            };
            out.push(NetworkState {
                name,
                is_active: active.contains(&uuid),
                is_persistent: persistent.contains(&uuid),
                autostarts: autostart.contains(&uuid),
                uuid,
                xml,
            });
        }
        out.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(out)
    }

    fn network(&self, name: &str) -> Result<Option<NetworkState>> {
        let Some(network) = self.find_network(name)? else { return Ok(None) };
        let read = || -> Result<NetworkState, Error> {
            Ok(NetworkState {
                name: name.into(),
                uuid: network.uuid_string()?,
                is_active: network.is_active()?,
                is_persistent: network.is_persistent()?,
                autostarts: network.autostart()?,
                xml: network.xml_desc(0)?,
            })
        };
        match read() {
            Err(e) if e.code().to_raw() == NO_NETWORK => Ok(None),
            other => {
                other.map(Some).map_err(|e| said(&e)).with_context(|| format!("cannot read network '{name}'"))
            }
        }
    }

    fn network_definition(&self, name: &str) -> Result<Option<String>> {
        let Some(network) = self.find_network(name)? else { return Ok(None) };
        let read = || -> Result<Option<String>, Error> {
            if !network.is_persistent()? {
                return Ok(None);
            }
            match network.xml_desc(sys::VIR_NETWORK_XML_INACTIVE) {
                // The test driver has one XML for both.
                Err(e) if e.code().to_raw() == INVALID_ARG => network.xml_desc(0).map(Some),
                other => other.map(Some),
            }
        };
        match read() {
            Err(e) if e.code().to_raw() == NO_NETWORK => Ok(None),
            other => {
                other.map_err(|e| said(&e)).with_context(|| format!("cannot read the definition of '{name}'"))
            }
        }
    }

    fn define_network(&self, xml: &str) -> Result<()> {
        let xml = CString::new(xml).context("the XML holds a NUL byte")?;
        let _alone = self.checking.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: connection and string are alive for the call; the handle that it returns is never used or freed.
        let network = unsafe {
            sys::virNetworkDefineXMLFlags(
                self.connection.as_ptr(),
                xml.as_ptr(),
                sys::VIR_NETWORK_DEFINE_VALIDATE,
            )
        };
        if network.is_null() { Err(said(&Error::last_error())) } else { Ok(()) }
    }

    fn undefine_network(&self, name: &str) -> Result<()> {
        self.known_network(name)?.undefine().map_err(|e| said(&e))
    }

    fn start_network(&self, name: &str) -> Result<()> {
        self.known_network(name)?.create().map_err(|e| said(&e))
    }

    fn stop_network(&self, name: &str) -> Result<()> {
        self.known_network(name)?.destroy().map_err(|e| said(&e))
    }

    fn create_network(&self, xml: &str) -> Result<()> {
        self.connection.create_network_xml(xml).map(std::mem::forget).map_err(|e| said(&e))
    }

    fn set_network_autostart(&self, name: &str, autostart: bool) -> Result<()> {
        self.known_network(name)?.set_autostart(autostart).map_err(|e| said(&e))
    }

    fn leases(&self, name: &str) -> Result<Option<Vec<Lease>>> {
        let network = self.known_network(name)?;
        let mut list: *mut sys::virNetworkDHCPLeasePtr = ptr::null_mut();
        // SAFETY: the network is alive; no MAC address asks for all leases; libvirt writes the list's address.
        let count = unsafe { sys::virNetworkGetDHCPLeases(network.as_ptr(), ptr::null(), &mut list, 0) };
        let Ok(count) = usize::try_from(count) else {
            let error = Error::last_error();
            return match error.code().to_raw() {
                NO_SUPPORT => Ok(None),
                _ => Err(said(&error)).with_context(|| format!("cannot read the leases of '{name}'")),
            };
        };
        let mut leases = Vec::with_capacity(count);
        for at in 0..count {
            // SAFETY: libvirt returned `count` valid leases, which now are ours; each is read, then freed, once.
            unsafe {
                let lease = *list.add(at);
                leases.push(Lease {
                    mac: text((*lease).mac),
                    ip: text((*lease).ipaddr).unwrap_or_default(),
                    prefix: (*lease).prefix,
                    hostname: text((*lease).hostname),
                    client_id: text((*lease).clientid),
                    expires: (*lease).expirytime,
                });
                sys::virNetworkDHCPLeaseFree(lease);
            }
        }
        // SAFETY: the list was allocated with malloc and isn't used any more.
        unsafe { libc::free(list.cast()) };
        Ok(Some(leases))
    }

    fn ports(&self, name: &str) -> Result<Option<Vec<Port>>> {
        let network = self.known_network(name)?;
        let mut list: *mut sys::virNetworkPortPtr = ptr::null_mut();
        // SAFETY: the network is alive; libvirt writes the list's address.
        let count = unsafe { sys::virNetworkListAllPorts(network.as_ptr(), &mut list, 0) };
        let Ok(count) = usize::try_from(count) else {
            let error = Error::last_error();
            return match error.code().to_raw() {
                NO_SUPPORT => Ok(None),
                _ => Err(said(&error)).with_context(|| format!("cannot list the ports of '{name}'")),
            };
        };
        let mut ports = Vec::with_capacity(count);
        for at in 0..count {
            // SAFETY: libvirt returned `count` valid ports, which now are ours; the buffer has room for a UUID (37
            // bytes). The port itself stays: freeing it fails when the connection has died.
            unsafe {
                let port = *list.add(at);
                let mut uuid = [0 as c_char; 37];
                let xml = sys::virNetworkPortGetXMLDesc(port, 0);
                // A guest may unplug while the list is read.
                if !xml.is_null() && sys::virNetworkPortGetUUIDString(port, uuid.as_mut_ptr()) == 0 {
                    let uuid = text(uuid.as_mut_ptr()).unwrap_or_default();
                    ports.push(Port { uuid, xml: text(xml).unwrap_or_default() });
                }
                libc::free(xml.cast());
            }
        }
        // SAFETY: the list was allocated with malloc and isn't used any more.
        unsafe { libc::free(list.cast()) };
        Ok(Some(ports))
    }
}

/// A copy of a string of libvirt's.
///
/// # Safety
/// The pointer is null, or leads to a string that ends with NUL.
unsafe fn text(string: *const c_char) -> Option<String> {
    // SAFETY: as the caller promises.
    (!string.is_null()).then(|| unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned())
}
