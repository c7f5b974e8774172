//! Seats against another program's and against what authorities published.

mod real;
mod reference;
