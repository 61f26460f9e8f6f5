/** What every page of the portal shares: the document, the sidebar with the account menu, and the icons. */
import { html, raw } from 'hono/html';
import { overlay, whatsNew } from './overlays.ts';
import { type PageSettings, pageScript } from './page-script.ts';
import { style } from './style.ts';
import type { Translate } from './texts.ts';
import type { PortalTraits } from './traits.ts';

export type Html = ReturnType<typeof html>;

/**
 * What a page is rendered with. `nonce` admits its own script and style, `csrfToken` is empty before the login,
 * `flash` is to be said once.
 */
export type PageContext = {
  path: string;
  username: string;
  csrfToken: string;
  nonce: string;
  traits: PortalTraits;
  t: Translate;
  flash: string | undefined;
  loginOrigin: string;
};

/** Where the menu leads. */
export function developerToolsPath({ arrival }: PortalTraits): string {
  return arrival.startsWith('moved') ? '/settings/developer-tools' : '/account/developer-tools';
}

const strokes = {
  overview: 'M4 4h6v7H4zM14 4h6v4h-6zM14 12h6v8h-6zM4 15h6v5H4z',
  plots: 'M3 6l6-2 6 2 6-2v14l-6 2-6-2-6 2zM9 4v14M15 6v14',
  suppliers: 'M4 20V9l5 3V9l5 3V5h6v15zM8 16h1M12 16h1M16 16h1',
  statements: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 4-6 8-6s8 2 8 6',
  code: 'M8 7l-5 5 5 5M16 7l5 5-5 5M14 4l-4 16',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  chevron: 'M6 9l6 6 6-6',
  warning: 'M12 4l9 16H3zM12 10v4M12 17v.5',
  signOut: 'M14 4h5v16h-5M11 8l-4 4 4 4M7 12h9',
} as const;

export function icon(name: keyof typeof strokes, className = 'icon'): Html {
  return html`<svg class="${className}" viewBox="0 0 24 24" aria-hidden="true"><path d="${strokes[name]}"/></svg>`;
}

export const logo = html`<span class="logo"><svg viewBox="0 0 32 32" aria-hidden="true">
  <rect width="32" height="32" rx="8" fill="#0f7a5a"/><path d="M8 21c0-9 6-13 16-13 0 10-5 15-13 15-1 0-3-1-3-2z" fill="#d8f5e6"/>
  <path d="M7 26c3-7 7-10 12-13" fill="none" stroke="#0f7a5a" stroke-width="1.8" stroke-linecap="round"/></svg>TradeAware</span>`;

/** A satellite scene: fields, forest, a river and one monitored plot. Decoration only. */
export const scene =
  raw(`<svg class="scene" viewBox="0 0 400 300" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
  <defs><pattern id="rows" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(28)"><path d="M0 0h4" stroke="#0b3b2a" stroke-opacity=".28"/></pattern>
  <pattern id="trees" width="9" height="8" patternUnits="userSpaceOnUse"><g fill="#0b3b2a" fill-opacity=".35"><circle cx="2" cy="2" r="1.7"/><circle cx="6.5" cy="6" r="1.9"/></g></pattern></defs>
  <rect width="400" height="300" fill="#174a38"/><rect width="400" height="300" fill="url(#trees)"/>
  <g stroke="#0f3d2d" stroke-width="1.2"><path d="M0 0h92l-14 52L0 70z" fill="#5d9a5a"/><path d="M92 0h70l6 44-90 8z" fill="#86ab63"/><path d="M0 70l78-18 18 56-96 22z" fill="#3d8559"/>
  <path d="M0 214l70-22 36 44-20 64H0z" fill="#79a65c"/><path d="M106 236l64-14 22 78H86z" fill="#4d8f55"/><path d="M302 0h98v46l-84 16z" fill="#6f9f5c"/>
  <path d="M316 62l84-16v60l-66 4z" fill="#93b56f"/><path d="M268 246l72-24 60 10v68H260z" fill="#5d9a5a"/></g>
  <path d="M92 0h70l6 44-90 8zM0 214l70-22 36 44-20 64H0zM316 62l84-16v60l-66 4zM0 0h92l-14 52L0 70z" fill="url(#rows)"/>
  <path d="M-5 158c60-14 84 22 128 24s60-40 92-30 40 60 92 62 60-24 100-20" fill="none" stroke="#a5cdd3" stroke-width="5" stroke-linecap="round"/>
  <path d="M186 66l58-22 44 34-6 50-58 8-34-28z" fill="#c9f3de" fill-opacity=".22" stroke="#fff" stroke-width="1.5" stroke-dasharray="5 3.5"/>
  <g fill="#fff"><circle cx="186" cy="66" r="2.6"/><circle cx="244" cy="44" r="2.6"/><circle cx="288" cy="78" r="2.6"/><circle cx="282" cy="128" r="2.6"/><circle cx="224" cy="136" r="2.6"/><circle cx="190" cy="108" r="2.6"/></g></svg>`);

const skeleton = html`<div class="skeleton" aria-hidden="true"><p></p><p></p><p></p></div>`;

