//! Logs of servers in, requests and problems as text out.

mod access;
mod access_real;
mod common;
