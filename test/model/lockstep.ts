/** Somebody whose turn it can be; who is gone never has one again. */
export interface Actor {
  gone: boolean;
}

interface Sleeper {
  who: Actor | undefined;
  signal: AbortSignal | undefined;
  atMs: number;
  wake: () => void;
  interrupt: (reason: unknown) => void;
}

/** More turns than any history needs: something never ends. */
const maxTurns = 50_000;

/**
 * Virtual time, and whose turn it is. Of all that wait one goes on at a time, until it waits again, so that a history repeats exactly.
 * Time passes where all sleep, and a little with each turn.
 */
export class Lockstep {
  nowMs: number;
  readonly #order: 'in-turn' | 'one-at-a-time';
  readonly #waiting: { who: Actor; go: () => void }[] = [];
  #sleeping: Sleeper[] = [];
  #last: Actor | undefined;
  #quiet: (() => void) | undefined;

  /** @param order where several wait: each in turn, or whoever had the last one for as long as it can */
  constructor(nowMs: number, order: 'in-turn' | 'one-at-a-time') {
    this.nowMs = nowMs;
    this.#order = order;
  }

  turn(who: Actor): Promise<void> {
    return new Promise((go) => this.#waiting.push({ who, go }));
  }

  /** @throws the signal's reason, when it aborts */
  sleep(durationMs: number, who?: Actor, signal?: AbortSignal): Promise<void> {
    return new Promise((wake, interrupt) => {
      this.#sleeping.push({ who, signal, atMs: this.nowMs + durationMs, wake, interrupt });
    });
  }

  /** Until nobody has anything left to do. */
  quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#quiet = resolve;
    });
  }

  /** Gives turns until the work has ended. */
  async run(work: Promise<void>): Promise<void> {
    let ended = false;
    const watched = work.finally(() => {
      ended = true;
    });
    for (let turns = 0; !ended; turns++) {
      if (turns > maxTurns) throw new Error(`no end after ${maxTurns} turns`);
      this.#give();
      // Whoever goes on does so until it waits again: everything between is microtasks.
      await new Promise(setImmediate);
    }
    await watched;
  }

  #give(): void {
    this.#sleeping = this.#sleeping.filter(({ who }) => !who?.gone);
    if (this.#wake((sleeper) => sleeper.signal?.aborted || sleeper.atMs <= this.nowMs)) return;
    const next = this.#next();
    if (next) {
      this.#last = next.who;
      next.go();
      return;
    }
    const first = Math.min(...this.#sleeping.map(({ atMs }) => atMs));
    if (first < Number.POSITIVE_INFINITY) {
      this.nowMs = Math.max(this.nowMs, first);
      return;
    }
    const quiet = this.#quiet;
    this.#quiet = undefined;
    quiet?.();
  }

  #wake(due: (sleeper: Sleeper) => boolean | undefined): boolean {
    const woken = this.#sleeping.find(due);
    if (!woken) return false;
    this.#sleeping = this.#sleeping.filter((sleeper) => sleeper !== woken);
    if (woken.signal?.aborted) woken.interrupt(woken.signal.reason);
    else woken.wake();
    return true;
  }

  #next() {
    for (let index = this.#waiting.length - 1; index >= 0; index--) {
      if (this.#waiting[index]?.who.gone) this.#waiting.splice(index, 1);
    }
    const own = this.#order === 'in-turn' ? -1 : this.#waiting.findIndex(({ who }) => who === this.#last);
    return this.#waiting.splice(Math.max(own, 0), 1)[0];
  }
}
