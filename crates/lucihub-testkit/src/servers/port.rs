//! Loopback ports that are free, and stay ours while a server is down.
//!
//! They lie below the range of ports for outgoing connections (32768 to 60999 on Linux): see the module's front page. The port
//! plus 10,000, where a node of a Redis cluster talks to the others, is below it too.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

const PORTS: Range<u16> = 12_000..22_000;
/// Between the port of a cluster's node and its port for other nodes.
const BUS: u16 = 10_000;

/// The number of ports that this process has looked at.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that no other test process takes while this value lives, whether its server runs or not.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    /// The same number for UDP, which no server here uses: a mark that all processes see and that ends with this one.
    _mark: UdpSocket,
}

impl Port {
    /// A port that is free now. Something that is no test may take it before the server does; then start with another.
    pub(crate) fn free() -> Self {
        let count = PORTS.end - PORTS.start;
        // Test processes that start together begin far from each other; the factor is prime.
        let first = u16::try_from(process::id().wrapping_mul(7919) % u32::from(count)).expect("less than count");
        for _ in PORTS {
            let number = PORTS.start + first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count;
            if let Ok(mark) = UdpSocket::bind((Ipv4Addr::LOCALHOST, number))
                && [number, number + BUS].into_iter().all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
            {
                return Self { number, _mark: mark };
            }
        }
        panic!("no free port from {} to {} on 127.0.0.1; end what listens there", PORTS.start, PORTS.end - 1);
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once() {
        let ports: Vec<Port> = (0..50).map(|_| Port::free()).collect();
        let mut numbers: Vec<u16> = ports.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), ports.len());
        assert!(numbers.iter().all(|number| PORTS.contains(number)));
    }
}
