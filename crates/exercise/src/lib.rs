//! Artefact generators with ground truth. Exercises send what they make in at the same doors as
//! real traffic; evaluations count what was found of it.

pub mod coordination;
mod random;
pub mod volumetric;
pub mod web;
pub mod zipf;
