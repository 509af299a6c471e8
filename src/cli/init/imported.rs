//! What `kefu init --from` is given: the public part of a company whose keys were made elsewhere, and the OPAQUE secrets
//! beside it, both verified before they are used.

use std::{fs, path::Path};

use zeroize::Zeroizing;

use crate::{
    cli::{
        data_dir::{self},
        error::CliError,
        io_error::cannot,
        public_part::PublicPart,
        verified_directory::VerifiedDirectory,
    },
    crypto::opaque::OpaqueServer,
};

/// Both files, of one company.
#[derive(Debug)]
pub struct Imported {
    /// What the server may know.
    pub part: PublicPart,
    /// Name of the company.
    pub name: String,
    /// The OPAQUE secrets.
    pub setup: Zeroizing<Vec<u8>>,
}

impl Imported {
    /// Reads and verifies the public part at `path`, and the secrets beside it.
    pub fn read(path: &Path, now_ms: u64) -> Result<Self, CliError> {
        let part = PublicPart::read(path)?;
        let company = VerifiedDirectory::verify(part.view(), Some(part.org), now_ms)?;
        let beside = path.with_file_name(data_dir::OPAQUE_SETUP);
        let setup = fs::read(&beside)
            .map(Zeroizing::new)
            .map_err(|e| cannot("read", &beside, &e).hint("copy opaque.setup together with public.json"))?;
        let opaque = OpaqueServer::new(&setup, part.org).map_err(|e| CliError::failure(e.to_string()))?;
        if company.dir.state().opaque.0 != opaque.public() {
            return Err(CliError::failure(format!(
                "{} and {} belong to different companies",
                path.display(),
                beside.display()
            )));
        }
        Ok(Self { name: company.org().to_owned(), part, setup })
    }
}
