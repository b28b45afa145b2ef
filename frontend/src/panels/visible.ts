// Which clusters are shown: all, some alone, some hidden.

/** Show one alone, or with others; again: all. */
export function soloed(solo: readonly number[], slot: number, withOthers: boolean): number[] {
  if (withOthers) return toggled(solo, slot);
  return solo.length === 1 && solo[0] === slot ? [] : [slot];
}

export function toggled(slots: readonly number[], slot: number): number[] {
  return slots.includes(slot) ? slots.filter((other) => other !== slot) : [...slots, slot].sort((one, other) => one - other);
}
