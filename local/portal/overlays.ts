/** What lies over a page until it is dismissed. The page's script shows it until then. */
import { html } from 'hono/html';
import type { Html, PageContext } from './layout.ts';
import type { PortalTraits } from './traits.ts';

const consent = (t: PageContext['t']) => html`<h2>${t('We value your privacy')}</h2>
  <p>${t('We use cookies to understand how our product is used.')}</p>
  <div class="actions"><button data-dismisses>${t('Only necessary')}</button><button class="primary" data-dismisses>${t('Accept all')}</button></div>`;

const overlays: Record<PortalTraits['overlay'], (t: PageContext['t']) => Html | ''> = {
  none: () => '',
  toasts: () => '',
  'cookie-banner': (t) =>
    html`<template data-overlay="cookie_consent"><section class="cookie-banner" aria-label="Cookies" data-dismissible>${consent(t)}</section></template>`,
  'consent-wall': (t) => html`<template data-overlay="cookie_consent"><div class="backdrop wall" data-dismissible>
  <div class="dialog" role="dialog" aria-modal="true" aria-label="Cookies">${consent(t)}</div></div></template>`,
  'chat-widget': (t) => html`<template data-overlay="chat"><aside class="chat" aria-label="Chat" data-dismissible>
  <button data-dismisses aria-label="${t('Close chat')}">×</button><p>${t('Hi! Do you need help? We reply within minutes.')}</p></aside></template>`,
};

/** Where the trait `overlay` asks for one: a template for the page's script. */
export const overlay = ({ traits, t }: PageContext): Html | '' => overlays[traits.overlay](t);

/** The dialog of the trait `interstitial`, likewise. */
export const whatsNew = ({ traits, t }: PageContext): Html | '' =>
  traits.interstitial === 'whats-new'
    ? html`<template data-overlay="whats_new"><div class="backdrop" data-dismissible>
  <div class="dialog" role="dialog" aria-modal="true" aria-labelledby="whats-new"><h2 id="whats-new">${t("What's new")}</h2>
  <p>${t('Statements can now be filtered by supplier.')}</p>
  <div class="actions"><button class="primary" data-dismisses>${t('Got it')}</button></div></div></div></template>`
    : '';
