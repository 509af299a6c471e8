//! Unix sockets under paths of any length.
//!
//! The system takes at most 107 bytes as the address of a socket, but a directory may have a longer path than that. Such a
//! socket is reached through its directory: opened, and named by the descriptor.

use std::{
    fs::File,
    io,
    os::{
        fd::AsRawFd as _,
        unix::{
            ffi::OsStrExt as _,
            fs::OpenOptionsExt as _,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};

/// Maximum number of bytes of an address, without the zero at its end: `sun_path` of unix(7).
const LONGEST: usize = 107;

/// A name for a socket, and the directory that must stay open while the name is used.
struct Address(PathBuf, Option<File>);

impl Address {
    fn of(path: &Path) -> io::Result<Self> {
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(Self(path.to_owned(), None));
        };
        if path.as_os_str().as_bytes().len() <= LONGEST {
            return Ok(Self(path.to_owned(), None));
        }
        let flags = (rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY).bits() as i32;
        let dir = File::options().read(true).custom_flags(flags).open(dir)?;
        let short = Path::new("/proc/self/fd").join(dir.as_raw_fd().to_string());
        if !short.exists() {
            let length = path.as_os_str().as_bytes().len();
            let what = format!("the path has {length} bytes, and without /proc a socket can have at most {LONGEST}");
            return Err(io::Error::new(io::ErrorKind::InvalidFilename, what));
        }
        Ok(Self(short.join(name), Some(dir)))
    }
}

/// Listens under a path that nothing has yet.
///
/// # Errors
/// The path is taken, or an I/O error.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    let Address(short, _dir) = Address::of(path)?;
    UnixListener::bind(short)
}

/// Connects to a socket.
///
/// # Errors
/// No process listens, or an I/O error.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let Address(short, _dir) = Address::of(path)?;
    UnixStream::connect(short)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn a_socket_may_lie_as_deep_as_a_file() {
        let tmp = tempfile::tempdir().unwrap();
        for depth in [0, 1, 3] {
            let dir = (0..depth).fold(tmp.path().to_owned(), |dir, _| dir.join("数据".repeat(30)));
            std::fs::create_dir_all(&dir).unwrap();
            let path = dir.join("admin.sock");
            assert_eq!(depth > 0, path.as_os_str().as_bytes().len() > LONGEST);
            let listener = listen(&path).unwrap();
            connect(&path).unwrap().write_all(b"asked").unwrap();
            let mut heard = String::new();
            listener.accept().unwrap().0.read_to_string(&mut heard).unwrap();
            assert_eq!(heard, "asked");
            assert_eq!(listen(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        }
    }
}
