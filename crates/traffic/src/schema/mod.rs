//! One module per kind of traffic.

pub mod post;
