/**
 * The server's time, carried on by a timer that nobody can set. The browser's
 * clock is never believed; it only tells whether the timer slept with the machine.
 */

/** What the browser measures: a steady timer, and a clock that may be wrong; both in ms. */
export interface Measured {
  readonly steady: number;
  readonly wall: number;
}

/** How far timer and clock may drift apart before the timer counts as having slept, in ms. */
const SLEPT_MS = 5000;

export class ServerClock {
  #server = 0;
  #at: Measured;

  constructor(private readonly measure: () => Measured) {
    this.#at = measure();
  }

  /** Takes the server's time, RFC 3339. */
  set(now: string): void {
    const server = Date.parse(now);
    if (Number.isNaN(server)) return;
    this.#server = server;
    this.#at = this.measure();
  }

  /** The server's time, in ms; 0 as long as it is not known. */
  now(): number {
    return this.#server === 0 ? 0 : this.#server + this.measure().steady - this.#at.steady;
  }

  /** Whether the machine seems to have slept since the time was set, so that it must be asked for again. */
  slept(): boolean {
    const { steady, wall } = this.measure();
    return Math.abs(wall - this.#at.wall - (steady - this.#at.steady)) > SLEPT_MS;
  }
}

export function measureHere(): Measured {
  return { steady: performance.now(), wall: Date.now() };
}