/** The bare HTML document. */
export function htmlDocument(page: PageContext, title: string, body: Html): Html {
  const { traits, t, nonce } = page;
  const inside = traits.rendering === 'slow-spa' ? html`${skeleton}<template id="page">${body}</template>` : body;
  const onDeveloperTools = page.csrfToken && page.path.startsWith(developerToolsPath(traits));
  const settings: PageSettings = {
    csrfToken: page.csrfToken,
    developerToolsPath: developerToolsPath(traits),
    loginOrigin: page.loginOrigin,
    slow: traits.rendering === 'slow-spa',
    formPosts: traits.rendering === 'form-posts',
    newSecretNeedsReload: traits.newSecret === 'after-reload',
    hostility: onDeveloperTools ? traits.hostility : 'none',
    says: [
      ...(page.flash ? [page.flash] : []),
      ...(traits.overlay === 'toasts'
        ? [t('Coffee from Vietnam: 188 plots checked'), t('Maintenance on Sunday, 6:00 UTC')]
        : []),
    ],
    texts: {
      copied: t('Copied to clipboard'),
      failed: t('Something went wrong. Check your connection and try again.'),
    },
  };
  return html`<!doctype html>
<html lang="${traits.language}"><head><meta charset="utf-8"><title>${title} · TradeAware</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="csrf-token" content="${page.csrfToken}">
<link rel="icon" href="data:,"><style nonce="${nonce}">${raw(style)}</style></head>
<body class="${traits.motion}">${inside}<div id="toasts" role="status"></div>${overlay(page)}${page.csrfToken && whatsNew(page)}
<script nonce="${nonce}">(${raw(String(pageScript))})(${raw(JSON.stringify(settings).replaceAll('<', '\\u003c'))})</script></body></html>`;
}

export const sections = {
  '/overview': 'Overview',
  '/plots': 'Plots',
  '/suppliers': 'Suppliers',
  '/statements': 'Statements',
} as const;
const sectionIcons = ['overview', 'plots', 'suppliers', 'statements'] as const;

const current = (page: PageContext, path: string) => page.path.startsWith(path) && raw('aria-current="page"');

const signOut = ({ csrfToken, t }: PageContext, role = '') =>
  html`<form method="post" action="/logout"><input type="hidden" name="csrf_token" value="${csrfToken}">
      <button ${role && html`role="${role}"`}>${icon('signOut')}${t('Sign out')}</button></form>`;

const menus: Record<PortalTraits['menu'], (page: PageContext) => Html> = {
  profile: (page) => html`<div class="account">
    <div id="account-menu" class="menu" hidden><a href="/account" ${current(page, '/account')}>${icon('person')}${page.t('Manage Account')}</a>${signOut(page)}</div>
    <button class="profile" aria-label="${page.t('Open account menu')}" aria-expanded="false" aria-controls="account-menu">
      <span class="avatar">${icon('person')}</span><span class="who">${page.username}</span>${icon('chevron')}</button></div>`,
  avatar: (page) => html`<div class="account top">
    <button class="profile" aria-label="${page.t('User menu')}" aria-haspopup="menu" aria-expanded="false" aria-controls="account-menu"><span class="avatar">RO</span></button>
    <div id="account-menu" class="menu" role="menu" hidden><a role="menuitem" href="/account">${icon('person')}${page.t('Settings')}</a>${signOut(page, 'menuitem')}</div></div>`,
};

/** A page inside the app, for somebody who is logged in. */
export function appPage(page: PageContext, title: string, content: Html): Html {
  const link = (path: string, label: string, image: Html) =>
    html`<a href="${path}" ${current(page, path)}>${image}${label}</a>`;
  const menu = menus[page.traits.menu](page);
  return htmlDocument(
    page,
    title,
    html`<div class="app"><aside class="sidebar">${logo}
  <nav aria-label="${page.t('Main')}">${Object.entries(sections).map(([path, label], i) => link(path, page.t(label), icon(sectionIcons[i] ?? 'overview')))}</nav>
  ${page.traits.menu === 'profile' && menu}</aside><main>${page.traits.menu === 'avatar' && menu}${content}</main></div>`,
  );
}

/** A page of the account, with the account's own navigation. */
export function accountPage(page: PageContext, title: string, content: Html): Html {
  const path = developerToolsPath(page.traits);
  const tab = (href: string, label: string, isCurrent: boolean) =>
    html`<a href="${href}" ${isCurrent && raw('aria-current="page"')}>${label}</a>`;
  return appPage(
    page,
    title,
    html`<p class="eyebrow">${page.t('Account')}</p><h1>${title}</h1>
  <nav class="tabs" aria-label="${page.t('Account')}">${tab('/account', page.t('Profile'), page.path === '/account')}${tab(path, page.t('Developer Tools'), page.path.startsWith(path))}</nav>
  ${content}`,
  );
}

/** What a page says instead of its content. */
export function messagePage(page: PageContext, title: string, text: string): Html {
  const card = html`<div class="card empty"><h1>${title}</h1><p class="muted">${text}</p></div>`;
  return page.csrfToken ? appPage(page, title, card) : htmlDocument(page, title, html`<main>${card}</main>`);
}
