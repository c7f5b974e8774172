"""Writes `reference.csv`: random allocations as the package `apportionment` of PyPI (1.0, MIT licence) computes them.

    pip install --target DIR apportionment==1.0
    PYTHONPATH=DIR python3 crates/results/tests/seats/reference.py > crates/results/tests/seats/reference.csv

One line per case: method, seats, threshold in parts of ten thousand, votes, and either the seats of every list or the word
`tie` with the seats that the package gave when it broke the tie by position, forwards and backwards.
The package also has Huntington-Hill, Adams, Dean and the quota method of Balinski and Young, which are not compared. It has
neither Droop's quota nor Hagenbach-Bischoff: for Droop's the lines are computed by this script, for Hagenbach-Bischoff there
are none.

The modified Sainte-Laguë method divides by the float 1.4 there. Cases in which two unequal claims are closer than floats
tell apart cannot arise with numbers of this size, but equal ones may differ in the last bit: 7/1.4 and 15/3 may not be
equal. Such cases are found with fractions and left out; how many is said on standard error.
"""

import random
import sys
from fractions import Fraction

from apportionment import methods

NAMES = {
    "dhondt": "dhondt",
    "sainte-lague": "saintelague",
    "modified-sainte-lague": "modified_saintelague",
    "hare-remainder": "largest_remainder",
}
PER_METHOD = 500
LISTS = "abcdefghijklmnopqrstuvwxyz"


def theirs(method, votes, seats, threshold):
    """The seats, or none where the package finds a tie."""
    share = Fraction(threshold, 10_000) if threshold else None
    exact = method != "modified-sainte-lague"
    options = dict(fractions=exact, threshold=share, parties=LISTS, verbose=False)
    try:
        return methods.compute(NAMES[method], votes, seats, tiesallowed=False, **options), None
    except methods.TiesException:
        orders = (orders_for(method, votes, seats, share, way) for way in (1, -1))
        return None, [compute_in(order, method, votes, seats, options) for order in orders]


def orders_for(method, votes, seats, share, way):
    """The order of lists in which the package shall break a tie.

    With remainders it goes through the lists once and gives a seat to each with at least the least remainder that may have
    one, until none is left: lists of an equal claim that stand earlier take the seat of one with a larger remainder. Sorted
    by remainder, as here, its answer is one of those that the rule allows.
    """
    order = sorted(range(len(votes)), key=lambda i: way * i)
    if method == "hare-remainder":
        counted = methods.apply_threshold(votes, share)
        order.sort(key=lambda i: counted[i] * seats % sum(counted), reverse=True)
    return order


def compute_in(order, method, votes, seats, options):
    """The package's seats, with the lists in another order while it computes."""
    given = [0] * len(votes)
    for i, n in zip(order, methods.compute(NAMES[method], [votes[i] for i in order], seats, **options)):
        given[i] = n
    return given


def floats_mislead(votes, seats, threshold):
    """Whether two claims by modified divisors are equal as fractions and not as floats."""
    least = sum(votes) * Fraction(threshold, 10_000)
    votes = [each for each in votes if each >= least]
    claims = {}
    for each in votes:
        for seat in range(seats):
            exact = Fraction(each * 5, 7 if seat == 0 else 5 * (2 * seat + 1))
            claims.setdefault(exact, set()).add(each / 1.4 if seat == 0 else each / (2.0 * seat + 1))
    return any(len(floats) > 1 for floats in claims.values())


def a_case(rng):
    """Votes of a size at which ties are common, or rare."""
    most = rng.choice([4, 12, 40, 1000, 1_000_000, 20_000_000])
    votes = [rng.randint(0, most) for _ in range(rng.randint(1, 10))]
    if rng.random() < 0.15 and len(votes) > 1:
        votes[rng.randrange(len(votes))] = rng.choice(votes)
    threshold = rng.choice([0, 0, 300, 400, 500, 1000])
    return votes, rng.choice([1, 2, 3, 5, 7, 9, 12, 20, 31]), threshold


def words(numbers):
    return " ".join(str(number) for number in numbers)


def own_droop(votes, seats):
    """Largest remainders with Droop's quota; none where there is a tie."""
    quota = sum(votes) // (seats + 1) + 1
    given = [each // quota for each in votes]
    while sum(given) < seats:
        left = seats - sum(given)
        rest = sorted((each % quota for each in votes if each > 0), reverse=True)
        if left < len(rest) and rest[left - 1] == rest[left]:
            return None
        least = rest[min(left, len(rest)) - 1]
        given = [n + (each > 0 and each % quota >= least) for n, each in zip(given, votes)]
    return given


def main():
    rng = random.Random(20_240_609)
    left_out = 0
    print("method,seats,threshold,votes,result,forwards,backwards")
    for method in NAMES:
        done = 0
        while done < PER_METHOD:
            votes, seats, threshold = a_case(rng)
            if not any(methods.apply_threshold(votes, Fraction(threshold, 10_000))):
                continue
            if method == "modified-sainte-lague" and floats_mislead(votes, seats, threshold):
                left_out += 1
                continue
            given, tie = theirs(method, votes, seats, threshold)
            result = words(given) + ",," if given else f"tie,{words(tie[0])},{words(tie[1])}"
            print(f"{method},{seats},{threshold},{words(votes)},{result}")
            done += 1
    for _ in range(PER_METHOD):
        votes, seats, _ = a_case(rng)
        if any(votes):
            given = own_droop(votes, seats)
            print(f"droop-remainder,{seats},0,{words(votes)},{words(given) if given else 'tie'},,")
    print(f"left out for floats: {left_out}", file=sys.stderr)


if __name__ == "__main__":
    main()
