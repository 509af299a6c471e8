//! The C library's four functions on memory, for executables linked against musl: `memcpy`, `memmove`, `memset`, `memcmp`
//! (and `bcmp`). Everything that moves bytes or compares keys calls them, the database all the time.
//!
//! musl's own go byte by byte where they compare, and where they move backwards; measured on x86-64 for 500 bytes, they take
//! thirty and twenty times as long as glibc's. These use the vector registers that every processor of a target has. Techniques
//! are the usual ones: up to two lines of 64 bytes everything is loaded before anything is stored, so overlap doesn't matter;
//! longer moves go in the direction that never overwrites what is still to be read, with the last or first line taken before.
//!
//! A crate of its own for two reasons: it must be compiled without the compiler's knowledge of these very functions, or its
//! loops become calls of themselves (`no_builtins`, which also keeps it out of link-time optimisation); and it is `unsafe`
//! from end to end, which nothing else but the model's kernels is.

#![expect(clippy::inline_always, reason = "in functions this short, a call is most of the work")]
#![no_std]
#![no_builtins]

#[cfg(test)]
extern crate std;

#[cfg(target_arch = "aarch64")]
use core::arch::aarch64::uint8x16_t as Vector;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::__m128i as Vector;
/// Sixteen bytes.
#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
type Vector = [u64; 2];

/// A cache line.
type Line = [Vector; 4];

const LINE: usize = size_of::<Line>();

/// The value at `from`, with any alignment.
///
/// # Safety
/// There must be a `T` to read.
#[inline(always)]
unsafe fn load<T: Copy>(from: *const u8) -> T {
    unsafe { from.cast::<T>().read_unaligned() }
}

/// # Safety
/// There must be space for a `T`.
#[inline(always)]
unsafe fn store<T: Copy>(to: *mut u8, value: T) {
    unsafe { to.cast::<T>().write_unaligned(value) }
}

/// Moves between one and two `T` of bytes: the first and the last, which may overlap.
///
/// # Safety
/// As [`memmove`]; `n` must be in that range.
#[inline(always)]
unsafe fn move_ends<T: Copy>(to: *mut u8, from: *const u8, n: usize) {
    unsafe {
        let (first, last) = (load::<T>(from), load::<T>(from.add(n - size_of::<T>())));
        store(to, first);
        store(to.add(n - size_of::<T>()), last);
    }
}

/// Copies `n` bytes. The same as [`memmove`]: which of the two is meant costs one comparison.
///
/// # Safety
/// As C's: both places must have `n` bytes.
#[cfg_attr(target_env = "musl", unsafe(no_mangle))]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    unsafe { moved(to, from, n) }
}

/// Copies `n` bytes between places that may overlap.
///
/// # Safety
/// As C's: both places must have `n` bytes.
#[cfg_attr(target_env = "musl", unsafe(no_mangle))]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    unsafe { moved(to, from, n) }
}

#[inline(always)]
unsafe fn moved(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    unsafe {
        match n {
            0 => {}
            1 => store(to, load::<u8>(from)),
            2..4 => move_ends::<u16>(to, from, n),
            4..8 => move_ends::<u32>(to, from, n),
            8..16 => move_ends::<u64>(to, from, n),
            16..=32 => move_ends::<Vector>(to, from, n),
            33..=64 => move_ends::<[Vector; 2]>(to, from, n),
            65..=128 => move_ends::<Line>(to, from, n),
            _ if (to as usize).wrapping_sub(from as usize) >= n => {
                let last = load::<Line>(from.add(n - LINE));
                let mut at = strings::copy(to, from, n);
                while at < n - LINE {
                    store(to.add(at), load::<Line>(from.add(at)));
                    at += LINE;
                }
                store(to.add(n - LINE), last);
            }
            _ => {
                let first = load::<Line>(from);
                let mut end = n;
                while end > LINE {
                    end -= LINE;
                    store(to.add(end), load::<Line>(from.add(end)));
                }
                store(to, first);
            }
        }
        to
    }
}

