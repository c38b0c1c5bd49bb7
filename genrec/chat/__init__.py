"""A conversation about what to recommend: wishes add up over turns and can be taken back."""

from genrec.chat.conversation import Conversation, Turn
from genrec.chat.state import ChatState, Said

__all__ = ["ChatState", "Conversation", "Said", "Turn"]
