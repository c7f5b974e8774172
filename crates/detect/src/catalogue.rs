//! The one list of detectors.

use crate::case::{Case, Settings};
use crate::detectors::availability::{
    application_flood, carpet_bombing, dns_water_torture, slow_flood, tls_handshake_flood, volumetric_ddos,
};
use crate::detectors::influence::{coordinated_sharing, synchronised_burst};
use crate::engine::Gather;

/// A detector: what it is called, what it gathers, and how it judges.
#[derive(Clone, Copy)]
pub struct Detector {
    /// Name in kebab case, in findings and on the command line.
    pub name: &'static str,
    /// What it reports, in one line.
    pub summary: &'static str,
    /// How much traffic becomes a small table of evidence.
    pub gather: fn(&Settings) -> Gather,
    /// From that evidence to findings: pure.
    pub judge: fn(&Case<'_>) -> Vec<domain::Finding>,
}

/// Every detector, by family.
pub fn all() -> &'static [Detector] {
    &[
        application_flood::DETECTOR,
        carpet_bombing::DETECTOR,
        dns_water_torture::DETECTOR,
        slow_flood::DETECTOR,
        tls_handshake_flood::DETECTOR,
        volumetric_ddos::DETECTOR,
        coordinated_sharing::DETECTOR,
        synchronised_burst::DETECTOR,
    ]
}

/// The detector of that name.
pub fn find(name: &str) -> Option<&'static Detector> {
    all().iter().find(|detector| detector.name == name)
}
