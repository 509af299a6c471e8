"""What customers want. Each module holds one block in the notation of `grammar.read_meanings`.

Tags on a meaning name the kind of trade it makes sense in; without a tag it fits every trade.
"""

from . import account, aftersale, money, order, product, service, talk
from ..grammar import Meaning, read_meanings

MEANINGS: list[Meaning] = [
    meaning
    for module in (talk, order, aftersale, money, product, account, service)
    for meaning in read_meanings(module.BLOCK)
]
