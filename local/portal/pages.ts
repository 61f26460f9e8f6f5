/** The portal's pages around Developer Tools: enough of a product for the way there. */
import { html } from 'hono/html';
import { statements } from '../provider.ts';
import { accountPage, appPage, type Html, type PageContext, scene, sections } from './layout.ts';
import type { Text } from './texts.ts';

export function overviewPage(page: PageContext): Html {
  const { t } = page;
  const figure = (label: Text, value: string, note: Text) =>
    html`<div class="card"><p class="muted small">${t(label)}</p><p class="figure">${value}</p><p class="small">${t(note)}</p></div>`;
  return appPage(
    page,
    t('Overview'),
    html`<p class="eyebrow">${t('Deforestation compliance')}</p><h1>${t('Overview')}</h1>
  <div class="figures">${figure('Plots monitored', '1,284', 'across 7 countries')}
    ${figure('Deforestation-free', '98.6 %', 'since 31 December 2020')}${figure('Under review', '3', 'plots need a decision')}</div>
  <div class="columns"><section class="card flush"><h2>${t('Due diligence statements')}</h2>
    <table><thead><tr><th>${t('Reference')}</th><th>${t('Commodity')}</th><th>${t('Origin')}</th><th>${t('Plots')}</th><th>${t('Risk')}</th></tr></thead>
    <tbody>${statements.map(
      (s) => html`<tr><td>${s.reference}</td><td>${s.commodity}</td><td>${s.origin}</td><td>${s.plots}</td>
      <td><span class="tag ${s.risk === 'Negligible' ? 'good' : 'open'}">${s.risk}</span></td></tr>`,
    )}</tbody></table></section>
  <section class="card flush"><h2>${t('Latest scene')}</h2>${scene}<p class="small muted">${t('Sentinel-2, cloud cover 4 %')}</p></section></div>`,
  );
}

/** A section of the product that this account has nothing in. */
export function emptyPage(page: PageContext): Html {
  const title = page.t(sections[page.path as keyof typeof sections]);
  return appPage(
    page,
    title,
    html`<h1>${title}</h1><div class="card empty"><p><strong>${page.t('Nothing here yet')}</strong></p>
  <p class="muted">${page.t('Records appear here once they are imported through the API.')}</p></div>`,
  );
}

export function profilePage(page: PageContext): Html {
  const { t } = page;
  return accountPage(
    page,
    t(page.traits.menu === 'profile' ? 'Manage Account' : 'Settings'),
    html`<section class="card"><h2>${t('Profile')}</h2><dl><dt>${t('Email address')}</dt><dd>${page.username}</dd>
  <dt>${t('Role')}</dt><dd>${t('Developer')}</dd><dt>${t('Language')}</dt><dd>${t('English')}</dd></dl></section>`,
  );
}
