//! Detectors of floods on small tables of rows.

mod carpet_bombing;
mod common;
mod dns_water_torture;
mod forged;
mod slow_flood;
mod tls_handshake_flood;
mod volumetric_ddos;
