"""A queue of thousands of sealed tubes on a phone, for measuring: filled in no time by the client's own engine
(web/src/ledger), built beside the application and loaded on a page of its own at the same address, so that it writes
into the same database under the same key. The application itself, as it is built, then finds and sends it.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from build_console import node
from phone_in_hand import Phone

AT_ONCE = 250
# Each tube is begun, filled scan by scan and sealed, as at the table.
FILL = """
async ([tubes, facts, sender]) => {
  const parts = ["store", "keys", "outbox", "tubes"].map((name) => import(`/measuring/${name}.js`))
  const [{ Store }, { deviceKey }, { Outbox }, { Tubes }] = await Promise.all(parts)
  const store = new Store()
  const key = await deviceKey(store)
  const table = new Tubes(store, new Outbox(store, key), key)
  const sealed = []
  for (const [barcode, people] of tubes) {
    let draft = await table.begin({ ...facts, barcode })
    for (const person of people) draft = await table.take(draft, person, { swabbed: true })
    for (const one of await table.seal(draft, sender)) sealed.push(one.id)
  }
  store.close()
  return sealed
}
"""
ENGINE = """
import { build } from "vite"
const names = ["store", "keys", "outbox", "tubes"]
await build({
  configFile: false,
  logLevel: "warn",
  publicDir: false,
  resolve: { alias: { crypto: process.cwd() + "/src/field/no_crypto.ts" } },
  build: {
    outDir: process.argv[1],
    emptyOutDir: true,
    lib: {
      entry: Object.fromEntries(names.map((name) => [name, `src/ledger/${name}.ts`])),
      formats: ["es"],
    },
  },
})
"""


async def build_engine(folder: Path) -> None:
    """The parts of the engine as modules in a folder. Raises CalledProcessError."""
    await asyncio.to_thread(node, "--input-type=module", "-e", ENGINE, str(folder))


async def fill(
    phone: Phone, engine: Path, people: Sequence[str], facts: dict[str, Any],
    sender: dict[str, str], *, tubes: int, letter: str,
) -> set[str]:  # fmt: skip
    """So many tubes of `facts`, of some people each, wait to be sent; the ids of their seals."""

    async def give(route: Any) -> None:
        name = Path(route.request.url).name
        if name.endswith(".js"):
            await route.fulfill(path=engine / name)
        else:
            await route.fulfill(body="<!doctype html>", content_type="text/html")

    await phone.fresh()
    await phone.page.route("**/measuring/**", give)
    await phone.page.goto(f"{phone.address}/measuring/")
    chance = Random(letter)  # noqa: S311  (the same people each time)
    sealed = set[str]()
    for first in range(0, tubes, AT_ONCE):
        part = [
            [f"T{letter}{n:06}", chance.sample(people, facts["capacity"])]
            for n in range(first, min(first + AT_ONCE, tubes))
        ]
        sealed |= set(await phone.page.evaluate(FILL, [part, facts, sender]))
    return sealed
