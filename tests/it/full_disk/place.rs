//! A small file system of our own: ext4 in a file, or a tmpfs, wherever this user may mount one.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::{FallocateFlags, fallocate};

/// See the module. Unmounted when it goes.
pub struct Place {
    mounted: PathBuf,
    /// Its parent directory.
    _dir: tempfile::TempDir,
}

impl Place {
    /// One of so many MiB; or why there is none.
    pub fn of(mib: u64) -> Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
        let (image, mounted) = (dir.path().join("image"), dir.path().join("disk"));
        fs::create_dir(&mounted).map_err(|e| e.to_string())?;
        let file = File::create(&image).and_then(|file| file.set_len(mib << 20));
        file.map_err(|e| e.to_string())?;
        let made = run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&image))
            .and_then(|()| run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&mounted)));
        if let Err(ext4) = made {
            let size = format!("size={mib}m");
            run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "kefu-test"]).arg(&mounted))
                .map_err(|tmpfs| format!("{ext4}; {tmpfs}"))?;
        }
        let place = Self { mounted, _dir: dir };
        fs::set_permissions(&place.mounted, fs::Permissions::from_mode(0o700)).map_err(|e| e.to_string())?;
        Ok(place)
    }

    /// Path of the mounted disk.
    pub fn path(&self) -> &Path {
        &self.mounted
    }

    fn filler(&self) -> PathBuf {
        self.mounted.join("somebody-elses-file")
    }

    /// Bytes free on it.
    pub fn free(&self) -> u64 {
        let found = rustix::fs::statvfs(&self.mounted).unwrap();
        found.f_bavail * found.f_frsize
    }

    /// Another program fills the disk until this many bytes are left, as far as possible.
    pub fn fill_to(&self, left: u64) {
        let file = File::options().create(true).append(true).open(self.filler()).unwrap();
        let mut piece = 1 << 20;
        while piece >= 4096 {
            let (size, free) = (file.metadata().unwrap().len(), self.free());
            if free <= left || fallocate(&file, FallocateFlags::empty(), size, piece.min(free - left)).is_err() {
                piece /= 4;
            }
        }
    }

    /// They take it away.
    pub fn clear(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = run(Command::new("umount").arg("-l").arg(&self.mounted));
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let said = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    match said.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&said.stderr).trim().to_owned()),
    }
}
