//! Co-sharing: which accounts share the same objects, and how close in time.
//!
//! The kernels here serve the detector `coordinated-sharing` and the networks of `coordination
//! edges` alike.

pub mod co_share;
pub mod peers;
