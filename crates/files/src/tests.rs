//! Links under every name that is written, and what is left after failures.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("victim"), "mine").unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn no_link_is_followed_whatever_is_made() {
    let place = Place::new();
    let (victim, link, nowhere) = (place.path("victim"), place.path("link"), place.path("nowhere"));
    symlink(&victim, &link).unwrap();
    symlink(place.path("absent"), &nowhere).unwrap();
    for link in [&link, &nowhere] {
        assert_eq!(create_new(link, 0o600).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(write_new(link, 0o600, b"x").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert!(open_or_create(link, 0o600).unwrap_err().to_string().contains("is a link"));
        assert!(!make_directory(link).unwrap());
    }
    // a hard link to another user's file is not a symbolic link, but it is theirs; only root can make it here
    fs::hard_link(&victim, place.path("second")).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&victim, Some(65_534), None).unwrap();
        assert!(open_or_create(&place.path("second"), 0o600).unwrap_err().to_string().contains("another user's"));
    }
    assert!(open_or_create(&place.path("."), 0o600).is_err());
    replace(&link, 0o600, b"new").unwrap();
    replace(&place.path("second"), 0o600, b"new").unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"mine");
    assert!(!is_link(&link) && is_link(&nowhere) && !place.path("absent").exists());
    assert_eq!(place.names(), ["link", "nowhere", "second", "victim"]);
}

#[test]
fn a_replaced_file_has_the_mode_that_was_asked_for_and_leaves_nothing_beside_it() {
    let place = Place::new();
    let path = place.path("k");
    write_new(&path, 0o644, b"1").unwrap();
    replace(&path, 0o600, b"2").unwrap();
    assert_eq!(
        (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().permissions().mode() & 0o777),
        (b"2".into(), 0o600)
    );
    assert!(replace(&place.path("no/where"), 0o600, b"3").is_err());
    // what can't be replaced leaves no half file
    fs::create_dir(place.path("d")).unwrap();
    assert!(replace(&place.path("d"), 0o600, b"3").is_err());
    assert_eq!(place.names(), ["d", "k", "victim"]);
}

#[test]
fn what_a_killed_process_left_is_swept_when_nobody_can_be_writing_it() {
    let place = Place::new();
    let path = place.path("k");
    for (name, age) in [(".k.new-old", 7_200), (".k.new-now", 0), (".other.new-old", 7_200)] {
        let file = File::create(place.path(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    replace(&path, 0o600, b"1").unwrap();
    assert_eq!(place.names(), [".k.new-now", ".other.new-old", "k", "victim"]);
    assert_eq!(parts(&path), [place.path(".k.new-now")]);
}

#[test]
fn a_directory_is_ours_alone_or_named_for_what_it_is() {
    let place = Place::new();
    let dir = place.path("d");
    assert!(make_directory(&dir).unwrap() && !make_directory(&dir).unwrap());
    let look = |path: &Path| private_directory(&fs::symlink_metadata(path).unwrap());
    assert_eq!(look(&dir), Ok(()));
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o750)).unwrap();
    assert_eq!(look(&dir), Err(NotPrivate::Open(0o750)));
    assert_eq!(look(&place.path("victim")), Err(NotPrivate::NoDirectory));
    symlink(&dir, place.path("link")).unwrap();
    assert_eq!(look(&place.path("link")), Err(NotPrivate::NoDirectory));
}
