//! Detectors of attacks on availability.

pub mod application_flood;
//! Detectors of floods: what makes a service slow or takes it away.
mod packets;
pub mod volumetric_ddos;
