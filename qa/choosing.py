"""Which sentences are quoted: the best, others as good, both sides, what contradicts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from index.terms import index_terms
from qa.asking import sides
from qa.disagree import Conflict, Stated, find_conflicts, stated
from qa.expected import expectation
from qa.quoting import folded
from qa.ranking import AnswerSettings, Candidate
from qa.unfold import predecessors, unfolded

__all__ = ["Choice", "choose"]

CONTRADICTED = 20  # candidates behind those chosen among which a contradiction is looked for
CONTRADICTING = 0.5  # share of the best rank that one needs to be shown

Choice = tuple[list[Candidate], list[Conflict]]


def choose(question: str, ranked: Sequence[Candidate], settings: AnswerSettings) -> Choice:
    """Return the candidates to quote and, by their numbers, which contradict each other.

    The best comes first with what belongs to it, then the others in reading order.

    Args:
        question: Made whole.
        ranked: At least one candidate, the best first.
        settings: How many, and how good.
    """
    chosen = _in_order(_chosen(question, ranked, settings))
    return _with_contradictions(question, chosen, ranked, settings)


def _chosen(
    question: str, ranked: Sequence[Candidate], settings: AnswerSettings
) -> list[list[Candidate]]:
    """Return groups of sentences that belong together, the best group first."""
    least = ranked[0].rank * settings.near_best
    near = [candidate for candidate in ranked if candidate.rank >= least]
    wanted, asked = expectation(question), frozenset(index_terms(question))
    passages = list({id(each.passage): each.passage for each in ranked}.values())
    groups: list[list[Candidate]] = []
    known: set[str] = set()
    for candidate in _for_sides(question, ranked, near) or near:
        if len(known) >= settings.quotes:
            break
        parts = unfolded(candidate, wanted, settings.items, asked, passages)
        if not groups and len(parts) == 1:
            # "They cost £8,700": what they are stands in the sentence before.
            parts += predecessors(parts[0], most=1)
        parts = list({folded(part): part for part in parts if folded(part) not in known}.values())
        if parts:
            groups.append(parts)
            known.update(map(folded, parts))
    return groups


def _for_sides(
    question: str, ranked: Sequence[Candidate], near: Sequence[Candidate]
) -> list[Candidate]:
    """Return, where things are compared, the best sentence for each; none if one is about both."""
    named = [frozenset(index_terms(side)) for side in sides(question)]
    shared = frozenset.intersection(*named) if named else frozenset()
    own = [terms - shared for terms in named]
    if not all(own) or any(frozenset().union(*own) <= _terms(candidate) for candidate in near):
        return []
    found = [next((each for each in ranked if terms <= _terms(each)), None) for terms in own]
    return sorted((each for each in found if each), key=lambda each: -each.rank)


def _terms(candidate: Candidate) -> set[str]:
    sentence, citation = candidate.sentence, candidate.passage.citation
    return set(index_terms(" ".join((*citation.headings, sentence.context, sentence.text))))


def _in_order(groups: Sequence[list[Candidate]]) -> list[Candidate]:
    """Return the best group, then the rest document by document in reading order."""
    if not groups:
        return []
    rest = [candidate for group in groups[1:] for candidate in group]
    documents = list(dict.fromkeys(each.passage.document.id for each in rest))
    rest.sort(key=lambda each: (documents.index(each.passage.document.id), each.sentence.start))
    return [*groups[0], *rest]


def _with_contradictions(
    question: str,
    chosen: list[Candidate],
    ranked: Sequence[Candidate],
    settings: AnswerSettings,
) -> Choice:
    """Return what was chosen, with at most one sentence more that contradicts some of it."""
    known = set(map(folded, chosen))
    least = CONTRADICTING * ranked[0].rank
    others = [each for each in ranked if each.rank >= least and folded(each) not in known]
    pool = [*chosen, *others[:CONTRADICTED]]
    conflicts = find_conflicts(question, [_stated(each, settings) for each in pool])
    count = len(chosen)
    if not any(conflict.second < count for conflict in conflicts):
        added = next((c.second for c in conflicts if c.first < count), None)
        if added is not None:
            chosen = [*chosen, pool[added]]
            conflicts = [replace(c, second=count) for c in conflicts if c.second == added]
    shown = [each for each in conflicts if each.second < len(chosen)]
    # Of several pairs about one thing the first tells it.
    return chosen, list({each.about: each for each in reversed(shown)}.values())[::-1]


def _stated(candidate: Candidate, settings: AnswerSettings) -> Stated:
    sentence = candidate.sentence
    if sentence.margin < settings.short_from:
        sentence = replace(sentence, short=None)
    return stated(candidate.passage, sentence)
