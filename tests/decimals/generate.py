#!/usr/bin/env python3
"""Draws sums, products, quotients, remainders and comparisons, and computes them with `decimal`.

    generate.py HOW_MANY SEED

Each line is `left operator right result`, with a tab between. What has no result of 28 digits is
`none`. Only quotients are rounded, half to even.
"""

import random
import sys
from decimal import Context, Decimal, ROUND_HALF_EVEN

DIGITS = 28
EXPONENT = 1000
EXACT = Context(prec=6000, Emax=10**6, Emin=-(10**6))
ROUNDED = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN, Emax=10**6, Emin=-(10**6))
OPERATORS = ["+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!="]
WEIGHTS = [4, 4, 4, 4, 4, 1, 1, 1, 1, 1, 1]


def drawn(dice):
    """A number as some program might write it."""
    kind = dice.random()
    if kind < 0.15:
        text = str(dice.randint(0, 12))
    elif kind < 0.40:
        text = f"{dice.randint(0, 10**dice.randint(1, 9))}.{dice.randint(0, 99):02}"
    elif kind < 0.55:
        text = str(dice.randint(0, 10 ** dice.randint(1, DIGITS)))[:DIGITS]
    elif kind < 0.75:
        whole = str(dice.randint(0, 10 ** dice.randint(1, 13)))[:13]
        places = dice.randint(1, 15)
        text = f"{whole}.{dice.randint(0, 10**places - 1):0{places}}"
    elif kind < 0.85:
        text = str(2 ** dice.randint(1, 90)) if dice.random() < 0.5 else str(5 ** dice.randint(1, 39))
    elif kind < 0.95:
        text = f"{dice.randint(1, 9999)}e{dice.randint(-30, 30)}"
    else:
        text = f"{dice.randint(1, 99)}{dice.choice('eE')}{dice.randint(-EXPONENT, EXPONENT - 2)}"
    if "e" not in text.lower():
        whole, point, fraction = text.partition(".")
        text = (whole.lstrip("0") or "0") + point + fraction
    return dice.choice(["", "", "-"]) + text


def result(left, operator, right):
    """What an operator makes of two numbers; none if that does not fit."""
    if operator in ("/", "%") and right == 0:
        return None
    value = {
        "+": lambda: EXACT.add(left, right),
        "-": lambda: EXACT.subtract(left, right),
        "*": lambda: EXACT.multiply(left, right),
        "/": lambda: ROUNDED.divide(left, right),
        "%": lambda: EXACT.remainder(left, right),
    }[operator]().normalize(EXACT)
    _, digits, exponent = value.as_tuple()
    return value if len(digits) <= DIGITS and abs(exponent) <= EXPONENT else None


def written(value):
    """A number as Segue writes it: without zeros at the end, and plainly unless it has many."""
    if value == 0:
        return "0"
    sign, digits, exponent = value.as_tuple()
    digits = "".join(map(str, digits))
    places = -exponent
    if 0 <= exponent <= 40:
        text = digits + "0" * exponent
    elif exponent < 0 and places < len(digits):
        text = f"{digits[:-places]}.{digits[-places:]}"
    elif exponent < 0 and places - len(digits) <= 40:
        text = "0." + "0" * (places - len(digits)) + digits
    else:
        point = "." if len(digits) > 1 else ""
        text = f"{digits[0]}{point}{digits[1:]}e{exponent + len(digits) - 1}"
    return "-" * sign + text


def compared(left, operator, right):
    order = {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "==": left == right,
        "!=": left != right,
    }
    return "true" if order[operator] else "false"


def main():
    dice = random.Random(int(sys.argv[2]))
    for _ in range(int(sys.argv[1])):
        left, right = drawn(dice), drawn(dice)
        operator = dice.choices(OPERATORS, WEIGHTS)[0]
        if dice.random() < 0.1:
            # The same number in another spelling, so that equality is met too.
            right = f"{Decimal(left):f}" if "e" in left.lower() and abs(Decimal(left).adjusted()) < 40 else left
            right += "0" if "." in right else "" if "e" in right.lower() else ".0"
        one, other = Decimal(left), Decimal(right)
        if operator in ("+", "-", "*", "/", "%"):
            value = result(one, operator, other)
            told = "none" if value is None else written(value)
        else:
            told = compared(one, operator, other)
        print(left, operator, right, told, sep="\t")


main()
