//! `kefu tls`: the certificate that kefu made itself, and what is wrong with one in words.

mod renew;
mod show;

use super::{
    error::CliError,
    io_error::{cannot, quoted},
};
use crate::tls::TlsError;

commands! {
    /// The certificate made by kefu
    pub enum Command {
        Show(show::Args),
        Renew(renew::Args),
    }
}

impl From<TlsError> for CliError {
    fn from(e: TlsError) -> Self {
        let fail = CliError::failure(e.to_string());
        match e {
            TlsError::Io { act, path, source } => cannot(act, &path, &source),
            TlsError::NotPem { what: "certificate", .. } => {
                fail.hint("it must be PEM: -----BEGIN CERTIFICATE----- … with the server's own certificate first")
            }
            TlsError::Foreign { .. } => fail.hint("give two files that belong together"),
            TlsError::Expired { .. } => fail.hint("get a new one"),
            TlsError::Early { .. } => fail.hint("check this machine's clock"),
            TlsError::NotVouched { ca, .. } => fail.hint(format!(
                "kefu tls renew --new-authority creates another one for all names; browsers must then trust the new {}",
                quoted(&ca)
            )),
            TlsError::NotPem { .. } | TlsError::NotCertificate(_) | TlsError::KeyKind { .. } | TlsError::Make(_) => {
                fail
            }
        }
    }
}
