//! A small made-up election, played through in every way that the log of its results must bear.

mod board;
mod common;
mod play;
mod privacy;
mod sealed;
mod specs;
mod tamper;
mod texts;
mod verify;