/// Sets `n` bytes to the lowest byte of `value`.
///
/// # Safety
/// As C's: the place must have `n` bytes.
#[cfg_attr(target_env = "musl", unsafe(no_mangle))]
pub unsafe extern "C" fn memset(to: *mut u8, value: i32, n: usize) -> *mut u8 {
    let eight = u64::from(value as u8) * 0x0101_0101_0101_0101;
    unsafe {
        match n {
            0 => {}
            1 => store(to, eight as u8),
            2..4 => set_ends(to, eight as u16, n),
            4..8 => set_ends(to, eight as u32, n),
            8..16 => set_ends(to, eight, n),
            16..=32 => set_ends(to, [eight; 2], n),
            33..=64 => set_ends(to, [eight; 4], n),
            65..=128 => set_ends(to, [eight; 8], n),
            _ => {
                let mut at = strings::set(to, eight, n);
                while at < n - LINE {
                    store(to.add(at), [eight; 8]);
                    at += LINE;
                }
                store(to.add(n - LINE), [eight; 8]);
            }
        }
    }
    to
}

/// # Safety
/// As [`memset`], between one and two `T`.
#[inline(always)]
unsafe fn set_ends<T: Copy>(to: *mut u8, value: T, n: usize) {
    unsafe {
        store(to, value);
        store(to.add(n - size_of::<T>()), value);
    }
}

/// What long moves leave to the processor, which then uses registers wider than all processors have. Each does whole words
/// from the beginning and returns how many bytes that was.
#[cfg(target_arch = "x86_64")]
mod strings {
    use core::arch::asm;

    /// Bytes from which on it is faster.
    const LEAST: usize = 1024;

    /// # Safety
    /// As [`super::memmove`], where `to` does not lie in front of what is yet to be read.
    #[inline(always)]
    pub unsafe fn copy(to: *mut u8, from: *const u8, n: usize) -> usize {
        if n < LEAST {
            return 0;
        }
        // the caller of any function leaves the direction flag clear
        unsafe {
            asm!("rep movsq", inout("rcx") n / 8 => _, inout("rdi") to => _, inout("rsi") from => _,
                options(nostack, preserves_flags));
        }
        n / 8 * 8
    }

    /// # Safety
    /// As [`super::memset`].
    #[inline(always)]
    pub unsafe fn set(to: *mut u8, eight: u64, n: usize) -> usize {
        if n < LEAST {
            return 0;
        }
        unsafe {
            asm!("rep stosq", inout("rcx") n / 8 => _, inout("rdi") to => _, in("rax") eight,
                options(nostack, preserves_flags));
        }
        n / 8 * 8
    }
}
#[cfg(not(target_arch = "x86_64"))]
mod strings {
    pub unsafe fn copy(_: *mut u8, _: *const u8, _: usize) -> usize {
        0
    }

    pub unsafe fn set(_: *mut u8, _: u64, _: usize) -> usize {
        0
    }
}

/// Compares `n` bytes: below, equal to or above zero, as the first differing byte of `a` is to that of `b`.
///
/// # Safety
/// As C's: both places must have `n` bytes.
#[cfg_attr(target_env = "musl", unsafe(no_mangle))]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    unsafe { compared(a, b, n) }
}

/// Zero if `n` bytes are equal.
///
/// # Safety
/// As [`memcmp`].
#[cfg_attr(target_env = "musl", unsafe(no_mangle))]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    unsafe { compared(a, b, n) }
}

#[inline(always)]
unsafe fn compared(a: *const u8, b: *const u8, n: usize) -> i32 {
    let mut at = 0;
    unsafe {
        while n - at >= LINE && same_line(a.add(at), b.add(at)) {
            at += LINE;
        }
        while n - at >= 8 {
            let (x, y) = (load::<u64>(a.add(at)), load::<u64>(b.add(at)));
            if x != y {
                return order(x, y);
            }
            at += 8;
        }
        match n - at {
            0 => 0,
            // the last eight bytes overlap with some that are equal
            _ if n >= 8 => order(load(a.add(n - 8)), load(b.add(n - 8))),
            _ => order(few(a, n), few(b, n)),
        }
    }
}

