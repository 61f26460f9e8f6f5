import { expect, test, vi } from 'vitest';
import { playwrightPortal } from '../../../lambda/portal/portal.ts';
import type { DeveloperTools } from '../../../lambda/rotation/ports.ts';
import type { RotationError } from '../../../lambda/rotation/rotation-error.ts';
import { laterMs } from '../../../local/portal/server.ts';
import { combinations, type Rendering } from './combinations.ts';
import { simulated } from './simulated.ts';

/** All pairs of traits; `PORTAL_MATRIX=triples` takes hours' worth of portals more. */
const portals = await combinations(process.env.PORTAL_MATRIX === 'triples' ? 3 : 2);

// Side by side: a browser waits more than it works.
test.concurrent.each(portals.map((traits) => [Object.values(traits).join(' '), traits] as const))(
  'pressed once: %s',
  async (_name, traits) => pressesOnce(traits),
);

/** A whole way through a portal with these traits: one press, the new secret read, and nothing else touched. */
async function pressesOnce(traits: Rendering): Promise<void> {
  // A page that is only on the way is not looked at for so long; no busy machine makes a click fail that succeeds.
  const portal = await simulated(traits, { settleMs: 300, clickMs: 10_000 });
  const { provider, account, profile } = portal;
  const signal = AbortSignal.timeout(60_000);
  let tools: DeveloperTools | undefined;
  const confirmed = async (tools: DeveloperTools, before: string) => {
    const dialog = await tools.openRotateDialog(signal);
    expect(await tools.shown(signal)).toBe(before);
    expect(provider.counters.rotateRequests).toBe(0);
    await dialog.press(signal);
  };
  try {
    const before = provider.issuedSecret();
    tools = await playwrightPortal({ profile }).open(account, signal);
    expect(await tools.look(signal)).toBe(before);
    await confirmed(tools, before).catch((error: RotationError) => {
      // A section that closes by itself may take the dialog along just before the click. That is certain, and may be tried again.
      expect([traits.dangerZone, error.pressed, error.retryable], error.message).toEqual(['closes-again', 'no', true]);
      return confirmed(tools as DeveloperTools, before);
    });
    let seen = traits.newSecret === 'at-once' ? await tools.shown(signal) : before;
    while (seen === before) {
      seen = await tools.look(signal);
      if (seen === before) await vi.waitUntil(() => provider.shownSecret(laterMs) !== before, { timeout: 30_000 });
    }
    expect(seen).toBe(provider.issuedSecret());
    const logins = traits.session === 'already-signed-in' ? 0 : 1;
    expect(provider.counters).toMatchObject({
      presses: 1,
      rotateRequests: 1,
      otherClicks: {},
      logins: { attempts: logins, succeeded: logins },
    });
  } finally {
    await tools?.close();
    await portal.close();
  }
}
