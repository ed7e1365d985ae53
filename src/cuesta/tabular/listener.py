"""The methods that a run calls to report its progress."""

from __future__ import annotations

from cuesta.tabular.prepare import Task


class Listener:
    """Told what happens in a run, and does nothing; a view of a run overrides what it shows."""

    def said(self, text: str) -> None:
        """A sentence for the user: a warning, or what was decided."""

    def prepared(self, task: Task) -> None:
        """The table is read, encoded, sealed and folded."""

    def started(self, lane_epochs: int) -> None:
        """The search begins: this much work at most."""

    def found(self, lane_epochs: int) -> None:
        """So much of the work is in the journal already."""

    def added(self, lane_epochs: int) -> None:
        """So much more work: networks that are trained again for their weights."""

    def progressed(self, lane_epochs: int) -> None:
        """So many more lane-epochs are done. May be called from any thread."""

    def finished(self) -> None:
        """All lanes are trained."""
