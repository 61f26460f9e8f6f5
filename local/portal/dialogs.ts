/** The dialogs that the red buttons open. The page's script clones them where they belong, and removes them again. */
import { html } from 'hono/html';
import type { OAuthClient } from '../provider.ts';
import { type Danger, rotatesSecret } from './danger-zone.ts';
import { type Html, icon, type PageContext } from './layout.ts';
import type { PortalTraits } from './traits.ts';

const confirmLabel = (danger: Danger, { t, traits }: PageContext) => {
  if (!rotatesSecret(danger)) return t(danger.label);
  return t(traits.obstacle === 'renamed-confirm-button' ? 'Replace' : traits.confirmLabel);
};

/** The text before and after `{}`, with what belongs there. */
const filled = (text: string, content: Html) => {
  const [before, after] = text.split('{}');
  return html`${before}${content}${after}`;
};

const tickBox = ({ t }: PageContext) =>
  html`<label class="tick"><input type="checkbox"> ${t('I understand that this takes effect immediately.')}</label>`;
const typeWord = ({ t }: PageContext) => html`<label for="confirmation">
  ${filled(t('To confirm, type {} below.'), html`<strong>${t('ROTATE')}</strong>`)}</label>
  <input id="confirmation" data-expects="${t('ROTATE')}" autocomplete="off">`;

const confirmations: Record<PortalTraits['confirmation'], (page: PageContext, client: OAuthClient) => Html | ''> = {
  plain: () => '',
  'type-word': typeWord,
  'type-client-id': ({ t }, { clientId }) => html`<p id="instruction">
  ${filled(t('Please type the client ID {} to confirm.'), html`<code>${clientId}</code>`)}</p>
  <input data-expects="${clientId}" aria-labelledby="instruction" autocomplete="off">`,
  'type-client-name': ({ t }, { name }) => html`<p>
  ${filled(t("Enter the client's name, “{}”, to continue."), html`${name}`)}</p>
  <input data-expects="${name}" placeholder="${t('Name')}" autocomplete="off">`,
  tick: tickBox,
  'type-and-tick': (page) => html`${typeWord(page)}${tickBox(page)}`,
};

type Content = { id: string; form: Html; question: string };

const overlaid = (role: string, { id, form }: Content, attributes: Html | '' = '') => html`
  <div class="backdrop" data-dialog ${attributes}><div class="dialog" role="${role}" aria-modal="true" aria-labelledby="${id}-dialog" aria-describedby="${id}-text">
  ${form}</div></div>`;

const dialogs: Record<PortalTraits['dialog'], (content: Content) => Html> = {
  'aria-dialog': (content) => overlaid('dialog', content),
  alertdialog: (content) => overlaid('alertdialog', content),
  'in-section': (content) => overlaid('dialog', content, html`data-in-section`),
  native: ({ id, form }) => html`<dialog class="dialog" data-dialog aria-labelledby="${id}-dialog">${form}</dialog>`,
  'window-confirm': ({ form, question }) => html`<div data-dialog data-asks="${question}">${form}</div>`,
};

/** The dialog of a red button as a template, in the form and with the confirmation that the traits ask for. */
export function dangerDialog(danger: Danger, client: OAuthClient, page: PageContext): Html {
  const { t, traits, csrfToken } = page;
  const { id } = danger;
  const late = traits.confirmEnabled === 'late' && html`data-late`;
  const confirm = html`<button class="danger" ${late || ''}>${confirmLabel(danger, page)}</button>`;
  const irrevocable = t('This action is immediate and cannot be reverted.');
  const form = html`<form method="post" action="/account/developer-tools/${id}"><input type="hidden" name="csrf_token" value="${csrfToken}">
  ${icon('warning', 'icon badge')}<h2 id="${id}-dialog">${t(danger.question)}</h2>
    <p id="${id}-text">${t(danger.consequence)}</p><p>${irrevocable}</p>
    ${confirmations[traits.confirmation](page, client)}<p class="alert" role="alert" hidden></p>
    <div class="actions"><button type="button" data-cancels>${t('Cancel')}</button>${confirm}
    ${rotatesSecret(danger) && traits.obstacle === 'two-confirm-buttons' && confirm}</div></form>`;
  const question = [t(danger.question), t(danger.consequence), irrevocable].join('\n\n');
  return html`<template id="${id}">${dialogs[traits.dialog]({ id, form, question })}</template>`;
}
