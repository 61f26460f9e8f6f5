import { parsePortalProfile } from '../../../lambda/portal/profile.ts';
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
