"""A generator of customer-service utterances in Chinese and English.

The grammar is data (`meanings/`, `domains/`, `faq.py`, `offtopic.py`, `tables/`); the machinery is
`template.py` (one line of grammar to text), `slots.py` (what a meaning is about), `style.py` and
`noise.py` (how a person writes it) and `compose.py` (which lines are drawn). README.md has the recipe.
"""
