//! Artefact generators with ground truth.

pub mod zipf;
