//! Detectors of coordinated influence.

pub mod coordinated_sharing;
pub mod synchronised_burst;
