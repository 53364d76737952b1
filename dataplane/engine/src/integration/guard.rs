//! Which addresses may be called: one rule for nodes and for test calls. Drivers check the resolved address and dial that very
//! address, so that a name cannot change its mind in between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What may be called: everything but addresses that reach the machine itself, its link or a cloud's metadata service, and
/// whatever the operator allows by name.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    /// Networks allowed in spite of the rules.
    pub allow: Vec<IpNet>,
}

impl AddressPolicy {
    /// Allows loopback as well, for a gateway on a developer's machine.
    pub fn with_loopback(mut self) -> Self {
        self.allow.push(IpNet::V4(ipnet::Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8).trunc()));
        self.allow.push(IpNet::V6(ipnet::Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)));
        self
    }

    /// Whether a driver may connect to this address.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        self.allow.iter().any(|net| net.contains(&address)) || is_ordinary(address)
    }
}

impl AddressPolicy {
    /// Whether a driver may connect to this address because a VPC link names it. Private networks are what links are for, so all of
    /// them are allowed; the machine itself, its link and metadata services are not.
    pub fn allows_target(&self, address: IpAddr) -> bool {
        self.allows(address) || is_private(canonical(address))
    }
}

/// Networks that are private though not ordinary: carrier-grade NAT and unique local space, without the metadata services in them.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            shared && v4 != Ipv4Addr::new(100, 100, 100, 200)
        }
        IpAddr::V6(v6) => {
            let metadata = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            v6.segments()[0] & 0xfe00 == 0xfc00 && v6 != metadata
        }
    }
}

/// The address that is really meant: IPv4 in any of its IPv6 wrappings.
fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let s = v6.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        // Mapped, and the deprecated compatible form, but for :: and ::1.
        [0, 0, 0, 0, 0, 0xffff, high, low] => embedded(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => embedded(high, low),
        // IPv4-translated (RFC 2765).
        [0, 0, 0, 0, 0xffff, 0, high, low] => embedded(high, low),
        // NAT64, its local-use prefix (RFC 8215), 6to4.
        [0x64, 0xff9b, 1, _, _, _, high, low] => embedded(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        _ => address,
    }
}

fn is_ordinary(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            // Clouds put their metadata services into carrier-grade NAT space (100.100.100.200), into the protocol assignments
            // (192.0.0.192) and behind one public address (168.63.129.16).
            let shared = a == 100 && (64..128).contains(&b);
            let assigned = v4.octets().starts_with(&[192, 0, 0]);
            let wire_server = v4 == Ipv4Addr::new(168, 63, 129, 16);
            !(a == 0
                || a >= 240
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || shared
                || assigned
                || wire_server)
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            // Link-local, and the site-local space it replaced.
            let link_local = matches!(first & 0xffc0, 0xfe80 | 0xfec0);
            // Unique local space holds a cloud's metadata service (fd00:ec2::254).
            let unique_local = first & 0xfe00 == 0xfc00;
            !(v6.is_unspecified()
                || v6.is_loopback()
                || v6.is_multicast()
                || link_local
                || unique_local)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_machine_its_link_and_metadata_are_denied_in_every_spelling() {
        let policy = AddressPolicy::default();
        for text in [
            "127.0.0.1",
            "127.8.9.1",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "169.254.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "fec0::1",
            "::",
            "::1",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "fc00::1",
            "::ffff:127.0.0.1",
            "::ffff:a9fe:a9fe",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "::127.0.0.1",
            "::ffff:0:169.254.169.254",
            "64:ff9b:1::a9fe:a9fe",
        ] {
            assert!(!policy.allows(text.parse().unwrap()), "{text}");
        }
        for text in [
            "10.0.0.1",
            "192.168.1.1",
            "172.16.0.1",
            "1.1.1.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "100.128.0.1",
        ] {
            assert!(policy.allows(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn targets_of_links_may_be_private_but_neither_local_nor_metadata() {
        let policy = AddressPolicy::default();
        for text in ["10.0.0.1", "192.168.0.1", "100.64.0.1", "fd12::1", "::ffff:100.64.0.1"] {
            assert!(policy.allows_target(text.parse().unwrap()), "{text}");
        }
        for text in [
            "127.0.0.1",
            "::1",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "100.100.100.200",
            "fd00:ec2::254",
            "0.0.0.0",
        ] {
            assert!(!policy.allows_target(text.parse().unwrap()), "{text}");
        }
        assert!(policy.with_loopback().allows_target("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_is_allowed_by_name_is_allowed_in_every_spelling() {
        let policy = AddressPolicy::default().with_loopback();
        for text in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(policy.allows(text.parse().unwrap()), "{text}");
        }
        assert!(!policy.allows("169.254.169.254".parse().unwrap()));
        let policy = AddressPolicy { allow: vec!["169.254.10.0/24".parse().unwrap()] };
        assert!(
            policy.allows("169.254.10.7".parse().unwrap())
                && !policy.allows("169.254.11.7".parse().unwrap())
        );
    }
}
