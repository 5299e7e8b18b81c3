"""Queries whose right answers are known without any engine: each is text and a function of a document.

A document is what the replay sent of a job: {"type", "state", "priority", "title", "labels"}.
"""
import random
import re


def words(text):
    return re.findall(r"[^\W_]+", text.lower())


class Queries:
    """Draws queries over the values that the documents have."""

    def __init__(self, seed, documents):
        self.dice, self.documents = random.Random(seed), documents

    def draw(self, count):
        """As many different ones: text -> what it means."""
        drawn = {}
        while len(drawn) < count:
            text, holds = self.query(self.dice.choice((1, 2, 2, 3)))
            drawn[text] = holds
        return drawn

    def query(self, depth):
        if depth == 1:
            return self.dice.choice((self.label, self.label, self.prefix, self.exists, self.state, self.kind, self.priority,
                                     self.word, self.phrase))()
        text, holds = self.query(depth - 1)
        other_text, other_holds = self.query(1)
        draw = self.dice.random()
        if draw < 0.2:
            return f"not ({text})", lambda document: not holds(document)
        if draw < 0.65:
            return f"({text}) and {other_text}", lambda document: holds(document) and other_holds(document)
        return f"({text}) or {other_text}", lambda document: holds(document) or other_holds(document)

    def some(self):
        return self.dice.choice(self.documents)

    def some_label(self):
        return self.dice.choice(sorted(self.some()["labels"].items()))

    def label(self):
        name, value = self.some_label()
        return f'labels.{name}:"{value}"', lambda document: document["labels"].get(name) == value

    def prefix(self):
        name, value = self.some_label()
        start = re.match(r"[\w-]*", value).group()[:-1]
        if not start:
            return self.label()
        return f"labels.{name}:{start}*", lambda document: document["labels"].get(name, "").startswith(start)

    def exists(self):
        name = self.dice.choice(("qos", "task", "nothing"))
        return f"labels.{name}:*", lambda document: name in document["labels"]

    def state(self):
        value = self.dice.choice(("succeeded", "failed"))
        return f"state:{value}", lambda document: document["state"] == value

    def kind(self):
        value = self.some()["type"]
        return f"type:{value}", lambda document: document["type"] == value

    def priority(self):
        bound, operator = self.some()["priority"], self.dice.choice((">", ">=", "<", "<="))
        holds = {">": lambda have: have > bound, ">=": lambda have: have >= bound,
                 "<": lambda have: have < bound, "<=": lambda have: have <= bound}[operator]
        return f"priority {operator} {bound}", lambda document: holds(document["priority"])

    def word(self):
        word = self.dice.choice(words(self.some()["title"]))
        text = f'"{word}"' if word in ("and", "or", "not") else word
        return f"title:{text}", lambda document: word in words(document["title"])

    def phrase(self):
        found = words(self.some()["title"])
        at = self.dice.randrange(len(found) - 1)
        phrase = found[at:at + 2]
        return f'title:"{" ".join(phrase)}"', lambda document: phrase in pairs(words(document["title"]))


def pairs(found):
    return [found[at:at + 2] for at in range(len(found) - 1)]
