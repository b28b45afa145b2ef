// Three steps for who sees the page for the first time: they stand beside what they explain, which has a frame meanwhile.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { type App, useApp } from "../app";
import { useStore } from "../data/store";
import { endFirstSteps, NUM_STEPS, toStep } from "./first_visit";
import { Button } from "./parts";

export function FirstSteps(): JSX.Element | null {
  const app = useApp();
  const step = useStore(app.look, (look) => look.step);
  useEffect(() => {
    const { dataset } = document.documentElement;
    if (step === null) delete dataset.step;
    else dataset.step = String(step);
  }, [step]);
  if (step === null) return null;
  const [title, text] = stepsOf(app)[step];
  return (
    <aside class="first-steps" aria-label="first steps">
      <p role="status"><b>{title}</b> {text}</p>
      <div>
        <span class="faint">{step + 1} of {NUM_STEPS}</span>
        <span class="grow" />
        {step > 0 && <Button label="The step before" class="labelled" onClick={() => toStep(app, step - 1)}>back</Button>}
        <Button label={step < NUM_STEPS - 1 ? "The next step" : "Close; it will not come back"} class="labelled main" onClick={() => toStep(app, step + 1)}>{step < NUM_STEPS - 1 ? "next" : "done"}</Button>
        <Button icon="close" label="Close; it will not come back" keys="Esc" onClick={() => endFirstSteps(app)} />
      </div>
    </aside>
  );
}

function stepsOf({ recordings }: App): readonly [title: string, text: string][] {
  const hasClusters = recordings.some(({ meta }) => meta.num_codes > 0);
  return [
    ["The map.", `Every point is a state that the agent was in. States that its network represents alike lie near each other${hasClusters ? ", and each cluster has a colour" : ""}. Point at a state to see it; click to play its episode from there.`],
    ["The panels.", `${hasClusters ? "Clusters shows what each cluster looks like. " : ""}Show me lists moments worth seeing, States lays states side by side, Episodes has every episode. Hold Shift and drag on the map to compare the states inside the line with the rest.`],
    ["Words and keys.", "The question mark at the top explains every word and lists all keys. The browser’s Back takes back what you did, and the page’s address holds what you see, so that you can send it to others."],
  ];
}
