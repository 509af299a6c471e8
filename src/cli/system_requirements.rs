//! System requirements, reported in one line if not met: otherwise they would show as an illegal instruction or a system
//! call that isn't there, deep inside.

use std::fs;

use super::error::CliError;

/// The oldest kernel, major and minor. Rust's standard library asks for 3.2; LoongArch came into Linux with 5.19.
const KERNEL: (u32, u32) = if cfg!(target_arch = "loongarch64") { (5, 19) } else { (3, 2) };

/// Refuses kernels and processors that kefu was not built for.
pub fn check() -> Result<(), CliError> {
    kernel(&rustix::system::uname().release().to_string_lossy())?;
    hardware(&fs::read("/proc/self/auxv").unwrap_or_default()).map_or(Ok(()), processor)
}

/// Processor features from the process's auxiliary vector; `None` if missing. Read from the file, as a
/// static executable has no dynamic loader to ask.
fn hardware(auxv: &[u8]) -> Option<u64> {
    const AT_HWCAP: u64 = 16;
    let (pairs, _) = auxv.as_chunks::<16>();
    let number = |bytes: &[u8]| bytes.first_chunk().map(|b| u64::from_ne_bytes(*b));
    pairs.iter().find(|pair| number(&pair[..8]) == Some(AT_HWCAP)).and_then(|pair| number(&pair[8..]))
}

/// A release that doesn't begin with two numbers is not a known Linux; it is accepted.
fn kernel(release: &str) -> Result<(), CliError> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < KERNEL => {
            let (least, least_minor) = KERNEL;
            Err(CliError::failure(format!(
                "this machine runs Linux {release}; kefu needs {least}.{least_minor} or newer"
            )))
        }
        _ => Ok(()),
    }
}

/// What the executable was compiled for beyond the first generation of its architecture: nothing on x86-64 (SSE2) and
/// ARM64 (NEON), whose better instructions are looked for where they are used; 128-bit vectors on LoongArch.
fn processor(hwcap: u64) -> Result<(), CliError> {
    const LSX: u64 = 1 << 4;
    if cfg!(target_arch = "loongarch64") && hwcap & LSX == 0 {
        return Err(CliError::failure("this processor has no LSX vectors; kefu needs a Loongson 3A5000 or newer"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_kernels_are_named_and_strange_ones_get_their_chance() {
        let fail = kernel("2.6.32-754.el6.x86_64").unwrap_err();
        assert!(fail.what.contains("Linux 2.6.32-754.el6.x86_64") && fail.what.contains("needs"), "{}", fail.what);
        for release in ["6.6.0-72.openEuler", "10.0", "5.19.0-46", "unknown", ""] {
            kernel(release).unwrap();
        }
    }

    #[test]
    fn the_processor_is_found_in_the_auxiliary_vector() {
        let vector: Vec<u8> = [33u64, 7, 16, 0x17f, 0, 0].iter().flat_map(|n| n.to_ne_bytes()).collect();
        assert_eq!(hardware(&vector), Some(0x17f));
        assert_eq!(hardware(&vector[..16]), None);
        assert_eq!(hardware(&[]), None);
        assert!(hardware(&fs::read("/proc/self/auxv").unwrap()).is_some());
    }

    #[test]
    fn this_machine_will_do() {
        check().unwrap();
    }
}
