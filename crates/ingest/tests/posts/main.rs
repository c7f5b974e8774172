//! Files of posts in, rows and problems as text out.

mod common;
mod formats;
mod parquet;
mod real_data;
mod robust;
mod sharing;
