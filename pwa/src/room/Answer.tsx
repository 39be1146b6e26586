/** The sentence after a tap: refused and why, or done. Always there, so that readers hear it change. */

import { accepted, refusals } from "../state/commands";
import { lang, t } from "../state/signals";
import { refusalText, seenAnyway } from "./answers";

export function Answer({ at }: { at: string }) {
  const refused = refusals.value.get(at);
  const done = accepted.value.get(at);
  return (
    <>
      <p class="refusal" role="alert" data-refusal={refused?.code}>
        {refused && refusalText(lang.value, refused)}
      </p>
      <p
        class={done !== undefined && seenAnyway(done) ? "result unseen" : "result"}
        role="status"
        data-accepted={done}
      >
        {done && t(`done.${done}`)}
      </p>
    </>
  );
}
