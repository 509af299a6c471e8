//! The report of `kefu init`: what was created, what to keep safe, what comes next.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::{context::Context, error::CliError, invitation::Invitation, io_error::quoted, out};

/// Where the company keys are.
#[derive(Debug, Clone, Copy)]
pub enum KeysAt {
    /// In the data directory.
    Here {
        /// Whether a passphrase protects them.
        sealed: bool,
    },
    /// In the directory that was made for another machine.
    Offline {
        /// Whether a passphrase protects them.
        sealed: bool,
    },
    /// The keys are on another machine.
    Elsewhere,
}

/// The server's certificate.
#[derive(Debug)]
pub struct Certificate {
    /// The names, if it was made here.
    pub made_for: Option<Vec<String>>,
    /// When it expires, ms since 1970.
    pub until: u64,
}

/// What `init` created.
#[derive(Debug)]
pub struct Report {
    /// The data directory or the directory of the keys.
    pub dir: PathBuf,
    /// Fingerprint as people see it.
    pub org: String,
    /// Name of the company.
    pub name: String,
    /// Where the keys are.
    pub keys: KeysAt,
    /// What people type to reach the server; offline directories have none.
    pub public_url: Option<String>,
    /// The certificate; offline directories have none.
    pub certificate: Option<Certificate>,
    /// The first admin's invite; it was shown where the keys were made.
    pub invitation: Option<Invitation>,
}

impl Report {
    /// Prints the report.
    pub fn print(&self, ctx: &Context) -> Result<(), CliError> {
        if let KeysAt::Here { sealed: false } | KeysAt::Offline { sealed: false } = self.keys {
            let dir = self.dir.display();
            eprintln!(
                "WARNING: {dir}/company.keys is NOT sealed. Anyone who reads that file owns the company: they can"
            );
            eprintln!("         add people and read every conversation. Use this only for a trial.");
        }
        if ctx.json {
            self.print_json();
        } else {
            self.print_text();
        }
        self.invitation.as_ref().map_or(Ok(()), Invitation::shown)
    }

    fn print_json(&self) {
        let (keys, sealed) = match self.keys {
            KeysAt::Here { sealed } => ("here", Some(sealed)),
            KeysAt::Offline { sealed } => ("offline", Some(sealed)),
            KeysAt::Elsewhere => ("elsewhere", None),
        };
        out::print_json(&json!({
            "data_dir": self.dir, "org": self.org, "name": self.name,
            "keys": {"at": keys, "sealed": sealed},
            "public_url": self.public_url,
            "certificate": self.certificate.as_ref()
                .map(|c| json!({"made": c.made_for.is_some(), "hosts": c.made_for, "until": c.until})),
            "invite": self.invitation.as_ref().map(Invitation::json),
        }));
    }

    fn print_text(&self) {
        let dir = self.dir.display();
        match self.keys {
            KeysAt::Offline { .. } => out::line(format!("The keys of {} are in {dir}.\n", self.name)),
            _ => out::line(format!("kefu for {} is ready in {dir}.\n", self.name)),
        }
        out::line(format!("fingerprint  {}", self.org));
        let keys = match self.keys {
            KeysAt::Elsewhere => "on another machine; bring company.keys and name it with --keys to sign",
            _ => "company.keys: copy it to a safe place. Without it, nobody can be added",
        };
        out::line(format!("keys         {keys}"));
        if let Some(url) = &self.public_url {
            out::line(format!("console      {url}/console/ (public_url in kefu.toml)"));
        }
        if let Some(certificate) = &self.certificate {
            let until = out::date(certificate.until);
            match &certificate.made_for {
                Some(hosts) => {
                    out::line(format!("certificate  made for {}, valid until {until}", hosts.join(", ")));
                    out::line("             browsers must trust tls/ca.pem; or use your own: --tls-cert, --tls-key");
                }
                None => out::line(format!("certificate  yours, valid until {until}")),
            }
        }
        if let Some(invitation) = &self.invitation {
            out::line("");
            invitation.print_text();
        }
        out::line("\nnext:");
        self.next_steps();
    }

    fn next_steps(&self) {
        if let KeysAt::Offline { .. } = self.keys {
            out::line("  carry public.json and opaque.setup (never company.keys) to the server, and there:");
            return out::line("  kefu init --from public.json");
        }
        let usual = self.dir == Path::new("kefu-data")
            || std::env::var_os("KEFU_DATA_DIR").is_some_and(|d| self.dir == Path::new(&d));
        let place = if usual { String::new() } else { format!(" --data-dir {}", quoted(&self.dir)) };
        // the invitation of a new company knows whether there is a team already
        let ready = self.invitation.as_ref().is_some_and(|i| !i.teams.is_empty());
        let steps: &[&str] = match ready {
            true => &["serve", "site snippet web", "user add li --team support"],
            false => &[
                "serve",
                "team add support",
                "user add li --team support",
                "site add web --origin https://www.example.com --team support",
            ],
        };
        for step in steps {
            out::line(format!("  kefu{place} {step}"));
        }
    }
}
