//! Detectors of floods on small tables of rows.

mod common;
mod volumetric_ddos;
