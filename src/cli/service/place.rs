//! Where the files of the service are, and calls of systemd's programs.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::cli::{
    data_dir::replace,
    error::{CliError, Kind},
    io_error::{cannot, io_reason},
};

/// The executable.
pub const PROGRAM: &str = "usr/local/bin/kefu";
/// Where packages put it; their units name it.
const PACKAGED_PROGRAM: &str = "/usr/bin/kefu";
/// What a program that was not linked against musl has to load besides itself, as the unit's `ExecPaths` takes it.
const LIBRARIES: &str = if cfg!(target_env = "musl") { "" } else { " -/lib -/lib64 -/usr/lib -/usr/lib64" };
/// Where packages put the unit.
const PACKAGED_UNITS: [&str; 2] = ["usr/lib/systemd/system/kefu.service", "lib/systemd/system/kefu.service"];

/// Path below the root, and content as the packages have it.
const FILES: [(&str, &str); 4] = [
    ("etc/sysusers.d/kefu.conf", include_str!("../../../systemd/kefu.sysusers")),
    ("etc/tmpfiles.d/kefu.conf", include_str!("../../../systemd/kefu.tmpfiles")),
    ("etc/systemd/system/kefu.service", include_str!("../../../systemd/kefu.service")),
    ("etc/systemd/system/kefu.socket", include_str!("../../../systemd/kefu.socket")),
];

/// The machine, or an image of one.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// Root of a machine that is not running, such as a mounted image, instead of this one
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

impl Place {
    /// A path of the machine, as it is reached from here.
    pub fn path(&self, below: &str) -> PathBuf {
        self.root.as_deref().unwrap_or(Path::new("/")).join(below)
    }

    /// The files of the service with their content.
    pub fn files(&self) -> impl Iterator<Item = (PathBuf, String)> + '_ {
        let (program, allowed) = (format!("/{PROGRAM}"), format!("ExecPaths={PACKAGED_PROGRAM}"));
        let also = format!("{allowed}{LIBRARIES}");
        let settled = move |text: &str| text.replace(&allowed, &also).replace(PACKAGED_PROGRAM, &program);
        FILES.iter().map(move |(below, text)| (self.path(below), settled(text)))
    }

    /// Refuses if a package manages the service, if systemd is not running, or without root.
    pub fn check(&self) -> Result<(), CliError> {
        if let Some(unit) = PACKAGED_UNITS.iter().map(|p| self.path(p)).find(|p| p.exists()) {
            return Err(CliError::new(Kind::Exists, format!("a package installed {}", unit.display()))
                .hint("systemctl enable --now kefu, or remove the package"));
        }
        if self.root.is_some() {
            return Ok(());
        }
        if !Path::new("/run/systemd/system").exists() {
            return Err(CliError::failure("this machine does not run systemd")
                .hint("have your init system run: kefu serve; --root DIR prepares an image"));
        }
        if !rustix::process::geteuid().is_root() {
            return Err(CliError::failure("only root can change services").hint("sudo kefu service …"));
        }
        Ok(())
    }

    /// `systemctl`; on a machine that is not running, only what links on the disk do.
    pub fn systemctl(&self, act: &[&str]) -> Result<(), CliError> {
        self.tool("systemctl", act)
    }

    /// One of systemd's programs, for this root.
    pub fn tool(&self, program: &str, args: &[&str]) -> Result<(), CliError> {
        let mut command = Command::new(program);
        if let Some(root) = &self.root {
            command.arg(format!("--root={}", root.display()));
        }
        let shown = || format!("{program} {}", args.join(" "));
        let out = command.args(args).output().map_err(|e| {
            CliError::failure(format!("cannot run {program}: {}", io_reason(&e)))
                .hint("kefu service needs systemd's programs")
        })?;
        if out.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&out.stderr);
        Err(CliError::failure(format!("{} failed: {}", shown(), said.trim())))
    }

    /// Whether it is the machine that runs here.
    pub fn runs(&self) -> bool {
        self.root.is_none()
    }
}

/// Makes or replaces a file of this very mode, whatever the umask, and the directories above it.
pub fn write(path: &Path, mode: u32, content: &[u8]) -> Result<(), CliError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|e| cannot("make", parent, &e))?;
    }
    replace(path, mode, content)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|e| cannot("change", path, &e))
}
