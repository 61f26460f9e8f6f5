import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { playwrightPortal } from '../../../lambda/portal/portal.ts';
import { parsePortalProfile } from '../../../lambda/portal/profile.ts';
import type { DeveloperTools, Portal, PortalAccount } from '../../../lambda/rotation/ports.ts';

/** A portal of a few lines of HTML, which counts what is done to it. */
export interface SmallPortal {
  origin: string;
  account: PortalAccount;
  /** What the portal holds now. */
  secret(): string;
  rotations: number;
  /** Rotates, as the press does. */
  rotate(): void;
  /** Requests that nobody should make, by their path. */
  others: string[];
  /** Passwords that were sent, in order. */
  logins: string[];
  close(): Promise<void>;
}

export type Answer = (request: { method: string; url: URL; body: string; signedIn: boolean }) => Reply | Promise<Reply>;
type Reply = Response | undefined | 'never' | 'reset';

export const newSecret = () => randomBytes(24).toString('base64url');

/** Serves `page` as Developer Tools; `POST /rotate` rotates, `POST /login` signs in, any other POST is counted. */
export async function servePortal(
  page: (portal: { id: string; secret: string; other: string }) => string,
  answer?: (portal: SmallPortal) => Answer,
): Promise<SmallPortal> {
  let secret = newSecret();
  const portal: SmallPortal = {
    origin: '',
    account: {
      developerToolsUrl: '',
      clientId: randomBytes(16).toString('hex'),
      username: 'rotation@example.com',
      password: newSecret(),
      totpSecret: undefined,
    },
    secret: () => secret,
    rotations: 0,
    rotate: () => {
      portal.rotations += 1;
      secret = newSecret();
    },
    others: [],
    logins: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const other = randomBytes(16).toString('hex');
  const special = answer?.(portal);
  const server: Server = createServer((request, response) => void handle(request, response));
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const url = new URL(request.url ?? '/', portal.origin);
    const signedIn = (request.headers.cookie ?? '').includes('session=yes');
    const method = request.method ?? 'GET';
    const given = await special?.({ method, url, body, signedIn });
    if (given === 'never') return;
    if (given === 'reset') return void request.socket.destroy();
    const { pathname } = url;
    let reply = given;
    if (!reply && method === 'POST' && pathname === '/rotate') {
      portal.rotate();
      reply = Response.json({ secret });
    } else if (!reply && method === 'POST') {
      portal.others.push(pathname);
      reply = Response.json({});
    } else if (!reply && pathname === '/developer-tools') {
      reply = html(page({ id: portal.account.clientId, secret, other }));
    }
    reply ??= new Response('Not found', { status: 404 });
    response.writeHead(reply.status, [...reply.headers].flat());
    response.end(Buffer.from(await reply.arrayBuffer()));
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  portal.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  portal.account.developerToolsUrl = `${portal.origin}/developer-tools`;
  return portal;
}

export const html = (body: string, init?: ResponseInit) =>
  new Response(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Developer Tools</title></head><body>${body}${script}</body></html>`,
    { ...init, headers: { 'content-type': 'text/html; charset=utf-8', ...init?.headers } },
  );

/** What the pages' buttons do. */
const script = `<script>
  const show = (secret) => { for (const e of document.querySelectorAll('[data-secret]')) { if ('value' in e) e.value = secret; else e.textContent = secret; } };
  const press = async () => { const answer = await fetch('/rotate', { method: 'POST' }); show((await answer.json()).secret); for (const d of document.querySelectorAll('.modal')) { d.close?.(); d.hidden = true; } };
  const other = (name) => fetch('/other/' + name, { method: 'POST' });
  const ask = () => { const d = document.querySelector('.modal'); d.showModal ? d.showModal() : d.hidden = false; };
</script>`;

/** The usual parts, to be replaced one by one. */
export const parts = {
  id: (id: string) => `<label>Client ID <input readonly value="${id}"></label>`,
  secret: (secret: string) => `<label>Client Secret <input readonly data-secret value="${secret}"></label>`,
  zone: (content: string) =>
    `<section><h2><button aria-expanded="false" onclick="this.setAttribute('aria-expanded','true');document.getElementById('zone').hidden=false">Danger Zone</button></h2><div id="zone" hidden>${content}</div></section>`,
  rows: `<div class="row"><div><h3>Rotate Secret</h3><p>Replaces the client secret.</p></div><button onclick="ask()">Rotate</button></div>
    <div class="row"><div><h3>Delete client</h3><p>Cannot be undone.</p></div><button onclick="other('delete')">Delete</button></div>`,
  dialog: (content: string) => `<dialog class="modal"><h2>Rotate secret?</h2>${content}</dialog>`,
  buttons: `<button onclick="this.closest('.modal').close?.()">Cancel</button><button onclick="press()">Rotate</button>`,
};

export const usual = ({ id, secret }: { id: string; secret: string }) =>
  `<main><h1>Developer Tools</h1>${parts.id(id)}${parts.secret(secret)}${parts.zone(parts.rows)}</main>${parts.dialog(`<p>The current secret stops working.</p>${parts.buttons}`)}`;

/** Opens the portal with short times. */
export function open(portal: SmallPortal, profile: object = {}, options: object = {}): Promise<DeveloperTools> {
  return driver(profile, options).open(portal.account, AbortSignal.timeout(60_000));
}

export function driver(profile: object = {}, options: object = {}): Portal {
  const times = { pageMs: 5_000, settleMs: 400, clickMs: 2_500, dialogMs: 4_000, answerMs: 1_500 };
  const parsed = parsePortalProfile(
    JSON.stringify({ ...profile, times: { ...times, ...(profile as { times?: object }).times } }),
  );
  return playwrightPortal({ profile: parsed, ...options });
}
