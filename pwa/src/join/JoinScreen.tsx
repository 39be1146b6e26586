/** The way in by a typed code; one that came in the address was tried already. */

import { useSignal } from "@preact/signals";
import { LangSwitch } from "../menu/LangSwitch";
import { enter, exchange } from "../state/session";
import { lang, problem, t, type Problem } from "../state/signals";
import { errorText } from "../texts/texts";
import { addressIn, type GivenKind } from "./fragment";

export function JoinScreen() {
  const kind = useSignal<GivenKind>("join");
  const code = useSignal("");
  const busy = useSignal(false);

  async function submit(event: Event) {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    if (await exchange({ kind: kind.value, value: code.value.trim() })) await enter();
    busy.value = false;
  }

  return (
    <main class="narrow">
      <h1>{t("join.title")}</h1>
      <p class="intro">{t("join.intro")}</p>
      <ProblemSentence />
      <form class="join" data-testid="join-form" onSubmit={(event) => void submit(event)}>
        <fieldset class="choice">
          <legend>{t("join.which")}</legend>
          <KindChoice kind="join" chosen={kind.value} choose={(k) => (kind.value = k)} />
          <KindChoice kind="link" chosen={kind.value} choose={(k) => (kind.value = k)} />
        </fieldset>
        <label for="code">{t("join.code")}</label>
        <input
          id="code"
          data-testid="join-code"
          value={code.value}
          onInput={(event) => (code.value = event.currentTarget.value)}
          aria-describedby="code-hint"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          minLength={6}
          maxLength={20}
          placeholder="XXXX-XXXX"
          required
        />
        <p id="code-hint" class="hint">
          {t(kind.value === "join" ? "join.hint_join" : "join.hint_link")}
        </p>
        <button class="primary" data-testid="join-submit" disabled={busy.value}>
          {t(busy.value ? "join.busy" : "join.submit")}
        </button>
      </form>
      <LangSwitch />
    </main>
  );
}

interface KindChoiceProps {
  kind: "join" | "link";
  chosen: GivenKind;
  choose(kind: GivenKind): void;
}

function KindChoice({ kind, chosen, choose }: KindChoiceProps) {
  return (
    <label class="option">
      <input
        type="radio"
        name="kind"
        data-testid={`join-kind-${kind}`}
        checked={chosen === kind}
        onChange={() => choose(kind)}
      />
      <span>{t(`join.kind_${kind}`)}</span>
    </label>
  );
}

/** Why the last code or voucher was refused. */
export function ProblemSentence() {
  const said = problem.value;
  return (
    <div role="alert" data-problem={said?.code}>
      {said && (
        <p class="banner bad">
          <WhyNot said={said} />
        </p>
      )}
    </div>
  );
}

/** A refusal as a sentence; where to go instead, if the server names an address. */
export function WhyNot({ said }: { said: Problem }) {
  const address = said.code === "join_at_relay" ? addressIn(said.detail) : null;
  return (
    <>
      {errorText(lang.value, said.code)} {address && <a href={address}>{address}</a>}
    </>
  );
}
