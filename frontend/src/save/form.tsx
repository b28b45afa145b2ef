// Small pieces of the forms in "Save".
import type { ComponentChildren, JSX } from "preact";

/** A whole number within bounds; while something else is written, nothing changes. */
export function Whole({ label, value, least, most, step = 1, change }: {
  label: string;
  value: number;
  least: number;
  most: number;
  step?: number;
  change: (value: number) => void;
}): JSX.Element {
  const read = (text: string): void => {
    const number = Number(text);
    if (text.trim() && Number.isInteger(number) && number >= least && number <= most) change(number);
  };
  return (
    <label class="whole">
      <span>{label}</span>
      <input
        type="number" inputMode="numeric" min={least} max={most} step={step} value={value} aria-label={label} onInput={(event) => read(event.currentTarget.value)}
        onBlur={(event) => (event.currentTarget.value = String(value))}
      />
    </label>
  );
}

export function Check({ label, title, checked, disabled, change }: {
  label: ComponentChildren;
  title?: string;
  checked: boolean;
  disabled?: boolean;
  change: (checked: boolean) => void;
}): JSX.Element {
  return (
    <label class={`check ${disabled ? "off" : ""}`} title={title}>
      <input type="checkbox" checked={checked} disabled={disabled} onChange={(event) => change(event.currentTarget.checked)} /> {label}
    </label>
  );
}

/** A line of a form: what is chosen, and how. */
export function Line({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="line" role="group" aria-label={title}>
      <span class="faint" aria-hidden="true">{title}</span>
      <div>{children}</div>
    </div>
  );
}
