"""What customers want. Each module holds one block in the notation of `grammar.read_wishes`.

Tags on a wish name the kind of trade it makes sense in; without a tag it fits every trade.
"""

from . import account, aftersale, money, order, product, service, talk
from ..grammar import Wish, read_wishes

WISHES: list[Wish] = [
    wish for module in (talk, order, aftersale, money, product, account, service) for wish in read_wishes(module.BLOCK)
]
