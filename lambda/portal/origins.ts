import { getDomain } from 'tldts';

const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/;

/** Where the login may be typed, and what else a page may ask for. */
export interface Origins {
  /** Whether the login may be typed on a page with this URL. */
  trusts(url: string): boolean;
  /** Whether the page may send a request there. */
  allows(url: string): boolean;
  /** A Chromium flag: no other host has an address, for redirects and sockets as well. */
  resolverRule: string;
}

/**
 * By default the registrable domain of Developer Tools over https; on loopback, any loopback origin.
 * @see issue "The portal driver", Browser safety
 */
export function originsFor(
  developerToolsUrl: string,
  trustedOrigins: readonly string[],
  assetOrigins: readonly string[],
): Origins {
  const home = new URL(developerToolsUrl);
  const domain = getDomain(home.hostname, { allowPrivateDomains: true });
  const trusts = (text: string) => {
    const url = URL.parse(text);
    if (!url) return false;
    if (url.origin === home.origin || trustedOrigins.includes(url.origin)) return true;
    if (loopback.test(home.hostname)) return /^https?:$/.test(url.protocol) && loopback.test(url.hostname);
    return (
      url.protocol === 'https:' && domain !== null && getDomain(url.hostname, { allowPrivateDomains: true }) === domain
    );
  };
  const hosts = [...trustedOrigins, ...assetOrigins, home.origin].map((text) => new URL(text).hostname);
  const family = loopback.test(home.hostname)
    ? ['localhost', '*.localhost', '127.0.0.1', '[::1]']
    : domain
      ? [domain, `*.${domain}`]
      : [];
  return {
    trusts,
    allows: (url) => trusts(url) || assetOrigins.includes(originOf(url)) || /^(data|blob|about):/.test(url),
    resolverRule: `--host-resolver-rules=MAP * ~NOTFOUND , ${[...new Set([...family, ...hosts])].map((host) => `EXCLUDE ${host}`).join(' , ')}`,
  };
}

/** In place of a part of what Chromium takes for an address and Node does not. */
export const noUrl = 'an address that is no URL';

export function originOf(url: string): string {
  return URL.parse(url)?.origin ?? noUrl;
}
