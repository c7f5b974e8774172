//! The detectors, one folder a family, one file each.

pub mod availability;
pub mod influence;
