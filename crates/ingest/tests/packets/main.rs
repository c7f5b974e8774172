//! Captures in, rows and problems as text out.

mod common;
mod real_data;
