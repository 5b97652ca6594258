"""A plugin's own settings as they stand in the file: JSON values, and where each is written.

Nobody knows their types before the plugin is loaded; `typed` reads them then.
"""

from collections.abc import Mapping
from typing import Any

from gateway.config.document import Place, Section


class OwnSettings(dict[str, Any]):
    """Values by name. What came from the environment is text."""

    def __init__(self, values: Mapping[str, Any] = {}, section: Section | None = None) -> None:
        """`section`: where they stand; None where nothing is written."""
        super().__init__(values)
        self.section = section

    def place(self, plugin: str) -> Place:
        """Where they stand."""
        return self.section.place if self.section else Place("config.yaml", 0, f"plugins.{plugin}.settings")
