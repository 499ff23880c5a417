"""Made-up words for topics and items, so that a past item can be called by a name. Fixed lists, no data of anyone."""
from __future__ import annotations

# In the order of the ring: neighbours are near in meaning, as the planted kernel of `history` has it.
TOPICS = ("jazz", "soul", "rock", "metal", "games", "robots", "space", "nature", "hiking", "travel", "cities", "design",
          "craft", "garden", "baking", "street food", "coffee", "running", "cycling", "football", "chess", "history",
          "theatre", "film")
_FIRST = ("Amber", "Birch", "Cobalt", "Drift", "Ember")
_SECOND = ("harbour", "lantern", "meadow", "signal")


def topic_name(topic: int) -> str:
    """«topic 7 · nature»; beyond the list, the number alone."""
    return f"topic {topic} · {TOPICS[topic]}" if topic < len(TOPICS) else f"topic {topic}"


def item_name(item: int, per_topic: int) -> str:
    """«Cobalt lantern · jazz»: a title that is unique within its topic, and the topic."""
    topic, number = divmod(item, per_topic)
    title = f"{_FIRST[number // len(_SECOND) % len(_FIRST)]} {_SECOND[number % len(_SECOND)]}"
    return f"{title} · {TOPICS[topic % len(TOPICS)]}"
