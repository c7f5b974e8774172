//! Inputs that do not end: files that grow, and datagrams that arrive.
//!
//! [`Udp`] listens for export datagrams of NetFlow, IPFIX and sFlow. [`Tail`] gives out the lines of a
//! file that is written to and rotated, and [`Follow`] makes traffic of them. None of them looks at a
//! clock of its own or decides when to wait: who calls them does.

mod follow;
mod tail;
mod udp;

pub use follow::Follow;
pub use tail::{FilePosition, Position, Start, Tail, TailCounts};
pub use udp::{Stop, Stopped, Udp, UdpCounts, UdpOptions};
