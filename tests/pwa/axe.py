"""What axe finds wrong with a page: its rules of WCAG 2.2, A and AA, and its best practices."""

from __future__ import annotations

from functools import cache

from playwright.async_api import Page
from pydantic import BaseModel

from tools.dev.layout import PWA

PROGRAM = PWA / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
  const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations, passes } = await axe.run(document, { runOnly: rules });
  return {
    passed: passes.length,
    found: violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}\\n  ${html}\\n  ${failureSummary}`)),
  };
}"""


class Judged(BaseModel):
    """What axe says. ``passed``: rules that had something to look at; ``found``: what is wrong, in words."""

    passed: int
    found: list[str]


async def judged(page: Page) -> Judged:
    """Let axe judge the page as it stands."""
    # Once a document: a page that was not left has it already.
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(source())
    return Judged.model_validate(await page.evaluate(RUN))


async def assert_accessible(page: Page, what: str) -> None:
    """Fail with everything that axe finds, in the light and in the dark."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        said = await judged(page)
        assert said.passed > 0, f"{what}: axe looked at nothing"
        assert said.found == [], f"{what}, {scheme}:\n" + "\n".join(said.found)


@cache
def source() -> str:
    """Return axe itself, as a script."""
    return PROGRAM.read_text(encoding="utf-8")
