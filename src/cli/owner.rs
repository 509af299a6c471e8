//! Root works as the owner of the data. The owner of a directory decides what its names refer to: as root, kefu would write
//! wherever a link there leads, and would leave files that the service can't read.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::{
    process::{Gid, Uid, geteuid},
    thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};

use super::{
    account::{Account, became, command, groups_of, shown},
    error::CliError,
    io_error::{cannot, io_reason, quoted},
};

/// If root runs this, and `dir` belongs to another user, continues as that user. `makes`: the directory may be missing and will be
/// created; then it must belong to the owner of its parent. Call this before there are threads.
pub fn become_owner(dir: &Path, makes: bool) -> Result<(), CliError> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let whole = std::path::absolute(dir).map_err(|e| cannot("find", dir, &e))?;
    let there = whole.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    if there != whole && !makes {
        return Ok(());
    }
    let owner = fs::metadata(there).map_err(|e| cannot("read", there, &e))?.uid();
    if let Some((above, other)) = others_above(there, owner).map_err(|e| cannot("read", there, &e))? {
        let what = format!(
            "{} belongs to {}, but {} could replace it: they own {}",
            dir.display(),
            shown(owner),
            shown(other),
            above.display()
        );
        return Err(CliError::failure(what).hint(format!("move it out of there, or chown -R {other} {}", quoted(dir))));
    }
    if owner == 0 {
        return Ok(());
    }
    let refused = |why: String| {
        CliError::failure(format!(
            "{} belongs to {}, and root cannot continue as that user: {why}",
            dir.display(),
            shown(owner)
        ))
        .hint(command(owner))
    };
    let threads = fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads != 1 {
        return Err(refused(format!("{threads} threads are already running")));
    }
    let account = Account::of(owner);
    let gid = account.as_ref().map_or_else(|| fs::metadata(there).map_or(owner, |m| m.gid()), |a| a.gid);
    let groups = account.as_ref().map_or_else(Vec::new, |a| groups_of(&a.name));
    switch(owner, gid, &groups).map_err(|e| refused(io_reason(&e)))?;
    became(owner, there);
    Ok(())
}

/// The credentials of the only thread, and so of every later one.
fn switch(uid: u32, gid: u32, groups: &[u32]) -> io::Result<()> {
    let groups: Vec<Gid> = groups.iter().map(|g| Gid::from_raw(*g)).collect();
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    set_thread_groups(&groups)?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    Ok(())
}

/// A directory or a link on the way to `path` that belongs to neither root nor `owner`, and whose it is.
fn others_above(path: &Path, owner: u32) -> io::Result<Option<(PathBuf, u32)>> {
    // as it was named, with its links, and as it is
    let places: BTreeSet<PathBuf> = [path.to_owned(), fs::canonicalize(path)?]
        .iter()
        .flat_map(|p| p.ancestors().map(Path::to_owned).collect::<Vec<_>>())
        .collect();
    for place in places {
        let uid = fs::symlink_metadata(&place)?.uid();
        if uid != 0 && uid != owner {
            return Ok(Some((place, uid)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    #[test]
    fn who_else_could_exchange_a_directory_is_named() {
        if !geteuid().is_root() {
            return; // only root can create directories of several users
        }
        let tmp = tempfile::tempdir().unwrap();
        let home = tmp.path().join("home");
        let data = home.join("data");
        fs::create_dir_all(&data).unwrap();
        assert_eq!(others_above(&data, 0).unwrap(), None);
        chown(&home, Some(1_234), None).unwrap();
        assert_eq!(others_above(&data, 0).unwrap(), Some((home.clone(), 1_234)));
        assert_eq!(others_above(&data, 1_234).unwrap(), None);
        assert_eq!(others_above(&data, 99).unwrap(), Some((home.clone(), 1_234)));
        // a link made by another user leads to a place of root
        let (away, link) = (tmp.path().join("away"), home.join("link"));
        fs::create_dir(&away).unwrap();
        symlink(&away, &link).unwrap();
        assert!(others_above(&link, 0).unwrap().is_some());
    }
}
