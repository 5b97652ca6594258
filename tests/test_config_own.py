"""A plugin's own settings get the types of its struct, and an error names key and line."""

from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Literal

import msgspec
import pytest

from gateway.config import OwnSettings, Secret, load, read_own
from gateway.errors import ConfigError


class Product(msgspec.Struct, frozen=True):
    name: str
    price: float = 0.0


class Shop(msgspec.Struct, frozen=True):
    url: str
    api_key: Secret = Secret()
    timeout: int = 10
    mode: Literal["fast", "slow"] = "fast"
    products: tuple[Product, ...] = ()
    best: Product | None = None
    folder: Path | None = None


class AllDefault(msgspec.Struct):
    open_at: int = 9


Read = Callable[..., Shop]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads the lines below `settings:` of a plugin called shop."""

    def make(*lines: str, **environ: str) -> Shop:
        file = tmp_path / "config.yaml"
        file.write_text("\n".join(["plugins:", "  shop:", "    settings:", *(f"      {line}" for line in lines)]))
        return read_own("shop", load(file, environ).plugin("shop").settings, Shop)

    return make


def test_settings_have_the_types_of_the_struct(read: Read) -> None:
    shop = read(
        "url: https://example.com",
        "api_key: ${KEY}",
        "timeout: ${WAIT}",
        "mode: slow",
        "products: [{name: milk, price: 2}, {name: bread}]",
        "folder: pictures",
        KEY="s3cret",
        WAIT="30",
    )

    assert shop == Shop(
        url="https://example.com",
        api_key=Secret("s3cret"),
        timeout=30,
        mode="slow",
        products=(Product("milk", 2.0), Product("bread")),
        folder=Path("pictures"),
    )


def test_nothing_written_means_all_defaults() -> None:
    assert read_own("shop", OwnSettings(), AllDefault).open_at == 9


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (["url: 7"], 'line 4: plugins.shop.settings.url: expected text, got a whole number; write "7" in quotes'),
        (["url: x", "timeout: soon"], "line 5: plugins.shop.settings.timeout: expected a whole number, got text"),
        (["url: x", "timeot: 5"], "line 5: plugins.shop.settings.timeot: no such setting; did you mean timeout?"),
        (["timeout: 5"], "line 4: plugins.shop.settings.url: it is missing, and has no default"),
        (["url: x", "mode: quick"], "line 5: plugins.shop.settings.mode: invalid enum value 'quick'"),
        (
            ["url: x", "products:", "  - name: a", "  - name: b", "    price: dear"],
            "line 8: plugins.shop.settings.products[1].price: expected a number, got text",
        ),
        (
            ["url: x", "products:", "  - {name: a, prise: 1}"],
            "line 6: plugins.shop.settings.products[0].prise: no such setting; did you mean price?",
        ),
        (["url: x", "best: {nam: a}"], "line 5: plugins.shop.settings.best.nam: no such setting; did you mean name?"),
        (["url: x", "api_key: 7"], "plugins.shop.settings.api_key: expected text, got a whole number"),
    ],
)
def test_an_error_names_line_key_and_what_to_write(read: Read, lines: list[str], error: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(*lines)

    assert error in str(caught.value)


def test_a_type_that_nothing_can_be_read_into_is_named() -> None:
    class Odd(msgspec.Struct):
        clock: Thread | None = None

    with pytest.raises(ConfigError, match="clock: a setting can't be a Thread"):
        read_own("shop", OwnSettings({"clock": "x"}), Odd)


def test_a_missing_setting_is_named_where_nothing_is_written() -> None:
    with pytest.raises(ConfigError, match=r"config.yaml: plugins.shop.settings.url: it is missing, and has no default"):
        read_own("shop", OwnSettings(), Shop)
