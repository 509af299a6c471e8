//! `kefu service`: kefu as a systemd service on machines where no package manager put it there. The units are those of the
//! packages, from `systemd/`; only the path of the executable differs.

mod install;
mod place;
mod uninstall;

commands! {
    /// The systemd service, where no package installed it
    pub enum Command {
        Install(install::Args),
        Uninstall(uninstall::Args),
    }
}
