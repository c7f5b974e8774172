//! The report: one page of HTML that needs nothing else, neither a script nor another file.
//!
//! It reads as a letter: what is true, what to do, then finding by finding what was seen, how sure
//! it is, what it may also be; pictures, tables and raw rows behind.

mod article;
mod chart;
mod network;
mod page;
mod scale;
mod tables;
mod timeline;
mod verdict;

pub(crate) use page::page;
