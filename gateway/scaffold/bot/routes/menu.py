"""Takes an order by menu and remembers it: "again" orders the same once more."""

from typing import Final

from gateway import Context, MessagesUpsert, Plugin
from gateway import filters as f

plugin = Plugin()

DISHES: Final = {"pizza": "Pizza", "pasta": "Pasta", "salad": "Salad"}
SIZES: Final = {"small": "Small", "large": "Large"}
DISH: Final = f.choice(DISHES)
SIZE: Final = f.choice(SIZES)


@plugin.message(f.private & f.text("menu", "hi", "hello"))
async def begin(event: MessagesUpsert, ctx: Context) -> None:
    """Whoever begins anew is asked for the dish, wherever they were."""
    ctx.state["step"] = "dish"
    ctx.menu("What would you like?", DISHES)


@plugin.message(f.state(step="dish") & DISH)
async def dish(event: MessagesUpsert, ctx: Context) -> None:
    """A button, a number and the dish's name are all the same answer."""
    ctx.state["dish"] = ctx.captured(DISH)
    ctx.state["step"] = "size"
    ctx.menu("Which size?", SIZES)


@plugin.message(f.state(step="size") & SIZE)
async def size(event: MessagesUpsert, ctx: Context) -> None:
    """The order is complete: it stays remembered, the step does not."""
    del ctx.state["step"]
    ctx.state["order"] = f"{SIZES[ctx.captured(SIZE)]} {DISHES[ctx.state.pop('dish')]}"
    ctx.reply(f"{ctx.state['order']}, coming up!")


@plugin.message(f.private & f.text("again"))
async def again(event: MessagesUpsert, ctx: Context) -> None:
    """Order what was ordered last."""
    order = ctx.state.get("order")
    ctx.reply(f"{order}, once more!" if order else "You have ordered nothing yet. Write: menu")


@plugin.message(f.private & (f.state(step="dish") | f.state(step="size")))
async def unclear(event: MessagesUpsert, ctx: Context) -> None:
    """Somebody is asked for something and writes something else."""
    ctx.reply("Please pick one of the options, or write: menu")
