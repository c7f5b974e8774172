//! The rules on tallies: each under its code, on real elections, on simulated ordinary nights, and as properties.

mod codes;
mod delaware;
mod germany;
mod netherlands;
mod nights;
mod no_fraud_scores;
mod properties;
mod slovenia;
mod support;
