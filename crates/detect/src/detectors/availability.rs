//! Detectors of attacks on availability.

pub mod application_flood;
