/** Stacks that the campaigns of faults use side by side, `FAULT_SLOTS`. */
export const slots = (process.env.FAULT_SLOTS ?? "1,11").split(",").map(Number)
