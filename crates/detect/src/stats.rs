//! Pure mathematics for the judges: tails, false-discovery control, figures. No traffic, no time.

pub mod fdr;
pub mod figures;
pub mod tail;
