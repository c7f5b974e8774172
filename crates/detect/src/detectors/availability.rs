//! Detectors of floods: what makes a service slow or takes it away.

pub mod application_flood;
mod packets;
pub mod volumetric_ddos;
