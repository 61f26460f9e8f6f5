import { expect, test } from 'vitest';
import { playwrightPortal } from '../../../lambda/portal/portal.ts';
import { parsePortalProfile } from '../../../lambda/portal/profile.ts';
import type { DeveloperTools } from '../../../lambda/rotation/ports.ts';
import { LoginRefused, type RotationError } from '../../../lambda/rotation/rotation-error.ts';
import { chosen } from '../../choice.ts';
import { portals as apps } from './other-portals/apps.ts';
import { portals as logins } from './other-portals/logins.ts';
import { portals as misleading } from './other-portals/misleading.ts';
import { portals as plainPages } from './other-portals/plain-pages.ts';
import { portals as refusals } from './other-portals/refusals.ts';
import { type OtherPortal, serve } from './other-portals/server.ts';

/** Portals written from what the provider documents, by somebody who had not seen the driver or the simulated portal. */
const portals: Record<string, OtherPortal> = { ...plainPages, ...apps, ...logins, ...misleading, ...refusals };
const times = { pageMs: 4_000, settleMs: 500, clickMs: 2_000, dialogMs: 3_000 };
/** What succeeds takes no longer by this, and no busy machine makes it fail. */
const patient = { ...times, clickMs: 8_000, dialogMs: 8_000 };
const signal = AbortSignal.timeout(600_000);

const [pressed, refused] = [true, false].map((presses) => {
  const all = Object.entries(portals).map(([name, other]) => ({ name, other }));
  return chosen(
    all.filter(({ other }) => (other.expect === 'pressed') === presses),
    6,
  );
}) as [Portals, Portals];
type Portals = { name: string; other: OtherPortal }[];

async function drive(
  other: OtherPortal,
  way: (tools: DeveloperTools, portal: Served) => Promise<void>,
): Promise<Served> {
  const portal = await serve(other);
  const profile = parsePortalProfile(
    JSON.stringify({ ...other.profile, times: other.expect === 'pressed' ? patient : times }),
  );
  let tools: DeveloperTools | undefined;
  try {
    tools = await playwrightPortal({ profile }).open(portal.account, signal);
    await way(tools, portal);
    return portal;
  } finally {
    await tools?.close();
    await portal.close();
    expect(portal.others).toEqual([]);
    expect(portal.logins.length).toBeLessThanOrEqual(1);
    expect(portal.codes.length).toBeLessThanOrEqual(1);
  }
}
type Served = Awaited<ReturnType<typeof serve>>;

test.each(pressed)('pressed once: $name', async ({ other }) => {
  const portal = await drive(other, async (tools, portal) => {
    const before = portal.secret;
    expect(await tools.look(signal)).toBe(before);
    const dialog = await tools.openRotateDialog(signal);
    expect(await tools.shown(signal)).toBe(before);
    expect(portal.rotations).toBe(0);
    await dialog.press(signal);
    const read = () => (other.live === false ? tools.look(signal) : tools.shown(signal));
    await expect.poll(read).not.toBe(before);
    expect(await read()).toBe(portal.secret);
  });
  expect(portal.rotations).toBe(1);
});

test.each(refused)('refused before the press: $name', async ({ other }) => {
  const { category, says, isRemembered } = other.expect as Extract<OtherPortal['expect'], object>;
  let portal: Served | undefined;
  const error = (await drive(other, async (tools, served) => {
    portal = served;
    await tools.look(signal);
    await tools.openRotateDialog(signal);
  }).catch((thrown: unknown) => thrown)) as RotationError;
  expect(error.message).toMatch(says);
  expect(error).toMatchObject({ category, pressed: 'no' });
  expect(error.message).toMatch(says);
  expect(error.action).not.toBe('');
  if (isRemembered !== undefined) expect(error instanceof LoginRefused).toBe(isRemembered);
  expect(portal?.rotations ?? 0).toBe(0);
});
