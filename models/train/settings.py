"""Reads config.toml: the named settings `quick`, `cpu` and `full`, each laid over `[common]`."""

import copy
import tomllib
from pathlib import Path

FILE = Path(__file__).with_name("config.toml")


def over(base, top):
    """`top` laid over `base`, tables merged."""
    out = copy.deepcopy(base)
    for k, v in top.items():
        out[k] = over(out[k], v) if isinstance(v, dict) and isinstance(out.get(k), dict) else copy.deepcopy(v)
    return out


def setting(name, file=FILE):
    """The setting `name` as a dict; an unknown name names the known ones."""
    all_ = tomllib.loads(Path(file).read_text(encoding="utf8"))
    known = [k for k in all_ if k != "common"]
    if name not in known:
        raise SystemExit(f"config.toml has no setting {name}; it has {', '.join(known)}")
    return over(all_["common"], all_[name])
