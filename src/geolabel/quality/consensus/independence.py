"""How independent a vote is: people who were shown the same proposal lean the same way.

The members of a group of k that lean together count for k / (1 + (k - 1) * rho) votes, the effective size of a sample
whose members correlate by rho (Kish 1965, Survey Sampling, section 5.4); each of them weighs 1 / (1 + (k - 1) * rho).
Rules and models are no votes at all as soon as a person answered (`votes.collect`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from geolabel.nouns.answer import Answer

RHO = 0.5
"""Correlation of people who were shown the same proposal, where too little was withheld to measure it."""
PROPOSAL, CONSENSUS = "proposal:", "consensus"


def proposals_of(answer: Answer) -> tuple[str, ...]:
    """What an answer was shown that leads: `proposal:<annotator that made it>` and `consensus`, by name."""
    return tuple(sorted({word for word in answer.shown if word.startswith(PROPOSAL) or word == CONSENSUS}))


def independence(heard: Sequence[Answer], rho: Mapping[str, float]) -> tuple[float, ...]:
    """Weight of each heard answer to one task, 0-1: 1 for who saw no proposal, or was the only one to see it.

    Who was shown several counts in the group that weighs least.

    Parameters
    ----------
    rho
        Proposal -> correlation of those who were shown it; `RHO` for others.
    """
    seen = [proposals_of(answer) for answer in heard]
    size = Counter(word for words in seen for word in words)
    each = {word: 1 / (1 + (k - 1) * rho.get(word, RHO)) for word, k in size.items()}
    return tuple(min((each[word] for word in words), default=1.0) for words in seen)
