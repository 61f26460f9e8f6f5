import { expect } from 'vitest';
import { playwrightPortal } from '../../../lambda/portal/portal.ts';
import { parsePortalProfile } from '../../../lambda/portal/profile.ts';
import type { DeveloperTools } from '../../../lambda/rotation/ports.ts';
import type { PortalTraits } from '../../../local/portal/traits.ts';
import { startProvider } from '../../../local/start-provider.ts';

/** As an operator would write it for a portal that speaks German. */
const german = {
  locale: 'de-DE',
  labels: {
    username: ['E-Mail-Adresse'],
    password: ['Passwort'],
    oneTimeCode: ['Einmalcode'],
    submitLogin: ['Anmelden', 'Weiter'],
    profileMenu: ['Kontomenü öffnen', 'Benutzermenü'],
    manageAccount: ['Konto verwalten', 'Einstellungen'],
    developerTools: ['Entwicklerwerkzeuge', '/^API-Zugang/'],
    clientId: ['Client-ID'],
    clientSecret: ['Client-Geheimnis'],
    reveal: ['Anzeigen', 'Einblenden'],
    copy: ['/^(Client-Geheimnis )?kopieren$/', 'Kopieren Client-Geheimnis'],
    dangerZone: ['Gefahrenbereich'],
    rotateSecret: ['/^Geheimnis erneuern\\b/'],
    rotate: ['Erneuern'],
    confirm: ['Erneuern', 'Geheimnis erneuern', 'Ja, erneuern'],
    cancel: ['Abbrechen'],
    acknowledge: ['/^Mir ist bewusst/'],
    dismiss: ['Nur notwendige', 'Chat schließen', 'Verstanden'],
  },
  messages: {
    rotating: ['/erneuer/'],
    forbidden: ['/lösch|entfern|widerruf|rechnung/'],
    typeThis: ['/Geben Sie (?:zur Bestätigung )?(?:die Client-ID )?(?:den Namen des Clients ein, )?(.{1,200})/'],
  },
  interstitials: [
    { says: ['/Angemeldet bleiben/'], answer: ['Nein'] },
    { says: ['/Neuigkeiten/'], answer: ['Verstanden'] },
    { says: ['/Privatsphäre/'], answer: ['Nur notwendige'] },
  ],
};

const languages = { en: {}, de: german };

/** A portal with these traits, and the driver's way in. */
export async function simulated(traits: Partial<PortalTraits>, times = {}) {
  const provider = await startProvider({ traits });
  const { login, client, developerToolsUrl } = provider;
  const account = {
    developerToolsUrl,
    clientId: client.clientId,
    username: login.username,
    password: login.password,
    totpSecret: login.totp_secret,
  };
  const profile = parsePortalProfile(JSON.stringify({ ...languages[traits.language ?? 'en'], times }));
  return { ...provider, account, profile };
}

/** A whole way through a portal with these traits: one press, the new secret read, and nothing else touched. */
export async function pressesOnce(traits: Partial<PortalTraits>): Promise<void> {
  // A page that is only on the way is not looked at for so long.
  const portal = await simulated(traits, { settleMs: 700 });
  const { provider, account, profile } = portal;
  const signal = AbortSignal.timeout(60_000);
  let tools: DeveloperTools | undefined;
  try {
    const before = provider.issuedSecret();
    tools = await playwrightPortal({ profile }).open(account, signal);
    expect(await tools.look(signal)).toBe(before);
    const dialog = await tools.openRotateDialog(signal);
    expect(await tools.shown(signal)).toBe(before);
    expect(provider.counters.rotateRequests).toBe(0);
    await dialog.press(signal);
    const live = traits.newSecret !== 'at-once' ? undefined : await readUntilItDiffers(tools, before, 'shown', signal);
    const seen = live ?? (await readUntilItDiffers(tools, before, 'look', signal));
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

async function readUntilItDiffers(
  tools: DeveloperTools,
  before: string,
  how: 'shown' | 'look',
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    const seen = await tools[how](signal);
    if (seen !== before) return seen;
  }
}
