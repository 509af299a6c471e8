"""The trades. Each module holds one block of data in the notation of `grammar.read_domains`."""

from . import finance, home, online, public, shop, travel
from ..grammar import Domain, read_domains

DOMAINS: list[Domain] = [
    domain for module in (shop, finance, public, travel, online, home) for domain in read_domains(module.BLOCK)
]
BY_TAG: dict[str, list[Domain]] = {}
for _domain in DOMAINS:
    for _tag in _domain.tags:
        BY_TAG.setdefault(_tag, []).append(_domain)
