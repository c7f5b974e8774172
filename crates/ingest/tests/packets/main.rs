//! Captures in, rows and problems as text out.

mod capture;
mod common;
mod flows;
mod real_data;
mod robust;
mod said;
