//! Detectors of attacks on availability: what makes a service slow or takes it away.

pub mod application_flood;
mod by_minute;
pub mod carpet_bombing;
pub mod dns_water_torture;
mod packets;
mod seconds;
mod shape;
pub mod slow_flood;
pub mod tls_handshake_flood;
mod vectors;
pub mod volumetric_ddos;
mod words;
