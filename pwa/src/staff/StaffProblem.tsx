/** Why the last thing was refused. */

import { lang } from "../state/signals";
import { errorText } from "../texts/texts";
import { staffProblem } from "./signed_in";

export function StaffProblem() {
  const said = staffProblem.value;
  return (
    <div role="alert" data-problem={said?.code}>
      {said && <p class="banner bad">{errorText(lang.value, said.code)}</p>}
    </div>
  );
}
