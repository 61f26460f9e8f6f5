/**
 * The client id or the client secret with its label, in every form. `data-shows` marks where the page's script puts a
 * new value, by the value's name in the portal's own API; the script knows a value that is hidden by asking for it.
 */
import { html } from 'hono/html';
import { type Html, icon, type PageContext } from './layout.ts';
import type { PortalTraits } from './traits.ts';

export type Value = { name: string; label: string; value: string };
type ValueField = (value: Value, t: PageContext['t']) => Html;

const idOf = (name: string) => name.replaceAll('_', '-');
const labelled = ({ name, label }: Value, content: Html) =>
  html`<div class="field"><label for="${idOf(name)}">${label}</label><div class="with-button">${content}</div></div>`;
const beside = ({ label }: Value, content: Html) =>
  html`<div class="field"><span class="label">${label}</span><div class="with-button">${content}</div></div>`;
const passwordInput = ({ name, value }: Value) =>
  html`<input id="${idOf(name)}" data-shows="${name}" type="password" value="${value}" readonly autocomplete="off">`;
const revealButton = ({ name }: Value, label: string, other: string) =>
  html`<button data-reveals="${name}" data-other="${other}">${label}</button>`;

export const valueFields: Record<PortalTraits['clientSecret'], ValueField> = {
  'text-input': (v, t) =>
    labelled(
      v,
      html`<input id="${idOf(v.name)}" data-shows="${v.name}" value="${v.value}" readonly spellcheck="false">
  <button class="icon-button" data-copies="${v.name}" aria-label="${t('Copy')} ${v.label}">${icon('copy')}</button>`,
    ),
  'password-input': (v) => labelled(v, passwordInput(v)),
  'password-input-with-reveal': (v, t) =>
    labelled(v, html`${passwordInput(v)}${revealButton(v, t('Show'), t('Hide'))}`),
  textarea: (v) =>
    labelled(
      v,
      html`<textarea id="${idOf(v.name)}" data-shows="${v.name}" rows="2" readonly spellcheck="false">${v.value}</textarea>`,
    ),
  code: (v) => beside(v, html`<code data-shows="${v.name}">${v.value}</code>`),
  'definition-list': (v) => html`<dl><dt>${v.label}</dt><dd data-shows="${v.name}">${v.value}</dd></dl>`,
  'table-row': (v) =>
    html`<table class="values"><tbody><tr><th scope="row">${v.label}</th><td data-shows="${v.name}">${v.value}</td></tr></tbody></table>`,
  'div-pair': (v) =>
    html`<div class="pair"><div class="muted">${v.label}</div><div data-shows="${v.name}">${v.value}</div></div>`,
  'masked-until-reveal': (v, t) =>
    beside(
      v,
      html`<code data-shows="${v.name}" data-mask="${mask}">${mask}</code>${revealButton(v, t('Reveal'), t('Hide'))}`,
    ),
  'copy-button-only': (v, t) =>
    beside(v, html`<button data-copies="${v.name}" data-fetches>${icon('copy')}${t('Copy')}</button>`),
};

const mask = '•'.repeat(24);
