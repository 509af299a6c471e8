//! `kefu tls`: the certificate that kefu made itself, and what is wrong with one in words.

mod renew;
mod show;

use super::{
    data_dir::{cannot, quoted},
    fail::Fail,
};
use crate::tls::TlsError;

commands! {
    /// The certificate made by kefu
    pub enum Command {
        Show(show::Args),
        Renew(renew::Args),
    }
}

impl From<TlsError> for Fail {
    fn from(e: TlsError) -> Self {
        let fail = Fail::failure(e.to_string());
        match e {
            TlsError::Io { act, path, source } => cannot(act, &path, &source),
            TlsError::NotPem { what: "certificate", .. } => {
                fail.next("it must be PEM: -----BEGIN CERTIFICATE----- … with the server's own certificate first")
            }
            TlsError::Foreign { .. } => fail.next("give two files that belong together"),
            TlsError::Expired { .. } => fail.next("get a new one"),
            TlsError::Early { .. } => fail.next("check this machine's clock"),
            TlsError::NotVouched { ca, .. } => fail.next(format!(
                "kefu tls renew --new-authority creates another one for all names; browsers must then trust the new {}",
                quoted(&ca)
            )),
            TlsError::NotPem { .. } | TlsError::NotCertificate(_) | TlsError::KeyKind { .. } | TlsError::Make(_) => {
                fail
            }
        }
    }
}
