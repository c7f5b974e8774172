//! Validators of the made-up election: what they hear, what they say of it, and what a reader makes of that.

#[path = "../election/common.rs"]
#[expect(dead_code, reason = "the night is that of the tests of elections, which ask more of it")]
mod common;

mod coverage;
mod game;
mod independence;
mod specs;
mod states;
mod support;
