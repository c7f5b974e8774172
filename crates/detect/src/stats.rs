//! Pure mathematics for the judges: tails, false-discovery control, base rates, entropy, samples, figures.
//! No traffic, and of time only the calendar of base rates.

pub mod base;
pub mod counts;
pub mod cusum;
pub mod entropy;
pub mod fdr;
pub mod figures;
pub mod sample;
pub mod tail;
