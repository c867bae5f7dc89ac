"""Questions made of what documents say: of a sentence, and of a heading.

Turning a statement into a question needs its subject, its verb and the words that answer
(Heilman and Smith, 2010, Good Question!). Without a parser only sentences are taken whose form
leaves no doubt: a short subject, a verb of a known kind, a phrase of a known kind. Of all others
nothing is made: a question that is not suggested costs nothing, one in bad English costs trust.
"""

from __future__ import annotations

from qa.suggest.suggested import suggested_questions

__all__ = ["suggested_questions"]
