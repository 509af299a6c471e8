//! The executable: the allocator, and the call of the command line.

#![forbid(unsafe_code)]

use std::process::ExitCode;

/// The allocator of the C library in static builds hands out memory under one lock; this one does not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kefu::cli::main()
}
