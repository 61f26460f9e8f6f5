import { type Found, movedSince } from './1a-observe.ts';
import { takeSlot } from './1c-slot.ts';
import { announce } from './announce.ts';
import { clientSecretIn, isClientSecret } from './client-secret.ts';
import { changeoverMs, liveLooksMs, reserveMs, slotToPressMs } from './limits.ts';
import type { Ports, RotateDialog } from './ports.ts';
import { LoginRefused, RotationError } from './rotation-error.ts';
import { type Run, requireTime } from './run.ts';
import { credentialsOf } from './secrets.ts';

/**
 * The one irreversible click, and the secret that the portal shows after it. The dialog is opened and understood before the slot is
 * taken; between the slot and the press stand only the last checks.
 *
 * @returns the new client secret, and when the press was made on the monotonic clock
 * @throws {RotationError} with `pressed` as the evidence has it; never presses again
 */
export async function press(
  run: Run,
  ports: Ports,
  found: Found,
): Promise<{ clientSecret: string; pressedAtMs: number }> {
  requireTime(run, changeoverMs(run.limits), 'a changeover', 'no');
  const [stale] = await Promise.all([staleSecrets(run, ports, found), ports.events.prove()]);
  const dialog = await found.tools.openRotateDialog(run.signal);
  let leftMs: number;
  try {
    const slotBeganMs = await takeSlot(run, ports, found);
    await announce(run, ports, found, 'rotation-started', {
      attempt: found.nextAttempt,
      ...(found.token && { existing_tokens_valid: true }),
    });
    leftMs = await lastChecks(run, ports, found, slotBeganMs);
  } catch (error) {
    await dialog.cancel(run.signal).catch(() => undefined);
    throw error;
  }
  const pressedAtMs = ports.clock.monotonicMs();
  const trouble = await click(run, dialog, leftMs);
  return { clientSecret: await readUntilItDiffers(run, ports, found, stale, trouble), pressedAtMs };
}

/** The page may go on showing the secret of before, or even the one before that. */
async function staleSecrets(run: Run, ports: Ports, { shownSecret, current }: Found): Promise<Set<string>> {
  const previous = await ports.secrets.read(run.secretId, { label: 'AWSPREVIOUS' });
  const previousSecret = previous && clientSecretIn(previous.value);
  if (previousSecret) ports.learnSecret(previousSecret);
  return new Set([shownSecret, current.secret.client_secret, previousSecret].filter((value) => value !== undefined));
}

/** @returns what is left of D for the click itself: a page may be slow to take it */
async function lastChecks(run: Run, ports: Ports, found: Found, slotBeganMs: number): Promise<number> {
  const refuse = (what: string) =>
    new RotationError({
      category: 'concurrency',
      what: `${what} just before the press; this invocation did not press`,
      retryable: true,
      pressed: 'no',
      action: 'none if the retry succeeds',
    });
  const moved = await movedSince(run, ports, found);
  if (moved) throw refuse(moved);
  if ((await found.tools.shown(run.signal)) !== found.shownSecret)
    throw refuse('the portal showed another client secret');
  requireTime(run, changeoverMs(run.limits) - slotToPressMs, 'the press and what follows it', 'no');
  const elapsedMs = ports.clock.monotonicMs() - slotBeganMs;
  if (elapsedMs > slotToPressMs)
    throw refuse(`${elapsedMs} ms had passed since the slot was taken (${slotToPressMs} are allowed)`);
  return slotToPressMs - elapsedMs;
}

/** What the click threw, unless it certainly was not made: then there is nothing to observe. */
async function click(run: Run, dialog: RotateDialog, withinMs: number): Promise<unknown> {
  try {
    await dialog.press(run.signal, withinMs);
    return undefined;
  } catch (error) {
    if (error instanceof RotationError && error.pressed === 'no') throw error;
    return error;
  }
}

/**
 * Looks until the portal shows a secret that it did not show before: first at the page as it stands, then loading it anew. One that is
 * like those of before is taken at once, any other when the token endpoint accepts it. What goes wrong meanwhile is no reason to stop
 * looking, but for a refused login: nobody may try that again.
 */
async function readUntilItDiffers(
  run: Run,
  ports: Ports,
  found: Found,
  stale: ReadonlySet<string>,
  trouble: unknown,
): Promise<string> {
  const { propagationMs, lateEffectMs } = run.limits;
  const beganMs = ports.clock.monotonicMs();
  const elapsedMs = () => ports.clock.monotonicMs() - beganMs;
  const isInTime = () => elapsedMs() <= lateEffectMs + propagationMs;
  let live = trouble === undefined;
  let what = 'after the press the portal could not be read';
  const doubted = new Map<string, number>();
  /** What only stands in the place of a secret is not accepted; a job, or half of the value, may stand there for seconds. */
  const isAccepted = async (shown: string) => {
    if (elapsedMs() - (doubted.get(shown) ?? Number.NEGATIVE_INFINITY) < 1_000) return false;
    doubted.set(shown, elapsedMs());
    const answer = await ports.tokens.mint(credentialsOf(found.current.secret, shown), run.signal);
    if (answer.verdict === 'accepted') ports.learnSecret(answer.token.accessToken);
    return answer.verdict === 'accepted';
  };
  let lastTrouble = trouble;
  while (isInTime() && run.remainingMs() > reserveMs && !run.signal.aborted) {
    live &&= elapsedMs() < liveLooksMs;
    try {
      const shown = await (live ? found.tools.shown(run.signal) : found.tools.look(run.signal));
      ports.learnSecret(shown);
      if (!stale.has(shown) && isClientSecret(shown) && (isLikeBefore(shown, found) || (await isAccepted(shown)))) {
        // An invocation may have stood still: by now others may have pressed, and what is shown may be superseded.
        if (isInTime()) return shown;
        what = 'long after the press the portal showed another client secret, which may be another rotation’s';
        if (!(await movedSince(run, ports, found))) return shown;
        break;
      }
      what =
        doubted.size > 0
          ? 'after the press the portal showed what neither looks like a client secret of this provider nor is accepted'
          : 'after the press the portal went on showing the client secret of before';
    } catch (error) {
      live = false;
      lastTrouble = error;
      if (error instanceof LoginRefused) throw error.with({ pressed: 'unknown' });
    }
    await ports.clock.sleep(live ? 25 : 1_000, run.signal).catch(() => undefined);
  }
  throw new RotationError({
    category: 'portal-unavailable',
    what: lastTrouble instanceof RotationError ? `${what}: ${lastTrouble.what}` : what,
    retryable: true,
    pressed: 'unknown',
    action: 'none if the retry succeeds: it looks again, and adopts or presses as the portal shows',
    cause: lastTrouble,
  });
}

/** Of the length and the kinds of characters that the provider's secrets have: nothing else on a page is. */
function isLikeBefore(shown: string, { shownSecret }: Found): boolean {
  const kinds = [/[a-z]/, /[A-Z]/, /\d/];
  return shown.length === shownSecret.length && kinds.every((kind) => kind.test(shown) || !kind.test(shownSecret));
}
