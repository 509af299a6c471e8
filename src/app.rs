//! Composition root: the one file that names concrete backends; start and stop order.
