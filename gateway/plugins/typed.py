"""A state as a mutable struct of its author's: read from the mapping, and written back into it when it is saved."""

from collections.abc import MutableMapping
from typing import Any, Generic, TypeVar

import msgspec

from gateway.errors import StateError

T = TypeVar("T", bound=msgspec.Struct)


class Typed(Generic[T]):
    """One struct over one mapping. Keys that it has no field for stay as they are."""

    def __init__(self, kind: type[T], values: MutableMapping[str, Any], plugin: str) -> None:
        """Read it; what is missing has its default.

        Raises:
            StateError: the struct can't be changed, a field has no default, or what is there has another type.
        """
        if kind.__struct_config__.frozen:
            raise StateError(
                f"ctx.state.typed({kind.__name__}) needs a struct that can be changed, without frozen=True"
            )
        self.kind = kind
        self._values = values
        names = {field.encode_name for field in msgspec.structs.fields(kind)}
        try:
            self.struct = msgspec.convert({key: values[key] for key in values if key in names}, kind)
        except msgspec.ValidationError as error:
            text = f"ctx.state of {plugin} does not fit {kind.__name__}: {error}"
            raise StateError(
                f"{text}. Give each field a default, and one that changes its type another name."
            ) from None
        self._read = msgspec.to_builtins(self.struct)

    def write(self) -> None:
        """Put what has changed into the mapping.

        Raises:
            StateError: a field holds what JSON can't keep.
        """
        try:
            now = msgspec.to_builtins(self.struct)
        except (TypeError, msgspec.MsgspecError) as error:
            raise StateError(f"ctx.state.typed({self.kind.__name__}) holds what JSON can't keep: {error}") from None
        for name in self._read.keys() - now.keys():
            self._values.pop(name, None)
        read = self._read
        self._values.update({name: value for name, value in now.items() if name not in read or read[name] != value})
