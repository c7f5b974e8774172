//! `scrutineer results` as processes: the walk of a user, the night of the example, documents over HTTP, and a desk that is killed.

#[path = "../common/mod.rs"]
mod common;
mod election;
mod http;
mod kills;
mod rehearse;
mod walk;
