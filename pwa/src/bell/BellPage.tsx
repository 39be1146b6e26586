/** The bell's page: this device, a test, and all devices of the resident that ring. */

import { Elsewhere } from "../pages/Elsewhere";
import { PageFrame } from "../pages/PageFrame";
import { me, t } from "../state/signals";
import { Icon } from "../ui/icons";
import { bell } from "./bell";
import { BellSwitch } from "./Bell";
import { Devices } from "./Devices";
import { BellTrouble, Help } from "./Help";
import { TestBells } from "./TestBells";
import { bellWords } from "./words";

export function BellPage() {
  const at_relay = me.value?.wishes != null;
  return (
    <PageFrame name="bell" title={t("bell.page")}>
      <ThisDevice />
      {at_relay ? (
        <>
          <TestBells />
          <Devices />
        </>
      ) : (
        <Elsewhere name="bell" />
      )}
    </PageFrame>
  );
}

function ThisDevice() {
  const now = bell.value;
  const rings = now.state === "on" || now.state === "asking";
  return (
    <section class="panel" aria-labelledby="this-device">
      <h2 id="this-device">{t("bell.this_device")}</h2>
      <p
        class={`bell-state ${now.state}`}
        role="status"
        data-bell-said={now.state}
        data-bell-why={"why" in now ? now.why : undefined}
      >
        <Icon name={rings ? "bell_on" : "bell_off"} />
        <span>
          {now.state === "off" && now.why === "never" ? t("bell.off_now") : bellWords(now)}
        </span>
      </p>
      <Help />
      <BellSwitch testid="bell-switch" both />
      <BellTrouble />
    </section>
  );
}
