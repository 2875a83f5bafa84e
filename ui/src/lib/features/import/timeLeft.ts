/** How long work goes on at the rate it had so far. */

/** Seconds after which a rate is taken to be one. */
const SETTLED = 1.5;

/** `12 s`, `3 min`, `1 h 5 min`; `null` while it cannot be told. */
export function timeLeft(done: number, total: number, seconds: number): string | null {
  if (done <= 0 || total <= done || seconds < SETTLED) return null;
  const left = ((total - done) / done) * seconds;
  if (left < 60) return `${Math.max(1, Math.ceil(left))} s`;
  const minutes = Math.ceil(left / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
