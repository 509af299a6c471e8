//! Logs, counters, histograms: one source for stats, wall and /metrics.
