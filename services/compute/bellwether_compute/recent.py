"""The latest acts of a brand in memory, by what the rules with short windows look at.

A rule that cannot have seen enough needs nothing of PostgreSQL: memory is whole from some
moment on, and only what happened before that, or is late, has to be looked up.
"""

from __future__ import annotations

from bellwether.catalogue.screen import RULES, Rule
from bellwether_compute.acts import Act

EVER = -(2**40)
"""Before all moments."""
_SLACK_S = 60
"""Acts are kept for so long beyond the window of their rule, so that what comes a little late is still judged here."""
_MOST = 50_000
"""So many acts of a rule are kept at most."""


class Recent:
    """The acts that one rule sees, by its subjects.

    whole_from: everything that happened at this moment (UTC seconds) or later is here
    late_before: windows that hold an earlier moment reach back to what is not here
    """

    __slots__ = ("_by_subject", "_keeps_s", "_kept_from", "_latest", "_size", "late_before", "rule", "whole_from")

    def __init__(self, rule: Rule, whole_from: int) -> None:
        self.rule = rule
        self.whole_from = whole_from
        self.late_before = whole_from + rule.within_s
        self._by_subject: dict[str, list[Act]] = {}
        self._keeps_s = rule.within_s + _SLACK_S
        self._latest = self._kept_from = self._size = 0

    def put(self, subject: str, act: Act) -> list[Act] | None:
        """Take an act; all of its subject, this one last, if the rule may mark something by it."""
        acts = self._by_subject.get(subject)
        if acts is None:
            acts = self._by_subject[subject] = [act]
        else:
            acts.append(act)
        self._size += 1
        self._latest = max(self._latest, act.moment)
        return acts if len(acts) >= self.rule.least or act.moment < self.late_before else None

    def let_go(self) -> None:
        """Forget what is old, once it is worth the while; all of it where that is still too much."""
        if self._size <= _MOST and self._latest - self._kept_from < 2 * self._keeps_s:
            return
        self._kept_from = self._latest - self._keeps_s
        self._keep_from(self._kept_from)
        if self._size > _MOST:
            self._keep_from(self._latest + 1)

    def _keep_from(self, moment: int) -> None:
        kept = {subject: [a for a in acts if a.moment >= moment] for subject, acts in self._by_subject.items()}
        self._by_subject = {subject: acts for subject, acts in kept.items() if acts}
        self._size = sum(map(len, self._by_subject.values()))
        self.whole_from = max(self.whole_from, moment)
        self.late_before = self.whole_from + self.rule.within_s


class Recents:
    """The latest acts of a brand, for the rules with short windows.

    whole_from: nothing that is stored happened at this moment (UTC seconds) or later
    """

    __slots__ = ("burst", "same_text", "spree")

    def __init__(self, whole_from: int = EVER) -> None:
        self.burst = Recent(RULES["burst"], whole_from)
        self.same_text = Recent(RULES["same_text"], whole_from)
        self.spree = Recent(RULES["spree"], whole_from)

    def of(self, rule: str) -> Recent:
        """What one of the rules sees. Raises KeyError for another one."""
        return {"burst": self.burst, "same_text": self.same_text, "spree": self.spree}[rule]

    def let_go(self) -> None:
        """Forget what is old."""
        for recent in (self.burst, self.same_text, self.spree):
            recent.let_go()
