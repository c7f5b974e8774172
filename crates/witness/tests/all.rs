//! What a witness and its client do, seen from outside.

mod clauses;
mod client;
mod faults;
mod helpers;
mod http;
mod order;
mod race;
