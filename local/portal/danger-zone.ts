/** The Danger Zone: how it opens, and the rows with red buttons in it. */
import { html } from 'hono/html';
import { type Html, icon, type PageContext } from './layout.ts';
import type { Text } from './texts.ts';
import type { PortalTraits } from './traits.ts';

/** A red button, the row around it, and what its dialog says. `id` names the portal's API for it, and counts clicks. */
export type Danger = { id: string; title: Text; text: Text; label: Text; question: Text; consequence: Text };

const rotateSecret: Danger = {
  id: 'rotate-secret',
  title: 'Rotate Secret',
  text: 'Replace the client secret with a new one. The current secret stops working.',
  label: 'Rotate',
  question: 'Rotate client secret?',
  consequence:
    'Requests for access tokens with the current client secret will fail. Tokens that were issued already stay valid.',
};

/** Whether this one is our way, for either client. */
export const rotatesSecret = ({ id }: Danger) => id.endsWith(rotateSecret.id);

const rotateSigningKey: Danger = {
  id: 'rotate-signing-key',
  title: 'Rotate Signing Key',
  text: 'Replace the key that signs the tokens of this client.',
  label: 'Rotate',
  question: 'Rotate signing key?',
  consequence: 'Every access token of this client stops working at once.',
};

/** What nobody who is here to rotate should touch. */
const otherDangers: readonly Danger[] = [
  {
    id: 'revoke-tokens',
    title: 'Revoke all tokens',
    text: 'Every access token of this client stops working at once.',
    label: 'Revoke',
    question: 'Revoke all tokens?',
    consequence: 'Running integrations lose access until they request new tokens.',
  },
  {
    id: 'delete-client',
    title: 'Delete client',
    text: 'Remove this machine-to-machine client and everything that was configured for it.',
    label: 'Delete',
    question: 'Delete this client?',
    consequence: 'Its client ID and client secret are removed for good.',
  },
];

const obstructed: Partial<Record<PortalTraits['obstacle'], readonly Danger[]>> = {
  'two-rotate-candidates': [rotateSecret, { ...rotateSecret, id: 'rotate-secret-again' }],
  'no-rotate-button': [],
  'renamed-button': [{ ...rotateSecret, label: 'Regenerate' }],
  'dialog-speaks-of-deleting': [
    {
      ...rotateSecret,
      question: 'Delete this client?',
      consequence: 'Its client ID and client secret are removed for good.',
    },
  ],
  'dialog-speaks-of-revoking-all': [
    { ...rotateSecret, consequence: 'This revokes all tokens and secrets of your organisation.' },
  ],
  'dialog-speaks-of-billing': [
    { ...rotateSecret, consequence: 'Your plan allows no further rotation: 49 € will be added to your next invoice.' },
  ],
};

/** In the order of their rows. */
export function dangersOf(traits: PortalTraits): readonly Danger[] {
  return [
    ...(traits.otherRotates === 'danger-zone-too' ? [rotateSigningKey] : []),
    ...(obstructed[traits.obstacle] ?? [rotateSecret]),
    ...otherDangers,
  ];
}

const opener = (danger: Danger, { t, traits }: PageContext, describedBy = '') =>
  rotatesSecret(danger) && traits.obstacle === 'rotates-without-dialog'
    ? html`<button class="danger" data-rotates>${t(danger.label)}</button>`
    : html`<button class="danger" data-opens="${danger.id}" aria-haspopup="dialog" ${describedBy && html`aria-describedby="${describedBy}"`}>${t(danger.label)}</button>`;

const rows: Record<PortalTraits['rotateSecret'], (danger: Danger, page: PageContext) => Html> = {
  heading: (danger, page) => html`<section class="row" aria-labelledby="${danger.id}-title">
  <div><h3 id="${danger.id}-title">${page.t(danger.title)}</h3><p class="muted">${page.t(danger.text)}</p></div>
  ${opener(danger, page)}</section>`,
  'heading-without-section': (danger, page) =>
    html`<h3>${page.t(danger.title)}</h3><p class="muted">${page.t(danger.text)}</p><p>${opener(danger, page)}</p>`,
  'row-label': (danger, page) => html`<div class="row"><div><span class="label">${page.t(danger.title)}</span>
  <p class="muted">${page.t(danger.text)}</p></div>${opener(danger, page)}</div>`,
  description: (danger, page) => html`<div class="row"><p id="${danger.id}-text" class="muted">
  ${page.t(danger.title)}: ${page.t(danger.text)}</p>${opener(danger, page, `${danger.id}-text`)}</div>`,
};

const expandable = (id: string, name: string, content: Html, attributes: Html | string = '') => html`
  <section class="card flush danger-zone"><h2><button id="${id}-heading" aria-expanded="false" aria-controls="${id}" ${attributes}>${icon('warning')}${name}${icon('chevron')}</button></h2>
  <div id="${id}" role="region" aria-labelledby="${id}-heading" hidden>${content}</div></section>`;

const tabs = (id: string, panels: [name: string, content: Html | string][]) => html`
  <div class="tabs" role="tablist">${panels.map(([name], i) => html`<button role="tab" id="${id}-tab-${i}" aria-controls="${id}-panel-${i}" aria-selected="${String(i === 0)}">${name}</button>`)}</div>
  ${panels.map(([, content], i) => html`<div role="tabpanel" id="${id}-panel-${i}" aria-labelledby="${id}-tab-${i}" ${i === 0 ? '' : 'hidden'}>${content}</div>`)}`;

type Zone = (id: string, content: Html, credentials: Html, page: PageContext) => Html;

/** The credentials come along, as a tab may take their place. */
const zones: Record<PortalTraits['dangerZone'], Zone> = {
  button: (id, content, credentials, { t }) => html`${credentials}${expandable(id, t('Danger Zone'), content)}`,
  'closes-again': (id, content, credentials, { t }) =>
    html`${credentials}${expandable(id, t('Danger Zone'), content, 'data-closes-again')}`,
  details: (_id, content, credentials, { t }) => html`${credentials}
  <details class="card flush danger-zone"><summary><h2>${icon('warning')}${t('Danger Zone')}</h2></summary>${content}</details>`,
  'plain-heading': (id, content, credentials, { t }) => html`${credentials}
  <section class="card flush danger-zone"><h2 class="clickable" data-toggles="${id}">${icon('warning')}${t('Danger Zone')}</h2>
  <div id="${id}" hidden>${content}</div></section>`,
  open: (id, content, credentials, { t }) => html`${credentials}
  <section class="card flush danger-zone" aria-labelledby="${id}-heading"><h2 id="${id}-heading">${icon('warning')}${t('Danger Zone')}</h2>${content}</section>`,
  tab: (id, content, credentials, { t }) =>
    html`${credentials}${tabs(id, [
      [t('Activity'), html`<p class="card muted">${t('Nothing here yet')}</p>`],
      [t('Danger Zone'), html`<div class="card flush danger-zone">${content}</div>`],
    ])}`,
  'tab-beside-credentials': (id, content, credentials, { t }) =>
    tabs(id, [
      [t('Credentials'), credentials],
      [t('Danger Zone'), html`<div class="card flush danger-zone">${content}</div>`],
    ]),
};

/** The credentials of a client and its Danger Zone. */
export function withDangerZone(id: string, dangers: readonly Danger[], credentials: Html, page: PageContext): Html {
  const content = html`${dangers.map((danger) => rows[page.traits.rotateSecret](danger, page))}`;
  return zones[page.traits.dangerZone](id, content, credentials, page);
}
