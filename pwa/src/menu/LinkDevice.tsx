/** A one-time code for the next device, to scan or to type. */

import { useSignal } from "@preact/signals";
import { encode } from "uqr";
import { makeLinkCode } from "../api/calls";
import { problemOf } from "../api/http";
import { WhyNot } from "../join/JoinScreen";
import { lang, t, type Problem } from "../state/signals";
import { timeOfDay } from "../texts/texts";
import type { LinkCode } from "../wire/types";

export function LinkDevice() {
  const code = useSignal<LinkCode | null>(null);
  const problem = useSignal<Problem | null>(null);
  const busy = useSignal(false);

  async function make() {
    busy.value = true;
    problem.value = null;
    try {
      code.value = await makeLinkCode();
    } catch (error) {
      problem.value = problemOf(error);
    }
    busy.value = false;
  }

  return (
    <section class="menu-part">
      <button type="button" data-testid="link-device" disabled={busy.value} onClick={() => void make()}>
        {t("menu.link")}
      </button>
      {code.value && <CodePicture code={code.value} />}
      <p class="refusal" role="alert">
        {problem.value && <WhyNot said={problem.value} />}
      </p>
    </section>
  );
}

function CodePicture({ code }: { code: LinkCode }) {
  const address = `${location.origin}/#link=${encodeURIComponent(code.code)}`;
  const { data, size } = encode(address, { ecc: "M", border: 2 });
  const dark = data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : "")));
  return (
    <div class="link-code">
      <svg
        class="qr"
        viewBox={`0 0 ${size} ${size}`}
        role="img"
        aria-label={t("menu.link_picture", { code: code.code })}
        shape-rendering="crispEdges"
      >
        <rect class="qr-light" width={size} height={size} />
        <path class="qr-dark" d={dark.join("")} />
      </svg>
      <p class="code" data-testid="link-code">
        {code.code}
      </p>
      <p class="hint">
        {t("menu.link_hint", { time: timeOfDay(lang.value, Date.parse(code.expires_at)) })}
      </p>
    </div>
  );
}
