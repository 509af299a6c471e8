#!/usr/bin/env python3
"""Components of the executable: crates, and the libraries that its pages are bundled from.

    sbom.py licences   their licence texts, each once, below the names of those it covers
    sbom.py sbom       a bill of materials in CycloneDX 1.5

Both are the same bytes for the same checkout. cargo-deny (deny.toml) checks which licences are allowed.
"""

import base64
import dataclasses
import json
import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")


@dataclasses.dataclass
class Material:
    kind: str  # cargo or npm
    name: str
    version: str
    licence: str
    folder: pathlib.Path
    hash: tuple[str, str] | None
    needs: list[str]  # package URLs

    @property
    def purl(self):
        return purl(self.kind, self.name, self.version)


def purl(kind, name, version):
    return f"pkg:{kind}/{name.replace('@', '%40')}@{version}"


def crates():
    """What a build for servers links, on any of the targets; and what kefu itself needs of it."""
    args = ["cargo", "metadata", "--format-version=1", "--locked"]
    for machine in ("x86_64", "aarch64", "loongarch64"):
        args += ["--filter-platform", f"{machine}-unknown-linux-musl"]
    meta = json.loads(subprocess.check_output(args, cwd=ROOT))
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    sums = {(p["name"], p["version"]): p.get("checksum") for p in lock["package"]}
    nodes = {n["id"]: n for n in meta["resolve"]["nodes"]}
    packages = {p["id"]: p for p in meta["packages"]}
    root = meta["resolve"]["root"]

    def needs(id):
        # no kind: an ordinary dependency; those of build scripts and tests are not included
        direct = [d["pkg"] for d in nodes[id]["deps"] if any(k["kind"] is None for k in d["dep_kinds"])]
        # the crates of this workspace are kefu itself, and so is what they need
        ours = [d for d in direct if packages[d]["source"] is None]
        return list(dict.fromkeys([d for d in direct if d not in ours] + [n for d in ours for n in needs(d)]))

    reached, todo = set(), [root]
    while todo:
        here = todo.pop()
        if here not in reached:
            reached.add(here)
            todo += needs(here)

    def url(id):
        return purl("cargo", packages[id]["name"], packages[id]["version"])

    found = []
    for id in reached - {root}:
        p = packages[id]
        # the slash is what manifests wrote before SPDX expressions
        licence = (p["license"] or "").replace("/", " OR ")
        checksum = sums.get((p["name"], p["version"]))
        found.append(
            Material(
                "cargo",
                p["name"],
                p["version"],
                licence,
                pathlib.Path(p["manifest_path"]).parent,
                checksum and ("SHA-256", checksum),
                sorted(map(url, needs(id))),
            )
        )
    return found, sorted(map(url, needs(root)))


def pages():
    lock = json.loads((ROOT / "ui/package-lock.json").read_text())
    found = []
    for path, p in lock["packages"].items():
        if path and not p.get("dev"):
            digest = p["integrity"].removeprefix("sha512-")
            found.append(
                Material(
                    "npm",
                    path.rsplit("node_modules/", 1)[1],
                    p["version"],
                    p.get("license", ""),
                    ROOT / "ui" / path,
                    ("SHA-512", base64.b64decode(digest).hex()),
                    [],
                )
            )
    return found, sorted(m.purl for m in found)


def licences(materials):
    covered, bare = {}, []
    for m in materials:
        files = (
            sorted(f for f in m.folder.iterdir() if f.is_file() and f.name.upper().startswith(NAMES))
            if m.folder.is_dir()
            else []
        )
        name = f"{m.name} {m.version} ({m.licence or 'its own'})"
        if not files:
            bare.append(name)
        for file in files:
            text = file.read_text(encoding="utf-8", errors="replace").strip()
            # the same words in other lines are the same text
            covered.setdefault(" ".join(text.split()), (text, []))[1].append(name)
    rule = "=" * 100
    print("Libraries inside the kefu executable and their licences.\n")
    print("The Rust standard library: MIT OR Apache-2.0. musl libc: MIT, Copyright 2005-2020 Rich Felker et al. LLVM's")
    print(
        "libunwind and compiler-rt: Apache-2.0 WITH LLVM-exception. The language model: models/CARD.md of the sources.\n"
    )
    print("Without a text of their own in what they publish:\n  " + "\n  ".join(bare))
    for text, names in covered.values():
        print(f"\n{rule}\n" + "\n".join(dict.fromkeys(names)) + f"\n{rule}\n\n{text}")


def sbom(materials, direct):
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    kefu = purl("cargo", "kefu", version)

    def component(m):
        entry = {"type": "library", "bom-ref": m.purl, "name": m.name, "version": m.version, "purl": m.purl}
        if m.licence:
            entry["licenses"] = [{"expression": m.licence}]
        if m.hash:
            entry["hashes"] = [{"alg": m.hash[0], "content": m.hash[1]}]
        return entry

    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": kefu,
                "name": "kefu",
                "version": version,
                "licenses": [{"expression": "MIT OR Apache-2.0"}],
            }
        },
        "components": [component(m) for m in materials],
        "dependencies": [{"ref": kefu, "dependsOn": direct}]
        + [{"ref": m.purl, "dependsOn": m.needs} for m in materials],
    }
    print(json.dumps(bill, indent=1))


def main(what):
    (rust, linked), (web, bundled) = crates(), pages()
    materials = sorted(rust + web, key=lambda m: (m.kind, m.name, m.version))
    if what == "licences":
        licences(materials)
    elif what == "sbom":
        sbom(materials, linked + bundled)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")
