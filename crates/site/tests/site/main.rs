//! The public tree of a small made-up election, looked at as a reader, a mirror, an attacker and a curious neighbour would.

#[expect(dead_code, reason = "the night of the tests of `results`, of which only a part is played here")]
#[path = "../../../results/tests/election/common.rs"]
mod common;

mod embargo;
mod formats;
mod hostile;
mod pages;
mod support;
