//! Detectors of coordinated influence.

pub mod coordinated_sharing;
