//! Logs and flows of sensors: files in, rows of each kind out.

mod common;
mod copies;
mod parquet;
mod real_data;
mod robust;
