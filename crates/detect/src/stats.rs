//! Pure mathematics for the judges: tails and false-discovery control. No traffic, no time.

pub mod fdr;
pub mod tail;
