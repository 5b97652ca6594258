"""Show a value without what must not end up in a log or fill it: keys, tokens, photos."""

import msgspec


def quiet(value: msgspec.Struct, *hidden: str) -> str:
    """The usual text of a struct, without some of its fields."""
    shown = (field for field in value.__struct_fields__ if field not in hidden)
    return f"{type(value).__name__}({', '.join(f'{field}={getattr(value, field)!r}' for field in shown)})"
