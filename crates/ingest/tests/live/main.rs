//! Inputs that do not end.

mod follow;
mod peers;
mod tail;
mod udp;