/// Which of eight bytes in memory comes first.
#[inline(always)]
fn order(x: u64, y: u64) -> i32 {
    let (x, y) = (u64::from_be(x), u64::from_be(y));
    i32::from(x > y) - i32::from(x < y)
}

/// One to seven bytes as the first of eight in memory.
///
/// # Safety
/// There must be as many.
#[inline(always)]
unsafe fn few(from: *const u8, n: usize) -> u64 {
    unsafe {
        let whole = if n >= 4 {
            u64::from(u32::from_be(load(from))) << 32 | u64::from(u32::from_be(load(from.add(n - 4)))) << (8 * (8 - n))
        } else {
            let (first, middle, last) = (load::<u8>(from), load::<u8>(from.add(n / 2)), load::<u8>(from.add(n - 1)));
            u64::from(first) << 56 | u64::from(middle) << (56 - 8 * (n / 2)) | u64::from(last) << (56 - 8 * (n - 1))
        };
        whole.to_be()
    }
}

/// Whether two lines are equal.
///
/// # Safety
/// Both must be there.
#[inline(always)]
unsafe fn same_line(a: *const u8, b: *const u8) -> bool {
    let (a, b) = unsafe { (load::<[u64; 8]>(a), load::<[u64; 8]>(b)) };
    let mut differing = 0;
    let mut n = 0;
    while n < 8 {
        differing |= a[n] ^ b[n];
        n += 1;
    }
    differing == 0
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    /// Lengths around every border, each at several places.
    fn lengths() -> impl Iterator<Item = usize> {
        (0..300).chain([383, 384, 385, 1000, 4095, 4096, 4097])
    }

    fn bytes(n: usize) -> Vec<u8> {
        (0..n).map(|i| (i * 37 % 251) as u8).collect()
    }

    #[test]
    fn moves_in_both_directions_and_touches_nothing_else() {
        for n in lengths() {
            for (from, to) in [(0, 0), (3, 400), (400, 3), (0, 1), (1, 0), (0, 8), (17, 0), (0, 63), (65, 1), (2, 130)]
            {
                let (mut got, mut want) = (bytes(n + 600), bytes(n + 600));
                for function in [memcpy, memmove] {
                    let base = got.as_mut_ptr();
                    let back = unsafe { function(base.add(to), base.add(from), n) };
                    assert_eq!(back, unsafe { base.add(to) });
                    want.copy_within(from..from + n, to);
                    assert!(got == want, "{n} bytes from {from} to {to}");
                }
            }
        }
    }

    #[test]
    fn sets_that_many() {
        for n in lengths() {
            for at in [0, 1, 7, 64] {
                let (mut got, mut want) = (bytes(n + 200), bytes(n + 200));
                unsafe { memset(got.as_mut_ptr().add(at), 0x1a5, n) };
                want[at..at + n].fill(0xa5);
                assert!(got == want, "{n} bytes at {at}");
            }
        }
    }

    #[test]
    fn compares_as_slices_do() {
        for n in lengths() {
            let (a, mut b) = (bytes(n + 3), bytes(n + 3));
            let compare = |b: &[u8]| unsafe { memcmp(a.as_ptr().add(3), b.as_ptr().add(3), n) };
            assert_eq!(compare(&b), 0, "{n}");
            for at in (0..n).step_by(1 + n / 90) {
                for by in [1, 0x80, 0xff] {
                    b[3 + at] = b[3 + at].wrapping_add(by);
                    // what comes after the first difference must not count
                    b[n + 2] ^= u8::from(at + 1 < n);
                    let want = a[3..].cmp(&b[3..]) as i32;
                    assert_eq!(compare(&b).signum(), want, "{n} bytes, the one at {at} {by} more");
                    assert_ne!(unsafe { bcmp(a.as_ptr().add(3), b.as_ptr().add(3), n) }, 0);
                    b.copy_from_slice(&a);
                }
            }
        }
    }
}
