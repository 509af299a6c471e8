#!/bin/sh
# Makes dist/: for each target (default: all three) the executable, its hash, an archive, .deb and .rpm; once the container
# images, the bills of materials and the licences of all components. From an empty target directory the same commit gives
# the same bytes on one machine.
# Manual pages and completions are printed by the executable of this machine's own architecture, which must be among the
# targets or in dist/ already.
set -eu
cd "$(dirname "$0")/.."
all="x86_64-unknown-linux-musl aarch64-unknown-linux-musl loongarch64-unknown-linux-musl"
# shellcheck disable=SC2086 # three words
[ $# -gt 0 ] || set -- $all
target_dir="${CARGO_TARGET_DIR:-target}"
profile="${KEFU_PROFILE:-release}"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { echo "dist.sh: $*" >&2; }
need() { command -v "$1" > /dev/null || { echo "dist.sh: $1 is missing: $2" >&2; exit 1; }; }
need dpkg-deb "apt-get install dpkg-dev"
need rpmbuild "apt-get install rpm"
umask 022
mkdir -p dist

packaging/build.sh "$@"
for target; do
    install -m 755 "$target_dir/$target/$profile/kefu" "dist/kefu-$version-${target%%-*}"
done
here="dist/kefu-$version-$(uname -m)"
[ -x "$here" ] || { echo "dist.sh: build $(uname -m) too: its executable prints the manual pages" >&2; exit 1; }

say "licences and bills of materials"
packaging/sbom.py licences > dist/THIRD-PARTY.txt
packaging/sbom.py sbom > "dist/kefu-$version.cdx.json"

# the files of every package format, by their path on a machine
tree="$work/tree"
doc="$tree/usr/share/doc/kefu"
mkdir -p "$tree/usr/bin" "$tree/usr/lib/systemd/system" "$tree/usr/lib/sysusers.d" "$tree/usr/lib/tmpfiles.d" \
    "$tree/etc/default" "$tree/usr/share/man/man1" "$tree/usr/share/bash-completion/completions" \
    "$tree/usr/share/zsh/site-functions" "$tree/usr/share/fish/vendor_completions.d" "$doc"
install -m 644 systemd/kefu.service systemd/kefu.socket "$tree/usr/lib/systemd/system"
install -m 644 systemd/kefu.sysusers "$tree/usr/lib/sysusers.d/kefu.conf"
install -m 644 systemd/kefu.tmpfiles "$tree/usr/lib/tmpfiles.d/kefu.conf"
install -m 644 packaging/kefu.default "$tree/etc/default/kefu"
"$here" man "$tree/usr/share/man/man1" > /dev/null
gzip -n9 "$tree"/usr/share/man/man1/*.1
"$here" completions bash > "$tree/usr/share/bash-completion/completions/kefu"
"$here" completions zsh > "$tree/usr/share/zsh/site-functions/_kefu"
"$here" completions fish > "$tree/usr/share/fish/vendor_completions.d/kefu.fish"
install -m 644 crates/config/src/kefu.toml "$doc/kefu.toml.example"
install -m 644 README.md docs/operations.md docs/security.md docs/protocol.md LICENSE-MIT LICENSE-APACHE "$doc"
gzip -n9 < CHANGELOG.md > "$doc/CHANGELOG.md.gz"
gzip -n9 < dist/THIRD-PARTY.txt > "$doc/THIRD-PARTY.txt.gz"

for target; do
    machine=${target%%-*}
    program="dist/kefu-$version-$machine"
    say "$machine: archive, .deb, .rpm"
    (cd dist && sha256sum "kefu-$version-$machine" > "kefu-$version-$machine.sha256")
    install -m 755 "$program" "$tree/usr/bin/kefu"
    find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

    # the archive is flat and readable: its README says what to copy where
    name="kefu-$version-$machine"
    flat="$work/$name"
    mkdir -p "$flat/completions" "$flat/man" "$flat/systemd"
    cp -p "$tree/usr/bin/kefu" "$doc"/kefu.toml.example "$doc"/*.md "$doc"/LICENSE-* dist/THIRD-PARTY.txt "$flat"
    cp -p systemd/* "$flat/systemd"
    cp -p "$tree"/usr/share/man/man1/* "$flat/man"
    cp -p "$tree/usr/share/bash-completion/completions/kefu" "$flat/completions/kefu.bash"
    cp -p "$tree/usr/share/zsh/site-functions/_kefu" "$tree/usr/share/fish/vendor_completions.d/kefu.fish" "$flat/completions"
    tar -C "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -cf - "$name" \
        | gzip -n9 > "dist/$name.tar.gz"

    case $machine in
        x86_64) arch=amd64 ;;
        aarch64) arch=arm64 ;;
        loongarch64) arch=loong64 ;;
    esac
    deb="$work/deb-$machine"
    cp -a "$tree" "$deb"
    mv "$deb/usr/share/zsh/site-functions" "$deb/usr/share/zsh/vendor-completions"
    rm "$deb/usr/share/doc/kefu/LICENSE-MIT" "$deb/usr/share/doc/kefu/LICENSE-APACHE"
    packaging/copyright.sh > "$deb/usr/share/doc/kefu/copyright"
    printf '%s\n' "kefu ($version) unstable; urgency=low" '' '  * See CHANGELOG.md.gz for the changes.' '' \
        " -- kefu contributors <kefu@example.invalid>  $(date -Rd "@$SOURCE_DATE_EPOCH")" | gzip -n9 > "$deb/usr/share/doc/kefu/changelog.gz"
    mkdir -p "$deb/DEBIAN" "$deb/usr/share/lintian/overrides"
    # the point of it
    echo "kefu: statically-linked-binary [usr/bin/kefu]" > "$deb/usr/share/lintian/overrides/kefu"
    # Debian 12's lintian does not know this architecture yet
    [ "$machine" != loongarch64 ] || echo "kefu: binary-from-other-architecture [usr/bin/kefu]" >> "$deb/usr/share/lintian/overrides/kefu"
    size=$(du -sk --apparent-size "$deb" | cut -f 1)
    sed "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@SIZE@/$size/" packaging/deb/control > "$deb/DEBIAN/control"
    for script in preinst postinst prerm postrm; do
        sed "s/@MACHINE@/$machine/g" "packaging/deb/$script" > "$deb/DEBIAN/$script"
        chmod 755 "$deb/DEBIAN/$script"
    done
    echo /etc/default/kefu > "$deb/DEBIAN/conffiles"
    (cd "$deb" && find usr -type f -print0 | sort -z | xargs -0 md5sum > DEBIAN/md5sums)
    find "$deb" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz --build "$deb" "dist/kefu_${version}_$arch.deb" > /dev/null

    rpmbuild -bb --quiet --target "$machine-unknown-linux" --define "_topdir $work/rpm" --define "_rpmdir $PWD/dist" \
        --define "_rpmfilename kefu-$version-1.$machine.rpm" --define "tree $tree" --define "version_ $version" \
        --define "machine $machine" --define "_buildhost kefu" --define "use_source_date_epoch_as_buildtime 1" \
        --define "clamp_mtime_to_source_date_epoch 1" --define "_binary_payload w19.zstdio" packaging/rpm/kefu.spec

    if command -v buildah > /dev/null; then
        packaging/image.sh "$program" "$arch" "dist/kefu-$version-$machine.oci.tar"
    else
        say "no container image: buildah is missing (apt-get install buildah)"
    fi
done
say "done: $(find dist -mindepth 1 -maxdepth 1 | wc -l) files in dist/"
