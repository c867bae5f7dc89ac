"""Conversations kept on disk: as references to documents, never as their text."""

from __future__ import annotations

from qa.chats.store import FEEDBACK, Chats, ConversationInfo, Feedback, StoredTurn

__all__ = ["FEEDBACK", "Chats", "ConversationInfo", "Feedback", "StoredTurn"]
