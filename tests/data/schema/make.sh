#!/bin/sh
# Makes a data directory with an old version, for the test of upgrades (README.md):
#
#   make.sh COMMIT SCHEMA stopped|killed
#
# Checks the commit out beside this repository, builds its executable, and adds a test that lets it work (make.rs).
set -eu
commit=$1 schema=$2 end=$3
here=$(cd "$(dirname "$0")" && pwd)
old=${KEFU_OLD:-$here/../../../../kefu-schema-$schema}
[ -d "$old" ] || git -C "$here" worktree add --detach "$old" "$commit"
cd "$old"
git checkout -q -- tests
mkdir -p ui/dist

cp "$here/make.rs" tests/make.rs
if grep -q 'pub fn recall' tests/it/support/view.rs; then
    sed -i '/ before signed recalls$/d' tests/make.rs
else
    sed -i '/ signed recalls$/{/ before /!d}' tests/make.rs
fi
if ! grep -q 'pub fn existing' tests/it/support/company.rs; then
    if grep -q ' days: ' tests/it/support/company.rs; then days=', days: BTreeMap::new()'; else days=; fi
    cat >> tests/it/support/company.rs << RUST

impl Company {
    /// One that the command line founded.
    pub fn existing(
        _: &Path,
        keys: CompanyKeys,
        directory: Arc<Directory>,
        people: BTreeMap<String, Keyring>,
        teams: Vec<KemSecret>,
    ) -> Arc<Self> {
        let dir = tempfile::tempdir().unwrap();
        let teams = teams.into_iter().map(|key| (hash::box_kid(BoxKind::Team, &key.public()), key)).collect();
        Arc::new(Self { dir, keys, people, known: Mutex::new(Known { directory, teams$days }) })
    }
}
RUST
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
KEFU_OUT=$out KEFU_END=$end cargo test --locked --test make
# a socket that nobody listens on, and the space kept for a full disk, 64 MiB of zeros
rm -f "$out/data/admin.sock" "$out/data/kefu.redb.ballast"
tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner -c data written.json | gzip -9n > "$here/$schema-$end.tar.gz"
ls -l "$here/$schema-$end.tar.gz"
