//! `rate`: counts per time step, for series of which no rows are left.

columns!(
    /// One step of one series.
    Rate {
        /// Text id of the series' name.
        series: i64,
        /// Start of the step, milliseconds since the epoch.
        time: i64,
        /// Length of the step in milliseconds.
        step: i64,
        /// What was counted in it.
        count: i64,
    }
);
