//! Logs of servers in, requests, logins and problems as text out.

mod access;
mod access_real;
mod auth;
mod auth_real;
mod common;
mod robust;
