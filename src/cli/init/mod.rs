//! `kefu init`: a new company.

mod founding;
mod imported;
mod report;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::{
    admin_client, args, clock,
    context::Context,
    data_dir::{self, COMPANY_KEYS, CONFIG, OPAQUE_SETUP, PUBLIC_PART, TLS},
    error::{CliError, Kind},
    keys::{self, NewPassphrase},
    out,
    public_part::PublicPart,
    undo::Undo,
};
use crate::{
    app, config,
    crypto::{hash::org_fp_text, keyfile::CompanyKeys, opaque},
    org::Commit,
    proto::UserId,
    tls::{self, Files},
};
use founding::{CompanySpec, found};
use imported::Imported;
use report::{Certificate, KeysAt, Report};

/// Create a data directory with the keys of a new company
#[derive(Debug, clap::Args)]
#[command(after_help = "Keys that never see the server: run `kefu init --offline DIR` on another machine, carry\n\
                        public.json and opaque.setup to the server, and run `kefu init --from public.json` there.")]
pub struct Args {
    /// Name of the company, as visitors see it
    #[arg(long, value_name = "NAME", default_value = "kefu", value_parser = args::display_name)]
    name: String,
    /// Only create the keys, for a server on another machine, in DIR
    #[arg(long, value_name = "DIR", conflicts_with_all = ["from", "tls_cert", "tls_key", "hosts"])]
    offline: Option<PathBuf>,
    /// Use the public.json that --offline created; no keys come to this machine
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "admin", "origins", "passphrase_file", "no_passphrase"])]
    from: Option<PathBuf>,
    #[command(flatten)]
    passphrase: NewPassphrase,
    /// Certificate chain to use instead of creating one (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Names and addresses for the created certificate [default: this machine's]; the first is the public one
    #[arg(long = "host", value_name = "NAME", num_args = 1.., conflicts_with = "tls_cert")]
    hosts: Vec<String>,
    /// Login name of the first admin
    #[arg(long, value_name = "ID", default_value = "admin")]
    admin: UserId,
    /// Origin of your pages, such as https://www.example.com: also creates a site `web` and a team `support`, with
    /// the admin in it
    #[arg(long = "origin", value_name = "URL", num_args = 1.., value_parser = args::origin)]
    origins: Vec<String>,
}

