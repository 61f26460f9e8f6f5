/** Developer Tools: the OAuth client, its secret, and the Danger Zone in which it is rotated. */
import { html } from 'hono/html';
import type { OAuthClient } from '../provider.ts';
import { type Danger, dangersOf, withDangerZone } from './danger-zone.ts';
import { dangerDialog } from './dialogs.ts';
import { accountPage, developerToolsPath, type Html, type PageContext } from './layout.ts';
import { valueFields } from './value-fields.ts';

export type ShownClient = OAuthClient & { clientSecret: string };
export type DeveloperToolsState = { client: ShownClient; otherClient: ShownClient; tokenLifetimeHours: number };

/** `prefix` sets the second client's ids apart from those of ours. */
function clientView(prefix: '' | 'other-', client: ShownClient, page: PageContext, lifetimeHours: number): Html {
  const { t, traits } = page;
  const value = (name: string, label: 'Client ID' | 'Client Secret', text: string) =>
    ({ name: prefix.replace('-', '_') + name, label: t(label), value: text }) as const;
  const card = html`<section class="card"><h2>${t('Machine-to-machine client')}</h2>
  <p class="muted">${t('Use these credentials to request access tokens for the TradeAware API.')}</p>
  <dl><dt>${t('Name')}</dt><dd>${client.name}</dd><dt>${t('Scopes')}</dt><dd>${client.scopes.map((scope) => html`<code>${scope}</code> `)}</dd>
  <dt>${t('Token lifetime')}</dt><dd>${lifetimeHours} ${t('hours')}</dd></dl>
  ${valueFields[traits.clientId](value('client_id', 'Client ID', client.clientId), t)}
  ${valueFields[traits.clientSecret](value('client_secret', 'Client Secret', client.clientSecret), t)}</section>`;
  const dangers = dangersOf(traits).map((danger): Danger => ({ ...danger, id: prefix + danger.id }));
  const dialogs = dangers.map((danger) => dangerDialog(danger, client, page));
  const zone = withDangerZone(`${prefix}danger-zone`, dangers, html`${card}${!prefix && webhooks(page)}`, page);
  const again = traits.obstacle === 'two-danger-zones' && withDangerZone('danger-zone-again', dangers, html``, page);
  const content = html`${zone}${again}${dialogs}`;
  if (traits.clients === 'one') return content;
  return html`<section class="client" aria-labelledby="${prefix}client"><h2 id="${prefix}client">${client.name}</h2>${content}</section>`;
}

/** The client, or with `entries` what leads there. */
export function developerToolsPage(page: PageContext, state: DeveloperToolsState): Html {
  const { t, traits } = page;
  const path = developerToolsPath(traits);
  if (traits.entries === 'api-access' && page.path === path) {
    const entry = (name: string, href: string, text: string) =>
      html`<a class="card entry" href="${href}"><strong>${name}</strong><span class="muted">${text}</span></a>`;
    return accountPage(
      page,
      t('Developer Tools'),
      html`<div class="figures">
  ${entry(t('API Access'), `${path}/api-access`, t('Credentials for the TradeAware API.'))}
  ${entry(t('Webhooks'), `${path}/webhooks`, t('Endpoints that we send events to.'))}</div>`,
    );
  }
  if (page.path === `${path}/webhooks`) return accountPage(page, t('Webhooks'), webhooks(page));
  if (traits.obstacle === 'no-client') {
    return accountPage(
      page,
      t('Developer Tools'),
      html`<section class="card empty"><h2>${t('You do not have a machine-to-machine client yet.')}</h2>
  <p class="muted">${t('Do you want to create one now?')}</p><button class="primary" data-acts="create-client">${t('Yes, create client')}</button></section>`,
    );
  }
  const client = traits.obstacle === 'other-client-id' ? state.otherClient : state.client;
  return accountPage(
    page,
    t(traits.entries === 'none' ? 'Developer Tools' : 'API Access'),
    html`${traits.clients === 'two' ? clientView('other-', state.otherClient, page, state.tokenLifetimeHours) : ''}
  ${clientView('', client, page, state.tokenLifetimeHours)}`,
  );
}

function webhooks({ t }: PageContext): Html {
  return html`<section class="card" aria-labelledby="webhooks"><h2 id="webhooks">${t('Webhooks')}</h2>
  <div class="row"><div><h3>${t('Webhook signing key')}</h3><p class="muted">${t('Signs every event that we send to your endpoints.')}</p></div>
  <button data-acts="rotate-webhook-key" data-says="${t('Webhook signing key rotated')}">${t('Rotate')}</button></div></section>`;
}
