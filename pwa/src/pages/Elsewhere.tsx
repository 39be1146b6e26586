/** On a room's own page: where notices, wishes and the bell are, since they are not here. */

import { addressIn } from "../join/fragment";
import { me, t } from "../state/signals";
import { hashOf, type PageName } from "./route";

export function Elsewhere({ name }: { name: PageName }) {
  const relay = addressIn(me.value?.relay_url ?? "");
  if (relay === null) {
    return (
      <p class="panel" data-elsewhere="alone">
        {t("elsewhere.alone")}
      </p>
    );
  }
  return (
    <div class="panel" data-elsewhere="relay">
      <p>{t("elsewhere.relay")}</p>
      <p>
        <a class="address" href={`${relay.replace(/\/$/, "")}/${hashOf(name)}`}>
          {relay}
        </a>
      </p>
    </div>
  );
}
