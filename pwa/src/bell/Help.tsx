/** What went wrong with the bell, and what to do about it step by step. */

import { t } from "../state/signals";
import { bell } from "./bell";
import { failureWords } from "./words";

export function BellTrouble() {
  const now = bell.value;
  const failure = now.state === "off" || now.state === "on" ? now.failure : null;
  return (
    <p class="refusal" role="alert" data-bell-failure={failure === null ? undefined : codeOf(failure)}>
      {failure !== null && failureWords(failure)}
    </p>
  );
}

/** The steps that help here; nothing where none do. */
export function Help() {
  const now = bell.value;
  if (now.state === "blocked") return <Steps text={t(`unblock.${now.how}`)} name={now.how} />;
  if (now.state === "impossible" && now.why === "home_screen") {
    return <Steps text={t("bell.home_screen.steps")} name="home_screen" />;
  }
  return null;
}

function Steps({ text, name }: { text: string; name: string }) {
  return (
    <ol class="steps" data-steps={name}>
      {text.split("\n").map((step) => (
        <li key={step}>{step}</li>
      ))}
    </ol>
  );
}

function codeOf(failure: string | { code: string }): string {
  return typeof failure === "string" ? failure : failure.code;
}