impl Args {
    /// Whether the data directory is created; keys for another machine go to the named directory.
    pub fn data(&self) -> bool {
        self.offline.is_none()
    }

    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        if let Some(what) = clock::never_set(out::now_ms()) {
            eprintln!("warning: {what}. Everything would be signed with that date: {}, then start again", clock::NEXT);
        }
        let report = match (&self.offline, &self.from) {
            (Some(dir), _) => self.offline(dir)?,
            (None, Some(file)) => self.server(ctx, Some(file))?,
            (None, None) => self.server(ctx, None)?,
        };
        report.print(ctx)
    }

    /// Keys and genesis in a directory of their own.
    fn offline(&self, dir: &Path) -> Result<Report, CliError> {
        refuse_occupied(dir)?;
        keys::keep_memory_private();
        let passphrase = self.passphrase.choose()?;
        let (keys, setup) = (CompanyKeys::generate(), opaque::generate_setup());
        let founding = found(self.spec(), &keys, &setup, out::now_ms())?;
        let part = PublicPart::new(keys.fp(), founding.commit);
        let mut undo = Undo::default();
        for path in [dir.to_owned(), dir.join(COMPANY_KEYS), dir.join(OPAQUE_SETUP), dir.join(PUBLIC_PART)] {
            undo.will_make(&path);
        }
        data_dir::make_private(dir)?;
        keys::write(&dir.join(COMPANY_KEYS), &keys, passphrase.as_ref())?;
        data_dir::write_new(&dir.join(OPAQUE_SETUP), 0o600, &setup)?;
        data_dir::write_new(&dir.join(PUBLIC_PART), 0o644, part.text()?.as_bytes())?;
        undo.keep();
        Ok(Report {
            dir: dir.to_owned(),
            org: part.org_text(),
            name: self.name.clone(),
            keys: KeysAt::Offline { sealed: passphrase.is_some() },
            public_url: None,
            certificate: None,
            invitation: Some(founding.invitation),
        })
    }

    /// A data directory to serve from; the keys are made with it, or stay where `from` was made.
    fn server(&self, ctx: &Context, from: Option<&Path>) -> Result<Report, CliError> {
        let dir = &ctx.data_dir;
        refuse_occupied(dir)?;
        let now = out::now_ms();
        if let (Some(cert), Some(key)) = (&self.tls_cert, &self.tls_key) {
            Files::named(cert, key).load_good(now)?;
        }
        let mut undo = Undo::default();
        let files = [
            COMPANY_KEYS,
            OPAQUE_SETUP,
            PUBLIC_PART,
            CONFIG,
            TLS,
            data_dir::CLUSTER_KEY,
            data_dir::DATABASE,
            data_dir::LOCK,
        ];
        undo.will_make(dir);
        files.iter().for_each(|f| undo.will_make(&dir.join(f)));
        let (name, org, commit, keys, invitation, setup);
        if let Some(file) = from {
            let Imported { part, name: called, setup: secret } = Imported::read(file, now)?;
            data_dir::make_private(dir)?;
            data_dir::write_new(&dir.join(PUBLIC_PART), 0o644, part.text()?.as_bytes())?;
            (name, org, setup) = (called, part.org_text(), secret);
            (commit, keys, invitation) = (part.commit, KeysAt::Elsewhere, None);
        } else {
            keys::keep_memory_private();
            let passphrase = self.passphrase.choose()?;
            let company = CompanyKeys::generate();
            setup = opaque::generate_setup();
            let founding = found(self.spec(), &company, &setup, now)?;
            data_dir::make_private(dir)?;
            keys::write(&dir.join(COMPANY_KEYS), &company, passphrase.as_ref())?;
            (name, org) = (self.name.clone(), org_fp_text(&company.fp()));
            (commit, invitation) = (founding.commit, Some(founding.invitation));
            keys = KeysAt::Here { sealed: passphrase.is_some() };
        }
        let certificate = self.certificate(&dir.join(TLS), now)?;
        data_dir::write_new(&dir.join(CONFIG), 0o644, self.settings(ctx)?.as_bytes())?;
        data_dir::write_new(&dir.join(OPAQUE_SETUP), 0o600, &setup)?;
        found_store(ctx, commit)?;
        let public_url = Some(ctx.load_config()?.public_url());
        undo.keep();
        Ok(Report { dir: dir.clone(), org, name, keys, public_url, certificate: Some(certificate), invitation })
    }

    /// The configuration file. The address by which others reach this machine is in snippets from the start, and the place
    /// that the environment or the command line names for the database stays its place.
    fn settings(&self, ctx: &Context) -> Result<String, CliError> {
        let named = || self.hosts.iter().find(|host| means_one(host));
        let config = ctx.load_config()?;
        let host = self.hosts.iter().find(|host| is_public(host)).or_else(named);
        let public_url = host.map(|host| config.url_of(host));
        Ok(config::template(public_url.as_deref(), &config.storage))
    }

    fn spec(&self) -> CompanySpec<'_> {
        CompanySpec { name: &self.name, admin: &self.admin, origins: &self.origins }
    }

    fn certificate(&self, dir: &Path, now_ms: u64) -> Result<Certificate, CliError> {
        let made_for = match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => {
                tls::install(dir, &Files::named(cert, key), now_ms)?;
                None
            }
            _ => {
                let hosts = if self.hosts.is_empty() { tls::default_hosts() } else { self.hosts.clone() };
                tls::make(dir, &hosts, now_ms)?;
                Some(hosts)
            }
        };
        let until = Files::own(dir).load_good(now_ms)?.good.end;
        Ok(Certificate { made_for, until })
    }
}

/// Whether a name or an address can mean this machine to others.
fn is_public(host: &str) -> bool {
    let local = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    !local && means_one(host)
}

/// Whether it can be part of a URL: a certificate may also have a wildcard name, and "all addresses" cannot be reached.
fn means_one(host: &str) -> bool {
    !host.parse().is_ok_and(|ip: IpAddr| ip.is_unspecified())
        && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c))
}

/// The new database with its first entries.
fn found_store(ctx: &Context, commit: Commit) -> Result<(), CliError> {
    let config = ctx.load_config()?;
    Ok(admin_client::runtime()?.block_on(app::found(&ctx.data_dir, &config, commit))?)
}

fn refuse_occupied(dir: &Path) -> Result<(), CliError> {
    let there = data_dir::occupied(dir);
    if there.is_empty() {
        return Ok(());
    }
    let names: Vec<String> =
        there.iter().filter_map(|p| p.file_name()).map(|n| n.to_string_lossy().into_owned()).collect();
    Err(CliError::new(
        Kind::Exists,
        format!("{} already contains a kefu installation: {}", dir.display(), names.join(", ")),
    )
    .hint("nothing was changed; name another directory with --data-dir, or move these away first"))
}
