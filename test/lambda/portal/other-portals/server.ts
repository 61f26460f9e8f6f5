import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PortalAccount } from '../../../../lambda/rotation/ports.ts';
import type { Category } from '../../../../lambda/rotation/rotation-error.ts';

export interface Asked {
  method: string;
  url: URL;
  form: URLSearchParams;
  cookies: string;
  signedIn: boolean;
}
export type Handler = (asked: Asked) => Response | undefined | Promise<Response | undefined>;

/** What the portal holds, and what was done to it. */
export interface Lab {
  /** Where Developer Tools is, and where one logs in (another port). */
  app: string;
  login: string;
  account: PortalAccount;
  name: string;
  otherId: string;
  otherSecret: string;
  secret: string;
  secretsBefore: string[];
  rotations: number;
  /** Requests that nobody should make. */
  others: string[];
  logins: string[];
  codes: string[];
  /** Checks and counts a login. */
  knows(username: string | null, password: string | null): boolean;
}

/** A portal as one web team might build it. */
export interface OtherPortal {
  /** `pressed`, or which refusal before the press, and whether it keeps the login from being tried again. */
  expect: 'pressed' | { category: Category; says: RegExp; isRemembered?: boolean };
  /** Sessions exist from the start; nobody logs in. */
  signedIn?: boolean;
  profile?: object;
  totp?: boolean;
  path?: string;
  /** After the press the page shows the new secret by itself. */
  live?: boolean;
  app(lab: Lab): Handler;
  loginSite?(lab: Lab): Handler;
}

export const page = (
  body: string,
  init: { title?: string; head?: string; status?: number; lang?: string; cookie?: string } = {},
) =>
  new Response(
    `<!doctype html><html lang="${init.lang ?? 'en'}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${init.title ?? 'TradeAware'}</title>${init.head ?? ''}</head><body>${body}</body></html>`,
    {
      status: init.status ?? 200,
      headers: { 'content-type': 'text/html; charset=utf-8', ...(init.cookie ? { 'set-cookie': init.cookie } : {}) },
    },
  );
export const to = (location: string, cookie?: string) =>
  new Response(null, { status: 302, headers: { location, ...(cookie ? { 'set-cookie': cookie } : {}) } });
export const session = 'session=yes; Path=/; HttpOnly';

const random = (bytes: number) => randomBytes(bytes).toString('base64url');

export async function serve(portal: OtherPortal): Promise<Lab & { close(): Promise<void> }> {
  const lab: Lab = {
    app: '',
    login: '',
    account: {
      developerToolsUrl: '',
      clientId: randomBytes(24).toString('base64url'),
      username: 'rotation@example.com',
      password: random(18),
      totpSecret: portal.totp ? 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' : undefined,
    },
    name: 'ERP integration',
    otherId: randomBytes(24).toString('base64url'),
    otherSecret: random(48),
    secret: random(48),
    secretsBefore: [],
    rotations: 0,
    others: [],
    logins: [],
    codes: [],
    knows(username, password) {
      lab.logins.push(String(password));
      return username === lab.account.username && password === lab.account.password;
    },
  };
  const app = portal.app(lab);
  const login = portal.loginSite?.(lab);
  const servers: Server[] = [];
  const listen = async (host: string, handler: Handler, fallback: Handler) => {
    const server = createServer((request, response) => {
      void (async () => {
        let body = '';
        for await (const chunk of request) body += chunk;
        const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
        const cookies = request.headers.cookie ?? '';
        const asked: Asked = {
          method: request.method ?? 'GET',
          url,
          form: new URLSearchParams(
            body.startsWith('{') ? Object.entries(JSON.parse(body) as Record<string, string>) : body,
          ),
          cookies,
          signedIn: portal.signedIn === true || cookies.includes('session=yes'),
        };
        const reply = (await handler(asked)) ?? (await fallback(asked)) ?? new Response('Not found', { status: 404 });
        response.writeHead(reply.status, [...reply.headers].flat());
        response.end(Buffer.from(await reply.arrayBuffer()));
      })();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return `http://${host}:${(server.address() as AddressInfo).port}`;
  };
  if (login) lab.login = await listen('localhost', login, count);
  lab.app = await listen('127.0.0.1', app, api);
  lab.account.developerToolsUrl = `${lab.app}${portal.path ?? '/developer-tools'}`;

  function count({ method, url }: Asked): undefined {
    if (method !== 'GET') lab.others.push(`${method} ${url.pathname}`);
  }
  async function api(asked: Asked): Promise<Response | undefined> {
    const { pathname } = asked.url;
    if (pathname === '/api/session' && asked.method === 'POST') {
      return lab.knows(asked.form.get('username'), asked.form.get('password'))
        ? Response.json({ ok: true }, { headers: { 'set-cookie': session } })
        : Response.json({ error: 'Invalid email or password.' }, { status: 401 });
    }
    if (pathname.startsWith('/api/') && !asked.signedIn) return Response.json({}, { status: 401 });
    if (pathname === '/api/client') {
      return Response.json({ id: lab.account.clientId, name: lab.name, secret: lab.secret });
    }
    if (pathname === '/api/rotate' && asked.method === 'POST') {
      lab.rotations += 1;
      lab.secretsBefore.push(lab.secret);
      lab.secret = random(48);
      return Response.json({ secret: lab.secret });
    }
    return count(asked);
  }
  return {
    ...lab,
    get secret() {
      return lab.secret;
    },
    get rotations() {
      return lab.rotations;
    },
    close: async () => {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}
