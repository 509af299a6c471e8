//! Which files of a data directory belong into a backup, and what a restore needs besides.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    app::blobs_path,
    cli::{
        archive::KNOWLEDGE,
        context::Context,
        data_dir::{BLOBS, CLUSTER_KEY, COMPANY_KEYS, CONFIG, OPAQUE_SETUP, PUBLIC_PART, ROBOT, TLS},
        error::CliError,
        io_error::cannot,
    },
    store::archive::path_is_valid,
};

/// Files that are in a bucket, by name.
const SENT: &str = "the files that people sent";

/// What goes into a backup besides the rows of the database, and what does not.
#[derive(Debug)]
pub struct Listed {
    /// Name in the backup, path.
    pub files: Vec<(String, PathBuf)>,
    /// Directory of the files that people sent; none: they are in a bucket.
    pub blobs: Option<PathBuf>,
    /// What is not in it, and what that means.
    pub missing: Vec<(&'static str, String)>,
}

impl Listed {
    /// Of a data directory.
    pub fn of(ctx: &Context, with_opaque_setup: bool) -> Result<Self, CliError> {
        let (mut files, mut missing) = (Vec::new(), Vec::<(&str, String)>::new());
        let mut single = vec![CONFIG, PUBLIC_PART];
        if with_opaque_setup {
            single.push(OPAQUE_SETUP);
        } else {
            let why = "a restore needs it; keep a copy in another place, or use --with-opaque-setup";
            missing.push((OPAQUE_SETUP, why.into()));
        }
        for name in single {
            let path = ctx.file(name);
            if path.is_file() {
                files.push((name.to_owned(), path));
            }
        }
        for dir in [TLS, KNOWLEDGE] {
            let path = ctx.file(dir);
            add(&mut files, dir, &path).map_err(|e| cannot("read", &path, &e))?;
        }
        missing.push((COMPANY_KEYS, "keep two copies offline, and the passphrase elsewhere".into()));
        let config = ctx.load_config()?;
        if ctx.file(ROBOT).exists() || !config.robot.key_dir.is_empty() {
            missing.push(("keys of the robot", "never copied; after a restore: kefu robot on SITE".into()));
        }
        if ctx.file(CLUSTER_KEY).exists() {
            missing.push((CLUSTER_KEY, "all servers of a company have the same; a restore makes another one".into()));
        }
        if !config.tls.cert.is_empty() {
            missing.push(("the certificate named in [tls]", "it is outside the data directory".into()));
        }
        if ctx.config_file.is_some() {
            missing.push(("the configuration named by --config", "it is outside the data directory".into()));
        }
        let bucket = config.storage.bucket();
        if let Some(bucket) = bucket {
            missing.push((SENT, format!("they are in {bucket}: copy the bucket too, after this backup")));
        }
        let blobs = bucket.is_none().then(|| blobs_path(&ctx.data_dir, &config));
        Ok(Self { files, blobs, missing })
    }
}

/// Calls `each` with the name in a backup and the path of every file that people sent. To be called after the rows were read: then all
/// files are there that their messages name.
pub fn each_blob(root: &Path, each: &mut dyn FnMut(&str, &Path) -> Result<(), CliError>) -> Result<(), CliError> {
    let read = |path: &Path| match entries(path) {
        Ok(names) => Ok(names),
        // the last file of a conversation was removed meanwhile
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(cannot("read", path, &e)),
    };
    let hex = |name: &String| name.bytes().all(|b| b.is_ascii_hexdigit());
    for shard in read(root)?.into_iter().filter(|name| name.len() == 2 && hex(name)) {
        let shard_path = root.join(&shard);
        for conv in read(&shard_path)?.into_iter().filter(hex) {
            let conv_path = shard_path.join(&conv);
            for msg in read(&conv_path)?.into_iter().filter(hex) {
                each(&format!("{BLOBS}/{shard}/{conv}/{msg}"), &conv_path.join(&msg))?;
            }
        }
    }
    Ok(())
}

/// The names in a directory, in order.
fn entries(dir: &Path) -> io::Result<Vec<String>> {
    let names: io::Result<Vec<String>> =
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect();
    let mut names = names?;
    names.sort();
    Ok(names)
}

/// The files in `dir`, which a backup names `name`, and below.
fn add(files: &mut Vec<(String, PathBuf)>, name: &str, dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    found.sort();
    for (file, path) in found {
        let name = format!("{name}/{file}");
        // half-written and hidden files, and names deeper than any that kefu makes
        if !path_is_valid(&name) {
            continue;
        }
        // a model may be a link to a place with more space
        match fs::metadata(&path) {
            Ok(meta) if meta.is_file() => files.push((name, path)),
            Ok(meta) if meta.is_dir() => add(files, &name, &path)?,
            // replaced while it was listed, or a link that leads nowhere
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_listed_in_order_without_hidden_ones() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("model")).unwrap();
        for name in ["b", "a", ".b.new-1", "model/config.json"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        std::os::unix::fs::symlink("nowhere", dir.path().join("link")).unwrap();
        let mut files = Vec::new();
        add(&mut files, "knowledge", dir.path()).unwrap();
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["knowledge/a", "knowledge/b", "knowledge/model/config.json"]);
        add(&mut files, "tls", &dir.path().join("absent")).unwrap();
        assert_eq!(files.len(), 3);
    }
}
