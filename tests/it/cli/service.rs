//! `kefu service` on the root of a machine that is not running. Stubs of systemd's programs record their arguments here.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use super::mode;

/// A root, and programs that note how they were called.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        let tools = machine.path("tools");
        fs::create_dir(&tools).unwrap();
        for tool in ["systemctl", "systemd-sysusers", "systemd-tmpfiles"] {
            let path = tools.join(tool);
            fs::write(&path, "#!/bin/sh\necho \"${0##*/} $*\" >> \"${0%/*}/called\"\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        machine
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn service(&self, act: &str) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.path("tools").display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
        command.args(["service", act, "--root"]).arg(self.path("root")).env("PATH", path).output().unwrap()
    }

    fn called(&self) -> String {
        let root = format!("--root={} ", self.path("root").display());
        fs::read_to_string(self.path("tools/called")).unwrap_or_default().replace(&root, "")
    }
}

fn succeeded(out: &Output) {
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

fn packaged(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name)).unwrap()
}

#[test]
fn a_service_comes_and_goes_and_leaves_the_data() {
    let machine = Machine::new();
    succeeded(&machine.service("install"));
    let program = machine.path("root/usr/local/bin/kefu");
    assert_eq!(fs::read(&program).unwrap(), fs::read(env!("CARGO_BIN_EXE_kefu")).unwrap());
    assert_eq!(mode(&program), 0o755);
    let unit = fs::read_to_string(machine.path("root/etc/systemd/system/kefu.service")).unwrap();
    // this one loads libraries of the system, unless it was built for musl
    let libraries = if cfg!(target_env = "musl") { "" } else { " -/lib -/lib64 -/usr/lib -/usr/lib64" };
    let packaged =
        packaged("kefu.service").replace("ExecPaths=/usr/bin/kefu", &format!("ExecPaths=/usr/bin/kefu{libraries}"));
    assert_eq!(unit, packaged.replace("/usr/bin/kefu", "/usr/local/bin/kefu"));
    assert!(unit.contains("ExecStart=/usr/local/bin/kefu serve"));
    assert_eq!(
        machine.called(),
        "systemd-sysusers kefu.conf\nsystemd-tmpfiles --create kefu.conf\nsystemctl enable kefu.service\n"
    );
    // again: brought up to date
    fs::write(&program, "an older one").unwrap();
    succeeded(&machine.service("install"));
    assert_ne!(fs::read(&program).unwrap(), b"an older one");

    let data = machine.path("root/var/lib/kefu/kefu.redb");
    fs::create_dir_all(data.parent().unwrap()).unwrap();
    fs::write(&data, "").unwrap();
    succeeded(&machine.service("uninstall"));
    assert!(data.exists() && !program.exists());
    assert!(!machine.path("root/etc/systemd/system/kefu.service").exists());
    assert!(machine.called().ends_with("systemctl disable kefu.service kefu.socket\n"));
    assert_eq!(machine.service("uninstall").status.code(), Some(1));
}

#[test]
fn a_package_has_the_say() {
    let machine = Machine::new();
    let unit = machine.path("root/usr/lib/systemd/system/kefu.service");
    fs::create_dir_all(unit.parent().unwrap()).unwrap();
    fs::write(&unit, "").unwrap();
    let out = machine.service("install");
    assert_eq!(out.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&out.stderr).contains("a package installed"));
    assert!(machine.called().is_empty() && !machine.path("root/etc").exists());
}

#[test]
fn a_tool_that_is_missing_or_fails_is_named() {
    let machine = Machine::new();
    fs::write(machine.path("tools/systemctl"), "#!/bin/sh\necho no bus >&2; exit 1\n").unwrap();
    let out = machine.service("install");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success() && said.contains("systemctl enable kefu.service failed: no bus"), "{said}");
}
